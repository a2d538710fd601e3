//! The first half of a pass: what it reads, in the order of `controller::gather`, and what the real functions decide on it.
//!
//! Must never write anything: that is `effects`.

use crate::check::Small;
use crate::claims::ClaimId;
use crate::config::Fault;
use crate::facts::{named, number_of, owner, sight};
use crate::world::{Change, Gathered, Kind, Object, Owned, Pass, Roster, Waited, Wish, World};
use decisions::api::VerdictKind;
use decisions::domain::decide::{decide, look_need};
use decisions::domain::facts::LastPass;
use decisions::domain::ledger::{self, worth_keeping};
use decisions::domain::step::{LookNeed, Step};

impl Small {
    /// The pass begins with the object as it is now; by the time it acts that may have changed.
    pub(crate) fn begin(&self, world: &World, p: u8, a: u8) -> Option<World> {
        let object = world.objects[usize::from(a)]?;
        let mut next = world.clone();
        if *next.pass(p, a) != Pass::Idle || world.busy() >= usize::from(self.config.busy) {
            return None;
        }
        *next.pass(p, a) = Pass::Planned(object);
        Some(next)
    }

    /// Reads what Kubernetes knows; `afresh` when a look of its own is due.
    pub(crate) fn gather(&self, world: &World, p: u8, a: u8, afresh: bool) -> Option<World> {
        let mut next = world.clone();
        let Pass::Planned(object) = *next.pass(p, a) else { return None };
        *next.pass(p, a) = Pass::Idle;
        if object.deleting.is_some() && !object.finalizer {
            next.forget(p, a);
            return (!afresh).then_some(next);
        }
        if object.deleting.is_some() {
            next.claim_read(p);
        }
        let gathered = self.recorded(&mut next, p, object);
        let wish = Wish::Object(object);
        let need = |last_pass, due| look_need(&self.facts(&next, p, wish, &gathered, None, last_pass), due);
        let (shared, own) = (need(LastPass::Rested, false), need(LastPass::Acted, true));
        if afresh && shared == own {
            return None;
        }
        match if afresh { own } else { shared } {
            LookNeed::None => self.decided(&mut next, p, a, wish, gathered, None),
            LookNeed::Recent => match next.processes[usize::from(p)].roster {
                Some(roster) => self.looked(&mut next, p, a, wish, gathered, roster, false),
                None => *next.pass(p, a) = Pass::Listing(wish, gathered),
            },
            // Slots are always free here: waiting for one changes when something is done, not what.
            LookNeed::Fresh | LookNeed::FreshWithSlot => {
                let gathered = Gathered { fresh: true, ..gathered };
                let live = next.object(object.slot, object.uid);
                let same = live.is_some_and(|live| live.deleting.is_some() == object.deleting.is_some());
                match next.processes[usize::from(p)].roster {
                    Some(roster) if same && self.config.fault == Fault::SharedLook => {
                        self.looked(&mut next, p, a, wish, gathered, roster, false);
                    }
                    _ if same => *next.pass(p, a) = Pass::Listing(wish, gathered),
                    _ => {}
                }
            }
        }
        Some(next)
    }

    fn recorded(&self, next: &mut World, p: u8, object: Object) -> Gathered {
        let me = owner(object.slot, object.uid);
        let claim = next.processes[usize::from(p)].claim;
        let content = claim.map(|claim| self.claims.of(claim));
        let owned = match content.as_ref().map(|content| &content.spec.owner) {
            None => Owned::NoClaim,
            Some(None) => Owned::Nobody,
            Some(Some(owner)) if *owner == me => Owned::Mine,
            Some(Some(owner)) if Self::lives(next, owner) => Owned::Other,
            Some(Some(_)) => Owned::Gone,
        };
        let pending =
            content.is_some_and(|content| content.spec.invitation.is_some() && content.spec.verdict.is_none());
        let asks = object.deleting.is_some() && !object.released && owned == Owned::Mine && pending;
        let waited = claim.map_or(Waited::NoAttempt, |claim| self.known_waited(next, p, object.slot, claim));
        let other = next.objects.iter().flatten().find(|other| other.slot != object.slot && other.deleting.is_none());
        Gathered { claim, owned, waited, successor: other.copied().filter(|_| asks), fresh: false }
    }

    /// A live read finds this owner.
    pub(crate) fn lives(world: &World, owner: &decisions::api::Owner) -> bool {
        named(owner).is_some_and(|(slot, uid)| world.object(slot, uid).is_some())
    }

    /// The quarantine of the claim's attempt; this pass knows the attempt from now on.
    pub(crate) fn known_waited(&self, next: &mut World, p: u8, a: u8, claim: ClaimId) -> Waited {
        let Some(nonce) = claim.nonce else { return Waited::NoAttempt };
        let known = &mut next.processes[usize::from(p)].known[usize::from(a)];
        let since = match *known {
            Some((its, since)) if its == nonce => since,
            _ => 0,
        };
        *known = Some((nonce, since));
        self.waited(p, claim, since)
    }

