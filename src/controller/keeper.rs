//! Keeps the rosters current that objects at rest rely on.
//!
//! Objects do not look for changes: each roster here is looked at once an interval, and whom it shows otherwise is woken. So
//! an idle hour costs by projects, in calls and in passes. What a look that fails means is shown by the objects themselves:
//! they are woken for it. Must never conclude anything, and never look where no object asks for it.

use super::connection::Usable;
use super::kept::Wish;
use super::leadership::Seat;
use super::pass::Passes;
use super::roster::{Ask, Asked, Freshness};
use crate::api::RecordedInviter;
use crate::domain::desired::{InviterName, Life, life};
use crate::domain::failure::Cure;
use crate::domain::remote::ObjectId;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// So many projects are looked at at once, whatever is due: objects come first.
const AT_ONCE: usize = 8;
/// A project that came since is noticed after so long at most; its first look was an object's own.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Nothing is due more often.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
/// An API must have been silent for so long before every object is told: most come back sooner, and nothing was missed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What fails, and how it was told.
#[derive(Clone, Copy)]
struct Failing {
    since: Duration,
    told: bool,
}

type Failures = BTreeMap<(String, ObjectId), Failing>;

/// Keeps them current until `stop`; while somebody else leads, nothing is looked at.
pub(super) async fn run(passes: &Passes, seat: Seat, stop: CancellationToken) {
    let failures = Mutex::default();
    let mut looks = FuturesUnordered::new();
    loop {
        let longest = passes.settings.timings.scaled(LONGEST_PAUSE);
        if seat.may_act() {
            let due = passes.rosters.due(passes.clock.monotonic(), AT_ONCE.saturating_sub(looks.len()), longest);
            looks.extend(due.into_iter().map(|(inviter, project)| keep(passes, inviter, project, &failures)));
        }
        let next = passes.rosters.next_due().filter(|_| looks.len() < AT_ONCE && seat.may_act());
        let pause = next.map_or(longest, |next| next.saturating_sub(passes.clock.monotonic()).min(longest));
        tokio::select! {
            Some(()) = looks.next(), if !looks.is_empty() => {}
            () = tokio::time::sleep(pause.max(SHORTEST_PAUSE)) => {}
            () = stop.cancelled() => return,
        }
    }
}

fn locked(failures: &Mutex<Failures>) -> MutexGuard<'_, Failures> {
    failures.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One look.
async fn keep(passes: &Passes, inviter: RecordedInviter, project: ObjectId, failures: &Mutex<Failures>) {
    let name = InviterName::from(&inviter);
    let place = (inviter.uid.clone(), project.clone());
    let connection = match passes.connections.find(&name) {
        Usable::Yes(connection) if connection.facts.recorded.uid == inviter.uid => connection,
        // Everybody is woken when it can be used again.
        Usable::No(_) | Usable::Checking => return,
        Usable::Yes(_) | Usable::NotFound => return passes.rosters.drop_place(&inviter, &project),
    };
    let wish = Wish::In { inviter: name, project: project.as_str().to_owned() };
    let wanted = passes.objects.any(&wish, |object| life(object) == Life::Live);
    if !wanted {
        locked(failures).remove(&place);
        return passes.rosters.drop_place(&inviter, &project);
    }
    // Whoever looked since it became due has done it.
    let due = passes.settings.timings.scaled(connection.facts.check_interval);
    let Err(trouble) = passes.look(&connection, &project, Freshness::Within(due), Ask::Upkeep).await else {
        locked(failures).remove(&place);
        return;
    };
    if trouble.asked == Asked::Now {
        passes.report_scope(&connection, &trouble.failure);
    }
    let now = passes.clock.monotonic();
    let failing = *locked(failures).entry(place.clone()).or_insert(Failing { since: now, told: false });
    let patience = match trouble.failure.kind.cure() {
        Cure::Human => Duration::ZERO,
        Cure::Time => passes.settings.timings.scaled(PATIENCE),
    };
    if !failing.told && now.saturating_sub(failing.since) >= patience {
        locked(failures).insert(place, Failing { told: true, ..failing });
        passes.wakes.all_in(&inviter, &project);
    }
}
