//! Orphans: pending invitations of our own that nothing in the cluster knows.
//!
//! They come of a lost ledger, or of an assumption about the servers that did not hold. They are reported and never
//! cancelled: nobody can tell here whether a human counts on them.

use super::finding::Finding;
use super::remote::{Invitation, ObjectId};
use crate::api::{InvitationClaimSpec, Reason};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// So many ids stand in a message.
const SHOWN: usize = 5;

/// Whether a pending invitation that one of our own inviters sent is old enough to be known, and is not: `claim` is that of
/// its person and project, `quarantine` the time in which an attempt may still be on its way into the claim.
#[must_use]
pub fn is_unknown(
    invitation: &Invitation,
    claim: Option<&InvitationClaimSpec>,
    quarantine: Duration,
    now: Timestamp,
) -> bool {
    let age = |created: Timestamp| Duration::try_from(now.duration_since(created)).unwrap_or_default();
    let old = invitation.created_at.is_none_or(|created| age(created) >= quarantine);
    let known = claim.is_some_and(|claim| {
        let recorded = claim.invitation.as_ref().is_some_and(|recorded| recorded.id == invitation.id.as_str());
        // An open attempt is resolved by looking: what is there may be what it made.
        recorded || claim.attempt.is_some() || claim.surplus.iter().any(|id| id == invitation.id.as_str())
    });
    old && !known
}

/// How an inviter reports its orphans: ids by project, never the address of anybody.
#[must_use]
pub fn orphans_finding(orphans: &BTreeMap<ObjectId, BTreeSet<String>>) -> Option<Finding> {
    let all: Vec<_> = orphans
        .iter()
        .flat_map(|(project, ids)| ids.iter().map(move |id| format!("{id} in project {project}")))
        .collect();
    if all.is_empty() {
        return None;
    }
    let rest = all.len().saturating_sub(SHOWN);
    let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    let shown = all.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
    Some(Finding::new(
        Reason::OrphansFound,
        format!(
            "pending invitations that were sent through this inviter belong to no object: {shown}{more}. Make a \
             ProjectInvitation for the person to take one over, or cancel it at MongoDB"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Origin;
    use crate::domain::ledger;
    use crate::domain::testing::{claim, facts, invitation, now};
    use jiff::SignedDuration;

    const QUARANTINE: Duration = Duration::from_secs(190);

    fn later() -> Timestamp {
        now() + SignedDuration::from_secs(190)
    }

    #[test]
    fn what_no_claim_knows_is_an_orphan_after_the_quarantine() {
        let empty = claim(&facts());
        for claim in [None, Some(&empty)] {
            assert!(is_unknown(&invitation(), claim, QUARANTINE, later()));
            assert!(!is_unknown(&invitation(), claim, QUARANTINE, later() - SignedDuration::from_secs(1)));
        }
        let other = ledger::holding(
            empty.clone(),
            crate::api::RecordedInvitation {
                id: "64a0000000000000000000bb".to_owned(),
                ..ledger::recorded(empty, &invitation(), Origin::Created).invitation.unwrap()
            },
        );
        assert!(is_unknown(&invitation(), Some(&other), QUARANTINE, later()));
    }

    #[test]
    fn what_a_claim_records_keeps_resolves_or_cancels_is_none() {
        let facts = facts();
        let recorded = ledger::recorded(claim(&facts), &invitation(), Origin::Created);
        let kept = ledger::let_go(recorded.clone(), ledger::Farewell::Kept, now());
        let open = ledger::attempt_opened(claim(&facts), &facts);
        let surplus = ledger::with_surplus(claim(&facts), invitation().id.as_str());
        for claim in [recorded, kept, open, surplus] {
            assert!(!is_unknown(&invitation(), Some(&claim), QUARANTINE, later()), "{claim:#?}");
        }
    }

    #[test]
    fn the_report_names_ids_and_projects_and_is_bounded() {
        let project = |digit: char| ObjectId::parse(&digit.to_string().repeat(24)).unwrap();
        assert_eq!(orphans_finding(&BTreeMap::from([(project('1'), BTreeSet::new())])), None);
        let ids = |count: usize| (0..count).map(|number| format!("id-{number}")).collect::<BTreeSet<_>>();
        let finding = orphans_finding(&BTreeMap::from([(project('1'), ids(2)), (project('2'), ids(6))])).unwrap();
        assert_eq!(finding.reason, Reason::OrphansFound);
        assert!(finding.message.contains(&format!("id-1 in project {}", "1".repeat(24))), "{}", finding.message);
        assert!(finding.message.contains(" and 3 more."), "{}", finding.message);
    }
}