    /// Reads the lists, and decides.
    pub(crate) fn list(&self, world: &World, p: u8, a: u8) -> Option<World> {
        let mut next = world.clone();
        let Pass::Listing(wish, gathered) = *next.pass(p, a) else { return None };
        let shown = world.invitations.iter().flatten().filter(|invitation| invitation.hidden == 0);
        let pending = shown.fold(0, |pending, invitation| pending | (1 << invitation.id));
        let roster = Roster { pending, member: world.member };
        if self.config.shared_looks {
            next.processes[usize::from(p)].roster = Some(roster);
        }
        self.looked(&mut next, p, a, wish, gathered, roster, true);
        Some(next)
    }

    /// `own` when the roster was begun in this pass: only then can it settle an absence.
    #[allow(clippy::too_many_arguments)]
    fn looked(&self, next: &mut World, p: u8, a: u8, wish: Wish, gathered: Gathered, roster: Roster, own: bool) {
        let settled = match wish {
            Wish::Sweep(_) => false,
            Wish::Object(object) => {
                let was_there = gathered.claim.is_some_and(|claim| {
                    let spec = &self.claims.of(claim).spec;
                    let accepted = spec.verdict.as_ref().is_some_and(|verdict| verdict.kind == VerdictKind::Accepted);
                    spec.invitation.is_some() || accepted
                });
                let missing = &mut next.processes[usize::from(p)].missing[usize::from(object.slot)];
                let shows = roster.member || roster.pending != 0;
                *missing = if shows || !was_there { 0 } else { (*missing).max(1) };
                own && *missing == 2
            }
        };
        self.decided(next, p, a, wish, gathered, Some((roster, settled)));
    }

    /// Takes the real decision, and goes to what it asks for.
    pub(crate) fn decided(
        &self,
        next: &mut World,
        p: u8,
        a: u8,
        wish: Wish,
        gathered: Gathered,
        seen: Option<(Roster, bool)>,
    ) {
        let sight = seen.map(|(roster, settled)| sight(next, roster.pending, roster.member, settled, gathered.fresh));
        let facts = self.facts(next, p, wish, &gathered, sight, LastPass::Acted);
        let decision = decide(&facts);
        *next.pass(p, a) = Pass::Idle;
        let before = gathered.claim.map(|claim| self.claims.of(claim));
        // Nobody becomes the owner by a sweep, and a debt stands until it is paid.
        let unowned = |mut claim: decisions::api::InvitationClaimSpec| {
            if let (Wish::Sweep(_), Some(before)) = (wish, &before) {
                claim.owner.clone_from(&before.spec.owner);
                claim.debt.clone_from(&before.spec.debt);
            }
            self.claims.id(&claim)
        };
        let (kind, to) = match decision.step {
            Step::Rest => match wish {
                Wish::Object(object) if gathered.owned == Owned::Mine => {
                    if object.finalizer || object.deleting.is_some() {
                        return self.show(next, p, a, object, gathered.claim);
                    }
                    (Kind::Rest, gathered.claim)
                }
                Wish::Object(_) | Wish::Sweep(_) => return,
            },
            Step::LookAgain => return,
            Step::Record(claim) => (Kind::Record, Some(unowned(*claim))),
            Step::Invite(claim) => (Kind::Invite, Some(unowned(*claim))),
            Step::Cancel(id, claim) => (Kind::Cancel(number_of(&id)), Some(unowned(*claim))),
            Step::HandOver(claim) => (Kind::HandOver, Some(unowned(*claim))),
            Step::LetGo(farewell) => match (&facts.claim, gathered.owned) {
                (Some(claim), Owned::Mine) => {
                    let mut closed = ledger::let_go(claim.clone(), farewell, facts.now);
                    if let Wish::Sweep(_) = wish {
                        closed.debt = None;
                    }
                    let kind = if worth_keeping(&closed, facts.now) { Kind::LetGo } else { Kind::Close };
                    (kind, Some(self.claims.id(&closed)))
                }
                (_, _) => match wish {
                    Wish::Object(object) => return *next.pass(p, a) = Pass::Parting(object),
                    Wish::Sweep(_) => return,
                },
            },
            Step::UpdateRoles(..) => unreachable!("all objects ask for the same roles"),
        };
        let finalizes = matches!(kind, Kind::Rest | Kind::Record | Kind::Invite);
        let has = match wish {
            Wish::Object(object) => object.finalizer || object.deleting.is_some(),
            Wish::Sweep(_) => true,
        };
        let change = Change {
            kind,
            next: to,
            on: gathered.claim,
            wrote: kind == Kind::Rest,
            finalizer: (has || !finalizes).then_some(true),
        };
        *next.pass(p, a) = Pass::Writing(wish, change);
    }
}
