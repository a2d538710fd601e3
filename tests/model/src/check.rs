//! The small world as `stateright` checks it.
//!
//! Owns the list of what may happen next. Must never hide a state: what differs in anything that a later step reads, is
//! another state.

use crate::action::Action;
use crate::claims::{Claims, OLD};
use crate::config::Config;
use crate::facts::object_id;
use crate::world::{Budget, OBJECTS, Object, Pass, Process, World, Wrong};

/// A small world, and everything that can happen in it.
#[derive(Debug)]
pub struct Small {
    /// What it is made of.
    pub config: Config,
    /// The contents that claims have had.
    pub claims: Claims,
}

impl Small {
    /// The world of this configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, claims: Claims::default() }
    }

    /// What the action does; nothing where it is not possible.
    fn after(&self, world: &World, action: Action) -> Option<World> {
        match action {
            Action::Apply(slot) => Self::apply(world, slot),
            Action::Delete(slot) => self.delete(world, slot, false),
            Action::DeleteBeatsFinalizer(slot) => self.delete(world, slot, true),
            Action::Release(slot) => self.release(world, slot),
            Action::Resend(slot) => self.resend(world, slot),
            Action::Accept => self.respond(world, true),
            Action::Decline => self.respond(world, false),
            Action::Crash(p) => Some(Self::crash(world, p)),
            Action::Tick => Some(self.tick(world)),
            Action::Day => self.day(world),
            Action::CatchUp(p) => Self::catch_up(world, p),
            Action::Act(which) => Self::act(world, which),
            Action::Refuse(which) => self.refuse(world, which),
            Action::Appear(which) => Self::appear(world, which),
            Action::Begin(p, a) => self.begin(world, p, a),
            Action::Gather(p, a) => self.gather(world, p, a, false),
            Action::GatherAfresh(p, a) => self.gather(world, p, a, true),
            Action::List(p, a) => self.list(world, p, a),
            Action::Write(p, a) => self.write(world, p, a, true),
            Action::WriteUnanswered(p, a) => self.write(world, p, a, false),
            Action::ReadBack(p, a) => self.read_back(world, p, a),
            Action::Finalize(p, a) => self.finalize(world, p, a),
            Action::Send(p, a) => self.send(world, p, a),
            Action::Answer(p, a) => self.answer(world, p, a, true),
            Action::AnswerWithoutId(p, a) => self.answer(world, p, a, false),
            Action::GiveUpWaiting(p, a) => self.give_up_waiting(world, p, a),
            Action::Cancel(p, a) => self.cancel(world, p, a, true),
            Action::CancelUnanswered(p, a) => self.cancel(world, p, a, false),
            Action::Record(p, a) => self.record(world, p, a),
            Action::Postpone(p, a) => Self::postpone(world, p, a),
            Action::RecordLate(p) => self.record_late(world, p),
            Action::Part(p, a) => Self::part(world, p, a),
            Action::Show(p, a) => self.write_status(world, p, a),
            Action::Sweep(p) => self.sweep(world, p),
            Action::SweepAway(p) => self.sweep_away(world, p),
        }
    }

    /// Removes what no later step reads, so that states that differ in nothing else are one.
    fn tidied(&self, mut world: World) -> World {
        let open = world.claim.and_then(|claim| claim.nonce);
        let recorded = world.claim.filter(|claim| claim.nonce.is_none()).map(|claim| self.claims.of(claim));
        for process in world.processes.iter_mut().take(usize::from(self.config.leaders)) {
            // Two ways of knowing that there is no claim.
            process.current |= process.claim.is_none() && world.claim.is_none();
            // What is written for an attempt that the API server no longer has meets a conflict, however long it is known.
            for known in &mut process.known {
                *known = known.filter(|(nonce, _)| Some(*nonce) == open);
            }
        }
        // The age of an invitation is compared with that of an open attempt only.
        if let Some(invitation) = recorded.as_ref().and_then(|content| content.spec.invitation.as_ref()) {
            let its =
                world.invitations.iter_mut().flatten().find(|there| object_id(there.id).as_str() == invitation.id);
            if let Some(its) = its {
                its.age = OLD + 2;
            }
        }
        // Two processes that differ in their number alone.
        if self.config.leaders == 2 && self.config.skew == 0 && world.processes[1] < world.processes[0] {
            world.processes.swap(0, 1);
            for (p, _) in world.posts.iter_mut().flatten().filter_map(|post| post.client.as_mut()) {
                *p = 1 - *p;
            }
        }
        world
    }
}

