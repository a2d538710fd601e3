//! What befalls the replicas: kills, splits, a Secret that goes away.
//!
//! Owns the order of one strike, and that everything runs again after it. Must never leave a replica frozen or cut off.

use super::pair::Side;
use super::scale::Scale;
use super::tally::Tally;
use super::trap::{Deed, Field, Moment, Position, Trap};
use crate::ground::{Ground, Proof};
use crate::kind::Kind;
use anyhow::Result;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// A position that does not come within this time is given up for a random instant.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often each position was used for what, in all worlds.
pub(super) type Used = Mutex<BTreeMap<(Deed, Position), usize>>;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strike {
    /// Whoever sends a request is killed there.
    KillAtRequest,
    /// The leader is killed at a random instant.
    KillLeader,
    /// The other one is.
    KillStandby,
    /// Both are.
    KillBoth,
    /// Whoever sends a request is frozen there, for longer than the Lease.
    FreezeAtRequest,
    /// The leader is cut off from the API server for longer than the Lease.
    CutLeader,
    /// A Secret goes away for a moment.
    Secret(Proof),
}

/// Strikes at one pair of replicas.
pub(super) struct Striker<'a> {
    pub(super) ground: &'a Ground,
    pub(super) field: &'a Field,
    pub(super) scale: Scale,
    pub(super) dice: StdRng,
    /// How often each position was used: the rarest are waited for.
    pub(super) used: &'a Used,
    /// Asks for somebody who comes and goes at once.
    pub(super) visitors: UnboundedSender<()>,
    pub(super) tally: Tally,
}

impl Striker<'_> {
    /// So many kills, and a split for every four; both replicas run when it returns what it did.
    pub(super) async fn wave(mut self, kills: usize) -> Result<Tally> {
        let splits = kills.div_ceil(4);
        let mut plan: Vec<_> = (0..kills).map(|_| self.kill()).chain((0..splits).map(|_| Strike::CutLeader)).collect();
        for split in plan.iter_mut().rev().take(splits) {
            *split = self.split();
        }
        plan.push(Strike::Secret(if self.dice.random() { Proof::OAuth } else { Proof::Digest }));
        plan.shuffle(&mut self.dice);
        for strike in plan {
            self.strike(strike).await?;
            let pause = self.pause();
            tokio::time::sleep(pause).await;
        }
        Ok(self.tally)
    }

    fn kill(&mut self) -> Strike {
        match self.dice.random_range(0..10) {
            0 => Strike::KillStandby,
            1 => Strike::KillBoth,
            2 => Strike::KillLeader,
            _ => Strike::KillAtRequest,
        }
    }

    fn split(&mut self) -> Strike {
        if self.dice.random_range(0..3) == 0 { Strike::CutLeader } else { Strike::FreezeAtRequest }
    }

    /// The positions used least: whichever of them comes first. More of them would never come to the rare ones.
    fn positions(&self, deed: Deed) -> Vec<Position> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let times = |position: &Position| used.get(&(deed, *position)).copied().unwrap_or_default();
        let all = || Kind::POSITIONS.iter().flat_map(|kind| Moment::ALL.map(|moment| (*kind, moment)));
        let least = all().map(|position| times(&position)).min();
        all().filter(|position| Some(times(position)) == least).collect()
    }

    /// Mostly the next strike follows at once, now and then only when a quarantine could have ended.
    fn pause(&mut self) -> Duration {
        let (lease, quarantine) = (self.scale.lease(), self.scale.quarantine());
        match self.dice.random_range(0..10) {
            0 => quarantine + lease,
            1..4 => lease,
            _ => lease.mul_f64(self.dice.random::<f64>() / 2.0),
        }
    }

    async fn strike(&mut self, strike: Strike) -> Result<()> {
        let pair = &self.field.pair;
        match strike {
            Strike::KillAtRequest => {
                let killed = match self.spring(Deed::Kill).await {
                    Some((side, position)) => {
                        self.tally.kills += 1;
                        *self.tally.positions.entry(position).or_default() += 1;
                        side
                    }
                    None => self.kill_now(pair.leader()),
                };
                self.start_again(&[killed]).await
            }
            Strike::KillLeader => {
                let killed = self.kill_now(pair.leader());
                self.start_again(&[killed]).await
            }
            Strike::KillStandby => {
                let killed = self.kill_now(pair.leader().other());
                self.start_again(&[killed]).await
            }
            Strike::KillBoth => {
                for side in Side::BOTH {
                    self.kill_now(side);
                }
                self.start_again(&Side::BOTH).await
            }
            Strike::FreezeAtRequest => {
                let caught = self.spring(Deed::Freeze).await;
                let frozen = caught.map_or_else(|| pair.leader(), |(side, _)| side);
                pair.freeze(frozen);
                let split = self.outlast_lease(frozen).await;
                pair.thaw(frozen);
                self.tally.freezes += usize::from(split);
                Ok(())
            }
            Strike::CutLeader => {
                let cut = pair.leader();
                pair.cut(cut);
                self.outlast_lease(cut).await;
                pair.mend(cut);
                Ok(())
            }
            Strike::Secret(proof) => {
                self.ground.take_secret(proof).await?;
                tokio::time::sleep(Duration::from_secs(2).mul_f64(self.dice.random())).await;
                self.tally.secrets += 1;
                self.ground.give_secret(proof).await
            }
        }
    }

    /// Waits until somebody springs a trap.
    async fn spring(&mut self, deed: Deed) -> Option<(Side, Position)> {
        let (sprung, springs) = oneshot::channel();
        let at = self.positions(deed);
        if at.iter().any(|(kind, _)| kind.needs_people()) {
            let _the_crowd_has_gone = self.visitors.send(());
        }
        self.field.set(Some(Trap { at, deed, sprung }));
        let caught = tokio::time::timeout(PATIENCE, springs).await;
        self.field.set(None);
        let caught = caught.ok()?.ok();
        let (_, position) = caught?;
        *self.used.lock().unwrap_or_else(PoisonError::into_inner).entry((deed, position)).or_default() += 1;
        caught
    }

    fn kill_now(&mut self, side: Side) -> Side {
        self.tally.kills += usize::from(self.field.pair.kill(side));
        side
    }

    async fn start_again(&mut self, sides: &[Side]) -> Result<()> {
        let without = Duration::from_millis(600).mul_f64(self.dice.random());
        tokio::time::sleep(without).await;
        sides.iter().try_for_each(|side| self.field.pair.start(*side))
    }

    /// Waits longer than the Lease; tells whether the other leads then.
    async fn outlast_lease(&mut self, side: Side) -> bool {
        let longer = Duration::from_millis(200) + Duration::from_millis(600).mul_f64(self.dice.random());
        tokio::time::sleep(self.scale.lease() + longer).await;
        let split = self.field.pair.leader() != side;
        self.tally.splits += usize::from(split);
        split
    }
}
