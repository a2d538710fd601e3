//! One pass, one way: read, decide, perform one step, conclude, tell, come back.
//!
//! Owns the order of effects and nothing else: what is decided is decided in `domain`. No step calls an earlier one; the
//! only loop is the queue. Must never e-mail from cached reads.

use super::cluster::ClusterError;
use super::connection::Connection;
use super::entitled::Unusable;
use super::gather::Gathered;
use super::kept::Tie;
use super::observer::PassOutcome;
pub use super::passes::{PassPorts, Passes};
use super::show::{Shown, notice};
use super::slots::Slot;
use super::waiting::{Denied, Leave, keep};
use crate::api::{InvitationClaim, ProjectInvitation, Reason};
use crate::domain::conclude::{Conclusion, conclude};
use crate::domain::decide::decide;
use crate::domain::desired::{Desired, Life, life, validate};
use crate::domain::facts::{Facts, LastPass, Ownership};
use crate::domain::finding::Finding;
use crate::domain::schedule::{self, Wake};
use crate::domain::step::{Decision, Step};
use crate::domain::traces::Traces;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use std::time::Duration;

/// What came of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassReport {
    /// For metrics.
    pub outcome: PassOutcome,
    /// When to come back; `None` when the object is gone.
    pub again_in: Option<Duration>,
}

impl PassReport {
    pub(super) fn gone(outcome: PassOutcome) -> Self {
        Self { outcome, again_in: None }
    }

    pub(super) fn again(outcome: PassOutcome, again_in: Duration) -> Self {
        Self { outcome, again_in: Some(again_in) }
    }
}

impl Passes {
    /// Reconciles one object.
    pub async fn pass(&self, reference: &ObjectRef<ProjectInvitation>) -> PassReport {
        // Whatever becomes of this pass: a slot that was kept for it and is not needed goes back.
        let turn = self.slots.turn(reference);
        let Some(object) = self.objects.get(reference) else {
            return PassReport::gone(PassOutcome::Unchanged);
        };
        let uid = object.uid().unwrap_or_default();
        let report = self.over(&object, &uid, turn).await;
        if self.objects.get(reference).is_none_or(|newest| newest.uid() != object.uid()) {
            // Its end was told while this pass went on, which remembered it anew; nobody tells of it again.
            self.memory.forget(&uid);
        }
        report
    }

    async fn over(&self, object: &ProjectInvitation, uid: &str, turn: Option<Slot>) -> PassReport {
        let life = life(object);
        let deleting = matches!(life, Life::Deleting { .. } | Life::Released);
        if deleting && !Traces::of(object).finalizer {
            // Somebody else's finalizer holds it; ours is done, or never came to be.
            self.memory.forget(uid);
            return PassReport::gone(PassOutcome::Unchanged);
        }
        let desired = match validate(object) {
            Ok(desired) => desired,
            Err(message) if deleting => return self.let_go_unread(object, &message).await,
            Err(message) => {
                let finding = Finding::new(Reason::InvalidSpec, message);
                return self.blocked(object, None, finding, Wake::OnEvent).await;
            }
        };
        match self.connection(&desired) {
            // Its first pass wakes this object.
            Err(Unusable::Checking) => PassReport::again(PassOutcome::Unchanged, Duration::from_secs(5)),
            Ok(connection) => {
                self.memory.update(uid, |memory| memory.inviter_missing_since = None);
                Box::pin(self.connected(object, desired, life, &connection, turn)).await
            }
            Err(Unusable::Because(finding)) if deleting => {
                self.delete_without_inviter(object, desired, life, finding).await
            }
            Err(Unusable::Because(finding)) => self.blocked(object, Some(&desired), finding, Wake::NextLook).await,
        }
    }

