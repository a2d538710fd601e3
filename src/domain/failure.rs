//! What can go wrong with a call to MongoDB, as values that carry their handling.
//!
//! `cloud` turns every answer that is no success into one of these, once; everything after that decides on the value.
//! Messages are for users: they never hold a credential, and server text in them is cleaned and bounded by `cloud`.

use crate::api::Reason;
use std::time::Duration;

/// Why a call did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it was.
    pub kind: FailureKind,
    /// What a user should read: the API's own code and detail where there are any.
    pub message: String,
}

/// The kinds of failure that are handled differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The attempt's time or the lease was over before the first byte: nothing was sent.
    Fenced,
    /// What must come before a create (a challenge, a token) could not be had: nothing was sent. Creates only.
    NotSent {
        /// `Retry-After`, where the answer had it.
        retry_after: Option<Duration>,
    },
    /// The limit of calls leaves no room now: nothing was sent.
    HeldBack {
        /// When there is room, as far as this process can tell.
        retry_after: Duration,
    },
    /// No connection was made (DNS, connect, proxy): nothing was sent.
    Unreachable,
    /// No TLS connection that can be trusted: nothing was sent.
    TlsFailed,
    /// Nobody can tell what the server did: time-out, reset, 408, 5xx, or an answer that cannot be read.
    Unavailable {
        /// `Retry-After`, where the answer had it.
        retry_after: Option<Duration>,
    },
    /// 429: too many calls.
    RateLimited {
        /// `Retry-After`, where the answer had it.
        retry_after: Option<Duration>,
    },
    /// 400 with a code that ends in `RATE_LIMITED_IP`: too many invitations from this address (Atlas: 10 a minute).
    InvitationThrottled,
    /// 405 `WRITES_NOT_ALLOWED_DURING_APP_UPGRADES`.
    Maintenance,
    /// 401 after the credentials were presented, or `invalid_client`.
    CredentialsRejected,
    /// 403: the address is not on the credentials' access list.
    NotOnAccessList,
    /// 401 with a code that names a missing role or membership in the project.
    PermissionMissing,
    /// 404 that names the project: there is none, or these credentials cannot see it.
    ProjectNotFound,
    /// 404 that names nothing: a wrong base URL, a proxy, an API without this endpoint. Nothing is concluded from it.
    EndpointMissing,
    /// 404: the project belongs to the other product.
    WrongProduct,
    /// `INVALID_INVITATION_ID`: there is no such invitation any more.
    InvitationGone,
    /// 409, or a code that says the person is already there.
    AlreadyThere,
    /// `DEFAULT_INVITATION_EXCEPTION`, a 400 with an unknown code, a 4xx without a readable body: no success was
    /// reported, but an invitation may exist.
    Doubtful,
    /// The API understood the request and refuses it.
    Refused,
    /// 410, or the answer of an API that has been shut down.
    Sunset,
}

/// How far a failure reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything that uses the same inviter.
    Inviter,
    /// Everything that uses the same inviter in the same project.
    Project,
    /// The one object.
    Object,
}

/// Whether waiting helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cure {
    /// Time cures it.
    Time,
    /// A human has to change something; it is looked at again after 1, 2, 4 … 24 hours.
    Human,
}

impl FailureKind {
    /// Whether a create that ended so certainly changed nothing: only then may the attempt be closed as refused.
    #[must_use]
    pub fn is_definite_no(self) -> bool {
        match self {
            Self::Fenced
            | Self::NotSent { .. }
            | Self::HeldBack { .. }
            | Self::Unreachable
            | Self::TlsFailed
            | Self::RateLimited { .. }
            | Self::InvitationThrottled
            | Self::Maintenance
            | Self::CredentialsRejected
            | Self::NotOnAccessList
            | Self::PermissionMissing
            | Self::ProjectNotFound
            | Self::EndpointMissing
            | Self::WrongProduct
            | Self::Refused
            | Self::Sunset => true,
            Self::Unavailable { .. } | Self::InvitationGone | Self::AlreadyThere | Self::Doubtful => false,
        }
    }

    /// Whether a create that ended so never reached the server: it counts against no limit.
    #[must_use]
    pub fn left_unsent(self) -> bool {
        match self {
            Self::Fenced | Self::NotSent { .. } | Self::HeldBack { .. } | Self::Unreachable | Self::TlsFailed => true,
            Self::Unavailable { .. }
            | Self::RateLimited { .. }
            | Self::InvitationThrottled
            | Self::Maintenance
            | Self::CredentialsRejected
            | Self::NotOnAccessList
            | Self::PermissionMissing
            | Self::ProjectNotFound
            | Self::EndpointMissing
            | Self::WrongProduct
            | Self::InvitationGone
            | Self::AlreadyThere
            | Self::Doubtful
            | Self::Refused
            | Self::Sunset => false,
        }
    }

