//! Bodies of the legacy Atlas answers.
//!
//! Owns field names and their presence (contract §1.1, §1.3). `links` is absent from invitations, as
//! recorded. Must never decide.

use serde_json::{Value, json};

use crate::{
    auth::permit::Target,
    world::invitations::{Invitation, OrgInvitation},
};

/// A project invitation; Cloud Manager and Ops Manager have the same shape (§1.4).
pub(crate) fn invitation(target: &Target, invitation: &Invitation) -> Value {
    json!({
        "createdAt": invitation.created.to_string(),
        "expiresAt": invitation.expires.to_string(),
        "groupId": target.id,
        "groupName": target.name,
        "id": invitation.id,
        "inviterUsername": invitation.inviter,
        "roles": invitation.roles,
        "username": invitation.username,
    })
}

/// An organisation invitation.
pub(crate) fn org_invitation(org: &str, name: &str, invitation: &OrgInvitation) -> Value {
    let groups: Vec<Value> =
        invitation.groups.iter().map(|(group, roles)| json!({"groupId": group, "roles": roles})).collect();
    json!({
        "createdAt": invitation.created.to_string(),
        "expiresAt": invitation.expires.to_string(),
        "groupRoleAssignments": groups,
        "id": invitation.id,
        "inviterUsername": invitation.inviter,
        "orgId": org,
        "orgName": name,
        "roles": invitation.roles,
        "teamIds": invitation.team_ids,
        "username": invitation.username,
    })
}
