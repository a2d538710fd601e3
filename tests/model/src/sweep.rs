//! The sweep: claims whose owner is gone, debts, and claims with nothing left to remember.
//!
//! Mirrors `controller::sweep`, a step at a time. It comes at any moment here; in truth it waits for minutes, and counts
//! cancellations before it makes them.

use crate::check::Small;
use crate::claims::now;
use crate::config::Fault;
use crate::world::{Gathered, Owned, Pass, SWEEP, Wish, World};
use decisions::domain::decide::look_need;
use decisions::domain::facts::LastPass;
use decisions::domain::ledger::{is_indebted, worth_keeping};
use decisions::domain::step::LookNeed;

const ACTOR: u8 = 2;

impl Small {
    /// Begins with a claim whose owner is gone, or that holds a debt.
    pub(crate) fn sweep(&self, world: &World, p: u8) -> Option<World> {
        let process = &world.processes[usize::from(p)];
        let claim = process.claim?;
        let spec = &self.claims.of(claim).spec;
        let busy = process.passes[SWEEP] != Pass::Idle || world.busy() >= usize::from(self.config.busy);
        let due = spec.owner.as_ref().map_or_else(|| is_indebted(spec), |owner| !Self::lives(world, owner));
        if busy || !due || self.config.fault == Fault::NoSweep {
            return None;
        }
        let mut next = world.clone();
        let waited = self.known_waited(&mut next, p, ACTOR, claim);
        let gathered = Gathered { claim: Some(claim), owned: Owned::Mine, waited, successor: None, fresh: true };
        let wish = Wish::Sweep(claim);
        let facts = self.facts(&next, p, wish, &gathered, None, LastPass::Acted);
        if look_need(&facts, false) == LookNeed::None {
            self.decided(&mut next, p, ACTOR, wish, gathered, None);
        } else {
            *next.pass(p, ACTOR) = Pass::Listing(wish, gathered);
        }
        Some(next)
    }

    /// Deletes a claim that nobody owns and that has nothing left to remember.
    pub(crate) fn sweep_away(&self, world: &World, p: u8) -> Option<World> {
        let process = &world.processes[usize::from(p)];
        let spec = &self.claims.of(process.claim?).spec;
        let over = spec.owner.is_none() && !is_indebted(spec) && !worth_keeping(spec, now());
        if !over || !process.current || self.config.fault == Fault::NoSweep {
            return None;
        }
        let mut next = world.clone();
        next.claim_written(p, None);
        Some(next)
    }
}
