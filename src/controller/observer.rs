//! What the controllers tell about their work, in closed words.
//!
//! Names and addresses never pass through here: metrics are read by more people than objects are.

use super::census::Census;
use std::time::Duration;

/// What came of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassOutcome {
    /// Nothing was to be done.
    Unchanged,
    /// A claim or a status was written.
    Recorded,
    /// An invitation was sent.
    Invited,
    /// Roles were changed.
    Updated,
    /// An invitation was cancelled.
    Cancelled,
    /// The object was let go.
    LetGo,
    /// Something failed, and is tried again.
    Failed,
    /// The pass was dropped before it came to anything.
    Abandoned,
}

impl PassOutcome {
    /// A closed label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Recorded => "recorded",
            Self::Invited => "invited",
            Self::Updated => "updated",
            Self::Cancelled => "cancelled",
            Self::LetGo => "let_go",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// How a call that mails ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailResult {
    /// The API answered with an invitation.
    Sent,
    /// The API certainly did nothing.
    Refused,
    /// Nobody can tell.
    Unknown,
}

impl MailResult {
    /// A closed label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// How this process stands in the election.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElectionNews {
    /// It leads.
    Leads,
    /// It does not, and waits for its turn.
    Follows,
    /// It can never lead as things are, and why.
    Refused(String),
}

/// Listens to the controllers.
pub trait Observer: Send + Sync {
    /// A pass of an invitation ended.
    fn pass_finished(&self, outcome: PassOutcome, took: Duration);
    /// A call that mails ended.
    fn mailed(&self, result: MailResult);
    /// An invitation that was made beside the one that stands was cancelled.
    fn compensated(&self);
    /// A watch broke; it is being restarted.
    fn watch_failed(&self, kind: &'static str);
    /// An object could not be read and was left alone.
    fn unreadable(&self, kind: &'static str);
    /// The standing of this process in the election changed.
    fn election(&self, news: &ElectionNews);
    /// Whether cancellations for vanished owners are paused by the breaker.
    fn cancellations_paused(&self, paused: bool);
    /// So many invitations wait for their turn under MongoDB's throttle.
    fn waiting_for_slots(&self, _count: usize) {}
    /// An invitation that waited for its turn has it.
    fn turn_came(&self, _waited: Duration) {}
    /// The queue is alive.
    fn heartbeat(&self);
    /// What there is, counted now and then.
    fn census(&self, census: &Census);
}
