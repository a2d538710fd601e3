//! A trap at some positions: the next request of these kinds, before its effect, before its answer, or just after.
//!
//! Owns the moment. Whoever sends that request is killed or frozen before anything else can happen. Must never touch a
//! request that no trap is set for.

use super::pair::{Pair, Side};
use crate::kind::Kind;
use crate::relay::{Call, Onward, Tap};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::StatusCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// When a trap springs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    /// The request has been sent and does not arrive.
    BeforeEffect,
    /// The server has acted, and the answer does not arrive.
    BeforeAnswer,
    /// The answer is just on its way.
    AfterAnswer,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::BeforeEffect, Self::BeforeAnswer, Self::AfterAnswer];
}

/// What happens to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    /// It is killed; a request that has not arrived, or an answer, is lost with it.
    Kill,
    /// It is frozen; what is on its way arrives.
    Freeze,
}

/// A kind of request and a moment of it.
pub(super) type Position = (Kind, Moment);

/// Where and what.
#[derive(Debug)]
pub(super) struct Trap {
    /// It springs at whichever comes first.
    pub(super) at: Vec<Position>,
    pub(super) deed: Deed,
    /// Told who was caught, and where.
    pub(super) sprung: oneshot::Sender<(Side, Position)>,
}

/// Sees everything that two replicas send.
#[derive(Default)]
pub(super) struct Field {
    pub(super) pair: Pair,
    trap: Mutex<Option<Trap>>,
}

impl Field {
    /// Sets a trap in place of the last.
    pub(super) fn set(&self, trap: Option<Trap>) {
        *self.trap.lock().unwrap_or_else(PoisonError::into_inner) = trap;
    }

    /// The trap that this request springs, if any.
    fn springs(&self, kind: Kind, moment: Moment) -> Option<Trap> {
        let mut set = self.trap.lock().unwrap_or_else(PoisonError::into_inner);
        set.take_if(|trap| trap.at.contains(&(kind, moment)))
    }

    fn pass(self: &Arc<Self>, kind: Kind, moment: Moment, sender: impl FnOnce() -> Option<Side>) -> Onward {
        let Some(trap) = self.springs(kind, moment) else { return Onward::Pass };
        let Some(side) = sender() else {
            // Sent by a process that is gone: wait for the next.
            self.set(Some(trap));
            return Onward::Pass;
        };
        let field = Arc::clone(self);
        let deed = trap.deed;
        let spring = move || {
            match deed {
                Deed::Kill => {
                    field.pair.kill(side);
                }
                Deed::Freeze => field.pair.freeze(side),
            }
            let _nobody_waits = trap.sprung.send((side, (kind, moment)));
        };
        if moment == Moment::AfterAnswer {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_micros(rand::random_range(0..2_000))).await;
                spring();
            });
            return Onward::Pass;
        }
        spring();
        match deed {
            Deed::Kill => Onward::Lose,
            Deed::Freeze => Onward::Pass,
        }
    }

    fn answered(self: &Arc<Self>, kind: Kind, sender: impl Fn() -> Option<Side>) -> Onward {
        let before = self.pass(kind, Moment::BeforeAnswer, &sender);
        if before == Onward::Lose { before } else { self.pass(kind, Moment::AfterAnswer, sender) }
    }
}

/// Before the API server, for one replica.
pub(super) struct ClusterTap(pub(super) Side, pub(super) Arc<Field>);

impl Tap for ClusterTap {
    fn arrived<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Onward> {
        async move { self.1.pass(Kind::of_cluster(call), Moment::BeforeEffect, || Some(self.0)) }.boxed()
    }

    fn answered<'a>(&'a self, call: &'a Call, status: StatusCode) -> BoxFuture<'a, Onward> {
        let kind = Kind::of_cluster(call);
        if kind == Kind::WriteLease && status.is_success() && takes_the_lease(call) {
            self.1.pair.leads(self.0);
        }
        async move { self.1.answered(kind, || Some(self.0)) }.boxed()
    }
}

fn takes_the_lease(call: &Call) -> bool {
    let lease: Option<serde_json::Value> = serde_json::from_slice(&call.body).ok();
    let holder = lease.as_ref().and_then(|lease| lease.pointer("/spec/holderIdentity")?.as_str());
    holder.is_some_and(|holder| !holder.is_empty())
}

/// Before MongoDB, for both.
pub(super) struct RemoteTap(pub(super) Arc<Field>);

impl Tap for RemoteTap {
    fn arrived<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Onward> {
        async move { self.0.pass(Kind::of_remote(call), Moment::BeforeEffect, || self.0.pair.sender(call.sender)) }
            .boxed()
    }

    fn answered<'a>(&'a self, call: &'a Call, _: StatusCode) -> BoxFuture<'a, Onward> {
        async move { self.0.answered(Kind::of_remote(call), || self.0.pair.sender(call.sender)) }.boxed()
    }
}
