//! Pending invitations that are not the recorded one: what somebody else sent.
//!
//! Owns whether they are taken over. Must never lose sight of what this operator sent itself.

use super::facts::{Facts, Sight};
use super::finding::{Finding, listed, recorded_finding, until};
use super::ledger;
use super::remote::Invitation;
use super::schedule::Wake;
use super::step::{Decision, again, record, rest, stop};
use crate::api::{Adoption, InvitationClaimSpec, Origin, Plan, Reason, RecordedInvitation};

/// Another invitation shows where the recorded one does not. Lists may hide what was sent a moment ago; nobody takes its
/// place before they must show it.
pub(super) fn beside(
    facts: &Facts,
    sight: &Sight,
    claim: &InvitationClaimSpec,
    recorded: &RecordedInvitation,
) -> Decision {
    let hidden_until = facts.timings.post_deadline + facts.timings.list_delay;
    let may_hide = claim.mails.last().is_some_and(|sent| facts.now < sent.0 + hidden_until);
    if recorded.origin == Origin::Created && may_hide {
        let finding = recorded_finding(recorded);
        return rest(finding.reason, finding.message, Wake::AbsenceGap);
    }
    adopt(facts, sight)
}

/// A pending invitation that is not the recorded one: taken over as the inviter allows.
pub(super) fn adopt(facts: &Facts, sight: &Sight) -> Decision {
    let ours = |invitation: &&Invitation| invitation.inviter_username.as_ref() == Some(&facts.inviter.identity);
    let Some(invitation) = sight.pending.iter().find(ours).or(sight.pending.first()) else {
        return again(Reason::Looking, "looking");
    };
    let allowed = ours(&invitation)
        || match facts.inviter.adoption {
            Adoption::Any => true,
            Adoption::SameRoles => invitation.roles == facts.desired.roles,
            Adoption::Never => false,
        };
    if !allowed {
        let roles = listed(&invitation.roles);
        return stop(
            Reason::InvitationExists,
            match facts.inviter.adoption {
                Adoption::Never => {
                    "somebody else's invitation of this person is pending, and the inviter has adoption: Never"
                        .to_owned()
                }
                Adoption::SameRoles | Adoption::Any => format!(
                    "somebody else's invitation of this person is pending with other roles ({roles}), and the inviter has \
                     adoption: SameRoles"
                ),
            },
        );
    }
    let mut decision = record(
        taken_over(facts, invitation),
        Finding::new(Reason::Adopted, format!("took over a pending invitation {}", until(invitation.expires_at))),
        Wake::NextLook,
    );
    decision.plan = Some(Plan::Adopt);
    decision
}

/// The claim with another's invitation. What this operator sent and nobody has seen gone is cancelled until it is: the time
/// for which lists may hide it was measured by a clock.
fn taken_over(facts: &Facts, invitation: &Invitation) -> InvitationClaimSpec {
    let claim = ledger::recorded(ledger::owned(facts), invitation, Origin::Adopted);
    let before = facts.claim.as_ref().filter(|before| before.verdict.is_none());
    match before.and_then(|before| before.invitation.as_ref()) {
        Some(sent) if sent.origin == Origin::Created && sent.id != invitation.id.as_str() => {
            ledger::with_surplus(claim, &sent.id)
        }
        _ => claim,
    }
}
