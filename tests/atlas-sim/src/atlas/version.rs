//! Versions of the Atlas API.
//!
//! Owns the `Accept` header's date, the media type of answers and the deprecation headers (contract
//! §1.1, §4.3). Must never be applied to unversioned paths' requests.

use http::StatusCode;

use crate::{
    api_error::ApiError,
    endpoint::{Endpoint, Family, Route},
    server::{
        call::Call,
        reply::{Content, Reply},
    },
};

const V2023_01: &str = "2023-01-01";
const V2023_02: &str = "2023-02-01";
const V2025_02: &str = "2025-02-19";
const V2025_03: &str = "2025-03-12";

const SUNSET: &str = "Thu, 1 Jul 2027 00:00:00 GMT";
const INVITES_DEPRECATED: &str = "Wed, 4 Oct 2023 00:00:00 GMT";
const USERS_DEPRECATED: &str = "Wed, 19 Feb 2025 00:00:00 GMT";

const MEDIA_PREFIX: &str = "application/vnd.atlas.";

/// A version an operation exists in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version(&'static str);

impl Version {
    /// The first one, which unversioned paths speak.
    pub(super) const fn first() -> Self {
        Self(V2023_01)
    }

    /// Whether this is 2023-01-01.
    pub(super) fn is_first(self) -> bool {
        self.0 == V2023_01
    }

    /// Adds the media type and the deprecation headers to a success.
    pub(super) fn decorate(self, reply: Reply, route: &Route) -> Reply {
        if route.family != Family::AtlasV2 {
            return match reply.content {
                Content::Nothing => reply,
                Content::Json(_) | Content::Raw(_) => reply.default_header("content-type", "application/json"),
            };
        }
        let media = format!("{MEDIA_PREFIX}{}+json;charset=utf-8", self.0);
        let mut reply = reply.default_header("content-type", &media);
        if let Some(date) = self.deprecated(route.endpoint) {
            reply = reply.header("deprecation", date).header("sunset", SUNSET);
        }
        if route.endpoint == Endpoint::CreateGroupInvite {
            reply = reply.header("x-java-method", "ApiGroupInvitationResource::createInvitations");
        }
        reply
    }

    #[allow(clippy::wildcard_enum_match_arm)] // every other operation is in force
    fn deprecated(self, endpoint: Endpoint) -> Option<&'static str> {
        match endpoint {
            Endpoint::CreateGroupInvite
            | Endpoint::ListGroupInvites
            | Endpoint::GetGroupInvite
            | Endpoint::UpdateGroupInviteById
            | Endpoint::UpdateGroupInvites
            | Endpoint::DeleteGroupInvite
            | Endpoint::AddGroupAccessUser
            | Endpoint::CreateOrgInvite
            | Endpoint::ListOrgInvites
            | Endpoint::GetOrgInvite
            | Endpoint::UpdateOrgInviteById
            | Endpoint::UpdateOrgInvites
            | Endpoint::DeleteOrgInvite => Some(INVITES_DEPRECATED),
            Endpoint::ListGroupUsers
            | Endpoint::RemoveGroupUser
            | Endpoint::UpdateGroupUserRoles
            | Endpoint::GetUser
            | Endpoint::GetUserByName
                if self.is_first() =>
            {
                Some(USERS_DEPRECATED)
            }
            _ => None,
        }
    }
}

/// The versions of an operation, oldest first.
#[allow(clippy::wildcard_enum_match_arm)] // every other operation has the first version only
fn versions(endpoint: Endpoint) -> &'static [&'static str] {
    match endpoint {
        Endpoint::AddGroupAccessUser => &[V2023_02],
        Endpoint::ListGroupUsers | Endpoint::RemoveGroupUser => &[V2023_01, V2025_02],
        Endpoint::GetGroupUser
        | Endpoint::AddGroupUsers
        | Endpoint::AddGroupUserRole
        | Endpoint::RemoveGroupUserRole
        | Endpoint::CreateOrgUser
        | Endpoint::ListOrgUsers
        | Endpoint::GetOrgUser
        | Endpoint::UpdateOrgUser
        | Endpoint::RemoveOrgUser
        | Endpoint::AddOrgUserRole
        | Endpoint::RemoveOrgUserRole => &[V2025_02],
        Endpoint::ListRateLimits | Endpoint::GetRateLimit => &[V2025_03],
        _ => &[V2023_01],
    }
}

/// The version a call asks for: the latest that is not after the date in `Accept`.
pub(super) fn resolve(call: &Call, endpoint: Endpoint) -> Result<Version, ApiError> {
    let accept = call.header("accept").unwrap_or_default();
    let date = accept.split(',').find_map(|media| date_of(media.trim())).ok_or_else(|| refused(accept))?;
    versions(endpoint)
        .iter()
        .rev()
        .find(|version| **version <= date)
        .map(|version| Version(version))
        .ok_or_else(|| refused(accept))
}

/// Refuses a body that does not say it is JSON.
pub(crate) fn check_body_media(call: &Call) -> Result<(), ApiError> {
    if call.body.is_empty() {
        return Ok(());
    }
    let media = call.header("content-type").unwrap_or_default();
    let json = media.split(';').next().is_some_and(|media| {
        let media = media.trim().to_ascii_lowercase();
        media == "application/json" || date_of(&media).is_some()
    });
    if json {
        Ok(())
    } else {
        Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNEXPECTED_ERROR", "HTTP 415 Unsupported Media Type"))
    }
}

fn refused(accept: &str) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "INVALID_VERSION_DATE",
        format!("The version date in the Accept header '{accept}' is missing or invalid."),
    )
}

/// The date of a versioned media type, when it is one.
fn date_of(media: &str) -> Option<&str> {
    let media = media.split(';').next()?.trim();
    let date = media.strip_prefix(MEDIA_PREFIX)?.strip_suffix("+json")?;
    let parsed: jiff::civil::Date = date.parse().ok()?;
    (date.len() == 10 && parsed.year() >= 2023).then_some(date)
}
