//! Counts objects, claims and inviters for metrics, now and then.
//!
//! Must never name what it counts.

use super::connection::Connections;
use super::leadership::Seat;
use super::observer::Observer;
use super::wakes::Wakes;
use crate::api::{InvitationClaim, Phase, ProjectInvitation};
use kube::runtime::reflector::Store;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How often the counts are renewed.
const EVERY: Duration = Duration::from_secs(10);

/// What there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Objects by phase, zeros included.
    pub phases: Vec<(&'static str, usize)>,
    /// Inviters by the reason that they show.
    pub inviters: Vec<(&'static str, usize)>,
    /// Claims with an attempt that has no recorded answer.
    pub open_attempts: usize,
    /// Claims with a cancellation that is still owed.
    pub unpaid_debts: usize,
    /// Pending invitations of ours that belong to no object.
    pub orphans: usize,
}

/// Counts for ever. Who does not lead counts nothing, so that the counts of all replicas add up.
pub async fn run(
    objects: Store<ProjectInvitation>,
    claims: Store<InvitationClaim>,
    connections: Arc<Connections>,
    wakes: Arc<Wakes>,
    seat: Seat,
    observer: Arc<dyn Observer>,
) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tick.tick().await;
        let census = if seat.may_act() { take(&objects, &claims, &connections) } else { Census::default() };
        observer.census(&census);
        wakes.pulse();
        // Credentials of inviters that are gone stay only while a claim may need them.
        connections.forget_retired(|| claims.state().iter().map(|claim| claim.spec.inviter_ref.uid.clone()).collect());
    }
}

fn take(objects: &Store<ProjectInvitation>, claims: &Store<InvitationClaim>, connections: &Connections) -> Census {
    let mut phases: HashMap<Phase, usize> = HashMap::new();
    for object in objects.state() {
        let phase = object.status.as_ref().and_then(|status| status.phase).unwrap_or(Phase::Pending);
        *phases.entry(phase).or_default() += 1;
    }
    let claims = claims.state();
    Census {
        phases: Phase::ALL
            .into_iter()
            .map(|phase| (phase.as_str(), phases.get(&phase).copied().unwrap_or_default()))
            .collect(),
        inviters: connections.by_reason().into_iter().collect(),
        open_attempts: claims.iter().filter(|claim| claim.spec.attempt.is_some()).count(),
        orphans: connections.remarks().count(),
        unpaid_debts: claims.iter().filter(|claim| claim.spec.debt.is_some()).count(),
    }
}
