//! Performs the one step of a pass.
//!
//! Order is everything here: claim acknowledged before the call, result recorded after it. Must never call twice, and must
//! never turn an unanswered write into an assumption.

use super::cluster::ClusterError;
use super::connection::Connection;
use super::observer::{MailResult, PassOutcome};
use super::pass::Passes;
use super::slots::Slot;
use super::waiting::Leave;
use crate::api::{InvitationClaim, InvitationClaimSpec, ProjectInvitation};
use crate::cloud::{Cancelled, Created, Room};
use crate::domain::attempt::AcknowledgedAttempt;
use crate::domain::conclude::Outcome;
use crate::domain::facts::{Facts, Ownership, Sight};
use crate::domain::failure::{Failure, FailureKind, Scope};
use crate::domain::key::claim_name;
use crate::domain::ledger::{self, Farewell};
use crate::domain::remote::{Invitation, ObjectId};
use crate::domain::step::Step;
use crate::domain::traces::Traces;
use kube::ResourceExt;

/// What was done.
pub(super) struct Performed {
    pub outcome: Outcome,
    pub label: PassOutcome,
    /// The claim as the API server last acknowledged it.
    pub claim: Option<InvitationClaim>,
    /// What is seen now that the call has been made.
    pub seen: Option<Sight>,
    pub let_go: bool,
}

impl Performed {
    fn new(outcome: Outcome, label: PassOutcome, claim: Option<InvitationClaim>) -> Self {
        Self { outcome, label, claim, seen: None, let_go: false }
    }

    pub(super) fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }
}

impl Passes {
    pub(super) async fn perform(
        &self,
        object: &ProjectInvitation,
        facts: &Facts,
        step: &Step,
        connection: &Connection,
        leave: &mut Leave,
    ) -> Result<Performed, ClusterError> {
        match step {
            Step::Rest | Step::LookAgain => {
                // A crash may have come between an invitation and the finalizer.
                if facts.ownership == Ownership::Mine {
                    self.ensure_finalizer(object, facts).await?;
                }
                Ok(Performed::new(Outcome::Done, PassOutcome::Unchanged, None))
            }
            Step::Record(claim) => {
                let written = self.take(object, facts, claim).await?;
                Ok(Performed::new(Outcome::Done, PassOutcome::Recorded, Some(written)))
            }
            Step::Invite(claim) => match (leave.slot.take(), leave.room.take()) {
                (Some(slot), Some(room)) => self.invite(object, facts, claim, connection, slot, room).await,
                (None, _) | (_, None) => {
                    Ok(Performed::new(Outcome::Failed(unsent("without leave")), PassOutcome::Failed, None))
                }
            },
            Step::UpdateRoles(id, roles) => {
                let claim = self.own_claim_now(facts, id).await?;
                let updated = connection.api.update_roles(&facts.desired.project, id, roles).await;
                self.circuits.ended(&facts.inviter, &facts.desired.project, updated.as_ref().err());
                Ok(match updated {
                    Ok(invitation) => {
                        let (project, person) = (&facts.desired.project, &facts.desired.username);
                        self.rosters.note(connection, project, person, id, Some(&invitation));
                        grant_log(facts, "roles of a pending invitation changed");
                        let seen = Some(seen_now(&invitation));
                        Performed {
                            seen,
                            ..Performed::new(Outcome::Updated(Box::new(invitation)), PassOutcome::Updated, Some(claim))
                        }
                    }
                    Err(failure) => self.failed(connection, failure, Some(claim)),
                })
            }
            Step::Cancel(id, claim) => self.cancel(facts, id, claim, connection).await,
            Step::HandOver(claim) => {
                self.write_claim(claim, facts.claim.as_ref()).await?;
                self.cluster.remove_finalizer(object).await?;
                Ok(Performed { let_go: true, ..Performed::new(Outcome::Done, PassOutcome::LetGo, None) })
            }
            Step::LetGo(farewell) => self.let_go(object, facts, farewell.clone()).await,
        }
    }

    /// Writes the claim and, beside it, the finalizer.
    async fn take(
        &self,
        object: &ProjectInvitation,
        facts: &Facts,
        claim: &InvitationClaimSpec,
    ) -> Result<InvitationClaim, ClusterError> {
        let (written, finalized) =
            tokio::join!(self.write_claim(claim, facts.claim.as_ref()), self.ensure_finalizer(object, facts));
        let written = written?;
        finalized?;
        Ok(written)
    }

    async fn ensure_finalizer(&self, object: &ProjectInvitation, facts: &Facts) -> Result<(), ClusterError> {
        let deleting = object.metadata.deletion_timestamp.is_some();
        if deleting || Traces::of(object).finalizer {
            return Ok(());
        }
        let written = self.cluster.add_finalizer(object).await?;
        if written.uid().as_ref() != Some(&facts.desired.object.uid) {
            return Err(ClusterError::Conflict);
        }
        self.objects.remember(kube::runtime::reflector::ObjectRef::from_obj(object), written);
        Ok(())
    }

