//! The second half of a pass: what it writes, in the order of `controller::perform`, and what the real functions conclude.
//!
//! Each effect is an action of its own, so that a crash, another process or a person can come between any two.

use crate::check::Small;
use crate::claims::ClaimId;
use crate::config::Fault;
use crate::facts::{invitation, named, object_id};
use crate::world::{Change, Gathered, Kind, Object, Owned, Pass, Post, Recording, Waited, Wish, World, Wrong};
use decisions::api::{InvitationClaim, ProjectInvitationStatus, Reason};
use decisions::domain::attempt::AcknowledgedAttempt;
use decisions::domain::conclude::{Outcome, conclude};
use decisions::domain::entry::{Entry, enter};
use decisions::domain::facts::LastPass;
use decisions::domain::failure::{Failure, FailureKind};
use decisions::domain::finding::Finding;
use decisions::domain::projection::{Picture, project};
use decisions::domain::schedule::Wake;
use decisions::domain::step::{Decision, Step};

/// How a call failed, for the functions that decide on it.
pub(crate) fn failure(kind: FailureKind) -> Outcome {
    Outcome::Failed(Failure { kind, message: String::new() })
}

/// Nobody can tell what the server did.
pub(crate) const UNKNOWN: FailureKind = FailureKind::Unavailable { retry_after: None };

impl Small {
    /// Writes the claim: created where there was none, else replaced in the version that the decision was made on.
    pub(crate) fn write(&self, world: &World, p: u8, a: u8, answered: bool) -> Option<World> {
        let mut next = world.clone();
        let Pass::Writing(wish, change) = *next.pass(p, a) else { return None };
        if change.wrote || (!answered && change.kind == Kind::Close) {
            return None;
        }
        let process = &world.processes[usize::from(p)];
        let accepted = match (change.kind, change.on) {
            _ if self.config.fault == Fault::BlindWrites => true,
            // Read live, and deleted in just the version that was read.
            (Kind::Close, on) => world.claim == on,
            (_, None) => world.claim.is_none(),
            (_, Some(_)) => process.claim == change.on && process.current,
        };
        if !accepted {
            *next.pass(p, a) = Pass::Idle;
            next.claim_read(p);
            return answered.then_some(next);
        }
        let forgotten = self.config.fault == Fault::NoAttempt && change.kind == Kind::Invite;
        let to = if change.kind == Kind::Close { None } else { change.next };
        let (cached, current) = (process.claim, process.current);
        if !forgotten {
            next.claim_written(p, to);
        }
        if answered {
            self.advance(&mut next, p, a, wish, Change { wrote: true, ..change });
        } else {
            let process = &mut next.processes[usize::from(p)];
            process.claim = cached;
            process.current = current && forgotten;
            *next.pass(p, a) = Pass::ReadingBack(wish, change);
        }
        Some(next)
    }

    /// A write without an answer is read back.
    pub(crate) fn read_back(&self, world: &World, p: u8, a: u8) -> Option<World> {
        let mut next = world.clone();
        let Pass::ReadingBack(wish, change) = *next.pass(p, a) else { return None };
        next.claim_read(p);
        *next.pass(p, a) = Pass::Idle;
        if next.claim == change.next {
            self.advance(&mut next, p, a, wish, Change { wrote: true, ..change });
        }
        Some(next)
    }

    /// Writes the finalizer, to just this object: an object that is going or gone refuses it.
    pub(crate) fn finalize(&self, world: &World, p: u8, a: u8) -> Option<World> {
        let mut next = world.clone();
        let Pass::Writing(Wish::Object(object), change) = *next.pass(p, a) else { return None };
        if change.finalizer.is_some() {
            return None;
        }
        let live = next.objects[usize::from(object.slot)].as_mut();
        let live = live.filter(|live| live.uid == object.uid && live.deleting.is_none());
        let written = live.map(|live| live.finalizer = true).is_some();
        self.advance(&mut next, p, a, Wish::Object(object), Change { finalizer: Some(written), ..change });
        Some(next)
    }

    fn advance(&self, next: &mut World, p: u8, a: u8, wish: Wish, change: Change) {
        *next.pass(p, a) = Pass::Writing(wish, change);
        let (true, Some(finalized), Some(claim)) = (change.wrote, change.finalizer, change.next) else { return };
        *next.pass(p, a) = match (change.kind, wish) {
            (Kind::Rest | Kind::Record, Wish::Object(object)) if finalized => {
                return self.show(next, p, a, object, Some(claim));
            }
            (Kind::Invite, _) if finalized => Pass::Sending(wish, claim),
            (Kind::Invite, _) => return self.ended(next, p, a, wish, claim, failure(FailureKind::Fenced)),
            (Kind::Cancel(id), _) => Pass::Cancelling(wish, claim, id),
            (Kind::HandOver | Kind::LetGo | Kind::Close, Wish::Object(object)) => Pass::Parting(object),
            (Kind::Rest | Kind::Record, _) | (Kind::HandOver | Kind::LetGo | Kind::Close, Wish::Sweep(_)) => Pass::Idle,
        };
    }

