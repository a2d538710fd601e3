//! Findings: a reason of the catalogue with a message for people.
//!
//! Owns the wording that several decisions share. Messages are stable while nothing changes: no request ids, no
//! count-downs, no address of anybody.

use super::remote::{Invitation, Roles};
use crate::api::{Origin, Reason, RecordedInvitation};
use jiff::Timestamp;

/// Reason and message of the conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of the catalogue.
    pub reason: Reason,
    /// For people; stable while nothing changes.
    pub message: String,
}

impl Finding {
    /// A reason with its message.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// How the recorded invitation stands while it is not certain that it is gone.
#[must_use]
pub fn recorded_finding(recorded: &RecordedInvitation) -> Finding {
    let expires = recorded.expires_at.as_ref().map(|at| at.0);
    match recorded.origin {
        Origin::Created => Finding::new(Reason::Invited, format!("invited {}", until(expires))),
        Origin::Adopted => Finding::new(Reason::Adopted, format!("took over a pending invitation {}", until(expires))),
    }
}

/// Invited, until when.
#[must_use]
pub fn invited_finding(invitation: &Invitation) -> Finding {
    Finding::new(Reason::Invited, format!("invited {}", until(invitation.expires_at)))
}

/// Until when, as messages say it.
#[must_use]
pub fn until(expires: Option<Timestamp>) -> String {
    expires.map_or_else(|| "and not yet accepted".to_owned(), |at| format!("and not yet accepted; expires at {at:.0}"))
}

/// A member, with these roles.
#[must_use]
pub fn accepted_finding(roles: &Roles) -> Finding {
    Finding::new(Reason::Accepted, format!("the person is a member of the project with {}", listed(roles)))
}

/// Past its time, and unanswered.
#[must_use]
pub fn expired_finding() -> Finding {
    Finding::new(
        Reason::Expired,
        "the invitation expired unanswered; give the annotation invitation-operator.io/resend a new value to invite again",
    )
}

/// Gone before its time.
#[must_use]
pub fn withdrawn_finding() -> Finding {
    Finding::new(
        Reason::Withdrawn,
        "the invitation was declined or cancelled, or the member left or was removed; give the annotation \
         invitation-operator.io/resend a new value to invite again",
    )
}

/// Roles as messages show them.
#[must_use]
pub fn listed(roles: &Roles) -> String {
    if roles.is_empty() { "no roles".to_owned() } else { roles.iter().cloned().collect::<Vec<_>>().join(", ") }
}
