//! Cloud Manager and Ops Manager: `/api/public/v1.0` (contract §1.4).
//!
//! Owns dispatch and the per-minute limit of these products. Must never answer for Atlas projects.

pub(crate) mod users;

use http::StatusCode;
use serde_json::json;

use crate::{
    api_error::ApiError,
    atlas::{Context, group, invites, org_invites as org, put_roles, status, wrong_method},
    endpoint::Endpoint,
    server::reply::{Content, Reply},
};

/// Answers a call.
pub(crate) fn answer(cx: &mut Context<'_>) -> Reply {
    match count(cx).and_then(|()| run(cx)) {
        Ok(reply) => {
            let reply = reply.header("strict-transport-security", "max-age=300").header("vary", "Accept-Encoding");
            match reply.content {
                Content::Nothing => reply,
                Content::Json(_) | Content::Raw(_) => reply.default_header("content-type", "application/json"),
            }
        }
        Err(error) => error.reply(),
    }
}

#[allow(clippy::wildcard_enum_match_arm)] // every other operation is of Atlas
fn run(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    crate::atlas::check_body_media(cx.call)?;
    match cx.route.endpoint {
        Endpoint::GetSystemStatus => Ok(status(cx)),
        Endpoint::GetGroup => group(cx),
        Endpoint::CreateGroupInvite => invites::create(cx),
        Endpoint::ListGroupInvites => invites::list(cx),
        Endpoint::GetGroupInvite => invites::get(cx),
        Endpoint::UpdateGroupInviteById => invites::update_by_id(cx),
        Endpoint::UpdateGroupInvites => invites::update_by_username(cx),
        Endpoint::DeleteGroupInvite => invites::delete(cx),
        Endpoint::ListGroupUsers => users::list(cx),
        Endpoint::AddGroupUsers => users::add(cx),
        Endpoint::RemoveGroupUser => users::remove(cx),
        Endpoint::UpdateGroupUserRoles => put_roles(cx),
        Endpoint::CreateOrgInvite => org::create(cx),
        Endpoint::ListOrgInvites => org::list(cx),
        Endpoint::GetOrgInvite => org::get(cx),
        Endpoint::UpdateOrgInviteById => org::update_by_id(cx),
        Endpoint::UpdateOrgInvites => org::update_by_username(cx),
        Endpoint::DeleteOrgInvite => org::delete(cx),
        Endpoint::GetUser => crate::atlas::user(cx),
        Endpoint::GetUserByName => crate::atlas::user_by_name(cx),
        Endpoint::WrongMethod => Err(wrong_method()),
        _ => Err(ApiError::no_resource(&cx.call.path)),
    }
}

/// Counts a call against its project's minute (contract §6.2).
fn count(cx: &mut Context<'_>) -> Result<(), ApiError> {
    let (Some(limit), Some(group)) = (cx.world.behaviour.classic_rate_limit, cx.route.group.as_deref()) else {
        return Ok(());
    };
    let now = cx.world.clock.now();
    cx.world.limits.count(&format!("classic/{group}"), limit, now).map_err(|wait| {
        let path = &cx.call.path;
        let mut error = ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "RATE_LIMITED",
            format!("Resource {path} is limited to {limit} requests every 1 minutes."),
        )
        .with([json!(path), json!(limit), json!(1)]);
        error.retry_after = Some(wait);
        error
    })
}
