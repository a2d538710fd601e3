//! The Atlas Administration API.
//!
//! Owns dispatch, versioning, rate-limit headers and deprecation headers of `/api/atlas/v2`, and the
//! unversioned `/api/atlas/v1.0` older clients use. Must never answer for Cloud Manager projects.

mod access;
mod group_users;
pub(crate) mod invites;
mod misc;
pub(crate) mod org_invites;
mod org_users;
pub(crate) mod paging;
mod pending_users;
mod shapes;
pub(crate) mod user_shapes;
mod version;

use http::StatusCode;
use serde_json::json;

use self::version::Version;
pub(crate) use self::{
    misc::{group, system_status as status, user, user_by_name},
    pending_users::put_roles,
    version::check_body_media,
};
use crate::{
    api_error::ApiError,
    auth::Caller,
    classic,
    endpoint::{Endpoint, Family, Route},
    server::{call::Call, reply::Reply},
    world::{
        World,
        limits::{BucketShape, Taken},
    },
};

const PROJECTS: BucketShape = bucket("projects", 1200, 500);
const GROUP_USERS: BucketShape = bucket("groupUsers", 1200, 500);
const ORG_USERS: BucketShape = bucket("orgUsers", 500, 250);
const USERS: BucketShape = bucket("users", 2500, 2000);
const ORGS: BucketShape = bucket("organizations", 500, 250);
const INSPECTION: BucketShape = bucket("rateLimits", 300, 100);

const fn bucket(name: &'static str, capacity: u32, refill: u32) -> BucketShape {
    BucketShape { name, capacity, refill, refill_seconds: 60 }
}

/// One authenticated call to an Atlas path.
pub(crate) struct Context<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) call: &'a Call,
    pub(crate) route: &'a Route,
    pub(crate) caller: &'a Caller,
}

impl Context<'_> {
    /// The project id of the path.
    pub(crate) fn group(&self) -> &str {
        self.route.group.as_deref().unwrap_or_default()
    }

    /// The organisation id of the path.
    pub(crate) fn org(&self) -> &str {
        self.route.org.as_deref().unwrap_or_default()
    }

    /// Who sends what this call sends.
    pub(crate) fn sender(&self) -> crate::world::invitations::Sender {
        crate::world::invitations::Sender { inviter: self.caller.name().to_owned(), request: self.call.number }
    }
}

/// Answers a call.
pub(crate) fn answer(cx: &mut Context<'_>) -> Reply {
    let version = match (cx.route.family, cx.route.endpoint) {
        (_, Endpoint::Unknown) => return ApiError::no_resource(&cx.call.path).reply(),
        (_, Endpoint::WrongMethod) => return wrong_method().reply(),
        (Family::AtlasV2, _) => match version::resolve(cx.call, cx.route.endpoint) {
            Ok(version) => version,
            Err(error) => return error.reply(),
        },
        (Family::AtlasV1 | Family::Classic | Family::Oauth | Family::Other, _) => Version::first(),
    };
    let limit = match take(cx) {
        Ok(limit) => limit,
        Err(error) => return error.reply(),
    };
    let mut reply = match run(cx, version) {
        Ok(reply) => version.decorate(reply, cx.route),
        Err(error) => error.reply(),
    };
    if let Some((shape, left)) = limit {
        reply = reply
            .header("ratelimit-limit", &shape.capacity.to_string())
            .header("ratelimit-remaining", &left.to_string());
    }
    reply
}