    pub(super) async fn connected(
        &self,
        object: &ProjectInvitation,
        desired: Desired,
        life: Life,
        connection: &Connection,
        turn: Option<Slot>,
    ) -> PassReport {
        let turn = turn.filter(|slot| slot.host() == connection.facts.host);
        let facts = match self.gather(object, desired, life, connection, turn.is_some()).await {
            Gathered::Facts(facts) => facts,
            Gathered::Changed => {
                let again_in = self.begin_again(object);
                // One that comes later asks for its turn again.
                if again_in.is_zero() {
                    keep(turn);
                }
                return PassReport::again(PassOutcome::Unchanged, again_in);
            }
            Gathered::Cluster(error) => return self.cluster_trouble(object, &error),
            Gathered::NoRoster(facts, trouble) => return self.no_roster(object, &facts, connection, &trouble).await,
        };
        if facts.owns_another_claim && matches!(facts.life, Life::Deleting { .. } | Life::Released) {
            // The object was pointed to another host: what it sent is cancelled where it was sent.
            let finding =
                Finding::new(Reason::InviterMoved, "inviterRef leads to another API host than the invitation's");
            return self.delete_without_inviter(object, facts.desired, life, finding).await;
        }
        let decision = decide(&facts);
        let leave = match self.leave(object, &facts, &decision, connection, turn).await {
            Ok(leave) => leave,
            Err(Denied::ForSlot(expected)) => return self.wait_for_slot(object, &facts, expected).await,
            Err(Denied::Because(trouble)) => return self.no_roster(object, &facts, connection, &trouble).await,
        };
        if decision.step == Step::LookAgain {
            keep(leave.slot);
            self.memory.update(&facts.desired.object.uid, |memory| memory.needs_fresh = true);
            return PassReport::again(PassOutcome::Unchanged, Duration::ZERO);
        }
        let mails = matches!(decision.step, Step::Invite(_));
        let uid = facts.desired.object.uid.clone();
        if mails {
            self.memory.update(&uid, |memory| memory.mailing = true);
        }
        let report = self.carry_out(object, *facts, decision, connection, leave).await;
        if mails {
            self.memory.update(&uid, |memory| memory.mailing = false);
        }
        report
    }

    /// Whether the pass over the object must not be dropped now: what it sends is to be recorded.
    pub(super) fn is_mailing(&self, reference: &ObjectRef<ProjectInvitation>) -> bool {
        self.objects.get(reference).is_some_and(|object| self.memory.of(&object.uid().unwrap_or_default()).mailing)
    }

    async fn carry_out(
        &self,
        object: &ProjectInvitation,
        mut facts: Facts,
        decision: Decision,
        connection: &Connection,
        mut leave: Leave,
    ) -> PassReport {
        let performed = match self.perform(object, &facts, &decision.step, connection, &mut leave).await {
            Ok(performed) => performed,
            Err(error) => return self.cluster_trouble(object, &error),
        };
        if performed.let_go {
            self.cluster.publish(object, &notice(&decision.finding)).await;
            self.memory.forget(&facts.desired.object.uid);
            return PassReport::gone(PassOutcome::LetGo);
        }
        let failures = self.memory.update(&facts.desired.object.uid, |memory| {
            let rested = facts.sight.is_some() && decision.step == Step::Rest;
            memory.last_pass = if rested { LastPass::Rested } else { LastPass::Acted };
            memory.failures = if performed.failed() { memory.failures.saturating_add(1) } else { 0 };
            memory.failures
        });
        let outcome = performed.label;
        let Conclusion { claim: next, finding, notice: extra, wake } =
            conclude(&decision, performed.outcome, performed.claim.as_ref().map(|claim| &claim.spec), &facts, failures);
        let mut wake = wake;
        let claim = match (next, performed.claim) {
            (Some(next), Some(acknowledged)) => {
                self.memory.owns(&facts.desired.object.uid, Some(&next));
                let written = self.books.write(acknowledged.clone(), next.clone()).await;
                if written.as_ref().is_some_and(|claim| !claim.spec.surplus.is_empty()) {
                    wake = Wake::Now;
                }
                let mine = |claim: &InvitationClaim| {
                    claim.spec.owner.as_ref().is_some_and(|owner| owner.uid == facts.desired.object.uid)
                };
                Some(match written {
                    Some(written) if mine(&written) => written.spec,
                    Some(_) => acknowledged.spec,
                    // Not recorded yet, and so all the same: the open attempt leads to it.
                    None => next,
                })
            }
            (_, written) => written.map(|claim| claim.spec),
        };
        if wake == Wake::Now {
            keep(leave.slot);
        }
        // Only who looked and found nothing to do is at rest.
        if decision.step != Step::Rest && matches!(wake, Wake::NextLook | Wake::OnEvent) {
            wake = Wake::Soon;
        }
        let claim = claim.or_else(|| match facts.ownership {
            Ownership::Mine => facts.claim.take(),
            Ownership::NoClaim | Ownership::Nobody | Ownership::Gone | Ownership::Other { .. } => None,
        });
        if facts.life == Life::Live && wake == Wake::Now && outcome == PassOutcome::Unchanged {
            return PassReport::again(outcome, Duration::ZERO);
        }
        let expires = claim.as_ref().and_then(|claim| claim.invitation.as_ref()?.expires_at.as_ref().map(|at| at.0));
        let again_in = self.wait(wake, facts.inviter.check_interval, expires);
        let sight = performed.seen.as_ref().or(facts.sight.as_ref());
        let shown = Shown {
            desired: Some(&facts.desired),
            claim: claim.as_ref(),
            sight,
            finding,
            extra,
            plan: decision.plan,
            overdue: false,
        };
        match self.show(object, shown).await {
            Ok(wrote) => {
                let outcome = if wrote && outcome == PassOutcome::Unchanged { PassOutcome::Recorded } else { outcome };
                PassReport::again(outcome, again_in)
            }
            Err(error) => self.cluster_trouble(object, &error),
        }
    }

