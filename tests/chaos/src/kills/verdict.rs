//! Whether people are as they must be, by the simulator's outbox and invitations and the API server's objects.
//!
//! Must never read a metric or a log of the operator.

use super::person::{Person, Wanted};
use super::tally::Wrong;
use crate::ground::Ground;
use crate::persist;
use anyhow::Result;
use atlas_sim::Mail;
use invitation_operator::api::{InvitationClaim, Phase, ProjectInvitation, Reason};
use jiff::Timestamp;
use kube::ResourceExt;
use std::collections::{BTreeMap, BTreeSet};

/// No more e-mails to a person in 24 hours, whatever happens.
const CAP: usize = 3;

/// A pending invitation.
#[derive(Clone, Debug)]
struct Pending {
    id: String,
    roles: Vec<String>,
}

/// One moment of everything.
pub(super) struct Snapshot {
    objects: BTreeMap<String, ProjectInvitation>,
    claims: BTreeMap<String, InvitationClaim>,
    pending: BTreeMap<String, Vec<Pending>>,
    members: BTreeSet<String>,
    mails: BTreeMap<String, Vec<Mail>>,
}

/// How a person is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// As wanted.
    AsWanted,
    /// At rest at the cap on e-mails.
    Capped,
    /// Two attempts were lost in a row: a human has to ask for another, on this object.
    Held(String),
    /// Not as wanted, or not yet.
    Not(Wrong, String),
}

impl Snapshot {
    /// Takes one. The simulator is looked at last: what is pending then must be known before.
    pub(super) async fn take(ground: &Ground) -> Result<Self> {
        let objects = persist::list(&ground.invitations()).await?;
        let claims = persist::list(&ground.claims()).await?;
        let mut pending: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for one in ground.simulator.invitations(&ground.project) {
            pending.entry(one.username).or_default().push(Pending { id: one.id, roles: one.roles });
        }
        let mut mails: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for mail in ground.simulator.outbox() {
            mails.entry(mail.to.clone()).or_default().push(mail);
        }
        Ok(Self {
            objects: objects.into_iter().map(|object| (object.name_any(), object)).collect(),
            claims: claims.into_iter().map(|claim| (claim.spec.key.username.clone(), claim)).collect(),
            pending,
            members: ground.simulator.members(&ground.project).into_iter().map(|member| member.username).collect(),
            mails,
        })
    }

    /// E-mails to a person.
    pub(super) fn mails(&self, person: &Person) -> usize {
        self.mails.get(&person.address).map_or(0, Vec::len)
    }

    /// Whether there are still objects of a person.
    pub(super) fn has_objects(&self, person: &Person) -> bool {
        person.objects.iter().any(|name| self.objects.contains_key(name))
    }

    /// Whether there is still something of a person whose objects were deleted.
    pub(super) fn leaves_something(&self, person: &Person) -> bool {
        let claim = self.claims.get(&person.address).map(|claim| &claim.spec);
        let restless = claim.is_some_and(|claim| claim.owner.is_some() || claim.attempt.is_some());
        restless || self.has_objects(person) || (!person.is_kept() && !self.pending_ids(person).is_empty())
    }

    /// Ids of pending invitations of a person.
    pub(super) fn pending_ids(&self, person: &Person) -> Vec<String> {
        self.pending.get(&person.address).into_iter().flatten().map(|one| one.id.clone()).collect()
    }

    /// E-mails for which there was no cause: too many, or too early. This never heals.
    pub(super) fn duplicates(&self, person: &Person) -> Option<String> {
        let mails = self.mails.get(&person.address)?;
        let early = mails.iter().enumerate().any(|(number, mail)| {
            let cause = person.causes.get(number);
            cause.is_none_or(|cause| mail.at.parse::<Timestamp>().is_ok_and(|at| at < *cause))
        });
        (early || mails.len() > CAP).then(|| self.told(person, "an e-mail too many, or too early"))
    }

    /// All about a person, for whoever has to find out why.
    pub(super) fn told(&self, person: &Person, what: &str) -> String {
        let objects: Vec<_> = person.objects.iter().filter_map(|name| self.objects.get(name)).map(shown).collect();
        let pending = self.pending.get(&person.address);
        let claim = self.claims.get(&person.address).map(|claim| &claim.spec);
        let mails = self.mails.get(&person.address).into_iter().flatten();
        let mails: Vec<_> = mails.map(|mail| (&mail.at, &mail.invitation_id)).collect();
        let Person { address, story, wanted, causes, .. } = person;
        format!(
            "{address}: {what}; {story:?}, wanted {wanted:?}, causes {causes:?}, e-mails {mails:?}, pending {pending:?}, \
             objects {objects:?}, claim {claim:?}"
        )
    }

