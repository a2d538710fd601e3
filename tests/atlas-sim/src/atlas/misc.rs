//! Reads beside the people: status, project, accounts, rate limits.
//!
//! Owns `getSystemStatus`, `getGroup`, `getUser`, `getUserByName` and the rate-limit inspection
//! (contract §1.3, §1.6, §6.1). Must never change anything.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Context, GROUP_USERS, INSPECTION, ORG_USERS, ORGS, PROJECTS, USERS, paging::self_link};
use crate::{
    api_error::ApiError,
    auth::permit::{self, Need},
    classic,
    endpoint::Family,
    ids::is_object_id,
    server::reply::Reply,
    world::limits::BucketShape,
};

/// The build, and the key that asked. Only the status is known for sure (contract §1.6).
pub(crate) fn system_status(cx: &Context<'_>) -> Reply {
    let product = match cx.route.family {
        Family::Classic => "MongoDB Cloud Manager",
        Family::AtlasV2 | Family::AtlasV1 | Family::Oauth | Family::Other => "MongoDB Atlas",
    };
    let known = &cx.caller.known;
    let mut roles: Vec<Value> = Vec::new();
    for (target, held) in known.all_grants() {
        let field = if cx.world.orgs.contains_key(target) { "orgId" } else { "groupId" };
        roles.extend(held.iter().map(|role| json!({field: target, "roleName": role})));
    }
    let body = json!({
        "apiKey": {"accessList": [], "id": known.id, "publicKey": known.credential.id, "roles": roles},
        "appName": product,
        "build": "0000000000000000000000000000000000000000",
        "links": self_link(&cx.call.path),
        "throttling": false,
    });
    Reply::value(StatusCode::OK, body)
}

/// One project.
pub(crate) fn group(cx: &Context<'_>) -> Result<Reply, ApiError> {
    let target = permit::project(cx.world, cx.caller, cx.route.family, cx.group(), Need::ReadOnly)?;
    let created = cx.world.projects.get(&target.id).map(|project| project.created.to_string());
    Ok(Reply::value(
        StatusCode::OK,
        json!({
            "clusterCount": 0,
            "created": created,
            "id": target.id,
            "links": self_link(&cx.call.path),
            "name": target.name,
            "orgId": target.org,
        }),
    ))
}

/// An account by id.
pub(crate) fn user(cx: &Context<'_>) -> Result<Reply, ApiError> {
    let id = &cx.route.item;
    if !is_object_id(id) {
        return Err(ApiError::missing("INVALID_USER_ID", format!("An invalid user ID {id} was specified."), id));
    }
    let account = cx
        .world
        .account_by_id(id)
        .ok_or_else(|| ApiError::missing("USER_NOT_FOUND", format!("No user with ID {id} exists."), id))?;
    let body = classic::users::person(cx.world, account, cx.route.family);
    Ok(Reply::value(StatusCode::OK, body))
}

/// An account by address; lower case only (contract §2.14).
pub(crate) fn user_by_name(cx: &Context<'_>) -> Result<Reply, ApiError> {
    let name = &cx.route.item;
    let account = cx.world.accounts.get(name).ok_or_else(|| {
        ApiError::missing("USERNAME_NOT_FOUND", format!("No user with username {name} exists."), name)
    })?;
    let body = classic::users::person(cx.world, account, cx.route.family);
    Ok(Reply::value(StatusCode::OK, body))
}

const SETS: [(BucketShape, &str); 6] = [
    (PROJECTS, "GROUP"),
    (GROUP_USERS, "GROUP"),
    (ORG_USERS, "ORGANIZATION"),
    (USERS, "USER"),
    (ORGS, "ORGANIZATION"),
    (INSPECTION, "USER"),
];

/// All endpoint sets with their limits.
pub(crate) fn rate_limits() -> Reply {
    let sets: Vec<Value> = SETS.iter().map(endpoint_set).collect();
    let total = sets.len();
    Reply::value(StatusCode::OK, json!({"links": [], "results": sets, "totalCount": total}))
}

/// One endpoint set.
pub(crate) fn rate_limit(id: &str) -> Result<Reply, ApiError> {
    SETS.iter()
        .find(|(shape, _)| shape.name == id)
        .map(|set| Reply::value(StatusCode::OK, endpoint_set(set)))
        .ok_or_else(|| ApiError::no_resource(&format!("/api/atlas/v2/rateLimits/{id}")))
}

fn endpoint_set((shape, scope): &(BucketShape, &str)) -> Value {
    json!({
        "capacity": shape.capacity,
        "endpointSetId": shape.name,
        "name": shape.name,
        "refillDurationSeconds": shape.refill_seconds,
        "refillRate": shape.refill,
        "scope": scope,
    })
}
