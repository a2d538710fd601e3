//! What a reason does to the conditions: the design's catalogue as one table.
//!
//! Conditions follow kstatus: waits for time, an API or an inviter are `Reconciling`, waits for a human are `Stalled`.
//! Must never look at anything but the reason and the few facts named here.

use crate::api::{ReadyWhen, Reason};

/// How the `Ready` condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// `True`.
    Yes,
    /// `False`.
    No,
    /// As it was; `False` before the first invitation.
    AsBefore,
}

/// What else is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing is waited for.
    None,
    /// `Reconciling=True`.
    Reconciling,
    /// `Stalled=True`.
    Stalled,
    /// `Stalled=True` on an object that is not ready: it would look in progress for as long as nobody acts.
    StalledUnlessReady,
}

/// The conditions of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `Ready`.
    pub ready: Ready,
    /// `Reconciling` or `Stalled`.
    pub wait: Wait,
}

/// The conditions of a reason; `overdue` when the wait for an inviter has outlasted its grace.
#[must_use]
pub fn standing(reason: Reason, ready_when: ReadyWhen, overdue: bool) -> Standing {
    let once_invited = |otherwise: Wait| match ready_when {
        ReadyWhen::Invited => Standing { ready: Ready::Yes, wait: Wait::None },
        ReadyWhen::Accepted => Standing { ready: Ready::No, wait: otherwise },
    };
    match reason {
        Reason::Inviting
        | Reason::Looking
        | Reason::WaitingForSlot
        | Reason::RateLimited
        | Reason::ApiUnavailable
        | Reason::Cancelling
        | Reason::CancelBlocked => Standing { ready: Ready::AsBefore, wait: Wait::Reconciling },
        Reason::InviterNotFound
        | Reason::InviterNotReady
        | Reason::SecretNotFound
        | Reason::SecretInvalid
        | Reason::CaBundleInvalid
        | Reason::CredentialsRejected
        | Reason::NotOnAccessList
        | Reason::HostNotAllowed
        | Reason::TlsFailed
        | Reason::Unreachable
        | Reason::ApiSunset => {
            Standing { ready: Ready::AsBefore, wait: if overdue { Wait::Stalled } else { Wait::Reconciling } }
        }
        Reason::Invited | Reason::Adopted | Reason::RolesUpdated | Reason::RolesInSync | Reason::RolesNotEnforced => {
            once_invited(Wait::Reconciling)
        }
        Reason::Accepted | Reason::ObserveOnly | Reason::Ready => Standing { ready: Ready::Yes, wait: Wait::None },
        Reason::Expired | Reason::Withdrawn => once_invited(Wait::Stalled),
        Reason::Suspended => Standing { ready: Ready::AsBefore, wait: Wait::StalledUnlessReady },
        Reason::Cancelled
        | Reason::InvitationKept
        | Reason::HandedOver
        | Reason::OrphansFound
        | Reason::CancellationsPaused
        | Reason::Released
        | Reason::AccessLeftBehind => Standing { ready: Ready::AsBefore, wait: Wait::None },
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
        | Reason::InvalidSpec => Standing { ready: Ready::No, wait: Wait::Stalled },
        Reason::MailCapReached => Standing { ready: Ready::No, wait: Wait::Reconciling },
    }
}
