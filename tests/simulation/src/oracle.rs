//! What must hold, said without the operator's own words: by outbox, people, objects and claims.
//!
//! Two kinds of rules: those that must hold at every moment, and those that must hold once nothing goes wrong any more and
//! everything has come to rest. Must never look at what the operator counts to excuse it.

use crate::action::project;
use crate::world::{IDENTITY, State, wall};
use invitation_operator::api::names::FINALIZER;
use invitation_operator::api::{InvitationClaim, InvitationClaimSpec, Phase, ProjectInvitation, VerdictKind};
use invitation_operator::domain::remote::Username;
use kube::ResourceExt;
use std::collections::BTreeMap;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

impl State {
    /// What a claim may never say at the moment that it is written.
    pub fn recorded(&mut self, claim: &InvitationClaimSpec, at: Duration) {
        self.known.extend(claim.invitation.iter().map(|invitation| invitation.id.clone()));
        let Some(verdict) = &claim.verdict else { return };
        let person = Username::new(&claim.key.username);
        let id = claim.invitation.as_ref().map(|invitation| invitation.id.as_str());
        let wrong = match verdict.kind {
            VerdictKind::Withdrawn => {
                self.cloud.pending(wall(at)).any(|pending| Some(pending.invitation.id.as_str()) == id)
            }
            VerdictKind::Accepted => !self.cloud.ever_joined(&person),
        };
        if wrong {
            let verdict = verdict.kind;
            self.violations.push(format!("{:.3} s: {verdict:?} was concluded, and is not so", at.as_secs_f64()));
        }
    }
}

/// Everything that is wrong once all has come to rest.
#[must_use]
pub fn judge(state: &State, at: Duration, cap: i32) -> Vec<String> {
    let mut wrong = state.violations.clone();
    mails(state, at, cap, &mut wrong);
    invitations(state, at, &mut wrong);
    claims(state, &mut wrong);
    for object in state.kubernetes.objects() {
        if let Err(why) = settled(state, object, at) {
            wrong.push(format!("{}/{}: {why}", object.namespace().unwrap_or_default(), object.name_any()));
        }
    }
    wrong
}

fn mails(state: &State, at: Duration, cap: i32, wrong: &mut Vec<String>) {
    let mut sent: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for mail in state.cloud.outbox().iter().filter(|mail| mail.from == IDENTITY) {
        sent.entry(mail.to.as_str()).or_default().push(mail.at);
    }
    for (person, times) in sent {
        let causes = state.causes.iter().filter(|(_, cause)| cause.folded() == person).count();
        let allowed = causes + ended_unseen(state, person, at);
        if times.len() > allowed {
            wrong.push(format!("{person} got {} e-mails for {allowed} causes", times.len()));
        }
        let cap = usize::try_from(cap).unwrap_or(0);
        let crowded = times.windows(cap + 1).any(|some| some[cap].saturating_sub(some[0]) < DAY);
        if crowded {
            wrong.push(format!("{person} got more than {cap} e-mails in a day"));
        }
        let counted = claim_of(state, &Username::new(person)).map_or(0, |claim| claim.spec.mails.len());
        let recent = times.iter().filter(|time| **time + DAY > *times.last().unwrap_or(&DAY)).count();
        if counted < recent {
            wrong.push(format!("{person} got {recent} e-mails, and the claim knows of {counted}"));
        }
    }
}

/// Invitations that ended before anybody could record them: nobody can tell them from mails that were never sent. It is the
/// window that docs/exactly-once.md calls W9.
fn ended_unseen(state: &State, person: &str, at: Duration) -> usize {
    let ended = state.cloud.ended(wall(at)).map(|pending| &pending.invitation);
    let ours = ended.filter(|invitation| invitation.inviter_username.as_deref() == Some(IDENTITY));
    ours.filter(|one| one.username.folded() == person && !state.known.contains(one.id.as_str())).count()
}

fn claim_of<'a>(state: &'a State, person: &Username) -> Option<&'a InvitationClaim> {
    state.kubernetes.claims().find(|claim| claim.spec.key.username == person.folded())
}

/// Every invitation that we sent is known to somebody who will look after it.
fn invitations(state: &State, at: Duration, wrong: &mut Vec<String>) {
    let ours = |from: Option<&str>| from == Some(IDENTITY);
    let pending: Vec<_> = state
        .cloud
        .pending(wall(at))
        .filter(|pending| ours(pending.invitation.inviter_username.as_deref()))
        .map(|pending| &pending.invitation)
        .collect();
    for invitation in &pending {
        let person = invitation.username.folded();
        let twice = pending.iter().filter(|other| other.username == invitation.username).count();
        if twice > 1 {
            wrong.push(format!("{person} has {twice} pending invitations"));
        }
        let known = state.kubernetes.claims().any(|claim| {
            let spec = &claim.spec;
            spec.invitation.as_ref().is_some_and(|recorded| recorded.id == invitation.id.as_str())
                && (spec.kept.is_some() || spec.owner.is_some())
                // Its object went before the attempt was resolved, and wanted it kept.
                || spec.kept.is_some() && spec.attempt.is_some() && spec.key.username == person
        });
        if !known {
            wrong.push(format!("the pending invitation of {person} is known to nobody"));
        }
    }
}

