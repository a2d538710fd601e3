//! What Argo CD and kstatus must make of an object: the design's table, written down once more and on its own.
//!
//! Must never look at conditions or at a script: it knows the reason and the few facts named here.

use invitation_operator::api::{ReadyWhen, Reason};

/// What an expectation may know of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    pub ready_when: ReadyWhen,
    /// It was ready before this reason came up.
    pub was_ready: bool,
    /// The wait for an inviter has lasted too long.
    pub overdue: bool,
    /// It is being deleted.
    pub deleting: bool,
}

/// Where a reason is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// In conditions of a `ProjectInvitation`.
    Invitation,
    /// In conditions of inviters.
    Inviter,
    /// In conditions of both.
    Both,
    /// In events only.
    Event,
}

/// Where the reason is told.
pub fn told(reason: Reason) -> Told {
    match reason {
        Reason::Inviting
        | Reason::Looking
        | Reason::WaitingForSlot
        | Reason::InviterNotFound
        | Reason::Invited
        | Reason::Adopted
        | Reason::Accepted
        | Reason::Expired
        | Reason::Withdrawn
        | Reason::Suspended
        | Reason::ObserveOnly
        | Reason::PolicyDenied
        | Reason::DuplicateInvitee
        | Reason::InvitationExists
        | Reason::InviterMoved
        | Reason::ClaimMissing
        | Reason::OutcomeUnknown
        | Reason::MailCapReached
        | Reason::Refused
        | Reason::ProjectNotFound
        | Reason::WrongProduct
        | Reason::PermissionMissing
        | Reason::InvalidSpec
        | Reason::RolesNotEnforced
        | Reason::RolesInSync
        | Reason::Cancelling
        | Reason::Cancelled
        | Reason::CancelBlocked => Told::Invitation,
        Reason::RateLimited | Reason::ApiUnavailable | Reason::InviterNotReady => Told::Both,
        Reason::Ready
        | Reason::SecretNotFound
        | Reason::SecretInvalid
        | Reason::CaBundleInvalid
        | Reason::CredentialsRejected
        | Reason::NotOnAccessList
        | Reason::HostNotAllowed
        | Reason::TlsFailed
        | Reason::Unreachable
        | Reason::ApiSunset
        | Reason::OrphansFound
        | Reason::CancellationsPaused => Told::Inviter,
        Reason::RolesUpdated
        | Reason::InvitationKept
        | Reason::HandedOver
        | Reason::Released
        | Reason::AccessLeftBehind => Told::Event,
    }
}

/// What ends the state that a reason names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// It is what was wanted.
    Never,
    /// Time, or a service that answers again. Nothing that is ready is any less so.
    ByItself,
    /// The person, or the end of the invitation.
    ByThePerson,
    /// The person is done with it; somebody may invite again.
    ByInvitingAgain,
    /// An inviter that can be used: by itself at first, and then by a human.
    ByTheInviter,
    /// Whoever suspended it.
    ByResuming,
    /// Somebody has to change something.
    ByAHuman,
    /// The e-mails of the last day grow old.
    ByTheNextDay,
}

