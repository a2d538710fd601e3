//! Legacy project invitations, of Atlas (contract §1.1) and of Cloud and Ops Manager (§1.4).
//!
//! Owns the six operations on `/groups/{id}/invites`. They differ between the products only in the
//! role they need, the status of a creation and who is granted access at once.

use http::StatusCode;
use serde_json::Value;

use super::{Context, shapes};
use crate::{
    api_error::ApiError,
    auth::permit::{self, Need, Target},
    behaviour::{DuplicateInvite, GoneStatus, GrantReply, MemberReply},
    body,
    endpoint::Family,
    roles::Product,
    server::{call::Call, reply::Reply},
    world::{World, invitations::Invitation, outbox::MailKind},
};

/// Creates an invitation, or grants access where the person belongs already.
pub(crate) fn create(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let target = target(cx)?;
    let object = body::object(cx.call, &["roles", "username"])?;
    let username = body::username(&object)?;
    let roles = body::project_roles(&object, "roles", target.product, &target.id)?;
    throttle(cx.world, cx.call, target.product)?;
    let created = created_status(target.product);

    if cx.world.is_member(&target.id, &username) {
        return match cx.world.behaviour.member_reply {
            MemberReply::Conflict => Err(already_there(StatusCode::CONFLICT, &username, &target)),
            MemberReply::BadRequest => Err(already_there(StatusCode::BAD_REQUEST, &username, &target)),
            MemberReply::Granted => Ok(granted(cx, &target, &username, &roles, created)),
        };
    }
    check_room(cx.world, &target, &username)?;
    if granted_at_once(cx.world, &target, &username) {
        cx.world.join_project(&target.id, &username, &roles);
        cx.world.forget_invitations(&target.id, &username);
        let to = cx.world.stored_username(&username);
        let request = cx.call.number;
        cx.world.mail(MailKind::AccessGranted, &target.id, &to, None, request);
        return Ok(granted(cx, &target, &username, &roles, created));
    }
    if let Some(existing) = open(cx.world, &target.id, &username) {
        match cx.world.behaviour.duplicate_invite {
            DuplicateInvite::Second => {}
            DuplicateInvite::Conflict => {
                return Err(already_there(StatusCode::CONFLICT, &username, &target));
            }
            DuplicateInvite::BadRequest => {
                return Err(already_there(StatusCode::BAD_REQUEST, &username, &target));
            }
            DuplicateInvite::Existing => {
                let request = cx.call.number;
                cx.world.mail(MailKind::ProjectInvitation, &target.id, &existing.username, Some(&existing.id), request);
                return Ok(Reply::value(created, shapes::invitation(&target, &existing)));
            }
        }
    }
    let sender = cx.sender();
    let sent = cx
        .world
        .send_invitation(&target.id, &username, roles, &sender)
        .ok_or_else(|| ApiError::no_group(&target.id))?;
    Ok(Reply::value(created, shapes::invitation(&target, &sent)))
}

/// Lists pending invitations: a bare array, never paged.
pub(crate) fn list(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let target = target(cx)?;
    let filter = cx.call.param("username");
    let world = &*cx.world;
    let found: Vec<Value> = visible(world, &target.id)
        .filter(|invitation| world.selects(filter.as_deref(), &invitation.username))
        .map(|invitation| shapes::invitation(&target, invitation))
        .collect();
    Ok(Reply::value(StatusCode::OK, Value::Array(found)))
}

/// Reads one invitation.
pub(crate) fn get(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let target = target(cx)?;
    let invitation =
        visible(cx.world, &target.id).find(|invitation| invitation.id == cx.route.item).ok_or_else(|| gone(cx))?;
    Ok(Reply::value(StatusCode::OK, shapes::invitation(&target, invitation)))
}

/// Replaces the roles of one invitation; id and dates stay (contract §2.9).
pub(crate) fn update_by_id(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let target = target(cx)?;
    let object = body::object(cx.call, &["roles"])?;
    let roles = body::project_roles(&object, "roles", target.product, &target.id)?;
    let id = cx.route.item.clone();
    replace(cx, &target, |invitation| invitation.id == id, roles)
}

/// The same for the invitation of an address.
pub(crate) fn update_by_username(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let target = target(cx)?;
    let object = body::object(cx.call, &["roles", "username"])?;
    let username = body::username(&object)?;
    let roles = body::project_roles(&object, "roles", target.product, &target.id)?;
    replace(cx, &target, |invitation| invitation.username.eq_ignore_ascii_case(&username), roles)
}

/// Cancels one invitation.
pub(crate) fn delete(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let target = target(cx)?;
    if cx.world.cancel_invitation(&target.id, &cx.route.item) {
        Ok(Reply::status(StatusCode::NO_CONTENT))
    } else {
        Err(gone(cx))
    }
}

fn target(cx: &mut Context<'_>) -> Result<Target, ApiError> {
    cx.world.sweep();
    let need = match cx.route.family {
        Family::Classic => Need::UserAdmin,
        Family::AtlasV1 | Family::AtlasV2 | Family::Oauth | Family::Other => Need::Owner,
    };
    permit::project(cx.world, cx.caller, cx.route.family, cx.group(), need)
}

