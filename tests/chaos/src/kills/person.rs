//! A person of a wave: what happens to them, and how they must be found in the end.
//!
//! Must never do anything.

use jiff::Timestamp;
use rand::Rng;
use rand::rngs::StdRng;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Story {
    Stays,
    Roles,
    Suspended,
    Deleted,
    Reapplied,
    Renamed,
    Moved,
    Twins,
    Accepts,
    Declines,
    Resent,
    Kept,
    KeptReapplied,
    Forced,
    ForcedReapplied,
    /// Is invited and goes at once, so that there is something to strike at.
    Visits,
}

impl Story {
    /// Those that may happen to anybody, each as often as it stands here.
    const USUAL: [Self; 16] = [
        Self::Stays,
        Self::Stays,
        Self::Roles,
        Self::Suspended,
        Self::Deleted,
        Self::Deleted,
        Self::Reapplied,
        Self::Reapplied,
        Self::Renamed,
        Self::Moved,
        Self::Twins,
        Self::Accepts,
        Self::Declines,
        Self::Resent,
        Self::Kept,
        Self::KeptReapplied,
    ];

    /// The story of the n-th person of a wave. Few finalizers are forced away: many at once are another matter.
    pub(super) fn of(number: usize, dice: &mut StdRng) -> Self {
        match number {
            0 if dice.random() => Self::Forced,
            0 => Self::ForcedReapplied,
            _ => Self::USUAL.get(dice.random_range(0..Self::USUAL.len())).copied().unwrap_or(Self::Stays),
        }
    }
}

/// How a person must be found in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Invited through one of these objects, with this role.
    Invited { objects: Vec<String>, role: &'static str },
    /// A member, shown by this object.
    Accepted { object: String },
    /// Declined, shown by this object.
    Withdrawn { object: String },
    /// Neither object nor invitation.
    Nothing,
    /// An invitation without an object, as was asked for.
    Kept,
}

/// One person.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) address: String,
    pub(super) story: Story,
    /// When an e-mail was wanted. No e-mail comes before its cause.
    pub(super) causes: Vec<Timestamp>,
    pub(super) wanted: Wanted,
    /// All objects that there ever were.
    pub(super) objects: Vec<String>,
}

impl Person {
    /// Whether a finalizer was removed by force.
    pub(super) fn is_forced(&self) -> bool {
        matches!(self.story, Story::Forced | Story::ForcedReapplied)
    }

    /// Whether the invitation is to outlive its object.
    pub(super) fn is_kept(&self) -> bool {
        self.story == Story::Kept
    }
}