fn ends(reason: Reason) -> Ends {
    match reason {
        // What is said of an inviter besides makes it no less usable.
        Reason::Accepted | Reason::ObserveOnly | Reason::Ready | Reason::OrphansFound | Reason::CancellationsPaused => {
            Ends::Never
        }
        Reason::Inviting
        | Reason::Looking
        | Reason::WaitingForSlot
        | Reason::RateLimited
        | Reason::ApiUnavailable
        | Reason::Cancelling
        | Reason::Cancelled
        | Reason::CancelBlocked
        | Reason::Unreachable => Ends::ByItself,
        Reason::Invited | Reason::Adopted | Reason::RolesInSync | Reason::RolesNotEnforced => Ends::ByThePerson,
        Reason::Expired | Reason::Withdrawn => Ends::ByInvitingAgain,
        Reason::InviterNotFound | Reason::InviterNotReady => Ends::ByTheInviter,
        Reason::Suspended => Ends::ByResuming,
        Reason::PolicyDenied
        | Reason::DuplicateInvitee
        | Reason::InvitationExists
        | Reason::InviterMoved
        | Reason::ClaimMissing
        | Reason::OutcomeUnknown
        | Reason::Refused
        | Reason::ProjectNotFound
        | Reason::WrongProduct
        | Reason::PermissionMissing
        | Reason::InvalidSpec
        | Reason::SecretNotFound
        | Reason::SecretInvalid
        | Reason::CaBundleInvalid
        | Reason::CredentialsRejected
        | Reason::NotOnAccessList
        | Reason::HostNotAllowed
        | Reason::TlsFailed
        | Reason::ApiSunset => Ends::ByAHuman,
        Reason::MailCapReached => Ends::ByTheNextDay,
        Reason::RolesUpdated
        | Reason::InvitationKept
        | Reason::HandedOver
        | Reason::Released
        | Reason::AccessLeftBehind => panic!("{} is an event", reason.as_str()),
    }
}

/// Argo CD's health of an invitation.
pub fn argo(reason: Reason, now: Circumstances) -> &'static str {
    if now.deleting {
        return "Progressing";
    }
    match (ends(reason), now.ready_when) {
        (Ends::ByResuming, _) => "Suspended",
        (Ends::Never, _) | (Ends::ByThePerson | Ends::ByInvitingAgain, ReadyWhen::Invited) => "Healthy",
        (Ends::ByThePerson, ReadyWhen::Accepted) | (Ends::ByTheNextDay, _) => "Progressing",
        (Ends::ByInvitingAgain, ReadyWhen::Accepted) | (Ends::ByAHuman, _) => "Degraded",
        (Ends::ByItself, _) => {
            if now.was_ready {
                "Healthy"
            } else {
                "Progressing"
            }
        }
        (Ends::ByTheInviter, _) => {
            if now.overdue {
                "Degraded"
            } else {
                "Progressing"
            }
        }
    }
}

/// What kstatus makes of an invitation: it has no word for suspended objects, and knows nothing of what was before.
pub fn kstatus(reason: Reason, now: Circumstances) -> &'static str {
    if now.deleting {
        return "Terminating";
    }
    match (ends(reason), now.ready_when) {
        (Ends::ByResuming, _) => {
            if now.was_ready {
                "Current"
            } else {
                "Failed"
            }
        }
        (Ends::Never, _) | (Ends::ByThePerson | Ends::ByInvitingAgain, ReadyWhen::Invited) => "Current",
        (Ends::ByInvitingAgain, ReadyWhen::Accepted) | (Ends::ByAHuman, _) => "Failed",
        // A cancellation on the way to another invitation shows no wait of its own, and is over at once.
        (Ends::ByItself, _) if reason == Reason::Cancelled && now.was_ready => "Current",
        // The one wait for a person that was asked for; it ends with the invitation.
        (Ends::ByThePerson, ReadyWhen::Accepted) | (Ends::ByTheNextDay | Ends::ByItself, _) => "InProgress",
        (Ends::ByTheInviter, _) => {
            if now.overdue {
                "Failed"
            } else {
                "InProgress"
            }
        }
    }
}

/// Argo CD's health of an inviter, and what kstatus makes of it.
pub fn of_inviter(reason: Reason) -> (&'static str, &'static str) {
    match ends(reason) {
        Ends::Never => ("Healthy", "Current"),
        Ends::ByItself | Ends::ByTheInviter => ("Progressing", "InProgress"),
        Ends::ByAHuman => ("Degraded", "Failed"),
        Ends::ByThePerson | Ends::ByInvitingAgain | Ends::ByResuming | Ends::ByTheNextDay => {
            panic!("{} is no reason of an inviter", reason.as_str())
        }
    }
}
