//! When the world has come to rest, and how.

use crate::check::Small;
use crate::claims::{OLD, ticks_ago};
use crate::facts::{named, object_id, owner};
use crate::world::World;
use decisions::api::Attempt;
use decisions::domain::ledger::is_indebted;

/// How a state has come to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It has not: something is under way, or waits for a pass.
    Not,
    /// Each pending invitation is some live object's, or was left on purpose; each live object has its invitation, or
    /// knows who has it.
    Settled,
    /// A person has to say what to do: the outcome of attempts stayed unknown, as the object openly says.
    Held,
}

impl Small {
    /// How this state has come to rest.
    #[must_use]
    pub fn rest(&self, world: &World) -> Rest {
        let moving = world.busy() > 0
            || world.processes.iter().any(|process| process.unwritten.is_some())
            || world.posts.iter().any(Option::is_some)
            || world.invitations.iter().flatten().any(|invitation| invitation.hidden > 0)
            || world.objects.iter().flatten().any(|object| object.deleting.is_some());
        if moving {
            return Rest::Not;
        }
        let live: Vec<_> = world.objects.iter().flatten().map(|object| owner(object.slot, object.uid)).collect();
        let pending: Vec<_> = world.invitations.iter().flatten().map(|there| object_id(there.id)).collect();
        let Some(claim) = world.claim else {
            return if live.is_empty() && pending.is_empty() { Rest::Settled } else { Rest::Not };
        };
        let spec = &self.claims.of(claim).spec;
        let recorded = spec.invitation.as_ref().map(|invitation| invitation.id.as_str());
        let stray = pending.iter().any(|there| Some(there.as_str()) != recorded);
        if stray || spec.cancelling || is_indebted(spec) || !spec.surplus.is_empty() {
            return Rest::Not;
        }
        let Some(its) = &spec.owner else {
            let left = spec.kept.is_some() || (pending.is_empty() && spec.attempt.is_none());
            return if live.is_empty() && left { Rest::Settled } else { Rest::Not };
        };
        if !live.contains(its) {
            return Rest::Not;
        }
        let waited = |attempt: &Attempt| attempt.started_at.0 <= ticks_ago(OLD);
        let given_up = |attempt: &Attempt| (self.config.hold || attempt.answered) && waited(attempt);
        let unknown = spec.lost_attempts >= 2 || spec.attempt.as_ref().is_some_and(given_up);
        let there = recorded.is_some_and(|id| pending.iter().any(|there| there.as_str() == id));
        match &spec.attempt {
            None if (there || spec.verdict.is_some()) && !self.asked(world) => Rest::Settled,
            _ if unknown && spec.invitation.is_none() => Rest::Held,
            _ => Rest::Not,
        }
    }

    /// Whether the resend that somebody asked for is still to be made.
    fn asked(&self, world: &World) -> bool {
        world.objects.iter().flatten().any(|object| {
            let claim = world.claim.map(|claim| self.claims.of(claim));
            claim.is_some_and(|claim| {
                let mine = claim.spec.owner.as_ref().and_then(named) == Some((object.slot, object.uid));
                let handled = claim.spec.resend.as_ref().and_then(|resend| resend.handled.as_ref());
                mine && object.token > 0 && handled.is_none_or(|handled| *handled != object.token.to_string())
            })
        })
    }
}
