//! Everything a decision may know.
//!
//! The pass gathers facts by effects and hands them over; from here on there are only values. Must never hold a handle.

use super::desired::{Desired, Life};
use super::policy::Allow;
use super::remote::{Invitation, Member};
use super::timings::Timings;
use crate::api::{
    Adoption, DeletionPolicy, InvitationClaimSpec, Mode, OnUnknown, Owner, Phase, Product, RecordedInviter,
};
use jiff::Timestamp;
use std::time::Duration;

/// All facts of one pass.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The wish.
    pub desired: Desired,
    /// Where the object stands in its own life.
    pub life: Life,
    /// The claim of the wish's key, whoever owns it.
    pub claim: Option<InvitationClaimSpec>,
    /// Who owns it.
    pub ownership: Ownership,
    /// While the object is being deleted: another live object that waits for this very claim and may have it.
    pub successor: Option<Successor>,
    /// Whether a claim under another key has this object as its owner.
    pub owns_another_claim: bool,
    /// Whether the status tells of an invitation. It may forbid an e-mail, never cause one.
    pub status_tells_of_invitation: bool,
    /// The resend token that the status has as handled: it too may only forbid.
    pub status_resend: Option<String>,
    /// The phase in the status. Expired is shown on after a restart, until two looks of this process settle the absence.
    pub status_phase: Option<Phase>,
    /// Whether the requestedAt annotation has a value that was not acted on.
    pub asked: bool,
    /// What the last pass over the object came to.
    pub last_pass: LastPass,
    /// The inviter.
    pub inviter: InviterFacts,
    /// What the roster shows, if a look was made.
    pub sight: Option<Sight>,
    /// The quarantine of the open attempt, if there is one.
    pub quarantine: Option<Quarantine>,
    /// A name for an attempt that this pass may open.
    pub nonce: String,
    /// At most so many e-mails for the key in any 24 hours.
    pub mail_cap: i32,
    /// The times of the protocol.
    pub timings: Timings,
    /// Wall clock, for comparing with the API's times.
    pub now: Timestamp,
}

/// What the last pass over an object came to, as far as this process knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastPass {
    /// There was none, or it did something.
    #[default]
    Acted,
    /// It looked and did nothing: something else has to happen first.
    Rested,
}

/// An object that waits for a claim, and whose own credentials have listed the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successor {
    /// The object.
    pub owner: Owner,
    /// Its inviter.
    pub inviter: RecordedInviter,
    /// What it wants done when it goes.
    pub deletion: DeletionPolicy,
    /// Its resend token: there from the start.
    pub resend: Option<String>,
}

/// Who owns the claim of the wish's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// There is no claim.
    NoClaim,
    /// This object.
    Mine,
    /// Nobody: its owner let go.
    Nobody,
    /// An object that a live read has shown to be gone.
    Gone,
    /// Another live object; `shown` is how it may be named to this object's author.
    Other {
        /// `namespace/name` inside the same namespace, nothing that tells of another one.
        shown: Option<String>,
    },
}

/// What a decision needs to know of an inviter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviterFacts {
    /// As claims record it.
    pub recorded: RecordedInviter,
    /// The product.
    pub product: Product,
    /// Canonical host of the API.
    pub host: String,
    /// How MongoDB names these credentials as the sender of an invitation.
    pub identity: String,
    /// Whether to act or only to look.
    pub mode: Mode,
    /// What to do with invitations that somebody else sent.
    pub adoption: Adoption,
    /// What to do when an outcome stays unknown.
    pub on_unknown: OnUnknown,
    /// What may be asked for.
    pub allow: Allow,
    /// How stale the view of a project may be.
    pub check_interval: Duration,
    /// Changes whenever the spec or the credentials change.
    pub revision: String,
}

/// What a roster shows of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The person as a member.
    pub member: Option<Member>,
    /// The person's pending invitations; legacy endpoints may hold several.
    pub pending: Vec<Invitation>,
    /// Whether two complete rosters, far enough apart, agree that a person who is not there is gone.
    pub absence_settled: bool,
    /// Whether the roster was begun in this pass, after the live read of the object.
    pub fresh: bool,
}

/// The quarantine of an attempt without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quarantine {
    /// Nothing may be sent.
    Running {
        /// How long this process has known the attempt.
        elapsed: Duration,
        /// How long it still runs.
        left: Duration,
    },
    /// The server can no longer act on the attempt, and its lists can no longer hide that it did.
    Over,
}

/// How the quarantine of an attempt stands.
///
/// It counts this process's own monotonic time since it first knew the attempt, and never ends before
/// `started_at + length`: no trust in another machine's clock.
#[must_use]
pub fn quarantine(known_for: Duration, started_at: Timestamp, now: Timestamp, length: Duration) -> Quarantine {
    let locally = length.saturating_sub(known_for);
    // A start that still lies ahead was no time ago.
    let since_start = Duration::try_from(now.duration_since(started_at)).unwrap_or_default();
    let by_wall = length.saturating_sub(since_start);
    // A clock that stands far behind the recorded start must not hold the person until it has caught up.
    let left = locally.max(by_wall.min((length * 2).saturating_sub(known_for)));
    if left.is_zero() { Quarantine::Over } else { Quarantine::Running { elapsed: known_for, left } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarantine_needs_both_local_time_and_wall_time() {
        let length = Duration::from_secs(190);
        let start: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let at = |seconds: i64| start + jiff::SignedDuration::from_secs(seconds);
        let secs = Duration::from_secs;
        // A fresh process that finds an old attempt waits its own 190 s.
        assert_eq!(
            quarantine(secs(0), start, at(10_000), length),
            Quarantine::Running { elapsed: secs(0), left: secs(190) }
        );
        assert_eq!(quarantine(secs(190), start, at(10_000), length), Quarantine::Over);
        // A clock that jumped ahead does not shorten it.
        assert_eq!(
            quarantine(secs(5), start, at(500), length),
            Quarantine::Running { elapsed: secs(5), left: secs(185) }
        );
        // A clock that jumped back prolongs it, by no more than its length.
        assert_eq!(
            quarantine(secs(190), start, at(-1000), length),
            Quarantine::Running { elapsed: secs(190), left: secs(190) }
        );
        assert_eq!(quarantine(secs(190), start, at(190), length), Quarantine::Over);
        assert_eq!(quarantine(secs(380), start, at(-1000), length), Quarantine::Over);
    }
}
