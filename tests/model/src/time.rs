//! Time, and the loss of memory.
//!
//! A tick is 65 s: the deadline of a call lies within the tick in which it was sent, the cloud may act on it in that tick
//! and in the next, and what it did is listed two ticks later at the latest. That is never less than the operator's
//! assumptions of 10, 120 and 60 s allow, at the moments that the model knows.

use crate::check::Small;
use crate::claims::OLD;
use crate::config::Fault;
use crate::world::{Pass, Process, World};

impl Small {
    /// 65 seconds pass.
    pub(crate) fn tick(&self, world: &World) -> World {
        let mut next = world.clone();
        for p in 0..self.config.leaders {
            for a in 0..3 {
                // The client's deadline is over.
                if let Some(given_up) = self.give_up_waiting(&next, p, a) {
                    next = given_up;
                }
            }
        }
        // An attempt that is as old as counts stops the count of what it is compared with.
        let resolved = next.claim.is_none_or(|claim| claim.nonce.is_none());
        let aged = next.claim.map(|claim| self.claims.older(claim));
        let counts = resolved || aged != next.claim;
        for claim in next.contents() {
            *claim = self.claims.older(*claim);
        }
        for slot in &mut next.posts {
            if let Some(post) = slot {
                post.age = (post.age + 1).min(2);
                if post.age == 2 && self.config.fault != Fault::UnboundedDelay {
                    *slot = None;
                }
            }
        }
        // Two looks that are as far apart as an absence needs cannot both miss an invitation that was there.
        let missed = next.processes.iter().any(|process| process.missing.iter().any(|missing| *missing > 0));
        for invitation in next.invitations.iter_mut().flatten() {
            if counts {
                invitation.age = (invitation.age + 1).min(OLD + 2);
            }
            invitation.hidden = match invitation.hidden {
                1 if !missed => 2,
                2 if self.config.fault == Fault::UnboundedLists => 2,
                _ => 0,
            };
        }
        for process in &mut next.processes {
            for (_, since) in process.known.iter_mut().flatten() {
                *since = (*since + 1).min(OLD);
            }
            for missing in &mut process.missing {
                *missing = if *missing > 0 { 2 } else { 0 };
            }
            for object in process.passes.iter_mut().filter_map(Pass::object) {
                object.deleting = object.deleting.map(|_| 1);
            }
        }
        for object in next.objects.iter_mut().flatten() {
            object.deleting = object.deleting.map(|_| 1);
        }
        next
    }

    /// A day passes in which nothing happens: no e-mail counts any more.
    pub(crate) fn day(&self, world: &World) -> Option<World> {
        let claim = world.claim?;
        let open = claim.nonce.is_some()
            || world.busy() > 0
            || world.processes.iter().any(|process| process.unwritten.is_some())
            || world.posts.iter().any(Option::is_some);
        let hidden = world.invitations.iter().flatten().any(|invitation| invitation.hidden > 0);
        if open || hidden || self.claims.of(claim).spec.mails.is_empty() {
            return None;
        }
        let mut next = world.clone();
        for claim in next.contents() {
            *claim = self.claims.tomorrow(*claim);
        }
        for invitation in next.invitations.iter_mut().flatten() {
            invitation.age = OLD + 2;
        }
        Some(next)
    }

    /// A process dies, and starts again with a cache that shows an old state of things.
    pub(crate) fn crash(world: &World, p: u8) -> World {
        let mut next = world.clone();
        next.processes[usize::from(p)] = Process::NEW;
        next.nobody_waits(p, None);
        next
    }

    /// A cache catches up.
    pub(crate) fn catch_up(world: &World, p: u8) -> Option<World> {
        if world.processes[usize::from(p)].current {
            return None;
        }
        let mut next = world.clone();
        next.claim_read(p);
        Some(next)
    }
}