fn visible<'w>(world: &'w World, project: &str) -> impl Iterator<Item = &'w Invitation> {
    let now = world.clock.now();
    world
        .projects
        .get(project)
        .into_iter()
        .flat_map(|project| &project.invitations)
        .filter(move |invitation| invitation.visible <= now)
}

fn open(world: &World, project: &str, username: &str) -> Option<Invitation> {
    world
        .projects
        .get(project)?
        .invitations
        .iter()
        .find(|invitation| invitation.username.eq_ignore_ascii_case(username))
        .cloned()
}

fn replace(
    cx: &mut Context<'_>,
    target: &Target,
    wanted: impl Fn(&Invitation) -> bool,
    roles: Vec<String>,
) -> Result<Reply, ApiError> {
    let changed = cx
        .world
        .projects
        .get_mut(&target.id)
        .and_then(|project| project.invitations.iter_mut().find(|i| wanted(i)))
        .map(|invitation| {
            invitation.roles = roles;
            invitation.clone()
        })
        .ok_or_else(|| gone(cx))?;
    cx.world.carry_roles(&target.org, &target.id, &changed.username, &changed.roles);
    Ok(Reply::value(StatusCode::OK, shapes::invitation(target, &changed)))
}

/// Whether the person gets access without an invitation: members and federated people of an Atlas
/// organisation (§2.5, §2.6), existing accounts of an Ops Manager in bypass mode (§1.4).
fn granted_at_once(world: &World, target: &Target, username: &str) -> bool {
    match target.product {
        Product::Atlas => world.belongs_to_org(&target.org, username),
        Product::CloudManager => false,
        Product::OpsManager => {
            world.behaviour.ops_manager_bypass && world.accounts.contains_key(&username.to_lowercase())
        }
    }
}

fn granted(cx: &Context<'_>, target: &Target, username: &str, roles: &[String], created: StatusCode) -> Reply {
    match cx.world.behaviour.granted_reply {
        GrantReply::NoContent => Reply::status(StatusCode::NO_CONTENT),
        GrantReply::EmptyBody => Reply::status(created),
        GrantReply::EmptyObject => Reply::value(created, serde_json::json!({})),
        GrantReply::WithoutId => Reply::value(
            created,
            serde_json::json!({
                "groupId": target.id,
                "groupName": target.name,
                "inviterUsername": cx.caller.name(),
                "roles": roles,
                "username": cx.world.stored_username(username),
            }),
        ),
    }
}

/// 200 on Atlas, 201 on Cloud Manager and Ops Manager (contract §0).
fn created_status(product: Product) -> StatusCode {
    match product {
        Product::Atlas => StatusCode::OK,
        Product::CloudManager | Product::OpsManager => StatusCode::CREATED,
    }
}

/// The throttle that answers 400 (contract §2.16), only known of Atlas.
pub(crate) fn throttle(world: &mut World, call: &Call, product: Product) -> Result<(), ApiError> {
    let Some(limit) = world.behaviour.invitation_throttle else {
        return Ok(());
    };
    if product != Product::Atlas {
        return Ok(());
    }
    let now = world.clock.now();
    let minute = world.behaviour.invitation_throttle_window.duration();
    world.limits.count_within(&format!("invitations/{}", call.peer), limit, minute, now).map_err(|_| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "INVITATIONS_RATE_LIMITED_IP",
            format!("Rate limit of {limit} invitations per 1 minutes exceeded."),
        )
    })
}

/// Refuses one more person than a project or an organisation holds (contract §2.15).
pub(crate) fn check_room(world: &World, target: &Target, username: &str) -> Result<(), ApiError> {
    let (group_limit, org_limit) = (world.behaviour.users_per_group, world.behaviour.users_per_org);
    let in_group = world.projects.get(&target.id).map_or(0, |p| p.members.len() + p.invitations.len());
    let in_org = world.orgs.get(&target.org).map_or(0, |o| o.members.len() + o.invitations.len() + o.pending.len());
    let full = |code: &str, what: &str, id: &str, limit: usize| {
        ApiError::bad(code, format!("The {what} {id} has the maximum of {limit} users."), id)
    };
    if in_group >= group_limit {
        return Err(full("MAX_USERS_PER_GROUP_EXCEEDED", "group", &target.id, group_limit));
    }
    if in_org >= org_limit && !world.belongs_to_org(&target.org, username) {
        return Err(full("MAX_USERS_PER_ORG_EXCEEDED", "organization", &target.org, org_limit));
    }
    Ok(())
}

/// Somebody is there already (§10.3).
pub(crate) fn already_there(status: StatusCode, username: &str, target: &Target) -> ApiError {
    ApiError::new(status, "USER_ALREADY_IN_GROUP", format!("User {username} is already in group {}.", target.id))
        .with([Value::from(username.to_owned()), Value::from(target.id.clone())])
}

/// No such invitation: never there, accepted, cancelled, expired or declined (contract §2.3).
pub(crate) fn gone(cx: &Context<'_>) -> ApiError {
    let id = &cx.route.item;
    let mut error =
        ApiError::missing("INVALID_INVITATION_ID", format!("An invalid invitation ID {id} was specified."), id);
    if cx.world.behaviour.gone_status == GoneStatus::BadRequest {
        error.status = StatusCode::BAD_REQUEST;
    }
    error
}
