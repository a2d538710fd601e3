//! MongoDB's side: it acts on a call late or never, refuses it, and its lists lag.
//!
//! Owns the oracle of second e-mails: it sits where the e-mail is sent, and asks nobody else.

use crate::check::Small;
use crate::effects::failure;
use crate::world::{Invitation, Pass, World, Wrong};
use decisions::domain::failure::FailureKind;

impl Small {
    /// Acts on a call: an invitation, and an e-mail.
    pub(crate) fn act(world: &World, which: u8) -> Option<World> {
        let mut next = world.clone();
        let slot = next.posts.get_mut(usize::from(which))?;
        let post = slot.as_mut()?;
        if post.made.is_some() && !post.again {
            return None;
        }
        post.again &= post.made.is_none();
        post.made = Some(next.made);
        if post.client.is_none() && !post.again {
            *slot = None;
        }
        let made = Invitation { id: next.made, age: 0, hidden: 1 };
        *next.invitations.iter_mut().find(|room| room.is_none())? = Some(made);
        next.made += 1;
        match next.allowed.checked_sub(1) {
            Some(left) => next.allowed = left,
            None => next.wrong = Wrong::SecondMail,
        }
        Some(next)
    }

    /// Refuses a call: too many. Whoever waits learns of it.
    pub(crate) fn refuse(&self, world: &World, which: u8) -> Option<World> {
        let mut next = world.clone();
        let slot = next.posts.get_mut(usize::from(which))?;
        let post = (*slot)?;
        let (p, a) = post.client?;
        if post.made.is_some() {
            return None;
        }
        *slot = None;
        let Pass::Waiting(wish, claim) = *next.pass(p, a) else { return None };
        self.ended(&mut next, p, a, wish, claim, failure(FailureKind::RateLimited { retry_after: None }));
        Some(next)
    }

    /// Lists show an invitation from now on.
    pub(crate) fn appear(world: &World, which: u8) -> Option<World> {
        let mut next = world.clone();
        let invitation = next.invitations.get_mut(usize::from(which))?.as_mut()?;
        if invitation.hidden == 0 {
            return None;
        }
        invitation.hidden = 0;
        Some(next)
    }
}