    /// How a person is found.
    pub(super) fn judge(&self, person: &Person) -> Found {
        let pending = self.pending.get(&person.address).map(Vec::as_slice).unwrap_or_default();
        let claim = self.claims.get(&person.address);
        let not = |wrong, what: &str| Found::Not(wrong, self.told(person, what));
        if let [one, two, ..] = pending {
            return not(Wrong::Duplicate, &format!("two invitations at a time, {} and {}", one.id, two.id));
        }
        let known = |one: &Pending| {
            let recorded = claim.and_then(|claim| claim.spec.invitation.as_ref());
            recorded.is_some_and(|recorded| recorded.id == one.id)
        };
        if pending.iter().any(|one| !known(one)) {
            return not(Wrong::Leak, "a pending invitation that no claim knows");
        }
        if claim.is_some_and(|claim| claim.spec.attempt.is_some() || claim.spec.cancelling || claim.spec.debt.is_some())
        {
            return not(Wrong::Stuck, "a claim that is not at rest");
        }
        let owner = claim.and_then(|claim| claim.spec.owner.as_ref());
        let owner_lives = |name: &String| {
            let uid = self.objects.get(name).and_then(|object| object.metadata.uid.as_ref());
            uid.is_some() && owner.map(|owner| &owner.uid) == uid
        };
        match &person.wanted {
            Wanted::Nothing | Wanted::Kept if self.has_objects(person) => not(Wrong::Stuck, "an object is still there"),
            Wanted::Nothing | Wanted::Kept if owner.is_some() => not(Wrong::Stuck, "a claim whose owner is gone"),
            Wanted::Nothing if !pending.is_empty() => not(Wrong::Leak, "a pending invitation that nobody wants"),
            Wanted::Nothing => Found::AsWanted,
            Wanted::Kept => {
                let kept = claim.is_some_and(|claim| claim.spec.kept.is_some());
                if kept && !pending.is_empty() { Found::AsWanted } else { not(Wrong::Stuck, "not kept") }
            }
            Wanted::Accepted { object } => {
                let member = self.members.contains(&person.address) && pending.is_empty();
                if member && self.is_in(object, Phase::Accepted) && owner_lives(object) {
                    Found::AsWanted
                } else {
                    not(Wrong::Stuck, "not shown as a member")
                }
            }
            Wanted::Withdrawn { object } => {
                if pending.is_empty() && self.is_in(object, Phase::Withdrawn) && owner_lives(object) {
                    Found::AsWanted
                } else {
                    not(Wrong::Stuck, "not shown as withdrawn")
                }
            }
            Wanted::Invited { objects, role } => {
                let gone = person.objects.iter().filter(|name| !objects.contains(name));
                if gone.into_iter().any(|name| self.objects.contains_key(name)) {
                    return not(Wrong::Stuck, "an object is still there");
                }
                let Some(name) = objects.iter().find(|name| owner_lives(name)) else {
                    return not(Wrong::Stuck, "no object owns the claim");
                };
                match pending {
                    [one] if self.is_in(name, Phase::Invited) && self.shows_id(name, &one.id) => {
                        if one.roles == [*role] { Found::AsWanted } else { not(Wrong::Stuck, "other roles") }
                    }
                    [] if self.has_reason(name, Reason::OutcomeUnknown) => Found::Held(name.clone()),
                    [] if self.has_reason(name, Reason::MailCapReached) => {
                        let counted = claim.map_or(0, |claim| claim.spec.mails.len());
                        if counted >= CAP { Found::Capped } else { not(Wrong::Stuck, "below the cap") }
                    }
                    _ => not(Wrong::Stuck, "not shown as invited"),
                }
            }
        }
    }

    fn current(&self, name: &str) -> Option<&ProjectInvitation> {
        let object = self.objects.get(name)?;
        let seen = object.status.as_ref()?.observed_generation;
        (seen == object.metadata.generation).then_some(object)
    }

    fn is_in(&self, name: &str, phase: Phase) -> bool {
        self.current(name).and_then(|object| object.status.as_ref()?.phase) == Some(phase)
    }

    fn shows_id(&self, name: &str, id: &str) -> bool {
        self.current(name).and_then(|object| object.status.as_ref()?.id.as_deref()) == Some(id)
    }

    fn has_reason(&self, name: &str, reason: Reason) -> bool {
        let conditions = self.current(name).and_then(|object| object.status.as_ref()).map(|status| &status.conditions);
        conditions.into_iter().flatten().any(|condition| condition.reason == reason.as_str())
    }
}

/// An object in one line.
fn shown(object: &ProjectInvitation) -> String {
    let status = object.status.as_ref();
    let reasons =
        status.map(|status| status.conditions.iter().map(|one| format!("{}={} {}", one.type_, one.status, one.reason)));
    format!(
        "{} uid {:?} deleting {} finalizers {:?} phase {:?} id {:?} {:?}",
        object.name_any(),
        object.metadata.uid,
        object.metadata.deletion_timestamp.is_some(),
        object.finalizers(),
        status.and_then(|status| status.phase),
        status.and_then(|status| status.id.as_ref()),
        reasons.into_iter().flatten().collect::<Vec<_>>(),
    )
}
