//! Deleting objects that cannot be cancelled in the ordinary way: no inviter, no roster, no readable spec.
//!
//! Cleanup must not depend on validation or on an inviter that is still there. Whatever cannot be done in time stays in
//! the claim as a debt. Must never hold an object for ever.

use super::connection::Connection;
use super::observer::PassOutcome;
use super::pass::{PassReport, Passes};
use super::roster::{Asked, Trouble};
use super::show::{Shown, notice};
use crate::api::{DeletionPolicy, InvitationClaimSpec, ProjectInvitation, Reason};
use crate::domain::conclude::blocked_message;
use crate::domain::deletion::parting;
use crate::domain::desired::{Desired, Life};
use crate::domain::facts::{Facts, Ownership};
use crate::domain::failure::FailureKind;
use crate::domain::finding::{Finding, setback_finding};
use crate::domain::ledger::{self, Farewell};
use crate::domain::schedule::Wake;
use kube::ResourceExt;
use std::time::Duration;

impl Passes {
    /// A spec that cannot be read was never acted on under this version of the schema; its claims still count.
    pub(super) async fn let_go_unread(&self, object: &ProjectInvitation, why: &str) -> PassReport {
        let uid = object.uid().unwrap_or_default();
        let claims = match self.cluster.claims_of(&uid).await {
            Ok(claims) => claims,
            Err(error) => return self.cluster_trouble(object, &error),
        };
        self.give_up(object, claims.into_iter().map(|claim| claim.spec).collect(), None, why).await
    }

    /// The inviter is missing or unusable: the credentials that last worked serve, if this process has them.
    pub(super) async fn delete_without_inviter(
        &self,
        object: &ProjectInvitation,
        desired: Desired,
        life: Life,
        finding: Finding,
    ) -> PassReport {
        let claims = match self.cluster.claims_of(&desired.object.uid).await {
            Ok(claims) => claims,
            Err(error) => return self.cluster_trouble(object, &error),
        };
        if let Life::Released = life {
            let specs = claims.into_iter().map(|claim| claim.spec).collect();
            return self.give_up(object, specs, Some(desired.deletion), "released by annotation").await;
        }
        let Some(claim) = claims.first() else {
            // Nothing was ever sent through any inviter: no call, no wait.
            return self.give_up(object, Vec::new(), None, "there is nothing to cancel").await;
        };
        // The namespace selector and a missing inviter forbid new invitations, never the cancel of an own one.
        if let Some(connection) = self.connections.last_good(&claim.spec.inviter_ref)
            && connection.facts.host == claim.spec.key.host
        {
            return Box::pin(self.connected(object, desired, life, &connection, None)).await;
        }
        self.cancel_blocked(object, &desired, &claim.spec, life, &finding.message, None).await
    }

    /// No roster: for a live object a setback, for one being deleted a reason to wait and at last to let go.
    pub(super) async fn no_roster(
        &self,
        object: &ProjectInvitation,
        facts: &Facts,
        connection: &Connection,
        trouble: &Trouble,
    ) -> PassReport {
        if trouble.asked == Asked::Busy {
            // The look in flight will tell; until then nothing has changed.
            return PassReport::again(PassOutcome::Unchanged, jittered(trouble.retry_in, self.chance.fraction()));
        }
        if trouble.asked == Asked::Now {
            self.report_scope(connection, &trouble.failure);
        }
        let retry = Wake::After(trouble.retry_in);
        match (facts.life, &facts.claim) {
            (Life::Deleting { .. }, Some(claim)) if facts.ownership == Ownership::Mine => {
                // With the project its invitations are gone.
                if trouble.failure.kind == FailureKind::ProjectNotFound {
                    return self.settle(object, claim.clone(), &trouble.failure.message).await;
                }
                let why = &trouble.failure.message;
                self.cancel_blocked(object, &facts.desired, claim, facts.life, why, Some(trouble.retry_in)).await
            }
            _ => {
                let finding = setback_finding(object.status.as_ref(), &trouble.failure, trouble.retry_in);
                self.blocked(object, Some(&facts.desired), finding, retry).await
            }
        }
    }