    /// Sends the call, if the attempt is the acknowledged one and its deadline has not passed.
    pub(crate) fn send(&self, world: &World, p: u8, a: u8) -> Option<World> {
        let mut next = world.clone();
        let Pass::Sending(wish, claim) = *next.pass(p, a) else { return None };
        let nonce = claim.nonce?;
        next.processes[usize::from(p)].known[usize::from(a)].get_or_insert((nonce, 0));
        let mut acknowledged = InvitationClaim::new("claim", self.claims.of(claim).spec.clone());
        acknowledged.metadata.resource_version = Some("1".to_owned());
        let attempt = AcknowledgedAttempt::in_claim(&acknowledged, &nonce.to_string())?;
        if attempt.deadline() <= self.clock(p) && self.config.fault != Fault::NoFence {
            self.ended(&mut next, p, a, wish, claim, failure(FailureKind::Fenced));
            return Some(next);
        }
        let again = self.config.fault == Fault::Retried;
        let room = next.posts.iter_mut().find(|post| post.is_none());
        let Some(room) = room else {
            assert_ne!(self.config.fault, Fault::None, "more than two calls on their way");
            return None;
        };
        *room = Some(Post { nonce, age: 0, client: Some((p, a)), made: None, again });
        *next.pass(p, a) = Pass::Waiting(wish, claim);
        Some(next)
    }

    /// The answer arrives: with the invitation, or without its id.
    pub(crate) fn answer(&self, world: &World, p: u8, a: u8, named: bool) -> Option<World> {
        let mut next = world.clone();
        let Pass::Waiting(wish, claim) = *next.pass(p, a) else { return None };
        let slot = next.posts.iter_mut().find(|post| post.is_some_and(|post| post.client == Some((p, a))))?;
        let id = slot.as_ref()?.made?;
        *slot = None;
        if named {
            if let Some(roster) = &mut next.processes[usize::from(p)].roster {
                roster.pending |= 1 << id;
            }
            self.ended(&mut next, p, a, wish, claim, Outcome::Created(Box::new(invitation(id, 0))));
        } else {
            self.ended(&mut next, p, a, wish, claim, Outcome::CreatedWithoutId);
        }
        Some(next)
    }

    /// The client's own deadline: nobody can tell.
    pub(crate) fn give_up_waiting(&self, world: &World, p: u8, a: u8) -> Option<World> {
        let mut next = world.clone();
        let Pass::Waiting(wish, claim) = *next.pass(p, a) else { return None };
        next.nobody_waits(p, Some(a));
        self.ended(&mut next, p, a, wish, claim, failure(UNKNOWN));
        Some(next)
    }

    /// Reads the invitation, and cancels it by its id.
    pub(crate) fn cancel(&self, world: &World, p: u8, a: u8, answered: bool) -> Option<World> {
        let mut next = world.clone();
        let Pass::Cancelling(wish, claim, id) = *next.pass(p, a) else { return None };
        let there = next.invitations.iter_mut().find(|there| there.is_some_and(|there| there.id == id));
        let already_gone = there.is_none();
        if let Some(there) = there {
            *there = None;
            let spec = &self.claims.of(claim).spec;
            let surplus = spec.surplus.iter().any(|surplus| surplus == object_id(id).as_str());
            let for_resend = spec.resend.as_ref().is_some_and(|resend| resend.pending.is_some());
            let for_deletion = !surplus && !for_resend;
            next.allowed += u8::from(for_deletion);
            if for_deletion && self.stands(world) {
                next.wrong = Wrong::CancelledUnderOwner;
            }
        }
        if answered {
            if let Some(roster) = &mut next.processes[usize::from(p)].roster {
                roster.pending &= !(1 << id);
            }
            self.ended(&mut next, p, a, wish, claim, Outcome::Cancelled { already_gone });
        } else {
            self.ended(&mut next, p, a, wish, claim, failure(UNKNOWN));
        }
        Some(next)
    }

    /// Whether the claim belongs to an object that stays, and is not being cancelled.
    fn stands(&self, world: &World) -> bool {
        let Some(claim) = world.claim else { return false };
        let spec = &self.claims.of(claim).spec;
        let owner = spec.owner.as_ref().and_then(named).and_then(|(slot, uid)| world.object(slot, uid));
        owner.is_some_and(|owner| owner.deleting.is_none()) && !spec.cancelling
    }

    /// The call is over: what it means is the real function's to say, and what is to be recorded is recorded next.
    pub(crate) fn ended(&self, next: &mut World, p: u8, a: u8, wish: Wish, claim: ClaimId, outcome: Outcome) {
        let spec = self.claims.of(claim).spec.clone();
        let step = match *next.pass(p, a) {
            Pass::Cancelling(_, _, id) => Step::Cancel(object_id(id), Box::new(spec.clone())),
            _ => Step::Invite(Box::new(spec.clone())),
        };
        let gathered = Gathered {
            claim: Some(claim),
            owned: Owned::Mine,
            waited: Waited::NoAttempt,
            successor: None,
            fresh: true,
        };
        let facts = self.facts(next, p, wish, &gathered, None, LastPass::Acted);
        let finding = Finding::new(Reason::Inviting, "");
        let decision = Decision { step, finding, wake: Wake::NextLook, plan: None };
        let concluded = conclude(&decision, outcome, Some(&spec), &facts, 1).claim;
        *next.pass(p, a) = match concluded {
            Some(to) => Pass::Recording(wish, Recording { before: claim, after: self.claims.id(&to) }),
            None => Pass::Idle,
        };
    }