    async fn invite(
        &self,
        object: &ProjectInvitation,
        facts: &Facts,
        claim: &InvitationClaimSpec,
        connection: &Connection,
        mut slot: Slot,
        room: Room,
    ) -> Result<Performed, ClusterError> {
        if !self.has_time_to_send(facts, claim, connection) {
            return Ok(Performed::new(Outcome::Failed(too_late()), PassOutcome::Failed, None));
        }
        let (written, finalized) =
            tokio::join!(self.write_claim(claim, facts.claim.as_ref()), self.ensure_finalizer(object, facts));
        let written = written?;
        self.memory.attempt_known_since(&facts.desired.object.uid, &facts.nonce, self.clock.monotonic());
        let attempt = match finalized {
            Ok(()) => AcknowledgedAttempt::in_claim(&written, &facts.nonce),
            // The object is going or gone: the attempt is closed without a call.
            Err(_) => None,
        };
        let Some(attempt) = attempt else {
            let failure = unsent("the object changed while the attempt was recorded");
            return Ok(Performed::new(Outcome::Failed(failure), PassOutcome::Failed, Some(written)));
        };
        let desired = &facts.desired;
        slot.sending();
        let created = connection.api.create(attempt, room, &desired.project, &desired.username, &desired.roles).await;
        slot.answered(created.as_ref().err().map(|failure| failure.kind));
        self.circuits.ended(&facts.inviter, &desired.project, created.as_ref().err());
        Ok(match created {
            Ok(Created::Invitation(invitation)) => {
                self.rosters.note(connection, &desired.project, &desired.username, &invitation.id, Some(&invitation));
                self.observer.mailed(MailResult::Sent);
                grant_log(facts, "invitation sent");
                let seen = Some(seen_now(&invitation));
                Performed { seen, ..Performed::new(Outcome::Created(invitation), PassOutcome::Invited, Some(written)) }
            }
            Ok(Created::WithoutId) => {
                self.observer.mailed(MailResult::Unknown);
                Performed::new(Outcome::CreatedWithoutId, PassOutcome::Invited, Some(written))
            }
            Err(failure) => {
                let definite = failure.kind.is_definite_no();
                self.observer.mailed(if definite { MailResult::Refused } else { MailResult::Unknown });
                self.failed(connection, failure, Some(written))
            }
        })
    }

    /// No attempt is opened only to be closed again: the Lease must have time left, and an API server that took half of the
    /// attempt's time for a read would take the rest for the claim.
    fn has_time_to_send(&self, facts: &Facts, claim: &InvitationClaimSpec, connection: &Connection) -> bool {
        let slow = self.memory.of(&facts.desired.object.uid).last_read * 2 >= facts.timings.post_deadline;
        let deadline = claim.attempt.as_ref().map(|attempt| attempt.deadline.0);
        !slow && deadline.is_some_and(|deadline| connection.api.may_create(deadline))
    }

    fn failed(&self, connection: &Connection, failure: Failure, claim: Option<InvitationClaim>) -> Performed {
        self.report_scope(connection, &failure);
        Performed::new(Outcome::Failed(failure), PassOutcome::Failed, claim)
    }

    /// A failure that speaks of the inviter stops everything that uses it.
    pub(super) fn report_scope(&self, connection: &Connection, failure: &Failure) {
        match failure.kind.scope() {
            Scope::Inviter => self.inviters.report(connection, failure.kind, &failure.message),
            Scope::Project | Scope::Object => {}
        }
    }

    pub(super) async fn cancel(
        &self,
        facts: &Facts,
        id: &ObjectId,
        claim: &InvitationClaimSpec,
        connection: &Connection,
    ) -> Result<Performed, ClusterError> {
        let written = self.write_claim(claim, facts.claim.as_ref()).await?;
        let desired = &facts.desired;
        let found = match connection.api.get(&desired.project, id).await {
            Ok(found) => found,
            Err(failure) => {
                self.circuits.ended(&facts.inviter, &desired.project, Some(&failure));
                return Ok(self.failed(connection, failure, Some(written)));
            }
        };
        let outcome = match found {
            // An id that names somebody else was never this object's to cancel.
            Some(found)
                if found.username != desired.username
                    || found.group_id.as_ref().is_some_and(|group| *group != desired.project) =>
            {
                return Ok(Performed::new(Outcome::NotOurs, PassOutcome::Recorded, Some(written)));
            }
            // Reads may not show yet what was sent a moment ago: only the cancellation itself can tell that it is gone.
            Some(_) | None => connection.api.cancel(&desired.project, id).await,
        };
        self.circuits.ended(&facts.inviter, &desired.project, outcome.as_ref().err());
        Ok(match outcome {
            Ok(cancelled) => {
                self.rosters.note(connection, &desired.project, &desired.username, id, None);
                if cancelled == Cancelled::Now && claim.surplus.iter().any(|surplus| surplus == id.as_str()) {
                    self.observer.compensated();
                }
                grant_log(facts, "invitation cancelled");
                let already_gone = cancelled == Cancelled::AlreadyGone;
                Performed::new(Outcome::Cancelled { already_gone }, PassOutcome::Cancelled, Some(written))
            }
            Err(failure) => self.failed(connection, failure, Some(written)),
        })
    }

