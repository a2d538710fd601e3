//! Where a pass stands between two of its effects, and what it carries from one to the next.
//!
//! Must never carry what the operator's own pass would not have at that point.

use crate::claims::ClaimId;
use crate::world::Object;

/// For whom a pass is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wish {
    /// An object, as the cache had it.
    Object(Object),
    /// Nobody: the sweep finishes off this claim.
    Sweep(ClaimId),
}

/// Who owns the claim that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owned {
    /// There is no claim.
    NoClaim,
    /// The object of the pass.
    Mine,
    /// Nobody.
    Nobody,
    /// An object that is gone.
    Gone,
    /// The other object.
    Other,
}

/// How the quarantine stood when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Waited {
    /// There is no open attempt.
    NoAttempt,
    /// It runs.
    Running,
    /// It is over.
    Over,
}

/// The facts that a pass has gathered before it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gathered {
    /// The claim as read.
    pub claim: Option<ClaimId>,
    /// Whose it is.
    pub owned: Owned,
    /// The quarantine of its attempt.
    pub waited: Waited,
    /// Another object that takes over.
    pub successor: Option<Object>,
    /// Whether the look begins after the live read of the object.
    pub fresh: bool,
}

/// What a write of the claim is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// No write: the finalizer alone.
    Rest,
    /// `Step::Record`.
    Record,
    /// `Step::Invite`.
    Invite,
    /// `Step::Cancel` of this invitation.
    Cancel(u8),
    /// `Step::HandOver`.
    HandOver,
    /// `Step::LetGo`, with something left to remember.
    LetGo,
    /// `Step::LetGo`, with nothing left to remember: the claim is deleted.
    Close,
}

/// A write of the claim and, beside it, of the finalizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Change {
    /// What for.
    pub kind: Kind,
    /// The content to write.
    pub next: Option<ClaimId>,
    /// The content that it was decided on.
    pub on: Option<ClaimId>,
    /// Whether the claim is written.
    pub wrote: bool,
    /// Whether the finalizer is there; none while it is still to be written.
    pub finalizer: Option<bool>,
}

/// A result that is being recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Recording {
    /// The claim as it was acknowledged when the call was made.
    pub before: ClaimId,
    /// What the call makes of it.
    pub after: ClaimId,
}

/// Where a pass stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pass {
    /// None is under way.
    Idle,
    /// The object was read from the cache.
    Planned(Object),
    /// Claim and object were read; the lists are not.
    Listing(Wish, Gathered),
    /// Decided; something is to be written.
    Writing(Wish, Change),
    /// The write had no answer.
    ReadingBack(Wish, Change),
    /// The attempt is acknowledged.
    Sending(Wish, ClaimId),
    /// The call is on its way.
    Waiting(Wish, ClaimId),
    /// The claim says that this invitation is being cancelled.
    Cancelling(Wish, ClaimId, u8),
    /// The call has an answer.
    Recording(Wish, Recording),
    /// The claim is let go; the finalizer is not.
    Parting(Object),
    /// The status is to be written.
    Showing(Object, ClaimId),
}

impl Pass {
    pub(crate) fn contents<'a>(&'a mut self, all: &mut Vec<&'a mut ClaimId>) {
        match self {
            Self::Idle | Self::Planned(_) | Self::Parting(_) => {}
            Self::Listing(wish, gathered) => {
                all.extend(wish.content());
                all.extend(gathered.claim.as_mut());
            }
            Self::Writing(wish, change) | Self::ReadingBack(wish, change) => {
                all.extend(wish.content());
                all.extend(change.next.as_mut());
                all.extend(change.on.as_mut());
            }
            Self::Sending(wish, claim) | Self::Waiting(wish, claim) | Self::Cancelling(wish, claim, _) => {
                all.extend(wish.content());
                all.push(claim);
            }
            Self::Recording(wish, recording) => {
                all.extend(wish.content());
                recording.contents(all);
            }
            Self::Showing(_, claim) => all.push(claim),
        }
    }

    /// The object that the pass is made for, as it was read.
    pub fn object(&mut self) -> Option<&mut Object> {
        match self {
            Self::Idle => None,
            Self::Planned(object) | Self::Parting(object) | Self::Showing(object, _) => Some(object),
            Self::Listing(wish, _)
            | Self::Writing(wish, _)
            | Self::ReadingBack(wish, _)
            | Self::Sending(wish, _)
            | Self::Waiting(wish, _)
            | Self::Cancelling(wish, ..)
            | Self::Recording(wish, _) => match wish {
                Wish::Object(object) => Some(object),
                Wish::Sweep(_) => None,
            },
        }
    }
}

impl Recording {
    pub(crate) fn contents<'a>(&'a mut self, all: &mut Vec<&'a mut ClaimId>) {
        all.push(&mut self.before);
        all.push(&mut self.after);
    }
}

impl Wish {
    fn content(&mut self) -> Option<&mut ClaimId> {
        match self {
            Self::Object(_) => None,
            Self::Sweep(claim) => Some(claim),
        }
    }
}
