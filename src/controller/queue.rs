//! The queue of invitations: one pass per object at a time by kube's own controller, bounded overall and fair to namespaces.
//!
//! Must never let one object's failure reach another: a pass always ends in a time to come back.

use super::leadership::Seat;
use super::observer::{Observer, PassOutcome};
use super::pass::Passes;
use super::places::Places;
use super::watch::{Events, what_wakes};
use crate::api::ProjectInvitation;
use crate::domain::schedule::LONGEST_WAIT;
use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use kube::runtime::controller::{self, Action, Config, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::{PredicateConfig, WatchStreamExt};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// As many as there are, for kube.
const UNBOUNDED: u16 = 0;

/// Passes, and whether they may begin and go on.
struct Gated {
    passes: Arc<Passes>,
    seat: Seat,
    places: Arc<Places>,
    stop: CancellationToken,
}

/// Runs passes until `stop`. Those that send an invitation are finished then and their result recorded; all others are
/// dropped where they stand, as by a crash: nobody waits for a call that does not mail. While somebody else leads, none begins.
pub async fn run(
    events: Events<ProjectInvitation>,
    objects: Store<ProjectInvitation>,
    wakes: UnboundedReceiver<ObjectRef<ProjectInvitation>>,
    passes: Arc<Passes>,
    seat: Seat,
    concurrency: u16,
    stop: CancellationToken,
) {
    let trigger = events
        .touched_objects()
        .predicate_filter(|object: &ProjectInvitation| Some(what_wakes(object)), PredicateConfig::default());
    let (observer, skipping) = (Arc::clone(&passes.observer), Arc::clone(&passes));
    let gated = Arc::new(Gated { passes, seat, places: Places::new(concurrency), stop: stop.clone() });
    Controller::for_stream(trigger, objects)
        // All that are due begin, and wait for a place: kube's own bound would let one namespace's crowd go first.
        .with_config(Config::default().concurrency(UNBOUNDED))
        .reconcile_on(wakes)
        .graceful_shutdown_on(async move { stop.cancelled().await })
        .run(
            |object: Arc<ProjectInvitation>, gated: Arc<Gated>| async move {
                Ok::<_, Infallible>(gated.one(&ObjectRef::from_obj(object.as_ref())).await)
            },
            |_, _, _| Action::requeue(LONGEST_WAIT),
            gated,
        )
        .for_each(|done| {
            observer.heartbeat();
            // Who is gone before its turn has come gets no pass.
            if let Err(controller::Error::ObjectNotFound(gone)) = done {
                skipping.skip(&ObjectRef::new(&gone.name).within(gone.namespace.as_deref().unwrap_or_default()));
            }
            futures::future::ready(())
        })
        .await;
}

impl Gated {
    async fn one(&self, reference: &ObjectRef<ProjectInvitation>) -> Action {
        if !self.seat.may_act() {
            // Everything is woken when this process begins to lead.
            return Action::await_change();
        }
        let turn = self.places.take(reference.namespace.as_deref().unwrap_or_default());
        let Some(_place) = self.stop.run_until_cancelled(turn).await else { return Action::await_change() };
        if !self.seat.may_act() {
            return Action::await_change();
        }
        let mut pass = Box::pin(one(&self.passes, reference));
        tokio::select! {
            biased;
            action = &mut pass => action,
            () = self.stop.cancelled() => {
                if self.passes.is_mailing(reference) { pass.await } else { Action::await_change() }
            }
        }
    }
}

async fn one(passes: &Passes, reference: &ObjectRef<ProjectInvitation>) -> Action {
    let mut watched =
        Watched { observer: passes.observer.as_ref(), outcome: PassOutcome::Abandoned, took: Duration::ZERO };
    let began = passes.clock.monotonic();
    let report = passes.pass(reference).await;
    watched.took = passes.clock.monotonic().saturating_sub(began);
    watched.outcome = report.outcome;
    report.again_in.map_or_else(Action::await_change, Action::requeue)
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
