//! The permit to send one e-mail.
//!
//! An [`AcknowledgedAttempt`] comes into being only when the API server has acknowledged a claim that holds the attempt,
//! and it is consumed by the one call that sends. It must never become `Clone`, `Copy` or `Default`: by that the compiler
//! refuses a POST without a recorded attempt, and a second POST of the same one.

use crate::api::InvitationClaim;
use jiff::Timestamp;

/// A recorded and acknowledged attempt that has not been used yet.
#[derive(Debug)]
#[must_use = "an attempt that is recorded and not used costs its person a quarantine"]
pub struct AcknowledgedAttempt {
    deadline: Timestamp,
}

impl AcknowledgedAttempt {
    /// The permit of the attempt `nonce`, if the claim, as the API server returned it, holds just that attempt.
    #[must_use]
    pub fn in_claim(acknowledged: &InvitationClaim, nonce: &str) -> Option<Self> {
        acknowledged.metadata.resource_version.as_ref()?;
        let attempt = acknowledged.spec.attempt.as_ref()?;
        (attempt.nonce == nonce).then_some(Self { deadline: attempt.deadline.0 })
    }

    /// After this moment the call must not begin.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.deadline
    }
}
