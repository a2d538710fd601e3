//! Gathers the facts of a pass: claim, ownership, roster.
//!
//! Whatever may lead to an e-mail is read live here, in the order that the protocol asks for: the object, then the project
//! with lists begun after it. The object's other claims, which no list tells of, are read beside both, unless it bears no
//! trace of an operator: going through all claims costs the API server more than all else. Must never decide.

use super::cluster::ClusterError;
use super::connection::Connection;
use super::kept::Tie;
use super::pass::Passes;
use super::roster::{Ask, Freshness, Roster, Trouble};
use super::successor::Succession;
use crate::api::{InvitationClaim, ProjectInvitation, VerdictKind};
use crate::domain::decide::{is_newcomer, look_need};
use crate::domain::desired::{Desired, Life};
use crate::domain::facts::{Facts, Ownership, Sight, quarantine};
use crate::domain::key::{claim_key, claim_name, same_key};
use crate::domain::step::LookNeed;
use crate::domain::traces::Traces;
use jiff::SignedDuration;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use std::sync::Arc;
use std::time::Duration;

/// What gathering came to.
pub(super) enum Gathered {
    /// All facts.
    Facts(Box<Facts>),
    /// The object is no longer what the pass was planned for.
    Changed,
    /// Kubernetes could not be asked.
    Cluster(ClusterError),
    /// The project could not be looked at; the facts are without sight.
    NoRoster(Box<Facts>, Trouble),
}

/// What rosters are expected to show of the person: the recorded invitation, or the membership.
fn expected(facts: &Facts) -> Option<&str> {
    let claim = facts.claim.as_ref()?;
    let accepted = claim.verdict.as_ref().is_some_and(|verdict| verdict.kind == VerdictKind::Accepted);
    if accepted { Some("member") } else { claim.invitation.as_ref().map(|invitation| invitation.id.as_str()) }
}

fn asked(facts: &Facts) -> Ask {
    if facts.asked { Ask::Requested } else { Ask::Usual }
}

impl Passes {
    pub(super) async fn gather(
        &self,
        object: &ProjectInvitation,
        desired: Desired,
        life: Life,
        connection: &Connection,
        has_slot: bool,
    ) -> Gathered {
        let uid = desired.object.uid.clone();
        let remembered = self.memory.of(&uid);
        let now = self.clock.monotonic();
        let facts = match self.recorded(object, desired, life, connection).await {
            Ok(facts) => facts,
            Err(error) => return Gathered::Cluster(error),
        };
        let known = self.clock.monotonic();
        let gap = self.settings.timings.absence_gap;
        let absence_due = remembered.missing_since.is_some_and(|since| now.saturating_sub(since) >= gap);
        let need = look_need(&facts, absence_due || remembered.needs_fresh);
        let recent = self.settings.timings.scaled(connection.facts.check_interval);
        let (within, complete) = (Freshness::Within(recent), Freshness::Complete(recent));
        let shared = match need {
            LookNeed::None => return Gathered::Facts(Box::new(facts)),
            LookNeed::Recent if !has_slot => Some(within),
            // Where a call is to be made anyway, it may as well be one that serves for an invitation.
            LookNeed::FreshWithSlot if !has_slot && self.rosters.has(connection, &facts.desired.project, complete) => {
                Some(complete)
            }
            LookNeed::Recent | LookNeed::FreshWithSlot | LookNeed::Fresh => None,
        };
        let looked = if let Some(shared) = shared {
            self.shared(&facts, shared, connection, known).await
        } else {
            let traces = Traces::of(object);
            let read =
                || self.memory.update(&uid, |memory| memory.last_read = self.clock.monotonic().saturating_sub(now));
            let object = async {
                if !self.is_current(object).await? {
                    return Ok(None);
                }
                read();
                Ok(Some(self.fresh(&facts, connection, known).await))
            };
            let others = async {
                // Its live read, beside this, must find it without a trace as well.
                if traces.none() {
                    return Ok(false);
                }
                let holds = self.holds_another(&facts).await;
                read();
                holds
            };
            match tokio::join!(object, others) {
                (Ok(Some(looked)), Ok(false)) => looked,
                (Ok(Some(_)), Ok(true)) => {
                    return Gathered::Facts(Box::new(Facts { owns_another_claim: true, ..facts }));
                }
                (Ok(None), _) => return Gathered::Changed,
                (Err(error), _) | (_, Err(error)) => return Gathered::Cluster(error),
            }
        };
        self.memory.update(&uid, |memory| memory.needs_fresh = false);
        match looked {
            Err(trouble) => Gathered::NoRoster(Box::new(facts), trouble),
            Ok(sight) => {
                // Looks take time: what is recorded from here on began now.
                Gathered::Facts(Box::new(Facts { sight: Some(sight), now: self.clock.now(), ..facts }))
            }
        }
    }

