//! Slots: permission to send one invitation to a host, now.
//!
//! Owns who holds one. A [`Slot`] is spent by the call that sends, or goes back when it is dropped. Nobody holds a place in
//! the queue of passes while waiting: the pass ends, and the object is woken when its turn has come. Must never decide who is
//! next: `domain::pacer` does.

use super::clock::Clock;
use super::observer::Observer;
use super::wakes::Wakes;
use crate::api::{InvitationClaim, ProjectInvitation};
use crate::domain::failure::FailureKind;
use crate::domain::pacer::{Asked, Pacer, Rate, Turn};
use crate::domain::timings::Timings;
use crate::domain::turns::Waiter;
use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// All slots of this process.
pub struct Slots {
    pacer: Mutex<Pacer>,
    timings: Timings,
    clock: Arc<dyn Clock>,
    wakes: Arc<Wakes>,
    observer: Arc<dyn Observer>,
    /// Something changed that may bring the next turn nearer.
    changed: Notify,
}

/// Permission to send one invitation. Goes back when it is dropped, unless the call has begun.
#[must_use = "a slot that is dropped goes back"]
pub struct Slot {
    slots: Arc<Slots>,
    host: String,
    waiter: Waiter,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Held,
    /// The call has begun: unless its answer says otherwise, an e-mail may be out.
    Sending,
    /// It is accounted for.
    Settled,
}

fn waiter(object: &ObjectRef<ProjectInvitation>) -> Waiter {
    Waiter { namespace: object.namespace.clone().unwrap_or_default(), name: object.name.clone() }
}

impl Slots {
    /// Nothing sent, nobody waiting.
    #[must_use]
    pub fn new(
        rate: Rate,
        timings: Timings,
        clock: Arc<dyn Clock>,
        wakes: Arc<Wakes>,
        observer: Arc<dyn Observer>,
    ) -> Arc<Self> {
        let pacer = Mutex::new(Pacer::new(rate, timings.invitation_window));
        Arc::new(Self { pacer, timings, clock, wakes, observer, changed: Notify::new() })
    }

    fn pacer(&self) -> MutexGuard<'_, Pacer> {
        self.pacer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(self: &Arc<Self>, host: String, waiter: Waiter) -> Slot {
        Slot { slots: Arc::clone(self), host, waiter, state: State::Held }
    }

    /// The slot that was kept for this object, if its turn has come.
    pub fn turn(self: &Arc<Self>, object: &ObjectRef<ProjectInvitation>) -> Option<Slot> {
        let waiter = waiter(object);
        let host = self.pacer().take(&waiter)?;
        Some(self.slot(host, waiter))
    }

    /// A slot now, or about how long it takes; then the object keeps its place and is woken at its turn.
    ///
    /// # Errors
    /// The time to expect.
    pub fn ask(self: &Arc<Self>, host: &str, object: &ObjectRef<ProjectInvitation>) -> Result<Slot, Duration> {
        let waiter = waiter(object);
        let (asked, due) = {
            let (mut pacer, now) = (self.pacer(), self.clock.monotonic());
            let due = pacer.due(now);
            (pacer.ask(host, &waiter, now), due)
        };
        self.wake(due);
        match asked {
            Asked::Granted => Ok(self.slot(host.to_owned(), waiter)),
            Asked::Waits { expected } => {
                self.moved();
                Err(expected)
            }
        }
    }

    /// The object is gone, or wants nothing more.
    pub fn leave(&self, object: &ObjectRef<ProjectInvitation>) {
        if self.pacer().leave(&waiter(object)) {
            self.moved();
        }
    }

    /// Begins anew, as the ledger tells what was sent: at the start of a process, and when it begins to lead. Everything is
    /// woken after it.
    pub fn refill(&self, claims: impl IntoIterator<Item = InvitationClaim>) {
        let (now, wall) = (self.clock.monotonic(), self.clock.now());
        // An attempt that was opened then was sent before its deadline; times in claims are cut to the second.
        let slack = self.timings.post_deadline + Duration::from_secs(1);
        let sent = |mail: Timestamp| {
            let ago = Duration::try_from(wall.duration_since(mail)).unwrap_or_default();
            (now + slack).saturating_sub(ago).min(now)
        };
        let sends = claims.into_iter().flat_map(|claim| {
            let host = claim.spec.key.host;
            claim.spec.mails.into_iter().map(move |mail| (host.clone(), sent(mail.0)))
        });
        self.pacer().refill(sends, now);
        self.moved();
    }

    /// Wakes those whose turn has come; the rest wait on.
    fn advance(&self) {
        let (due, waiting) = {
            let mut pacer = self.pacer();
            (pacer.due(self.clock.monotonic()), pacer.waiting())
        };
        self.wake(due);
        self.observer.waiting_for_slots(waiting);
    }

    fn wake(&self, due: Vec<Turn>) {
        for turn in due {
            self.observer.turn_came(turn.waited);
            self.wakes.invitation(&ObjectRef::new(&turn.waiter.name).within(&turn.waiter.namespace));
        }
    }

    fn moved(&self) {
        self.changed.notify_one();
    }

    /// Keeps time until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            self.advance();
            let now = self.clock.monotonic();
            let next = self.pacer().next_at(now);
            let time = async {
                match next {
                    Some(at) => tokio::time::sleep(at.saturating_sub(now)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = time => {}
                () = self.changed.notified() => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

impl Slot {
    /// Which host it is for.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// It is kept for the object's next pass, which comes at once.
    pub fn keep(mut self) {
        self.state = State::Settled;
        self.slots.pacer().keep(&self.host, &self.waiter);
    }

    /// The call begins: from here on an e-mail may be out, even if nobody hears of it.
    pub fn sending(&mut self) {
        self.state = State::Sending;
    }

    /// The call was answered, or was not made at all.
    pub fn answered(mut self, failure: Option<FailureKind>) {
        match failure {
            Some(FailureKind::InvitationThrottled) => {
                self.state = State::Settled;
                let now = self.slots.clock.monotonic();
                self.slots.pacer().throttled(&self.host, &self.waiter, now);
                self.slots.moved();
            }
            Some(kind) if kind.left_unsent() => self.state = State::Held,
            Some(_) | None => {}
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        match self.state {
            State::Held => self.slots.pacer().give_back(&self.host),
            State::Sending => self.slots.pacer().spent(&self.host, self.slots.clock.monotonic()),
            State::Settled => return,
        }
        self.slots.moved();
    }
}