/// No claim waits for somebody who does not come.
fn claims(state: &State, wrong: &mut Vec<String>) {
    for claim in state.kubernetes.claims() {
        let spec = &claim.spec;
        let person = &spec.key.username;
        if let Some(owner) = &spec.owner {
            let lives = state
                .kubernetes
                .object(&owner.namespace, &owner.name)
                .is_some_and(|object| object.uid().as_deref() == Some(owner.uid.as_str()));
            if !lives {
                wrong.push(format!("the claim of {person} has an owner that is gone"));
            }
        }
        // Nothing is done for a suspended object but once an hour.
        let suspended = spec.owner.as_ref().is_some_and(|owner| {
            state.kubernetes.object(&owner.namespace, &owner.name).is_some_and(|object| object.spec.suspend)
        });
        // Whoever invites the person next resolves what was kept.
        let left = spec.kept.is_some() && spec.owner.is_none();
        if spec.attempt.as_ref().is_some_and(|attempt| !attempt.answered) && !state.holds && !left && !suspended {
            wrong.push(format!("the claim of {person} has an attempt that nobody resolves"));
        }
        if spec.cancelling && !suspended {
            wrong.push(format!("the claim of {person} is being cancelled for ever"));
        }
        if !spec.surplus.is_empty() && !suspended {
            wrong.push(format!("the claim of {person} has a surplus invitation that is not cancelled"));
        }
        if spec.debt.is_some() {
            wrong.push(format!("the claim of {person} has a debt that is not paid"));
        }
    }
}

fn reason_of(object: &ProjectInvitation) -> &str {
    let conditions = object.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let named = |name: &str| conditions.iter().find(|condition| condition.type_ == name);
    named("Stalled").or(named("Reconciling")).or(named("Ready")).map_or("", |condition| condition.reason.as_str())
}

/// Whether an object that nobody touches any more shows what is so.
fn settled(state: &State, object: &ProjectInvitation, at: Duration) -> Result<(), String> {
    if object.metadata.deletion_timestamp.is_some() {
        return Err("is being deleted for ever".to_owned());
    }
    if object.spec.suspend {
        return Ok(());
    }
    let person = Username::new(&object.spec.username);
    let reason = reason_of(object);
    let status = object.status.clone().unwrap_or_default();
    let claim = claim_of(state, &person);
    let owner = claim.and_then(|claim| claim.spec.owner.as_ref());
    let mine = owner.is_some_and(|owner| Some(&owner.uid) == object.uid().as_ref());
    let shown = format!("shows {:?}, {reason}", status.phase);
    if !mine {
        return match (owner, reason) {
            (Some(_), "DuplicateInvitee") | (None, "MailCapReached" | "OutcomeUnknown") => Ok(()),
            _ => Err(format!("owns no claim, and {shown}")),
        };
    }
    if !object.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
        return Err("owns a claim, and has no finalizer".to_owned());
    }
    let spec = claim.map(|claim| claim.spec.clone()).ok_or("has no claim")?;
    let wanted: std::collections::BTreeSet<_> = object.spec.roles.iter().cloned().collect();
    if state.cloud.member(&project(), &person).is_some() {
        return match status.phase {
            Some(Phase::Accepted) => Ok(()),
            _ => Err(format!("is a member, and {shown}")),
        };
    }
    let id = spec.invitation.as_ref().map(|invitation| invitation.id.clone());
    let pending: Vec<_> = state.cloud.pending_of(&project(), &person, wall(at)).collect();
    // Somebody else may have invited the person, too.
    let recorded = pending.iter().find(|pending| Some(pending.invitation.id.as_str()) == id.as_deref());
    match recorded.or(pending.first()) {
        Some(pending) => {
            let told = status.id.as_deref() == Some(pending.invitation.id.as_str()) && status.id == id;
            if recorded.is_none() && reason == "MailCapReached" {
                return Ok(());
            }
            // A wrong clock sees the end too early.
            let early = status.phase == Some(Phase::Expired) && state.processes.iter().any(|one| !one.skew.is_zero());
            if (status.phase != Some(Phase::Invited) && !early) || !told {
                return Err(format!("is invited as {}, and {shown} as {:?}", pending.invitation.id, status.id));
            }
            let reported: std::collections::BTreeSet<_> =
                status.roles.clone().unwrap_or_default().into_iter().collect();
            // An invitation that waits to be replaced is left as it is.
            let left = early || reason == "MailCapReached";
            if !left && (pending.invitation.roles != wanted || reported != wanted) {
                return Err(format!("wants {wanted:?}, has {:?}, shows {reported:?}", pending.invitation.roles));
            }
            Ok(())
        }
        None => match (status.phase, reason) {
            (Some(Phase::Withdrawn | Phase::Expired), _) | (_, "MailCapReached" | "OutcomeUnknown") => Ok(()),
            _ => Err(format!("is not invited, and {shown}")),
        },
    }
}
