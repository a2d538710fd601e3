//! People: who apply, delete, release and ask for another invitation, and the person who is invited.

use crate::check::Small;
use crate::facts::named;
use crate::world::{Object, World};

impl Small {
    /// An object with a new uid under this name.
    pub(crate) fn apply(world: &World, slot: u8) -> Option<World> {
        let mut next = world.clone();
        next.budget.applies = next.budget.applies.checked_sub(1)?;
        let at = usize::from(slot);
        if next.objects[at].is_some() {
            return None;
        }
        next.objects[at] = Some(Object::new(slot, next.applied[at]));
        next.applied[at] += 1;
        Some(next)
    }

    /// Deletes an object: its finalizer holds it, unless the deletion beats that.
    pub(crate) fn delete(&self, world: &World, slot: u8, beats_finalizer: bool) -> Option<World> {
        let mut next = world.clone();
        next.budget.deletes = next.budget.deletes.checked_sub(1)?;
        let at = &mut next.objects[usize::from(slot)];
        let object = at.as_mut().filter(|object| object.deleting.is_none())?;
        if beats_finalizer && !(object.finalizer && self.config.finalizer_race) {
            return None;
        }
        if object.finalizer && !beats_finalizer {
            object.deleting = Some(0);
        } else {
            *at = None;
        }
        Some(next)
    }

    /// Lets go of an object that is being deleted.
    pub(crate) fn release(&self, world: &World, slot: u8) -> Option<World> {
        let mut next = world.clone();
        let object = next.objects[usize::from(slot)].as_mut()?;
        if !self.config.releases || object.deleting.is_none() || object.released {
            return None;
        }
        object.released = true;
        Some(next)
    }

    /// Asks for another invitation of the claim's owner.
    pub(crate) fn resend(&self, world: &World, slot: u8) -> Option<World> {
        let mut next = world.clone();
        next.budget.resends = next.budget.resends.checked_sub(1)?;
        let object = next.objects[usize::from(slot)].as_mut().filter(|object| object.deleting.is_none())?;
        let claim = self.claims.of(world.claim?);
        if claim.spec.owner.as_ref().and_then(named) != Some((object.slot, object.uid)) || world.member {
            return None;
        }
        object.token += 1;
        next.allowed += 1;
        Some(next)
    }

    /// The person accepts, or declines, an invitation that was e-mailed.
    pub(crate) fn respond(&self, world: &World, accepts: bool) -> Option<World> {
        if !self.config.person_acts {
            return None;
        }
        let mut next = world.clone();
        *next.invitations.iter_mut().find(|invitation| invitation.is_some())? = None;
        if !accepts && world.claim.is_some_and(|claim| claim.nonce.is_some()) {
            // The one window that is left: a person who declines while the answer to the very call is being looked for
            // cannot be told from one whom it never reached.
            next.allowed += 1;
        }
        if accepts {
            next.member = true;
            // Nobody who is a member is ever e-mailed again.
            next.allowed = 0;
        }
        Some(next)
    }
}
