//! Finishes off claims that no object looks after any more.
//!
//! An object whose finalizer was lost or forced away leaves its claim behind; an object that was let go may have left a
//! debt. Both are settled here as a deletion would be, by the same decisions; claims with nothing left to remember are
//! deleted. Must never touch a claim whose owner a live read still finds, nor one that another object waits for.

use super::connection::Connection;
use super::leadership::Seat;
use super::pass::Passes;
use super::roster::{Ask, Freshness};
use super::successor::Succession;
use crate::api::{
    DeletionPolicy, InvitationClaim, InvitationClaimSpec, Owner, ProjectInvitation, ReadyWhen, RecordedInviter,
};
use crate::domain::breaker::{Breaker, Permit, paused_finding};
use crate::domain::conclude::conclude;
use crate::domain::decide::{decide, look_need};
use crate::domain::desired::{Desired, InviterName, Life};
use crate::domain::facts::{Facts, LastPass, Ownership, quarantine};
use crate::domain::failure::FailureKind;
use crate::domain::key::claim_name;
use crate::domain::ledger::{is_indebted, let_go, settled_with_its_project, worth_keeping};
use crate::domain::remote::{ObjectId, Roles, Username};
use crate::domain::step::{LookNeed, Step};
use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often all claims are gone through.
const EVERY: Duration = Duration::from_secs(60);
/// An owner must have been gone for so long: the next object for the same person may be on its way.
const GRACE: Duration = Duration::from_secs(180);
/// A cancellation takes a few steps: claim, call, claim.
const STEPS: usize = 4;

/// What a sweep remembers of the last one.
#[derive(Default)]
struct Sweep {
    /// Claims whose owner is gone, and since when that is known.
    vanished: HashMap<String, Duration>,
    breaker: Breaker,
    /// The value on the Lease when the breaker tripped: only another one resumes.
    asked_before: Option<String>,
    /// Inviters that were told of a pause.
    told: BTreeMap<String, RecordedInviter>,
}

/// Why a claim is finished off.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Its owner is gone without having let go.
    Vanished,
    /// Its owner was let go before the invitation could be cancelled, or before it was known.
    Indebted,
}

/// Sweeps until `stop`; while somebody else leads, nothing is looked at.
pub async fn run(passes: Arc<Passes>, seat: Seat, stop: CancellationToken) {
    let mut sweep = Sweep::default();
    loop {
        let every = passes.settings.timings.scaled(EVERY);
        let pause = tokio::time::sleep(every + every.mul_f64(passes.chance.fraction() / 10.0));
        tokio::select! {
            () = pause => {
                // Dropped at whatever it is: every step of it can be made again.
                if stop.run_until_cancelled(Box::pin(sweep.all(&passes, &seat))).await.is_none() {
                    return;
                }
            }
            () = stop.cancelled() => return,
        }
    }
}

impl Sweep {
    async fn all(&mut self, passes: &Passes, seat: &Seat) {
        self.resume_if_asked(seat);
        let claims = questionable(passes);
        let now = passes.clock.monotonic();
        let grace = passes.settings.timings.scaled(GRACE);
        let mut vanished = HashMap::new();
        let mut paused = BTreeMap::new();
        for reference in &claims {
            if !seat.may_act() {
                break;
            }
            let Some(claim) = passes.claims.get(reference) else { continue };
            let claim = claim.as_ref();
            let name = claim.name_any();
            let spec = &claim.spec;
            if let Some(owner) = &spec.owner {
                if !is_gone(passes, owner).await || passes.wakes.wake_waiting(&name) {
                    continue;
                }
                let since = self.vanished.get(&name).copied().unwrap_or(now);
                vanished.insert(name, since);
                if now.saturating_sub(since) < grace {
                    continue;
                }
                if self.permits(passes, seat, claim, passes.claims.len()) {
                    finish(passes, claim, Cause::Vanished).await;
                } else {
                    paused.insert(spec.inviter_ref.uid.clone(), spec.inviter_ref.clone());
                }
            } else if is_indebted(spec) {
                finish(passes, claim, Cause::Indebted).await;
            } else if !worth_keeping(spec, passes.clock.now())
                && let Err(error) = passes.cluster.delete_claim(claim).await
            {
                tracing::debug!(claim = name, %error, "a claim with nothing left to remember stays for now");
            }
        }
        self.breaker.retain(|name| vanished.contains_key(name));
        self.vanished = vanished;
        passes.observer.cancellations_paused(self.breaker.is_tripped());
        self.tell(passes, paused);
    }

