//! People of an organisation, 2025-02-19 (contract §1.3).
//!
//! Owns the operations on `/orgs/{id}/users`. Must never show who was invited through a legacy
//! endpoint.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Context,
    group_users::{check_id, standings},
    invites::throttle,
    paging,
    user_shapes::{Standing, active, invited, org_roles},
};
use crate::{
    api_error::ApiError,
    auth::permit::{self, OrgNeed},
    body,
    roles::Product,
    server::reply::Reply,
};

/// Lists the people of an organisation.
pub(super) fn list(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    permit::organization(cx.world, cx.caller, cx.org(), OrgNeed::Member)?;
    let standings = standings(cx.call)?;
    let filter = cx.call.param("username");
    let people: Vec<Value> = people(cx)
        .into_iter()
        .filter(|person| standings.contains(&person.standing))
        .filter(|person| cx.world.selects(filter.as_deref(), &person.username))
        .map(|person| person.body)
        .collect();
    paging::page(cx.call, people)
}

/// Reads one person.
pub(super) fn get(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    permit::organization(cx.world, cx.caller, cx.org(), OrgNeed::Member)?;
    let person = wanted(cx)?;
    Ok(Reply::value(StatusCode::OK, person.body))
}

/// Invites to the organisation.
pub(super) fn create(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    permit::organization(cx.world, cx.caller, cx.org(), OrgNeed::Owner)?;
    let object = body::object(cx.call, &["roles", "teamIds", "username"])?;
    let username = body::username(&object)?;
    let roles = object.get("roles").and_then(Value::as_object).ok_or_else(|| body::absent("roles"))?;
    let org = cx.org().to_owned();
    let org_roles = body::org_roles(roles, "orgRoles", &org)?;
    let groups = assignments(roles)?;
    let there = people(cx).into_iter().any(|person| {
        person.username.eq_ignore_ascii_case(&username)
            && matches!(person.standing, Standing::Active | Standing::Pending)
    });
    if there {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "USER_ALREADY_EXISTS",
            format!("User {username} is already in organization {org}."),
        )
        .with([json!(username), json!(org)]));
    }
    throttle(cx.world, cx.call, Product::Atlas)?;
    let sender = cx.sender();
    cx.world.send_pending(&org, &username, &org_roles, groups, &sender);
    let created = people(cx)
        .into_iter()
        .find(|person| person.username.eq_ignore_ascii_case(&username))
        .ok_or_else(|| not_in_org(&username, &org))?;
    Ok(Reply::value(StatusCode::CREATED, created.body))
}

/// Replaces the organisation roles of a person.
pub(super) fn update(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    permit::organization(cx.world, cx.caller, cx.org(), OrgNeed::Owner)?;
    let object = body::object(cx.call, &["roles", "teamIds"])?;
    let org = cx.org().to_owned();
    let roles = match object.get("roles").and_then(Value::as_object) {
        Some(roles) => Some(body::org_roles(roles, "orgRoles", &org)?),
        None => None,
    };
    change(cx, |held| {
        if let Some(roles) = roles {
            *held = roles;
        }
    })
}

/// Adds one organisation role.
pub(super) fn add_role(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let role = role(cx)?;
    change(cx, |held| {
        if !held.contains(&role) {
            held.push(role);
        }
    })
}

/// Removes one organisation role.
pub(super) fn remove_role(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let role = role(cx)?;
    change(cx, |held| held.retain(|other| *other != role))
}

/// Removes a person, invited or member, with everything below the organisation.
pub(super) fn remove(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    permit::organization(cx.world, cx.caller, cx.org(), OrgNeed::Owner)?;
    let person = wanted(cx)?;
    let org = cx.org().to_owned();
    if person.standing == Standing::Active {
        cx.world.leave_org(&org, &person.username);
    } else if let Some(org) = cx.world.orgs.get_mut(&org) {
        org.pending.retain(|pending| pending.id != person.id);
    }
    Ok(Reply::status(StatusCode::NO_CONTENT))
}

struct Person {
    id: String,
    username: String,
    standing: Standing,
    body: Value,
}

fn people(cx: &Context<'_>) -> Vec<Person> {
    let now = cx.world.clock.now();
    let Some(org) = cx.world.orgs.get(cx.org()) else {
        return Vec::new();
    };
    let members = org.members.iter().filter_map(|(key, member)| {
        let account = cx.world.accounts.get(key)?;
        let groups: BTreeMap<String, Vec<String>> = cx
            .world
            .projects
            .values()
            .filter(|project| project.org == org.id)
            .filter_map(|project| Some((project.id.clone(), project.members.get(key)?.clone())))
            .collect();
        Some(Person {
            id: account.id.clone(),
            username: account.username.clone(),
            standing: Standing::Active,
            body: active(account, org_roles(&member.roles, &groups)),
        })
    });
    let pending = org.pending.iter().filter(|p| p.visible <= now).map(|pending| {
        let standing = Standing::of(pending, now);
        let roles = org_roles(&pending.org_roles, &pending.groups);
        Person {
            id: pending.id.clone(),
            username: pending.username.clone(),
            standing,
            body: invited(pending, standing, roles),
        }
    });
    members.chain(pending).collect()
}

fn wanted(cx: &Context<'_>) -> Result<Person, ApiError> {
    check_id(&cx.route.item)?;
    people(cx).into_iter().find(|person| person.id == cx.route.item).ok_or_else(|| not_in_org(&cx.route.item, cx.org()))
}

fn role(cx: &Context<'_>) -> Result<String, ApiError> {
    permit::organization(cx.world, cx.caller, cx.org(), OrgNeed::Owner)?;
    let object = body::object(cx.call, &["orgRole"])?;
    let role = body::text(&object, "orgRole")?;
    body::org_role(&role, cx.org())?;
    Ok(role)
}

fn change(cx: &mut Context<'_>, change: impl FnOnce(&mut Vec<String>)) -> Result<Reply, ApiError> {
    let person = wanted(cx)?;
    let key = person.username.to_lowercase();
    let id = cx.org().to_owned();
    if let Some(org) = cx.world.orgs.get_mut(&id) {
        if person.standing == Standing::Active {
            if let Some(member) = org.members.get_mut(&key) {
                change(&mut member.roles);
            }
        } else if let Some(pending) = org.pending.iter_mut().find(|p| p.id == person.id) {
            change(&mut pending.org_roles);
        }
    }
    let person = wanted(cx)?;
    Ok(Reply::value(StatusCode::OK, person.body))
}

fn assignments(roles: &Map<String, Value>) -> Result<BTreeMap<String, Vec<String>>, ApiError> {
    let name = "groupRoleAssignments";
    let mut groups = BTreeMap::new();
    for item in roles.get(name).and_then(Value::as_array).into_iter().flatten() {
        let item = item.as_object().ok_or_else(|| body::mistyped(name))?;
        let group = body::text(item, "groupId")?;
        groups.insert(group, body::texts(item, "groupRoles")?.unwrap_or_default());
    }
    Ok(groups)
}

fn not_in_org(id: &str, org: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "USER_NOT_IN_ORG", format!("User {id} is not in organization {org}."))
        .with([json!(id), json!(org)])
}