    /// Shows why nothing can be done now.
    pub(super) async fn blocked(
        &self,
        object: &ProjectInvitation,
        desired: Option<&Desired>,
        finding: Finding,
        wake: Wake,
    ) -> PassReport {
        let uid = object.uid().unwrap_or_default();
        let now = self.clock.monotonic();
        let waits_for_inviter = matches!(finding.reason, Reason::InviterNotFound | Reason::InviterNotReady);
        let since = self.memory.update(&uid, |memory| {
            let since = waits_for_inviter.then(|| memory.inviter_missing_since.unwrap_or(now));
            memory.inviter_missing_since = since;
            since
        });
        let grace = self.settings.timings.inviter_grace;
        let waited = since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        let overdue = since.is_some() && waited >= grace;
        let owned = self.owned_claim(&uid);
        let shown = Shown {
            desired,
            claim: owned.as_ref().map(|claim| &claim.spec),
            sight: None,
            finding,
            extra: None,
            plan: None,
            overdue,
        };
        let mut again_in = self.wait(wake, Duration::from_secs(300), None);
        if since.is_some() && !overdue {
            again_in = again_in.min(grace.saturating_sub(waited) + Duration::from_millis(50));
        }
        match self.show(object, shown).await {
            Ok(wrote) => {
                PassReport::again(if wrote { PassOutcome::Recorded } else { PassOutcome::Unchanged }, again_in)
            }
            Err(error) => self.cluster_trouble(object, &error),
        }
    }

    pub(super) fn wait(&self, wake: Wake, check_interval: Duration, expires: Option<jiff::Timestamp>) -> Duration {
        schedule::wait(wake, check_interval, expires, &self.settings.timings, self.clock.now(), self.chance.fraction())
    }

    /// The claim that the object owns, as far as the cache tells: for showing only.
    fn owned_claim(&self, uid: &str) -> Option<InvitationClaim> {
        self.claims.with(&Tie::Owner(uid.to_owned())).into_iter().next()
    }

    /// When a pass comes back that met what it was not planned for.
    fn begin_again(&self, object: &ProjectInvitation) -> Duration {
        let uid = object.uid().unwrap_or_default();
        schedule::begin_again(self.memory.begins_again(&uid, self.clock.monotonic()))
    }

    /// Kubernetes did not do what was asked: nothing is concluded, the pass is made again.
    pub(super) fn cluster_trouble(&self, object: &ProjectInvitation, error: &ClusterError) -> PassReport {
        let uid = object.uid().unwrap_or_default();
        match error {
            ClusterError::Conflict | ClusterError::Gone => {
                let again_in = self.begin_again(object).max(Duration::from_millis(20));
                PassReport::again(PassOutcome::Unchanged, again_in)
            }
            ClusterError::Refused(_) | ClusterError::Unanswered(_) => {
                let failures = self.memory.update(&uid, |memory| {
                    memory.failures = memory.failures.saturating_add(1);
                    memory.failures
                });
                tracing::warn!(namespace = object.namespace(), name = object.name_any(), %error, "pass not finished");
                let wait = schedule::api_backoff(failures, None, &self.settings.timings);
                PassReport::again(PassOutcome::Failed, wait)
            }
        }
    }
}