    /// A new value on the Lease says that the owners were deleted on purpose.
    fn resume_if_asked(&mut self, seat: &Seat) {
        let asked = seat.resume_asked();
        if self.breaker.is_tripped() && asked.is_some() && asked != self.asked_before {
            tracing::info!("cancellations for vanished owners are resumed, as the annotation of the lease asks");
            self.asked_before = asked;
            self.breaker.resume();
        }
    }

    /// Inviters show whose invitations are not cancelled.
    fn tell(&mut self, passes: &Passes, paused: BTreeMap<String, RecordedInviter>) {
        let uids = paused.keys().cloned().collect();
        let before = std::mem::replace(&mut self.told, paused);
        for uid in passes.connections.remarks().set_paused(uids) {
            if let Some(inviter) = self.told.get(&uid).or_else(|| before.get(&uid)) {
                passes.wakes.recorded(inviter);
            }
        }
    }

    /// The breaker counts only what would be cancelled.
    fn permits(&mut self, passes: &Passes, seat: &Seat, claim: &InvitationClaim, claims: usize) -> bool {
        let cancels = claim.spec.deletion == DeletionPolicy::Cancel
            && claim.spec.verdict.is_none()
            && (claim.spec.invitation.is_some() || claim.spec.attempt.is_some());
        if !cancels {
            return true;
        }
        match self.breaker.ask(&claim.name_any(), passes.clock.monotonic(), claims) {
            Permit::Granted => true,
            Permit::Paused { news } => {
                if news {
                    self.asked_before = seat.resume_asked();
                    tracing::error!("{}", paused_finding().message);
                }
                false
            }
        }
    }
}

/// The claims whose owner the cache does not show, in an order: most need not be read to be left alone.
fn questionable(passes: &Passes) -> Vec<ObjectRef<InvitationClaim>> {
    let mut present = HashSet::new();
    passes.objects.survey(|object| {
        present.insert(object.identity);
    });
    let mut claims = passes.claims.names_where(|claim| claim.owner.is_none_or(|owner| !present.contains(&owner)));
    claims.sort_by(|one, other| one.name.cmp(&other.name));
    claims
}

/// Whether a live read shows that the owner is gone: 404, or another uid under its name.
async fn is_gone(passes: &Passes, owner: &Owner) -> bool {
    let reference = ObjectRef::<ProjectInvitation>::new(&owner.name).within(&owner.namespace);
    let cached = passes.objects.get(&reference).is_some_and(|object| object.uid().as_ref() == Some(&owner.uid));
    if cached || !passes.namespaces.watches(&owner.namespace) {
        return false;
    }
    match passes.cluster.invitation(&owner.namespace, &owner.name).await {
        Ok(Some(live)) => live.uid().as_ref() != Some(&owner.uid),
        Ok(None) => true,
        Err(_) => false,
    }
}

/// Takes the steps that a deletion of the owner would take.
async fn finish(passes: &Passes, claim: &InvitationClaim, cause: Cause) {
    let Some(connection) = passes.connections.serving(&claim.spec.inviter_ref, &claim.spec.key.host) else { return };
    let mut spec = claim.spec.clone();
    for _ in 0..STEPS {
        let Some(facts) = gather(passes, &spec, cause, &connection).await else { return };
        let decision = decide(&facts);
        match step(passes, &facts, &decision.step, &connection, &spec).await {
            Some(next) => spec = next,
            None => return,
        }
    }
}

