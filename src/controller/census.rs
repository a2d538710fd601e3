//! Counts objects, claims and inviters for metrics, now and then.
//!
//! Must never name what it counts.

use super::cache::Cache;
use super::connection::Connections;
use super::kept::Tie;
use super::leadership::Seat;
use super::observer::Observer;
use super::wakes::Wakes;
use crate::api::{InvitationClaim, Phase, ProjectInvitation};
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
    objects: Arc<Cache<ProjectInvitation>>,
    claims: Arc<Cache<InvitationClaim>>,
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
        connections.forget_retired(|uid| claims.any(&Tie::Inviter(uid.to_owned()), |_| true));
    }
}

fn take(objects: &Cache<ProjectInvitation>, claims: &Cache<InvitationClaim>, connections: &Connections) -> Census {
    let mut phases: HashMap<Phase, usize> = HashMap::new();
    objects.survey(|object| *phases.entry(object.phase.unwrap_or(Phase::Pending)).or_default() += 1);
    let (mut open_attempts, mut unpaid_debts) = (0, 0);
    claims.survey(|claim| {
        open_attempts += usize::from(claim.is_open);
        unpaid_debts += usize::from(claim.is_indebted);
    });
    Census {
        phases: Phase::ALL
            .into_iter()
            .map(|phase| (phase.as_str(), phases.get(&phase).copied().unwrap_or_default()))
            .collect(),
        inviters: connections.by_reason().into_iter().collect(),
        open_attempts,
        orphans: connections.remarks().count(),
        unpaid_debts,
    }
}