impl Small {
    /// The world at its beginning.
    #[must_use]
    pub fn begin_with(&self) -> World {
        let config = self.config;
        let there = |slot: u8| (slot < config.objects).then(|| Object::new(slot, 0));
        let world = World {
            objects: [there(0), there(1)],
            applied: [u8::from(config.objects > 0), u8::from(config.objects > 1)],
            claim: None,
            processes: [Process::NEW; 2],
            posts: [None; 2],
            invitations: [None; 3],
            made: 0,
            member: false,
            allowed: 1,
            budget: Budget { applies: config.applies, deletes: config.deletes, resends: config.resends },
            wrong: Wrong::Nothing,
        };
        self.tidied(world)
    }

    /// What may happen next; more than is possible.
    pub fn candidates(&self, world: &World, actions: &mut Vec<Action>) {
        if world.wrong != Wrong::Nothing {
            return;
        }
        for slot in 0..2 {
            actions.extend([
                Action::Apply(slot),
                Action::Delete(slot),
                Action::DeleteBeatsFinalizer(slot),
                Action::Release(slot),
                Action::Resend(slot),
                Action::Act(slot),
                Action::Refuse(slot),
            ]);
        }
        actions.extend([Action::Accept, Action::Decline, Action::Tick, Action::Day]);
        actions.extend((0..3).map(Action::Appear));
        for p in 0..self.config.leaders {
            actions.extend([Action::Crash(p), Action::CatchUp(p), Action::Sweep(p), Action::SweepAway(p)]);
            actions.push(Action::RecordLate(p));
            for a in 0..3 {
                self.pass_actions(world, p, a, actions);
            }
        }
    }

    /// The world after this action; nothing where it is not possible or changes nothing.
    #[must_use]
    pub fn next(&self, world: &World, action: Action) -> Option<World> {
        let next = self.tidied(self.after(world, action)?);
        (next != *world).then_some(next)
    }

    fn pass_actions(&self, world: &World, p: u8, a: u8, actions: &mut Vec<Action>) {
        let odd = self.config.odd_answers;
        match world.processes[usize::from(p)].passes[usize::from(a)] {
            Pass::Idle if usize::from(a) < OBJECTS => actions.push(Action::Begin(p, a)),
            Pass::Idle => {}
            Pass::Planned(_) => actions.extend([Action::Gather(p, a), Action::GatherAfresh(p, a)]),
            Pass::Listing(..) => actions.push(Action::List(p, a)),
            Pass::Writing(..) => {
                actions.extend([Action::Write(p, a), Action::Finalize(p, a)]);
                actions.extend(odd.then_some(Action::WriteUnanswered(p, a)));
            }
            Pass::ReadingBack(..) => actions.push(Action::ReadBack(p, a)),
            Pass::Sending(..) => actions.push(Action::Send(p, a)),
            Pass::Waiting(..) => {
                actions.extend([Action::Answer(p, a), Action::GiveUpWaiting(p, a)]);
                actions.extend(odd.then_some(Action::AnswerWithoutId(p, a)));
            }
            Pass::Cancelling(..) => {
                actions.push(Action::Cancel(p, a));
                actions.extend(odd.then_some(Action::CancelUnanswered(p, a)));
            }
            Pass::Recording(..) => {
                actions.push(Action::Record(p, a));
                actions.extend(odd.then_some(Action::Postpone(p, a)));
            }
            Pass::Parting(_) => actions.push(Action::Part(p, a)),
            Pass::Showing(..) => actions.push(Action::Show(p, a)),
        }
    }
}
