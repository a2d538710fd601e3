//! The boundaries of a process: every call that leaves it, and what may go wrong there.
//!
//! Owns the names that the tables print. Must never know why a call is made.

use std::fmt;

/// A call that leaves the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Kubernetes: live read of an object.
    ReadObject,
    /// Kubernetes: live read of a claim.
    ReadClaim,
    /// Kubernetes: live list of an object's claims.
    ListClaims,
    /// Kubernetes: creation of a claim.
    CreateClaim,
    /// Kubernetes: compare-and-swap of a claim.
    ReplaceClaim,
    /// Kubernetes: deletion of a claim.
    DeleteClaim,
    /// Kubernetes: the finalizer is added.
    AddFinalizer,
    /// Kubernetes: the finalizer is removed.
    RemoveFinalizer,
    /// Kubernetes: the status is written.
    WriteStatus,
    /// Kubernetes: an event is published.
    PublishEvent,
    /// Kubernetes: a Secret is read.
    ReadSecret,
    /// MongoDB: the credentials are tried.
    Probe,
    /// MongoDB: the pending invitations.
    ListInvitations,
    /// MongoDB: the members.
    ListMembers,
    /// MongoDB: one invitation.
    GetInvitation,
    /// MongoDB: the one call that e-mails.
    SendInvitation,
    /// MongoDB: the roles of a pending invitation.
    UpdateRoles,
    /// MongoDB: a pending invitation is cancelled.
    CancelInvitation,
}

impl Effect {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::ReadObject,
        Self::ReadClaim,
        Self::ListClaims,
        Self::CreateClaim,
        Self::ReplaceClaim,
        Self::DeleteClaim,
        Self::AddFinalizer,
        Self::RemoveFinalizer,
        Self::WriteStatus,
        Self::PublishEvent,
        Self::ReadSecret,
        Self::Probe,
        Self::ListInvitations,
        Self::ListMembers,
        Self::GetInvitation,
        Self::SendInvitation,
        Self::UpdateRoles,
        Self::CancelInvitation,
    ];

    /// Whether it changes something where it goes.
    #[must_use]
    pub fn writes(self) -> bool {
        match self {
            Self::CreateClaim
            | Self::ReplaceClaim
            | Self::DeleteClaim
            | Self::AddFinalizer
            | Self::RemoveFinalizer
            | Self::WriteStatus
            | Self::SendInvitation
            | Self::UpdateRoles
            | Self::CancelInvitation => true,
            Self::ReadObject
            | Self::ReadClaim
            | Self::ListClaims
            | Self::PublishEvent
            | Self::ReadSecret
            | Self::Probe
            | Self::ListInvitations
            | Self::ListMembers
            | Self::GetInvitation => false,
        }
    }

    /// Whether it goes to Kubernetes.
    #[must_use]
    pub fn to_kubernetes(self) -> bool {
        self <= Self::ReadSecret
    }

    /// Whether the fault can happen here: what changes nothing cannot change it late.
    #[must_use]
    pub fn admits(self, fault: Fault) -> bool {
        match fault {
            Fault::LateEffect => self.writes(),
            Fault::Unclear => self == Self::SendInvitation,
            Fault::NotFound | Fault::Throttled => !self.to_kubernetes(),
            Fault::LostReply | Fault::LostRequest => self != Self::PublishEvent,
            Fault::CrashBefore | Fault::CrashAfter | Fault::StaleView | Fault::Frozen => true,
        }
    }
}

/// What may go wrong at a boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The process dies before the call: memory, caches and everything in flight are gone.
    CrashBefore,
    /// The call takes effect, and the process dies before it learns of it.
    CrashAfter,
    /// The call takes effect, and its answer is lost.
    LostReply,
    /// The call never arrives.
    LostRequest,
    /// The caller gives up, and the call takes effect after that.
    LateEffect,
    /// A proxy answers 404 without naming anything, and the call never arrives.
    NotFound,
    /// The call is refused because there were too many.
    Throttled,
    /// The call takes effect, and the answer is an error that does not tell.
    Unclear,
    /// From here on the caches of the process stand still for a while.
    StaleView,
    /// The process stands still here, longer than its lease and a quarantine; another one leads meanwhile.
    Frozen,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::LostReply,
        Self::LostRequest,
        Self::LateEffect,
        Self::NotFound,
        Self::Throttled,
        Self::Unclear,
        Self::StaleView,
        Self::Frozen,
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::CrashBefore => "crash before",
            Self::CrashAfter => "crash after",
            Self::LostReply => "lost reply",
            Self::LostRequest => "lost request",
            Self::LateEffect => "late effect",
            Self::NotFound => "bare 404",
            Self::Throttled => "throttled",
            Self::Unclear => "unclear",
            Self::StaleView => "stale view",
            Self::Frozen => "frozen leader",
        })
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}"))
    }
}
