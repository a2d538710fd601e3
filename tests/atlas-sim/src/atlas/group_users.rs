//! Reading the people of a project, 2025-02-19 (contract §1.2).
//!
//! Owns list and get. People invited through legacy `/invites` are not here until they accept (§0).

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Context, paging,
    user_shapes::{Standing, active, invited},
};
use crate::{
    api_error::ApiError,
    auth::permit::{self, Need, Target},
    ids::is_object_id,
    server::{
        call::{Call, invalid},
        reply::Reply,
    },
    world::World,
};

/// Lists the people of a project.
pub(super) fn list(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let target = permit::project(cx.world, cx.caller, cx.route.family, cx.group(), Need::ReadOnly)?;
    let standings = standings(cx.call)?;
    let _without_teams_both_are_equal = cx.call.flag("flattenTeams", false)?;
    let implicit = cx.call.flag("includeOrgUsers", false)?;
    let filter = cx.call.param("username");
    let people: Vec<Value> = people(cx.world, &target, implicit)
        .into_iter()
        .filter(|person| standings.contains(&person.standing))
        .filter(|person| cx.world.selects(filter.as_deref(), &person.username))
        .map(|person| person.body)
        .collect();
    paging::page(cx.call, people)
}

/// Reads one person.
pub(super) fn get(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let target = permit::project(cx.world, cx.caller, cx.route.family, cx.group(), Need::ReadOnly)?;
    let standings = standings(cx.call)?;
    check_id(&cx.route.item)?;
    people(cx.world, &target, false)
        .into_iter()
        .find(|person| person.id == cx.route.item && standings.contains(&person.standing))
        .map(|person| Reply::value(StatusCode::OK, person.body))
        .ok_or_else(|| not_in_group(&cx.route.item, &target.id))
}

/// One line of the list.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) username: String,
    pub(super) standing: Standing,
    pub(super) body: Value,
}

/// Everybody in the project: members first, then those invited through the users API.
pub(super) fn people(world: &World, target: &Target, implicit: bool) -> Vec<Person> {
    let now = world.clock.now();
    let (Some(project), Some(org)) = (world.projects.get(&target.id), world.orgs.get(&target.org)) else {
        return Vec::new();
    };
    let mut people: Vec<Person> = Vec::new();
    for (key, roles) in &project.members {
        if let Some(account) = world.accounts.get(key) {
            people.push(Person {
                id: account.id.clone(),
                username: account.username.clone(),
                standing: Standing::Active,
                body: active(account, json!(roles)),
            });
        }
    }
    if implicit {
        // Organisation owners have implicit access to every project.
        for (key, member) in &org.members {
            let owner = member.roles.iter().any(|role| role == "ORG_OWNER");
            if let Some(account) = world.accounts.get(key)
                && owner
                && !project.members.contains_key(key)
            {
                people.push(Person {
                    id: account.id.clone(),
                    username: account.username.clone(),
                    standing: Standing::Active,
                    body: active(account, json!([])),
                });
            }
        }
    }
    for pending in org.pending.iter().filter(|p| p.visible <= now) {
        if let Some(roles) = pending.groups.get(&target.id) {
            let standing = Standing::of(pending, now);
            people.push(Person {
                id: pending.id.clone(),
                username: pending.username.clone(),
                standing,
                body: invited(pending, standing, json!(roles)),
            });
        }
    }
    people
}

/// The wanted standings: the repeatable parameter, the deprecated one, or the default.
pub(super) fn standings(call: &Call) -> Result<Vec<Standing>, ApiError> {
    let many = call.params("orgMembershipStatuses");
    let one = call.params("orgMembershipStatus");
    if !many.is_empty() && !one.is_empty() {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "MUTUALLY_EXCLUSIVE_QUERY_PARAMETERS",
            "orgMembershipStatus and orgMembershipStatuses cannot be combined.",
        )
        .with([json!("orgMembershipStatus"), json!("orgMembershipStatuses")]));
    }
    let (name, wanted) = if one.is_empty() { ("orgMembershipStatuses", many) } else { ("orgMembershipStatus", one) };
    if wanted.is_empty() {
        return Ok(vec![Standing::Active, Standing::Pending]);
    }
    wanted
        .iter()
        .flat_map(|value| value.split(','))
        .map(|value| Standing::ALL.into_iter().find(|standing| standing.name() == value).ok_or_else(|| invalid(name)))
        .collect()
}

/// Refuses what cannot be a user id.
pub(super) fn check_id(id: &str) -> Result<(), ApiError> {
    if is_object_id(id) {
        Ok(())
    } else {
        Err(ApiError::missing("INVALID_USER_ID", format!("An invalid user ID {id} was specified."), id))
    }
}

/// The person is not in the project.
pub(super) fn not_in_group(id: &str, group: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "USER_NOT_IN_GROUP", format!("User {id} is not in group {group}."))
        .with([json!(id), json!(group)])
}
