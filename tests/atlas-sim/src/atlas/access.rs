//! `POST /groups/{id}/access` (contract §1.1, row 7).
//!
//! Owns the one operation that answers with an organisation invitation, or with 204 for somebody
//! who belongs to the organisation already.

use std::collections::BTreeMap;

use http::StatusCode;

use super::{
    Context,
    invites::{check_room, throttle},
    shapes,
};
use crate::{
    api_error::ApiError,
    auth::permit::{self, Need},
    body,
    server::reply::Reply,
    world::outbox::MailKind,
};

/// Adds a person to the project.
pub(super) fn add(cx: &mut Context<'_>) -> Result<Reply, ApiError> {
    cx.world.sweep();
    let target = permit::project(cx.world, cx.caller, cx.route.family, cx.group(), Need::Owner)?;
    let object = body::object(cx.call, &["roles", "username"])?;
    let username = body::username(&object)?;
    let roles = body::project_roles(&object, "roles", target.product, &target.id)?;
    throttle(cx.world, cx.call, target.product)?;
    check_room(cx.world, &target, &username)?;
    if cx.world.belongs_to_org(&target.org, &username) {
        cx.world.join_project(&target.id, &username, &roles);
        let to = cx.world.stored_username(&username);
        let request = cx.call.number;
        cx.world.mail(MailKind::AccessGranted, &target.id, &to, None, request);
        return Ok(Reply::status(StatusCode::NO_CONTENT));
    }
    let sender = cx.sender();
    let invitation = cx
        .world
        .send_org_invitation(
            &target.org,
            &username,
            vec!["ORG_MEMBER".to_owned()],
            BTreeMap::from([(target.id.clone(), roles)]),
            &sender,
        )
        .ok_or_else(|| ApiError::no_group(&target.id))?;
    let name = cx.world.orgs.get(&target.org).map(|org| org.name.clone()).unwrap_or_default();
    Ok(Reply::value(StatusCode::OK, shapes::org_invitation(&target.org, &name, &invitation)))
}
