//! The catalogue of reasons: every condition reason and every event is in it.
//!
//! Owns the spelling. What a reason does to conditions is decided in `domain::standing`; what a user should do about it
//! stands in the README. Must never carry free text: that is a condition's message.

/// Why an object stands where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// An invitation is being sent.
    Inviting,
    /// An attempt was not answered; the operator looks whether it took effect.
    Looking,
    /// Waits for its turn under MongoDB's invitation throttle.
    WaitingForSlot,
    /// The API asked for fewer calls.
    RateLimited,
    /// The API did not answer, or answered nonsense.
    ApiUnavailable,
    /// The inviter does not exist.
    InviterNotFound,
    /// The inviter exists and cannot be used now.
    InviterNotReady,
    /// The invitation was sent.
    Invited,
    /// A pending invitation that somebody else sent was taken over.
    Adopted,
    /// The person is a member.
    Accepted,
    /// The invitation expired unanswered.
    Expired,
    /// The invitation vanished, or the member left or was removed.
    Withdrawn,
    /// `suspend: true`.
    Suspended,
    /// The inviter only observes.
    ObserveOnly,
    /// The inviter's `allow` or `namespaces` forbids it.
    PolicyDenied,
    /// Another object owns the invitation of this person.
    DuplicateInvitee,
    /// Somebody else's pending invitation may not be taken over.
    InvitationExists,
    /// `inviterRef` now points to another product or API host.
    InviterMoved,
    /// The status tells of an invitation that the ledger does not know.
    ClaimMissing,
    /// An invitation was sent, its answer lost, and the person cannot be found.
    OutcomeUnknown,
    /// The person got as many e-mails as allowed in 24 hours.
    MailCapReached,
    /// The API refused the request.
    Refused,
    /// The project does not exist, or the API cannot see it.
    ProjectNotFound,
    /// The project belongs to the other product.
    WrongProduct,
    /// The credentials lack a role in this project.
    PermissionMissing,
    /// The object itself cannot be understood.
    InvalidSpec,
    /// The person's roles differ from the spec and are not changed.
    RolesNotEnforced,
    /// The roles are those of the spec.
    RolesInSync,
    /// The roles of the pending invitation were changed.
    RolesUpdated,
    /// The pending invitation is being cancelled.
    Cancelling,
    /// The pending invitation was cancelled.
    Cancelled,
    /// The pending invitation was left as it is.
    InvitationKept,
    /// Another object for the same person took the invitation over.
    HandedOver,
    /// The cancellation cannot be made now.
    CancelBlocked,
    /// The object was let go without the cancellation.
    Released,
    /// The object of a member was deleted; the membership stays.
    AccessLeftBehind,
    /// An inviter that can be used.
    Ready,
    /// The Secret does not exist.
    SecretNotFound,
    /// The Secret's keys are not those of one kind of credential.
    SecretInvalid,
    /// The `caBundleRef` cannot be read, or holds no certificate.
    CaBundleInvalid,
    /// The API refused the credentials.
    CredentialsRejected,
    /// The operator's address is not on the credentials' access list.
    NotOnAccessList,
    /// The host is not on the operator's list.
    HostNotAllowed,
    /// No TLS connection that can be trusted.
    TlsFailed,
    /// No connection.
    Unreachable,
    /// The API has been shut down.
    ApiSunset,
    /// Pending invitations that were sent through an inviter belong to no object.
    OrphansFound,
    /// Too many owners have vanished at once: their invitations are not cancelled for now.
    CancellationsPaused,
}

impl Reason {
    /// The reason as conditions and events spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inviting => "Inviting",
            Self::Looking => "Looking",
            Self::WaitingForSlot => "WaitingForSlot",
            Self::RateLimited => "RateLimited",
            Self::ApiUnavailable => "ApiUnavailable",
            Self::InviterNotFound => "InviterNotFound",
            Self::InviterNotReady => "InviterNotReady",
            Self::Invited => "Invited",
            Self::Adopted => "Adopted",
            Self::Accepted => "Accepted",
            Self::Expired => "Expired",
            Self::Withdrawn => "Withdrawn",
            Self::Suspended => "Suspended",
            Self::ObserveOnly => "ObserveOnly",
            Self::PolicyDenied => "PolicyDenied",
            Self::DuplicateInvitee => "DuplicateInvitee",
            Self::InvitationExists => "InvitationExists",
            Self::InviterMoved => "InviterMoved",
            Self::ClaimMissing => "ClaimMissing",
            Self::OutcomeUnknown => "OutcomeUnknown",
            Self::MailCapReached => "MailCapReached",
            Self::Refused => "Refused",
            Self::ProjectNotFound => "ProjectNotFound",
            Self::WrongProduct => "WrongProduct",
            Self::PermissionMissing => "PermissionMissing",
            Self::InvalidSpec => "InvalidSpec",
            Self::RolesNotEnforced => "RolesNotEnforced",
            Self::RolesInSync => "RolesInSync",
            Self::RolesUpdated => "RolesUpdated",
            Self::Cancelling => "Cancelling",
            Self::Cancelled => "Cancelled",
            Self::InvitationKept => "InvitationKept",
            Self::HandedOver => "HandedOver",
            Self::CancelBlocked => "CancelBlocked",
            Self::Released => "Released",
            Self::AccessLeftBehind => "AccessLeftBehind",
            Self::Ready => "Ready",
            Self::SecretNotFound => "SecretNotFound",
            Self::SecretInvalid => "SecretInvalid",
            Self::CaBundleInvalid => "CaBundleInvalid",
            Self::CredentialsRejected => "CredentialsRejected",
            Self::NotOnAccessList => "NotOnAccessList",
            Self::HostNotAllowed => "HostNotAllowed",
            Self::TlsFailed => "TlsFailed",
            Self::Unreachable => "Unreachable",
            Self::ApiSunset => "ApiSunset",
            Self::OrphansFound => "OrphansFound",
            Self::CancellationsPaused => "CancellationsPaused",
        }
    }
}