/// The facts of a deletion without an object.
async fn gather(passes: &Passes, spec: &InvitationClaimSpec, cause: Cause, connection: &Connection) -> Option<Facts> {
    // A debt is to be paid, whatever the owner's last word on deletion was; what was kept stays.
    let deletion = match cause {
        Cause::Vanished => spec.deletion,
        Cause::Indebted if spec.kept.is_some() => DeletionPolicy::Keep,
        Cause::Indebted => DeletionPolicy::Cancel,
    };
    // An owner that is no more; of a debt nobody knows its name, and the claim's own stands for it in memory.
    let nobody = || Owner { namespace: String::new(), name: String::new(), uid: claim_name(&spec.key) };
    let object = spec.owner.clone().unwrap_or_else(nobody);
    let now = passes.clock.now();
    let known = spec.attempt.as_ref().map(|attempt| {
        let monotonic = passes.clock.monotonic();
        let since = passes.memory.attempt_known_since(&object.uid, &attempt.nonce, monotonic);
        let length = passes.settings.timings.quarantine();
        quarantine(monotonic.saturating_sub(since), attempt.started_at.0, now, length)
    });
    let inviter = &spec.inviter_ref;
    let mut facts = Facts {
        desired: Desired {
            object,
            generation: 0,
            project: ObjectId::parse(&spec.key.project_id)?,
            username: Username::new(&spec.key.username),
            roles: Roles::new(),
            inviter: InviterName {
                kind: inviter.kind,
                namespace: inviter.namespace.clone(),
                name: inviter.name.clone(),
            },
            ready_when: ReadyWhen::default(),
            deletion,
            requested_at: None,
            resend: None,
        },
        // Long gone: there is nobody to wait for.
        life: Life::Deleting { since: Timestamp::UNIX_EPOCH, suspended: false },
        claim: Some(spec.clone()),
        ownership: Ownership::Mine,
        successor: None,
        owns_another_claim: false,
        status_tells_of_invitation: false,
        status_resend: None,
        status_phase: None,
        asked: false,
        last_pass: LastPass::Acted,
        inviter: connection.facts.clone(),
        sight: None,
        quarantine: known,
        nonce: String::new(),
        mail_cap: 0,
        timings: passes.settings.timings,
        now,
    };
    // Another object may want the same person, whether or not its passes get as far as to say so: it has the invitation.
    if cause == Cause::Vanished && spec.invitation.is_some() && spec.verdict.is_none() {
        facts.successor = match passes.successor(&facts.desired, &spec.key.host).await {
            Succession::Nobody => None,
            Succession::Found(successor) => Some(*successor),
            Succession::Unsettled(_) => return None,
        };
    }
    if look_need(&facts, false) != LookNeed::None {
        let since = Freshness::Since(passes.clock.monotonic());
        let roster = match passes.look(connection, &facts.desired.project, since, Ask::Usual).await {
            Ok(roster) => roster,
            Err(trouble) if trouble.failure.kind == FailureKind::ProjectNotFound => {
                let closed = settled_with_its_project(spec.clone(), now);
                if let Err(error) = passes.close_claim(&closed, spec).await {
                    tracing::debug!(%error, "a claim whose project is gone stays for now");
                }
                return None;
            }
            Err(_) => return None,
        };
        facts.sight = Some(roster.find(&facts.desired.username, false, true));
    }
    Some(facts)
}

/// Takes one step; returns the claim as it then is, or nothing when there is no more to do now.
async fn step(
    passes: &Passes,
    facts: &Facts,
    step: &Step,
    connection: &Connection,
    before: &InvitationClaimSpec,
) -> Option<InvitationClaimSpec> {
    // Nobody becomes the owner by this, and a debt stands until it is paid.
    let unowned = |claim: &InvitationClaimSpec| InvitationClaimSpec {
        owner: before.owner.clone(),
        debt: before.debt.clone(),
        ..claim.clone()
    };
    let done = match step {
        Step::Record(claim) => {
            passes.write_claim(&unowned(claim), Some(before)).await.map(|written| Some(written.spec))
        }
        // All of the inviter's claims in the project would be told the same.
        Step::Cancel(..) if passes.circuits.held(&facts.inviter, &facts.desired.project, false).is_some() => {
            return None;
        }
        Step::Cancel(id, claim) => match passes.cancel(facts, id, &unowned(claim), connection).await {
            Ok(performed) if performed.failed() => return None,
            Ok(performed) => {
                let acknowledged = performed.claim?;
                let decision = decide(facts);
                let conclusion = conclude(&decision, performed.outcome, Some(&acknowledged.spec), facts, 1);
                let next = conclusion.claim.unwrap_or_else(|| acknowledged.spec.clone());
                let written = passes.books.write(acknowledged, next).await.map(|claim| claim.spec);
                // Somebody may have taken it over while this process stood still: then it is theirs to look after.
                Ok(written.filter(|written| written.owner == before.owner))
            }
            Err(error) => Err(error),
        },
        Step::HandOver(claim) => passes.write_claim(claim, Some(before)).await.map(|written| {
            if let Some(owner) = &written.spec.owner {
                passes.wakes.invitation(&ObjectRef::new(&owner.name).within(&owner.namespace));
            }
            None
        }),
        Step::LetGo(farewell) => {
            let claim = facts.claim.clone()?;
            let closed = let_go(claim.clone(), farewell.clone(), passes.clock.now());
            let closed = InvitationClaimSpec { debt: None, ..closed };
            tracing::info!(claim = claim_name(&closed.key), "finished off a claim without owner");
            passes.close_claim(&closed, &claim).await.map(|()| None)
        }
        Step::Rest | Step::LookAgain | Step::Invite(_) | Step::UpdateRoles(..) => Ok(None),
    };
    match done {
        Ok(next) => next,
        Err(error) => {
            tracing::debug!(%error, "a claim without owner is not finished off yet");
            None
        }
    }
}

#[cfg(test)]
#[path = "sweep_tests.rs"]
mod tests;
