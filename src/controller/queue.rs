//! The queue of invitations: one pass per object at a time, bounded overall and fair to namespaces.
//!
//! A pass begins when there is a place for it: who waits costs a name and not a pass that stands still. Some places are kept
//! for those who have none. Must never let one object's failure reach another: a pass always ends in a time to come back.

use super::agenda::{Agenda, Object, Place};
use super::leadership::Seat;
use super::observer::{Observer, PassOutcome};
use super::pass::Passes;
use crate::api::ProjectInvitation;
use futures::channel::mpsc::UnboundedReceiver;
use futures::{Stream, StreamExt};
use kube::runtime::reflector::ObjectRef;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// One place of so many is kept for namespaces that have no pass under way: those of a crowd may all wait for one look, and
/// nobody else is to wait for it.
const KEPT: usize = 8;

/// Passes, and whether they may begin and go on.
struct Gated {
    passes: Arc<Passes>,
    seat: Seat,
    stop: CancellationToken,
}

/// Runs passes until `stop`, once everything was `listed`. Those that send an invitation are finished then and their result
/// recorded; all others are dropped where they stand, as by a crash: nobody waits for a call that does not mail. While
/// somebody else leads, none begins.
pub async fn run(
    wakes: UnboundedReceiver<ObjectRef<ProjectInvitation>>,
    listed: CancellationToken,
    passes: Arc<Passes>,
    seat: Seat,
    concurrency: u16,
    stop: CancellationToken,
) {
    if stop.run_until_cancelled(listed.cancelled()).await.is_none() {
        return;
    }
    let observer = Arc::clone(&passes.observer);
    let gated = Arc::new(Gated { passes, seat, stop: stop.clone() });
    let moves = Arc::clone(&observer);
    // The name of no object shows that the queue moves.
    let wakes = wakes.filter_map(move |reference| {
        let is_pulse = reference.name.is_empty();
        if is_pulse {
            moves.heartbeat();
        }
        let object = (!is_pulse).then(|| Object::new(&reference.namespace.unwrap_or_default(), &reference.name));
        futures::future::ready(object)
    });
    let begin = |object: &Object| gated.begin(object);
    drive(wakes, concurrency.into(), begin, || observer.heartbeat(), &stop).await;
}

/// Makes passes, so many at a time, until `stop`; waits for those under way. `begin` tells of an object whose turn has come
/// what its pass is, if there is to be one.
async fn drive<P>(
    mut wakes: impl Stream<Item = Object> + Unpin,
    places: usize,
    mut begin: impl FnMut(&Object) -> Option<P>,
    ended: impl Fn(),
    stop: &CancellationToken,
) where
    P: Future<Output = Option<Duration>> + Send + 'static,
{
    let kept = places / KEPT;
    let mut agenda = Agenda::default();
    let mut passes = JoinSet::new();
    while !stop.is_cancelled() {
        agenda.advance(Instant::now());
        while passes.len() < places {
            let place = if passes.len() < places - kept { Place::Free } else { Place::Kept };
            let Some(object) = agenda.next(place) else { break };
            match begin(&object) {
                Some(pass) => {
                    passes.spawn(async move { (pass.await, object) });
                }
                None => agenda.ended(&object, None),
            }
        }
        let due = agenda.next_due();
        tokio::select! {
            Some(done) = passes.join_next() => {
                let (wait, object) = outcome(done);
                agenda.ended(&object, wait.map(|wait| Instant::now() + wait));
                ended();
            }
            Some(object) = wakes.next() => agenda.wake(&object, Instant::now()),
            () = time(due) => {}
            () = stop.cancelled() => {}
        }
    }
    while let Some(done) = passes.join_next().await {
        outcome(done);
    }
}

/// A pass that panics ends the process: it would be missing in the agenda for ever.
fn outcome<T>(done: Result<T, JoinError>) -> T {
    done.unwrap_or_else(|broken| std::panic::resume_unwind(broken.into_panic()))
}

async fn time(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl Gated {
    fn begin(
        self: &Arc<Self>,
        object: &Object,
    ) -> Option<impl Future<Output = Option<Duration>> + Send + 'static + use<>> {
        let (namespace, name) = object.parts();
        let reference = ObjectRef::new(name).within(namespace);
        if !self.passes.objects.holds(&reference) {
            // Who is gone before its turn has come gets no pass.
            self.passes.skip(&reference);
            return None;
        }
        // Everything is woken when this process begins to lead.
        let gated = Arc::clone(self);
        let span = tracing::info_span!("pass", namespace, name);
        self.seat.may_act().then(|| async move { gated.one(&reference).await }.instrument(span))
    }

    async fn one(&self, reference: &ObjectRef<ProjectInvitation>) -> Option<Duration> {
        let mut pass = Box::pin(one(&self.passes, reference));
        tokio::select! {
            biased;
            again_in = &mut pass => again_in,
            () = self.stop.cancelled() => if self.passes.is_mailing(reference) { pass.await } else { None },
        }
    }
}

async fn one(passes: &Passes, reference: &ObjectRef<ProjectInvitation>) -> Option<Duration> {
    let mut watched =
        Watched { observer: passes.observer.as_ref(), outcome: PassOutcome::Abandoned, took: Duration::ZERO };
    let began = passes.clock.monotonic();
    let report = passes.pass(reference).await;
    watched.took = passes.clock.monotonic().saturating_sub(began);
    watched.outcome = report.outcome;
    report.again_in
}

/// Counts a pass however it ends, a dropped one too.
struct Watched<'a> {
    observer: &'a dyn Observer,
    outcome: PassOutcome,
    took: Duration,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.observer.pass_finished(self.outcome, self.took);
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