    /// Lets the object go: first the claim without its owner, then the finalizer.
    pub(super) async fn let_go(
        &self,
        object: &ProjectInvitation,
        facts: &Facts,
        farewell: Farewell,
    ) -> Result<Performed, ClusterError> {
        if facts.ownership == Ownership::Mine
            && let Some(claim) = &facts.claim
        {
            self.close_claim(&ledger::let_go(claim.clone(), farewell, facts.now), claim).await?;
        }
        self.cluster.remove_finalizer(object).await?;
        Ok(Performed { let_go: true, ..Performed::new(Outcome::Done, PassOutcome::LetGo, None) })
    }

    /// Writes an ownerless claim, or deletes it when there is nothing left to remember; `decided_on` as for
    /// [`Passes::write_claim`].
    pub(super) async fn close_claim(
        &self,
        claim: &InvitationClaimSpec,
        decided_on: &InvitationClaimSpec,
    ) -> Result<(), ClusterError> {
        if ledger::worth_keeping(claim, self.clock.now()) {
            self.write_claim(claim, Some(decided_on)).await?;
            return Ok(());
        }
        let name = claim_name(&claim.key);
        match self.cluster.claim(&name).await? {
            Some(present) if present.spec == *decided_on => self.cluster.delete_claim(&present).await?,
            Some(present) => {
                self.claims.remember(self.claim_ref(&name), present);
                return Err(ClusterError::Conflict);
            }
            None => {}
        }
        self.claims.forget(&self.claim_ref(&name));
        Ok(())
    }

    /// Creates the claim, or replaces the very content that the step was decided on: a claim that came or changed since
    /// then is somebody's lock, in this process too. A write without an answer is read back.
    pub(super) async fn write_claim(
        &self,
        spec: &InvitationClaimSpec,
        decided_on: Option<&InvitationClaimSpec>,
    ) -> Result<InvitationClaim, ClusterError> {
        let name = claim_name(&spec.key);
        let reference = self.claim_ref(&name);
        self.memory.writes(spec, decided_on);
        let written = match (decided_on, self.claims.get(&reference)) {
            (None, _) => self.cluster.create_claim(&name, spec).await,
            (Some(decided_on), Some(seen)) if seen.spec == *decided_on => self.cluster.replace_claim(&seen, spec).await,
            (Some(_), _) => Err(ClusterError::Conflict),
        };
        match written {
            Ok(claim) => {
                self.claims.remember(reference, claim.clone());
                Ok(claim)
            }
            Err(error) => {
                // Whatever happened, the next decision is made on what is there.
                let live = self.cluster.claim(&name).await?;
                if let Some(live) = live {
                    self.claims.remember(reference, live.clone());
                    let done = matches!(error, ClusterError::Unanswered(_)) && live.spec == *spec;
                    if done { Ok(live) } else { Err(error) }
                } else {
                    self.claims.forget(&reference);
                    Err(error)
                }
            }
        }
    }

    /// The claim, read live, if it is still this object's and holds this invitation.
    async fn own_claim_now(&self, facts: &Facts, id: &ObjectId) -> Result<InvitationClaim, ClusterError> {
        let Some(recorded) = &facts.claim else { return Err(ClusterError::Conflict) };
        let live = self.cluster.claim(&claim_name(&recorded.key)).await?.ok_or(ClusterError::Conflict)?;
        let mine = live.spec.owner.as_ref().is_some_and(|owner| owner.uid == facts.desired.object.uid);
        let same = live.spec.invitation.as_ref().is_some_and(|invitation| invitation.id == id.as_str());
        if mine && same { Ok(live) } else { Err(ClusterError::Conflict) }
    }
}

fn unsent(why: &str) -> Failure {
    Failure { kind: FailureKind::Fenced, message: format!("{why}: nothing was sent") }
}

fn too_late() -> Failure {
    let message = "there is no time to send now: the API server is slow, or the lease is about to end";
    Failure { kind: FailureKind::Fenced, message: message.to_owned() }
}

fn seen_now(invitation: &Invitation) -> Sight {
    Sight { member: None, pending: vec![invitation.clone()], absence_settled: false, fresh: true }
}

/// One line per grant, change and revocation: the object, the project and the roles, never the address.
fn grant_log(facts: &Facts, what: &'static str) {
    let desired = &facts.desired;
    tracing::info!(
        namespace = desired.object.namespace,
        name = desired.object.name,
        project = %desired.project,
        roles = crate::domain::finding::listed(&desired.roles),
        "{what}"
    );
}
