//! Members as Cloud Manager, Ops Manager and the first Atlas version show them.
//!
//! Owns the older member shape, whose roles are `[{groupId | orgId, roleName}]` (contract §1.4), and
//! the operations on `/groups/{id}/users`. Pending people are never listed.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    api_error::ApiError,
    atlas::{Context, paging},
    auth::permit::{self, Need},
    body,
    endpoint::Family,
    server::reply::Reply,
    world::{World, invitations::Sender, people::Account},
};

/// Lists the members of a project.
pub(crate) fn list(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let target = permit::project(cx.world, cx.caller, cx.route.family, cx.group(), Need::ReadOnly)?;
    let _without_teams_both_are_equal = cx.call.flag("flattenTeams", false)?;
    let implicit = cx.call.flag("includeOrgUsers", false)?;
    // Only Atlas filters by address.
    let filter = match cx.route.family {
        Family::Classic => None,
        Family::AtlasV1 | Family::AtlasV2 | Family::Oauth | Family::Other => cx.call.param("username"),
    };
    let world = &*cx.world;
    let org = world.orgs.get(&target.org);
    let members = world.projects.get(&target.id).map(|p| &p.members);
    let people: Vec<Value> = world
        .accounts
        .iter()
        .filter(|(key, _)| {
            members.is_some_and(|members| members.contains_key(*key))
                || (implicit
                    && org
                        .and_then(|org| org.members.get(*key))
                        .is_some_and(|m| m.roles.iter().any(|role| role == "ORG_OWNER")))
        })
        .filter(|(_, account)| world.selects(filter.as_deref(), &account.username))
        .map(|(_, account)| person(world, account, cx.route.family))
        .collect();
    paging::page(cx.call, people)
}

/// Adds existing accounts; sends an invitation unless bypass mode is on.
pub(crate) fn add(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    cx.world.sweep();
    let target = permit::project(cx.world, cx.caller, cx.route.family, cx.group(), Need::UserAdmin)?;
    let items: Vec<Value> = serde_json::from_slice(&cx.call.body)
        .map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "MALFORMED_JSON", "Received JSON is malformed."))?;
    let mut wanted = Vec::new();
    for item in &items {
        let item = item.as_object().ok_or_else(|| body::mistyped("roles"))?;
        let id = body::text(item, "id")?;
        let account = cx
            .world
            .account_by_id(&id)
            .cloned()
            .ok_or_else(|| ApiError::missing("USER_NOT_FOUND", format!("No user with ID {id} exists."), &id))?;
        let roles = item.get("roles").and_then(Value::as_array).ok_or_else(|| body::absent("roles"))?;
        let mut names = Vec::new();
        for role in roles {
            let role = role.as_object().ok_or_else(|| body::mistyped("roles"))?;
            let name = body::text(role, "roleName")?;
            body::project_role(&name, target.product, &target.id)?;
            names.push(name);
        }
        wanted.push((account, names));
    }
    let sender: Sender = cx.sender();
    for (account, roles) in wanted {
        if cx.world.behaviour.ops_manager_bypass || cx.world.is_member(&target.id, &account.username) {
            cx.world.join_project(&target.id, &account.username, &[]);
            cx.world.set_roles(&target.id, &account.username, roles);
        } else {
            cx.world.send_invitation(&target.id, &account.username, roles, &sender);
        }
    }
    list(cx)
}

/// Removes a member.
pub(crate) fn remove(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    let target = permit::project(cx.world, cx.caller, cx.route.family, cx.group(), Need::UserAdmin)?;
    let id = cx.route.item.clone();
    let username = cx.world.account_by_id(&id).map(|a| a.username.clone());
    let removed = username.is_some_and(|username| cx.world.leave_project(&target.id, &username));
    if removed {
        Ok(Reply::status(StatusCode::NO_CONTENT))
    } else {
        Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "USER_NOT_IN_GROUP",
            format!("User {id} is not in group {}.", target.id),
        )
        .with([json!(id), json!(target.id)]))
    }
}

/// A person with all their roles.
pub(crate) fn person(world: &World, account: &Account, family: Family) -> Value {
    let key = account.username.to_lowercase();
    let mut roles = Vec::new();
    for org in world.orgs.values() {
        for role in org.members.get(&key).into_iter().flat_map(|m| &m.roles) {
            roles.push(json!({"orgId": org.id, "roleName": role}));
        }
    }
    for project in world.projects.values() {
        for role in project.members.get(&key).into_iter().flatten() {
            roles.push(json!({"groupId": project.id, "roleName": role}));
        }
    }
    let prefix = match family {
        Family::Classic => "/api/public/v1.0",
        Family::AtlasV1 | Family::AtlasV2 | Family::Oauth | Family::Other => "/api/atlas/v2",
    };
    let mut body = json!({
        "emailAddress": account.username,
        "firstName": account.first_name,
        "id": account.id,
        "lastName": account.last_name,
        "links": paging::self_link(&format!("{prefix}/users/{}", account.id)),
        "roles": roles,
        "username": account.username,
    });
    if family != Family::Classic
        && let Some(object) = body.as_object_mut()
    {
        object.insert("country".to_owned(), json!("IE"));
        object.insert("createdAt".to_owned(), json!(account.created.to_string()));
        object.insert("lastAuth".to_owned(), json!(account.created.to_string()));
        object.insert("mobileNumber".to_owned(), json!("5555550100"));
        object.insert("teamIds".to_owned(), json!([]));
    }
    body
}
