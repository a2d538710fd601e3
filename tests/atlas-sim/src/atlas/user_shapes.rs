//! People as the 2025-02-19 users API shows them.
//!
//! Owns the bodies discriminated by `orgMembershipStatus` (contract §1.2, §1.3). Must never decide
//! who is shown.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{invitations::Pending, people::Account};

/// Where a person stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Active,
    Pending,
    Expired,
    Rejected,
}

impl Standing {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Active, Self::Pending, Self::Expired, Self::Rejected];

    /// The name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Pending => "PENDING",
            Self::Expired => "INVITATION_EXPIRED",
            Self::Rejected => "INVITATION_REJECTED",
        }
    }

    /// Where an invited person stands now.
    pub(crate) fn of(pending: &Pending, now: Timestamp) -> Self {
        if pending.rejected {
            Self::Rejected
        } else if pending.expires <= now {
            Self::Expired
        } else {
            Self::Pending
        }
    }
}

/// A member; `roles` is what the surrounding resource has there.
pub(crate) fn active(account: &Account, roles: Value) -> Value {
    let mut body = json!({
        "country": "IE",
        "createdAt": account.created.to_string(),
        "firstName": account.first_name,
        "id": account.id,
        "lastAuth": account.created.to_string(),
        "lastName": account.last_name,
        "mobileNumber": null,
        "orgMembershipStatus": Standing::Active.name(),
        "username": account.username,
    });
    put(&mut body, "roles", roles);
    body
}

/// An invited person.
pub(crate) fn invited(pending: &Pending, standing: Standing, roles: Value) -> Value {
    let expires = match standing {
        Standing::Rejected => Value::Null,
        Standing::Active | Standing::Pending | Standing::Expired => {
            json!(pending.expires.to_string())
        }
    };
    let mut body = json!({
        "id": pending.id,
        "invitationCreatedAt": pending.created.to_string(),
        "invitationExpiresAt": expires,
        "inviterUsername": pending.inviter,
        "orgMembershipStatus": standing.name(),
        "username": pending.username,
    });
    put(&mut body, "roles", roles);
    body
}

/// Roles of a person in an organisation.
pub(crate) fn org_roles(roles: &[String], groups: &BTreeMap<String, Vec<String>>) -> Value {
    let groups: Vec<Value> =
        groups.iter().map(|(group, roles)| json!({"groupId": group, "groupRoles": roles})).collect();
    json!({"groupRoleAssignments": groups, "orgRoles": roles})
}

fn put(body: &mut Value, name: &str, value: Value) {
    if let Some(object) = body.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}