    /// The facts as far as Kubernetes tells them.
    async fn recorded(
        &self,
        object: &ProjectInvitation,
        desired: Desired,
        life: Life,
        connection: &Connection,
    ) -> Result<Facts, ClusterError> {
        let uid = desired.object.uid.clone();
        let life = self.life_here(&uid, life);
        let deleting = matches!(life, Life::Deleting { .. } | Life::Released);
        let key = claim_key(connection.facts.product, &connection.facts.host, &desired.project, &desired.username);
        let name = claim_name(&key);
        self.memory.owns(&uid, None);
        let claim = self.known_claim(&name, deleting).await?;
        let is_own = |claim: &&Arc<InvitationClaim>| claim.spec.owner.as_ref().is_some_and(|owner| owner.uid == uid);
        self.memory.owns(&uid, claim.as_ref().filter(is_own).map(|claim| &claim.spec));
        if claim.as_ref().is_some_and(|claim| !same_key(&claim.spec.key, &key)) {
            return Err(ClusterError::Refused(format!("InvitationClaim {name} holds the key of another person")));
        }
        let ownership = self.ownership(claim.as_deref(), &desired).await?;
        // Who only stands by would keep the sweep from it.
        if life == Life::Live && claim.is_some() && ownership != Ownership::Mine {
            self.wakes.wait_for_claim(&name, &ObjectRef::from_obj(object));
            // What happened to it before that wakes nobody.
            let version = |claim: Option<&InvitationClaim>| claim.and_then(ResourceExt::resource_version);
            if version(self.claims.get(&self.claim_ref(&name)).as_deref()) != version(claim.as_deref()) {
                return Err(ClusterError::Conflict);
            }
        }
        let now = self.clock.monotonic();
        let attempt = claim.as_ref().and_then(|claim| claim.spec.attempt.clone());
        let quarantine = attempt.map(|attempt| {
            let known = now.saturating_sub(self.memory.attempt_known_since(&uid, &attempt.nonce, now));
            quarantine(known, attempt.started_at.0, self.clock.now(), self.settings.timings.quarantine())
        });
        let pending =
            claim.as_ref().is_some_and(|claim| claim.spec.invitation.is_some() && claim.spec.verdict.is_none());
        let successor = if matches!(life, Life::Deleting { .. }) && ownership == Ownership::Mine && pending {
            match self.successor(&desired, &connection.facts.host).await {
                Succession::Nobody => None,
                Succession::Found(successor) => Some(*successor),
                // Come back later: nothing is cancelled before it is certain that nobody wants it, or it takes too long.
                Succession::Unsettled(_) if self.patience_left(life, &desired.object.namespace).is_zero() => None,
                Succession::Unsettled(error) => return Err(error),
            }
        } else {
            None
        };
        let status = object.status.as_ref();
        Ok(Facts {
            successor,
            status_tells_of_invitation: status
                .is_some_and(|status| status.id.is_some() || status.accepted_at.is_some()),
            status_resend: status.and_then(|status| status.last_handled_resend.clone()),
            status_phase: status.and_then(|status| status.phase),
            asked: desired.requested_at.is_some()
                && status.and_then(|status| status.last_handled_reconcile_at.as_ref()) != desired.requested_at.as_ref(),
            desired,
            life,
            claim: claim.as_ref().map(|claim| claim.spec.clone()),
            owns_another_claim: ownership != Ownership::Mine && self.owns_another(&uid, &name),
            ownership,
            last_pass: self.memory.of(&uid).last_pass,
            inviter: connection.facts.clone(),
            sight: None,
            quarantine,
            nonce: format!("{:032x}", self.chance.unique()),
            mail_cap: self.settings.max_mails_per_person,
            timings: self.settings.timings,
            now: self.clock.now(),
        })
    }

    /// An object that is being deleted has been so for at least as long as this process knows it, whatever the clock says.
    fn life_here(&self, uid: &str, life: Life) -> Life {
        let Life::Deleting { since, suspended } = life else { return life };
        let now = self.clock.monotonic();
        let seen = self.memory.update(uid, |memory| *memory.deleting_since.get_or_insert(now));
        let known = SignedDuration::try_from(now.saturating_sub(seen)).unwrap_or(SignedDuration::ZERO);
        Life::Deleting { since: since.min(self.clock.now() - known), suspended }
    }

    /// The claim as the cache has it; what is about to be given up is read live, because the cache may not know a claim
    /// of a moment ago.
    async fn known_claim(&self, name: &str, deleting: bool) -> Result<Option<Arc<InvitationClaim>>, ClusterError> {
        let reference = self.claim_ref(name);
        if !deleting {
            return Ok(self.claims.get(&reference));
        }
        let live = self.cluster.claim(name).await?;
        if let Some(live) = &live {
            self.claims.remember(reference, live.clone());
        }
        Ok(live.map(Arc::new))
    }

    /// What the project's roster shows; the facts were `known` at that time.
    async fn shared(
        &self,
        facts: &Facts,
        freshness: Freshness,
        connection: &Connection,
        known: Duration,
    ) -> Result<Sight, Trouble> {
        let roster = self.look(connection, &facts.desired.project, freshness, asked(facts)).await?;
        Ok(self.sight(facts, &roster, false, known))
    }