fn run(cx: &mut Context<'_>, version: Version) -> Result<Reply, ApiError> {
    version::check_body_media(cx.call)?;
    let v1 = cx.route.family == Family::AtlasV1;
    match cx.route.endpoint {
        Endpoint::GetSystemStatus => Ok(misc::system_status(cx)),
        Endpoint::GetGroup => misc::group(cx),
        Endpoint::CreateGroupInvite => invites::create(cx),
        Endpoint::ListGroupInvites => invites::list(cx),
        Endpoint::GetGroupInvite => invites::get(cx),
        Endpoint::UpdateGroupInviteById => invites::update_by_id(cx),
        Endpoint::UpdateGroupInvites => invites::update_by_username(cx),
        Endpoint::DeleteGroupInvite => invites::delete(cx),
        Endpoint::AddGroupAccessUser => access::add(cx),
        Endpoint::ListGroupUsers if v1 || version.is_first() => classic::users::list(cx),
        Endpoint::ListGroupUsers => group_users::list(cx),
        Endpoint::GetGroupUser => group_users::get(cx),
        Endpoint::AddGroupUsers => pending_users::add(cx),
        Endpoint::AddGroupUserRole => pending_users::add_role(cx),
        Endpoint::RemoveGroupUserRole => pending_users::remove_role(cx),
        Endpoint::RemoveGroupUser => pending_users::remove(cx, version.is_first()),
        Endpoint::UpdateGroupUserRoles => pending_users::put_roles(cx),
        Endpoint::CreateOrgInvite => org_invites::create(cx),
        Endpoint::ListOrgInvites => org_invites::list(cx),
        Endpoint::GetOrgInvite => org_invites::get(cx),
        Endpoint::UpdateOrgInviteById => org_invites::update_by_id(cx),
        Endpoint::UpdateOrgInvites => org_invites::update_by_username(cx),
        Endpoint::DeleteOrgInvite => org_invites::delete(cx),
        Endpoint::CreateOrgUser => org_users::create(cx),
        Endpoint::ListOrgUsers => org_users::list(cx),
        Endpoint::GetOrgUser => org_users::get(cx),
        Endpoint::UpdateOrgUser => org_users::update(cx),
        Endpoint::RemoveOrgUser => org_users::remove(cx),
        Endpoint::AddOrgUserRole => org_users::add_role(cx),
        Endpoint::RemoveOrgUserRole => org_users::remove_role(cx),
        Endpoint::GetUser => misc::user(cx),
        Endpoint::GetUserByName => misc::user_by_name(cx),
        Endpoint::ListRateLimits => Ok(misc::rate_limits()),
        Endpoint::GetRateLimit => misc::rate_limit(&cx.route.item),
        Endpoint::CreateToken | Endpoint::RevokeToken | Endpoint::Unknown | Endpoint::WrongMethod => {
            Err(ApiError::no_resource(&cx.call.path))
        }
    }
}

/// A path that is served, with another method.
pub(crate) fn wrong_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "UNEXPECTED_ERROR", "HTTP 405 Method Not Allowed")
}

/// The bucket of an operation and whose it is (contract §6.1).
fn scope(cx: &Context<'_>) -> Option<(BucketShape, String)> {
    let caller = cx.caller.name().to_owned();
    match (cx.route.endpoint, &cx.route.group, &cx.route.org) {
        (
            Endpoint::ListGroupUsers
            | Endpoint::GetGroupUser
            | Endpoint::AddGroupUsers
            | Endpoint::AddGroupUserRole
            | Endpoint::RemoveGroupUserRole
            | Endpoint::RemoveGroupUser
            | Endpoint::UpdateGroupUserRoles,
            Some(group),
            _,
        ) => Some((of_project(cx.world, GROUP_USERS), group.clone())),
        (_, Some(group), _) => Some((of_project(cx.world, PROJECTS), group.clone())),
        (
            Endpoint::ListOrgUsers
            | Endpoint::GetOrgUser
            | Endpoint::CreateOrgUser
            | Endpoint::UpdateOrgUser
            | Endpoint::RemoveOrgUser
            | Endpoint::AddOrgUserRole
            | Endpoint::RemoveOrgUserRole,
            _,
            Some(org),
        ) => Some((ORG_USERS, org.clone())),
        (_, _, Some(org)) => Some((ORGS, org.clone())),
        (Endpoint::GetUser | Endpoint::GetUserByName, ..) => Some((USERS, caller)),
        (Endpoint::ListRateLimits | Endpoint::GetRateLimit, ..) => Some((INSPECTION, caller)),
        _ => None,
    }
}

/// A project's bucket as it is now.
fn of_project(world: &World, published: BucketShape) -> BucketShape {
    BucketShape { capacity: world.behaviour.atlas_capacity, refill: world.behaviour.atlas_refill, ..published }
}

fn take(cx: &mut Context<'_>) -> Result<Option<(BucketShape, u32)>, ApiError> {
    let Some((shape, scope)) = scope(cx) else {
        return Ok(None);
    };
    let now = cx.world.clock.now();
    match cx.world.limits.take(shape, &scope, now) {
        Taken::Left(left) => Ok(Some((shape, left))),
        Taken::Empty(_) if !cx.world.behaviour.atlas_rate_limit => Ok(Some((shape, 0))),
        Taken::Empty(wait) => {
            let mut error = ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "RATE_LIMITED_TOKEN_BUCKET",
                format!(
                    "Rate limit of {} requests for {} is used up. Retry after {wait} seconds.",
                    shape.capacity, cx.call.path
                ),
            )
            .with([
                json!(cx.call.path),
                json!(wait),
                json!(shape.capacity),
                json!(shape.refill),
                json!(shape.refill_seconds),
            ]);
            error.retry_after = Some(wait);
            Err(error)
        }
    }
}

/// Empties the buckets of a project, so that its next calls are refused.
pub(crate) fn drain(world: &mut World, project: &str) {
    let now = world.clock.now();
    world.limits.drain(PROJECTS, project, now);
    world.limits.drain(GROUP_USERS, project, now);
}