    /// How much longer a deletion waits for anything.
    pub(super) fn patience_left(&self, life: Life, namespace: &str) -> Duration {
        let Life::Deleting { since, .. } = life else { return Duration::ZERO };
        let timings = &self.settings.timings;
        let patience = if self.namespaces.is_terminating(namespace) {
            timings.release_after_terminating
        } else {
            timings.release_after
        };
        let waited = Duration::try_from(self.clock.now().duration_since(since)).unwrap_or_default();
        patience.saturating_sub(waited)
    }

    async fn cancel_blocked(
        &self,
        object: &ProjectInvitation,
        desired: &Desired,
        claim: &InvitationClaimSpec,
        life: Life,
        why: &str,
        retry_in: Option<Duration>,
    ) -> PassReport {
        let left = self.patience_left(life, &desired.object.namespace);
        // What is to stay needs no call; only a call without an answer is worth waiting for.
        let stays = desired.deletion == DeletionPolicy::Keep && claim.attempt.is_none();
        if stays || left.is_zero() {
            return self.give_up(object, vec![claim.clone()], Some(desired.deletion), why).await;
        }
        let finding = Finding::new(Reason::CancelBlocked, blocked_message(why));
        let shown = Shown {
            desired: Some(desired),
            claim: Some(claim),
            sight: None,
            finding,
            extra: None,
            plan: None,
            overdue: false,
        };
        let again_in = retry_in.unwrap_or(Duration::from_secs(30)).min(left) + Duration::from_millis(50);
        match self.show(object, shown).await {
            Ok(_) => PassReport::again(PassOutcome::Failed, again_in),
            Err(error) => self.cluster_trouble(object, &error),
        }
    }

    /// Lets the object go because there is nothing left to cancel.
    async fn settle(&self, object: &ProjectInvitation, claim: InvitationClaimSpec, why: &str) -> PassReport {
        let closed = ledger::settled_with_its_project(claim.clone(), self.clock.now());
        if let Err(error) = self.close_claim(&closed, &claim).await {
            return self.cluster_trouble(object, &error);
        }
        if let Err(error) = self.cluster.remove_finalizer(object).await {
            return self.cluster_trouble(object, &error);
        }
        let note = format!("there is nothing to cancel: {why}");
        self.cluster.publish(object, &notice(&Finding::new(Reason::Cancelled, note))).await;
        self.memory.forget(&object.uid().unwrap_or_default());
        PassReport::gone(PassOutcome::LetGo)
    }

    /// Lets the object go without a call; what is owed stays in its claims. `wish` is what the object wants done with a
    /// pending invitation, where it can be read; else its claim has that.
    async fn give_up(
        &self,
        object: &ProjectInvitation,
        claims: Vec<InvitationClaimSpec>,
        wish: Option<DeletionPolicy>,
        why: &str,
    ) -> PassReport {
        let mut said = None;
        for claim in claims {
            let farewell = parting(&claim, wish.unwrap_or(claim.deletion), why);
            said = said.or(match farewell {
                Farewell::Owed(_) => Some((
                    Reason::Released,
                    format!("let go without cancelling the invitation ({why}); the operator keeps the debt"),
                )),
                Farewell::Kept => Some((Reason::InvitationKept, "the invitation is left as it is".to_owned())),
                Farewell::Settled => None,
            });
            let closed = ledger::let_go(claim.clone(), farewell, self.clock.now());
            if let Err(error) = self.close_claim(&closed, &claim).await {
                return self.cluster_trouble(object, &error);
            }
        }
        if let Err(error) = self.cluster.remove_finalizer(object).await {
            return self.cluster_trouble(object, &error);
        }
        if let Some((reason, note)) = said {
            self.cluster.publish(object, &notice(&Finding::new(reason, note))).await;
        }
        self.memory.forget(&object.uid().unwrap_or_default());
        PassReport::gone(PassOutcome::LetGo)
    }
}

/// Spread, so that those who wait together do not come back together.
fn jittered(time: Duration, fraction: f64) -> Duration {
    time.mul_f64(0.75 + fraction / 2.0)
}
