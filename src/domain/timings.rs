//! Every length of time that a decision uses, in one place.
//!
//! Owns the defaults and what they rest on. Must never read a clock.

use std::time::Duration;

/// The times of the protocol. Defaults are the ones the promise of one e-mail rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// Total deadline of a call that e-mails.
    pub post_deadline: Duration,
    /// How long after that deadline the server may still act on the call.
    pub server_delay: Duration,
    /// How long after the server acted its lists may not show it.
    pub list_delay: Duration,
    /// Two complete rosters must be at least so far apart before a person who was there counts as absent.
    pub absence_gap: Duration,
    /// How long a deletion waits for another object that wants the same person, before it cancels: a rename or a move
    /// between namespaces costs no e-mail, in whichever order it arrives.
    pub handover_grace: Duration,
    /// How long an invitation waits for its inviter before it is `Stalled`.
    pub inviter_grace: Duration,
    /// How long a deletion waits for usable credentials before the object is let go with a debt.
    pub release_after: Duration,
    /// The same in a namespace that is being deleted.
    pub release_after_terminating: Duration,
    /// First wait after a definite no; doubled up to 24 times this.
    pub refusal_backoff: Duration,
    /// What a minute of MongoDB's invitation throttle lasts, and how long a refusal by it closes a host.
    pub invitation_window: Duration,
    /// Divides every interval of looking (`checkInterval`, back-offs); 1 outside rehearsals.
    pub divisor: u32,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            post_deadline: Duration::from_secs(10),
            server_delay: Duration::from_secs(120),
            list_delay: Duration::from_secs(60),
            absence_gap: Duration::from_secs(60),
            handover_grace: Duration::from_secs(3),
            inviter_grace: Duration::from_secs(600),
            release_after: Duration::from_secs(3600),
            release_after_terminating: Duration::from_secs(300),
            refusal_backoff: Duration::from_secs(3600),
            invitation_window: Duration::from_secs(60),
            divisor: 1,
        }
    }
}

impl Timings {
    /// How long nothing may be sent for a person after an attempt without an answer (default 190 s).
    #[must_use]
    pub fn quarantine(&self) -> Duration {
        self.post_deadline + self.server_delay + self.list_delay
    }

    /// The same times, all shorter by one factor: for rehearsals and tests, never for real invitations.
    #[must_use]
    pub fn divided_by(self, factor: u32) -> Self {
        let factor = factor.max(1);
        Self {
            post_deadline: self.post_deadline / factor,
            server_delay: self.server_delay / factor,
            list_delay: self.list_delay / factor,
            absence_gap: self.absence_gap / factor,
            handover_grace: self.handover_grace / factor,
            inviter_grace: self.inviter_grace / factor,
            release_after: self.release_after / factor,
            release_after_terminating: self.release_after_terminating / factor,
            refusal_backoff: self.refusal_backoff / factor,
            invitation_window: self.invitation_window / factor,
            divisor: self.divisor.saturating_mul(factor),
        }
    }

    /// An interval of looking, as scaled.
    #[must_use]
    pub fn scaled(&self, interval: Duration) -> Duration {
        interval / self.divisor.max(1)
    }
}