    /// What lists show that are begun now: good to send an invitation on.
    async fn fresh(&self, facts: &Facts, connection: &Connection, known: Duration) -> Result<Sight, Trouble> {
        let (now, project) = (self.clock.monotonic(), &facts.desired.project);
        let roster = if is_newcomer(facts) {
            let found = self.look_for(connection, project, &facts.desired.username, now, asked(facts)).await?;
            let Some(roster) = found else {
                // Nothing is recorded that could be missed.
                self.memory.missing_since(&facts.desired.object.uid, None, false, now, known);
                return Ok(Sight { member: None, pending: Vec::new(), absence_settled: false, fresh: true });
            };
            roster
        } else {
            self.look(connection, project, Freshness::Since(now), asked(facts)).await?
        };
        Ok(self.sight(facts, &roster, true, known))
    }

    fn sight(&self, facts: &Facts, roster: &Roster, fresh: bool, known: Duration) -> Sight {
        let (uid, shows) = (&facts.desired.object.uid, roster.shows(&facts.desired.username));
        let missing = self.memory.missing_since(uid, expected(facts), shows, roster.complete, known);
        let gap = self.settings.timings.absence_gap;
        let settled = missing.is_some_and(|since| roster.complete.saturating_sub(since) >= gap);
        roster.find(&facts.desired.username, settled, fresh)
    }

    pub(super) fn claim_ref(&self, name: &str) -> ObjectRef<InvitationClaim> {
        ObjectRef::new(name).within(&self.settings.operator_namespace)
    }

    /// Whether the object, read live, is still the one that the pass was planned for, and bears what it bore then.
    async fn is_current(&self, planned: &ProjectInvitation) -> Result<bool, ClusterError> {
        let reference = ObjectRef::from_obj(planned);
        let live = self.cluster.invitation(&planned.namespace().unwrap_or_default(), &planned.name_any()).await?;
        let same = live.as_ref().is_some_and(|live| {
            live.uid() == planned.uid()
                && live.metadata.generation == planned.metadata.generation
                && live.metadata.deletion_timestamp == planned.metadata.deletion_timestamp
                && Traces::of(live) == Traces::of(planned)
        });
        match live {
            Some(live) if !same => self.objects.remember(reference, live),
            Some(_) => {}
            None => self.objects.forget(&reference),
        }
        Ok(same)
    }

    /// Who owns the claim. An owner is gone only when a live read says so: 404, or another uid under its name.
    async fn ownership(&self, claim: Option<&InvitationClaim>, desired: &Desired) -> Result<Ownership, ClusterError> {
        let Some(claim) = claim else { return Ok(Ownership::NoClaim) };
        let Some(owner) = &claim.spec.owner else { return Ok(Ownership::Nobody) };
        if owner.uid == desired.object.uid {
            return Ok(Ownership::Mine);
        }
        if !self.namespaces.watches(&owner.namespace) {
            return Ok(Ownership::Other { shown: None });
        }
        match self.cluster.invitation(&owner.namespace, &owner.name).await {
            Ok(Some(live)) if live.uid().as_ref() == Some(&owner.uid) => {
                let shown = (owner.namespace == desired.object.namespace).then(|| owner.name.clone());
                Ok(Ownership::Other { shown })
            }
            Ok(Some(_) | None) => Ok(Ownership::Gone),
            Err(ClusterError::Refused(_)) => Ok(Ownership::Other { shown: None }),
            Err(error) => Err(error),
        }
    }

    /// Whether a live object without a claim of its own holds one under another key, read live: the cache may not know the
    /// claim of a moment ago, and an inviter that now leads elsewhere must not cost a second e-mail.
    async fn holds_another(&self, facts: &Facts) -> Result<bool, ClusterError> {
        match (facts.life, &facts.ownership) {
            (Life::Live, Ownership::NoClaim | Ownership::Nobody | Ownership::Gone) => {}
            (Life::Live | Life::Suspended | Life::Deleting { .. } | Life::Released, _) => return Ok(false),
        }
        let key = &facts.desired;
        let name = claim_name(&claim_key(facts.inviter.product, &facts.inviter.host, &key.project, &key.username));
        let claims = self.cluster.claims_of(&key.object.uid).await?;
        let mut others = claims.into_iter().filter(|claim| claim.name_any() != name);
        let other = others.next();
        if let Some(other) = &other {
            self.claims.remember(self.claim_ref(&other.name_any()), other.clone());
        }
        Ok(other.is_some())
    }

    fn owns_another(&self, uid: &str, name: &str) -> bool {
        let owned = |claim: &InvitationClaim| claim.spec.owner.as_ref().is_some_and(|owner| owner.uid == uid);
        // The cache may still hold a claim that was just given up.
        let mut others =
            self.claims.with(&Tie::Owner(uid.to_owned())).into_iter().filter(|claim| claim.name_any() != name);
        others.any(|other| self.claims.get(&ObjectRef::from_obj(&other)).is_some_and(|newest| owned(&newest)))
    }
}
