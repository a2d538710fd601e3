//! Changing the people of a project, 2025-02-19 (contract §1.2).
//!
//! Owns add, role changes and removal. Must never touch legacy invitations (§2.20).

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::json;

use super::{
    Context,
    group_users::{check_id, not_in_group, people},
    invites::{already_there, check_room, throttle},
    user_shapes::{Standing, active, invited},
};
use crate::{
    api_error::ApiError,
    auth::permit::{self, Need, Target},
    body,
    endpoint::Family,
    server::reply::Reply,
    world::outbox::MailKind,
};

/// Adds a person: at once when they belong to the organisation, else by invitation.
pub(super) fn add(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let target = target(cx, Need::AccessManager)?;
    let object = body::object(cx.call, &["roles", "username"])?;
    let username = body::username(&object)?;
    let roles = body::project_roles(&object, "roles", target.product, &target.id)?;
    throttle(cx.world, cx.call, target.product)?;
    // A pending person whose domain was verified meanwhile is activated (contract §2.6).
    let waits = is_pending(cx, &target, &username) && !cx.world.belongs_to_org(&target.org, &username);
    if waits || cx.world.is_member(&target.id, &username) {
        return Err(already_there(StatusCode::CONFLICT, &username, &target));
    }
    check_room(cx.world, &target, &username)?;
    if cx.world.belongs_to_org(&target.org, &username) {
        cx.world.join_project(&target.id, &username, &roles);
        if let Some(org) = cx.world.orgs.get_mut(&target.org) {
            org.pending.retain(|p| !p.username.eq_ignore_ascii_case(&username));
        }
        let account = cx.world.account(&username);
        let request = cx.call.number;
        cx.world.mail(MailKind::AccessGranted, &target.id, &account.username, None, request);
        return Ok(Reply::value(StatusCode::CREATED, active(&account, json!(roles))));
    }
    let groups = BTreeMap::from([(target.id.clone(), roles.clone())]);
    let sender = cx.sender();
    let pending = cx
        .world
        .send_pending(&target.org, &username, &[], groups, &sender)
        .ok_or_else(|| ApiError::no_group(&target.id))?;
    let body = invited(&pending, Standing::Pending, json!(roles));
    Ok(Reply::value(StatusCode::CREATED, body))
}

/// Adds one role.
pub(super) fn add_role(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    change_roles(cx, |held, role| {
        if !held.contains(&role) {
            held.push(role);
        }
        Ok(())
    })
}

/// Removes one role; the last one stays (contract §1.2).
pub(super) fn remove_role(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    change_roles(cx, |held, role| {
        if !held.contains(&role) {
            return Err(ApiError::bad(
                "INVALID_GROUP_ROLE_UPDATE",
                format!("The user does not have the role {role}."),
                &role,
            ));
        }
        if held.len() == 1 {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "CANNOT_REMOVE_ALL_USER_ROLES",
                "Cannot remove all roles of a user.",
            ));
        }
        held.retain(|other| *other != role);
        Ok(())
    })
}

/// Removes a person: pending ones too, but in the first version members only.
pub(super) fn remove(cx: &mut Context<'_>, members_only: bool) -> Result<Reply, ApiError> {
    let target = target(cx, Need::AccessManager)?;
    let person = wanted(cx, &target)?;
    match person.standing {
        Standing::Active => {
            cx.world.leave_project(&target.id, &person.username);
        }
        Standing::Pending | Standing::Expired | Standing::Rejected if members_only => {
            return Err(not_in_group(&cx.route.item, &target.id));
        }
        Standing::Pending | Standing::Expired | Standing::Rejected => {
            if let Some(org) = cx.world.orgs.get_mut(&target.org) {
                for pending in org.pending.iter_mut().filter(|p| p.id == person.id) {
                    pending.groups.remove(&target.id);
                }
            }
        }
    }
    Ok(Reply::status(StatusCode::NO_CONTENT))
}

/// Replaces the roles of a member (deprecated; Cloud Manager and Ops Manager have it too).
pub(crate) fn put_roles(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let need = match cx.route.family {
        Family::Classic => Need::UserAdmin,
        Family::AtlasV2 | Family::AtlasV1 | Family::Oauth | Family::Other => Need::Owner,
    };
    let target = target(cx, need)?;
    let object = body::object(cx.call, &["groupRoles"])?;
    let roles = body::project_roles(&object, "groupRoles", target.product, &target.id)?;
    let person = wanted(cx, &target)?;
    if person.standing != Standing::Active {
        return Err(not_in_group(&cx.route.item, &target.id));
    }
    cx.world.set_roles(&target.id, &person.username, roles.clone());
    Ok(Reply::value(StatusCode::OK, json!({"groupRoles": roles})))
}

fn target(cx: &mut Context<'_>, need: Need) -> Result<Target, ApiError> {
    cx.world.sweep();
    permit::project(cx.world, cx.caller, cx.route.family, cx.group(), need)
}

fn wanted(cx: &Context<'_>, target: &Target) -> Result<super::group_users::Person, ApiError> {
    check_id(&cx.route.item)?;
    people(cx.world, target, false)
        .into_iter()
        .find(|person| person.id == cx.route.item)
        .ok_or_else(|| not_in_group(&cx.route.item, &target.id))
}

/// Whether somebody is pending, listed already or not.
fn is_pending(cx: &Context<'_>, target: &Target, username: &str) -> bool {
    let now = cx.world.clock.now();
    cx.world.orgs.get(&target.org).is_some_and(|org| {
        org.pending.iter().any(|pending| {
            pending.username.eq_ignore_ascii_case(username)
                && pending.groups.contains_key(&target.id)
                && Standing::of(pending, now) == Standing::Pending
        })
    })
}

fn change_roles(
    cx: &mut Context<'_>,
    change: impl FnOnce(&mut Vec<String>, String) -> Result<(), ApiError>,
) -> Result<Reply, ApiError> {
    let target = target(cx, Need::AccessManager)?;
    let object = body::object(cx.call, &["groupRole"])?;
    let role = body::text(&object, "groupRole")?;
    body::project_role(&role, target.product, &target.id)?;
    let person = wanted(cx, &target)?;
    let key = person.username.to_lowercase();
    let body = if person.standing == Standing::Active {
        let held = cx
            .world
            .projects
            .get_mut(&target.id)
            .and_then(|project| project.members.get_mut(&key))
            .ok_or_else(|| not_in_group(&person.id, &target.id))?;
        change(held, role)?;
        let roles = json!(held);
        active(&cx.world.account(&person.username), roles)
    } else {
        let pending = cx
            .world
            .orgs
            .get_mut(&target.org)
            .and_then(|org| org.pending.iter_mut().find(|p| p.id == person.id))
            .ok_or_else(|| not_in_group(&person.id, &target.id))?;
        let held = pending.groups.entry(target.id.clone()).or_default();
        change(held, role)?;
        let roles = json!(held);
        invited(pending, person.standing, roles)
    };
    Ok(Reply::value(StatusCode::OK, body))
}
