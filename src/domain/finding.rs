//! Findings: a reason of the catalogue with a message for people.
//!
//! Owns the wording that several decisions share. Messages are stable while nothing changes: no request ids, no
//! count-downs, no address of anybody.

use super::failure::{Failure, FailureKind};
use super::remote::{Invitation, Roles};
use crate::api::names::condition;
use crate::api::{Origin, ProjectInvitationStatus, Reason, RecordedInvitation};
use jiff::Timestamp;
use std::time::Duration;

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

/// Waits for its turn. What was said when the wait began is said on: what is left of it would change all the time.
#[must_use]
pub fn waiting_finding(before: Option<&ProjectInvitationStatus>, expected: Duration) -> Finding {
    let ready = before.and_then(|status| status.conditions.iter().find(|one| one.type_ == condition::READY));
    let said = ready.filter(|ready| ready.reason == Reason::WaitingForSlot.as_str()).map(|ready| ready.message.clone());
    let message = said.unwrap_or_else(|| {
        format!(
            "waits for its turn, which is expected {} after this was written: MongoDB takes few invitations a minute from \
             one address",
            roughly(expected)
        )
    });
    Finding::new(Reason::WaitingForSlot, message)
}

/// Why nothing can be done now, and when a call that was held back is expected to go. That is said once, too.
#[must_use]
pub fn setback_finding(before: Option<&ProjectInvitationStatus>, failure: &Failure, expected: Duration) -> Finding {
    let reason = failure.kind.reason();
    if !matches!(failure.kind, FailureKind::HeldBack { .. }) {
        return Finding::new(reason, failure.message.clone());
    }
    let mut conditions = before.into_iter().flat_map(|status| &status.conditions);
    let said = conditions.find(|one| one.reason == reason.as_str() && one.message.starts_with(&failure.message));
    let message = said.map_or_else(
        || format!("{}; expected to go on {} after this was written", failure.message, roughly(expected)),
        |said| said.message.clone(),
    );
    Finding::new(reason, message)
}

fn roughly(time: Duration) -> String {
    let (minutes, hours) = (time.as_secs().div_ceil(60), time.as_secs().div_ceil(3600));
    match (minutes, hours) {
        (0 | 1, _) => "about a minute".to_owned(),
        (2..=120, _) => format!("about {minutes} minutes"),
        (_, _) => format!("about {hours} hours"),
    }
}

/// Roles as messages show them.
#[must_use]
pub fn listed(roles: &Roles) -> String {
    if roles.is_empty() { "no roles".to_owned() } else { roles.iter().cloned().collect::<Vec<_>>().join(", ") }
}
