//! Legacy organisation invitations (contract §1.3).
//!
//! Owns the six operations on `/orgs/{id}/invites`, where the invitation a project invitation
//! implied can be seen (§2.7).

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Map, Value};

use super::{
    Context,
    invites::{gone, throttle},
    shapes,
};
use crate::{
    api_error::ApiError,
    auth::permit::{self, OrgNeed},
    body,
    endpoint::Family,
    roles::Product,
    server::reply::Reply,
    world::invitations::OrgInvitation,
};

const ATTRIBUTES: [&str; 4] = ["groupRoleAssignments", "roles", "teamIds", "username"];

/// Invites to the organisation.
pub(crate) fn create(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let name = enter(cx)?;
    let object = body::object(cx.call, &ATTRIBUTES)?;
    let username = body::username(&object)?;
    let roles = body::org_roles(&object, "roles", cx.org())?;
    let groups = assignments(&object)?.unwrap_or_default();
    throttle(cx.world, cx.call, Product::Atlas)?;
    let (org, sender) = (cx.org().to_owned(), cx.sender());
    let invitation = cx.world.send_org_invitation(&org, &username, roles, groups, &sender).ok_or_else(|| gone(cx))?;
    let status = match cx.route.family {
        Family::Classic => StatusCode::CREATED,
        Family::AtlasV1 | Family::AtlasV2 | Family::Oauth | Family::Other => StatusCode::OK,
    };
    let body = shapes::org_invitation(&org, &name, &invitation);
    Ok(Reply::value(status, body))
}

/// Lists pending organisation invitations: a bare array.
pub(crate) fn list(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let name = enter(cx)?;
    let filter = cx.call.param("username");
    let found: Vec<Value> = invitations(cx)
        .filter(|i| cx.world.selects(filter.as_deref(), &i.username))
        .map(|i| shapes::org_invitation(cx.org(), &name, i))
        .collect();
    Ok(Reply::value(StatusCode::OK, Value::Array(found)))
}

/// Reads one.
pub(crate) fn get(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let name = enter(cx)?;
    let found = invitations(cx)
        .find(|i| i.id == cx.route.item)
        .map(|i| shapes::org_invitation(cx.org(), &name, i))
        .ok_or_else(|| gone(cx))?;
    Ok(Reply::value(StatusCode::OK, found))
}

/// Changes one.
pub(crate) fn update_by_id(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let name = enter(cx)?;
    let object = body::object(cx.call, &["groupRoleAssignments", "roles", "teamIds"])?;
    let id = cx.route.item.clone();
    replace(cx, &name, &object, |i| i.id == id)
}

/// Changes the one of an address.
pub(crate) fn update_by_username(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let name = enter(cx)?;
    let object = body::object(cx.call, &ATTRIBUTES)?;
    let username = body::username(&object)?;
    replace(cx, &name, &object, |i| i.username.eq_ignore_ascii_case(&username))
}

/// Cancels one.
pub(crate) fn delete(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    enter(cx)?;
    let (org, id) = (cx.org().to_owned(), cx.route.item.clone());
    let found = cx.world.orgs.get_mut(&org).is_some_and(|org| {
        let before = org.invitations.len();
        org.invitations.retain(|i| i.id != id);
        org.invitations.len() < before
    });
    if found { Ok(Reply::status(StatusCode::NO_CONTENT)) } else { Err(gone(cx)) }
}

fn enter(cx: &mut Context<'_>) -> Result<String, ApiError> {
    cx.world.sweep();
    permit::organization(cx.world, cx.caller, cx.org(), OrgNeed::Owner)
}

fn invitations<'c>(cx: &'c Context<'_>) -> impl Iterator<Item = &'c OrgInvitation> {
    cx.world.orgs.get(cx.org()).into_iter().flat_map(|org| &org.invitations)
}

fn replace(
    cx: &mut Context<'_>,
    name: &str,
    object: &Map<String, Value>,
    wanted: impl Fn(&OrgInvitation) -> bool,
) -> Result<Reply, ApiError> {
    let org = cx.org().to_owned();
    let roles = body::org_roles(object, "roles", &org)?;
    let groups = assignments(object)?;
    let teams = body::texts(object, "teamIds")?;
    let changed = cx
        .world
        .orgs
        .get_mut(&org)
        .and_then(|org| org.invitations.iter_mut().find(|i| wanted(i)))
        .map(|invitation| {
            invitation.roles = roles;
            if let Some(groups) = groups {
                invitation.groups = groups;
            }
            if let Some(teams) = teams {
                invitation.team_ids = teams;
            }
            invitation.clone()
        })
        .ok_or_else(|| gone(cx))?;
    let body = shapes::org_invitation(&org, name, &changed);
    Ok(Reply::value(StatusCode::OK, body))
}

fn assignments(object: &Map<String, Value>) -> Result<Option<BTreeMap<String, Vec<String>>>, ApiError> {
    let name = "groupRoleAssignments";
    let Some(value) = object.get(name).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let wrong = || body::mistyped(name);
    let mut groups = BTreeMap::new();
    for item in value.as_array().ok_or_else(wrong)? {
        let item = item.as_object().ok_or_else(wrong)?;
        let group = body::text(item, "groupId")?;
        let roles = body::texts(item, "roles")?.unwrap_or_default();
        groups.insert(group, roles);
    }
    Ok(Some(groups))
}