    /// Records the result, as it enters the claim that is there.
    pub(crate) fn record(&self, world: &World, p: u8, a: u8) -> Option<World> {
        let mut next = world.clone();
        let Pass::Recording(wish, recording) = *next.pass(p, a) else { return None };
        self.entered(&mut next, p, recording);
        *next.pass(p, a) = Pass::Idle;
        if let Wish::Object(object) = wish {
            let owner = |claim: &ClaimId| self.claims.of(*claim).spec.owner.as_ref().and_then(named);
            let mine = next.claim.filter(|claim| owner(claim) == Some((object.slot, object.uid)));
            self.show(&mut next, p, a, object, Some(mine.unwrap_or(recording.before)));
        }
        Some(next)
    }

    /// The pass goes on alone; the result is tried on beside it.
    pub(crate) fn postpone(world: &World, p: u8, a: u8) -> Option<World> {
        let mut next = world.clone();
        let Pass::Recording(_, recording) = *next.pass(p, a) else { return None };
        let unwritten = &mut next.processes[usize::from(p)].unwritten;
        if unwritten.is_some() {
            return None;
        }
        *unwritten = Some(recording);
        *next.pass(p, a) = Pass::Idle;
        Some(next)
    }

    /// A result that was postponed is recorded.
    pub(crate) fn record_late(&self, world: &World, p: u8) -> Option<World> {
        let mut next = world.clone();
        let recording = next.processes[usize::from(p)].unwritten.take()?;
        self.entered(&mut next, p, recording);
        Some(next)
    }

    /// Read, entered and written in one: whoever meets a conflict reads again.
    fn entered(&self, next: &mut World, p: u8, recording: Recording) {
        let spec = |claim: ClaimId| self.claims.of(claim).spec.clone();
        let present = next.claim.map(spec);
        let (before, after) = (spec(recording.before), spec(recording.after));
        let entry = if self.config.fault == Fault::BlindWrites {
            Entry::Replace(Box::new(after))
        } else {
            enter(&before, &after, present.as_ref(), self.clock(p))
        };
        match entry {
            Entry::Nothing => next.claim_read(p),
            Entry::Replace(to) | Entry::Create(to) => next.claim_written(p, Some(self.claims.id(&to))),
        }
    }

    /// Removes the finalizer: the object is gone.
    pub(crate) fn part(world: &World, p: u8, a: u8) -> Option<World> {
        let mut next = world.clone();
        let Pass::Parting(object) = *next.pass(p, a) else { return None };
        *next.pass(p, a) = Pass::Idle;
        next.forget(p, a);
        let slot = &mut next.objects[usize::from(object.slot)];
        if slot.is_some_and(|live| live.uid == object.uid && live.deleting.is_some()) {
            *slot = None;
        }
        Some(next)
    }

    /// The status is to be written, if it differs from the one that was read.
    pub(crate) fn show(&self, next: &mut World, p: u8, a: u8, object: Object, claim: Option<ClaimId>) {
        *next.pass(p, a) = match claim {
            Some(claim) if self.shown(object, claim) != object => Pass::Showing(object, claim),
            _ => Pass::Idle,
        };
    }

    /// Writes the status of just this object.
    pub(crate) fn write_status(&self, world: &World, p: u8, a: u8) -> Option<World> {
        let mut next = world.clone();
        let Pass::Showing(object, claim) = *next.pass(p, a) else { return None };
        *next.pass(p, a) = Pass::Idle;
        let after = self.shown(object, claim);
        let live = next.objects[usize::from(object.slot)].as_mut().filter(|live| live.uid == object.uid);
        if let Some(live) = live {
            live.tells = after.tells;
            live.handled = after.handled;
        }
        Some(next)
    }

    /// The object with its status as the real projection makes it.
    fn shown(&self, object: Object, claim: ClaimId) -> Object {
        let before = ProjectInvitationStatus {
            id: object.tells.then(|| object_id(0).as_str().to_owned()),
            last_handled_resend: (object.handled > 0).then(|| object.handled.to_string()),
            ..ProjectInvitationStatus::default()
        };
        let content = self.claims.of(claim);
        let status = project(&Picture {
            before: &before,
            generation: 1,
            desired: None,
            claim: Some(&content.spec),
            sight: None,
            finding: &Finding::new(Reason::Looking, ""),
            overdue: false,
            plan: None,
            now: self.clock(0),
        });
        Object {
            tells: status.id.is_some() || status.accepted_at.is_some(),
            handled: status.last_handled_resend.and_then(|token| token.parse().ok()).unwrap_or(0),
            ..object
        }
    }
}