    /// How far it reaches.
    #[must_use]
    pub fn scope(self) -> Scope {
        match self {
            Self::Unreachable | Self::TlsFailed | Self::CredentialsRejected | Self::NotOnAccessList | Self::Sunset => {
                Scope::Inviter
            }
            Self::RateLimited { .. }
            | Self::HeldBack { .. }
            | Self::PermissionMissing
            | Self::ProjectNotFound
            | Self::EndpointMissing
            | Self::WrongProduct => Scope::Project,
            Self::Fenced
            | Self::NotSent { .. }
            | Self::Unavailable { .. }
            | Self::InvitationThrottled
            | Self::Maintenance
            | Self::InvitationGone
            | Self::AlreadyThere
            | Self::Doubtful
            | Self::Refused => Scope::Object,
        }
    }

    /// Whether waiting helps.
    #[must_use]
    pub fn cure(self) -> Cure {
        match self {
            Self::Fenced
            | Self::NotSent { .. }
            | Self::HeldBack { .. }
            | Self::Unreachable
            | Self::TlsFailed
            | Self::Unavailable { .. }
            | Self::RateLimited { .. }
            | Self::InvitationThrottled
            | Self::Maintenance
            | Self::CredentialsRejected
            | Self::NotOnAccessList
            | Self::InvitationGone
            | Self::AlreadyThere
            | Self::Doubtful
            | Self::EndpointMissing
            | Self::Sunset => Cure::Time,
            Self::PermissionMissing | Self::ProjectNotFound | Self::WrongProduct | Self::Refused => Cure::Human,
        }
    }

    /// The reason that an invitation shows.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Fenced => Reason::Inviting,
            Self::RateLimited { .. } | Self::HeldBack { .. } => Reason::RateLimited,
            Self::InvitationThrottled => Reason::WaitingForSlot,
            Self::CredentialsRejected | Self::NotOnAccessList | Self::TlsFailed | Self::Unreachable | Self::Sunset => {
                Reason::InviterNotReady
            }
            Self::Unavailable { .. }
            | Self::EndpointMissing
            | Self::NotSent { .. }
            | Self::Maintenance
            | Self::InvitationGone
            | Self::AlreadyThere
            | Self::Doubtful => Reason::ApiUnavailable,
            Self::PermissionMissing => Reason::PermissionMissing,
            Self::ProjectNotFound => Reason::ProjectNotFound,
            Self::WrongProduct => Reason::WrongProduct,
            Self::Refused => Reason::Refused,
        }
    }

    /// The reason that an inviter shows.
    #[must_use]
    pub fn inviter_reason(self) -> Reason {
        match self {
            Self::CredentialsRejected | Self::PermissionMissing => Reason::CredentialsRejected,
            Self::NotOnAccessList => Reason::NotOnAccessList,
            Self::TlsFailed => Reason::TlsFailed,
            Self::Unreachable => Reason::Unreachable,
            Self::RateLimited { .. } | Self::HeldBack { .. } => Reason::RateLimited,
            Self::Sunset => Reason::ApiSunset,
            Self::Fenced
            | Self::NotSent { .. }
            | Self::Unavailable { .. }
            | Self::InvitationThrottled
            | Self::Maintenance
            | Self::ProjectNotFound
            | Self::EndpointMissing
            | Self::WrongProduct
            | Self::InvitationGone
            | Self::AlreadyThere
            | Self::Doubtful
            | Self::Refused => Reason::ApiUnavailable,
        }
    }

    /// A closed label for metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Fenced => "fenced",
            Self::NotSent { .. } => "not_sent",
            Self::HeldBack { .. } => "held_back",
            Self::Unreachable => "unreachable",
            Self::TlsFailed => "tls_failed",
            Self::Unavailable { .. } => "unavailable",
            Self::RateLimited { .. } => "rate_limited",
            Self::InvitationThrottled => "invitation_throttled",
            Self::Maintenance => "maintenance",
            Self::CredentialsRejected => "credentials_rejected",
            Self::NotOnAccessList => "not_on_access_list",
            Self::PermissionMissing => "permission_missing",
            Self::ProjectNotFound => "project_not_found",
            Self::EndpointMissing => "endpoint_missing",
            Self::WrongProduct => "wrong_product",
            Self::InvitationGone => "invitation_gone",
            Self::AlreadyThere => "already_there",
            Self::Doubtful => "doubtful",
            Self::Refused => "refused",
            Self::Sunset => "sunset",
        }
    }

    /// `Retry-After`, where the answer had it.
    #[must_use]
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::NotSent { retry_after } | Self::Unavailable { retry_after } | Self::RateLimited { retry_after } => {
                retry_after
            }
            Self::HeldBack { retry_after } => Some(retry_after),
            Self::Fenced
            | Self::InvitationThrottled
            | Self::Unreachable
            | Self::TlsFailed
            | Self::Maintenance
            | Self::CredentialsRejected
            | Self::NotOnAccessList
            | Self::PermissionMissing
            | Self::ProjectNotFound
            | Self::EndpointMissing
            | Self::WrongProduct
            | Self::InvitationGone
            | Self::AlreadyThere
            | Self::Doubtful
            | Self::Refused
            | Self::Sunset => None,
        }
    }
}
