//! What a caller may do.
//!
//! Owns the order of checks on a project or an organisation: well-formed, exists, caller belongs,
//! right product, right role. A missing permission is always 401 (contract §3).

use crate::{
    api_error::ApiError, auth::Caller, endpoint::Family, ids::is_object_id, roles::Product, seed::CredentialKind,
    world::World,
};

/// What an operation asks of its caller in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Any project role.
    ReadOnly,
    /// `GROUP_OWNER`.
    Owner,
    /// `GROUP_ACCESS_MANAGER`, or owner.
    AccessManager,
    /// `GROUP_USER_ADMIN`, or owner.
    UserAdmin,
}

/// What an operation asks of its caller in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrgNeed {
    /// Any organisation role.
    Member,
    /// `ORG_OWNER`.
    Owner,
}

/// A project a caller may use.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) org: String,
    pub(crate) product: Product,
}

/// Lets a caller into a project.
pub(crate) fn project(
    world: &World,
    caller: &Caller,
    family: Family,
    id: &str,
    need: Need,
) -> Result<Target, ApiError> {
    if !is_object_id(id) {
        return Err(ApiError::missing("INVALID_GROUP_ID", format!("An invalid group ID {id} was specified."), id));
    }
    let project = world.projects.get(id).ok_or_else(|| ApiError::no_group(id))?;
    let roles = caller.known.project_roles(&project.id, &project.org);
    let ops_manager_token =
        project.product == Product::OpsManager && caller.known.credential.kind == CredentialKind::ServiceAccount;
    if roles.is_empty() || ops_manager_token {
        return Err(ApiError::not_permitted(
            "NOT_IN_GROUP",
            "The current user is not in the group, or the group does not exist.",
        ));
    }
    match (family, project.product) {
        (Family::AtlasV2 | Family::AtlasV1, Product::CloudManager | Product::OpsManager) => {
            return Err(ApiError::missing(
                "NOT_ATLAS_GROUP",
                format!(
                    "Group {id} is not an Atlas group; use the Cloud Manager Public API at /api/public/v1.0 to access it."
                ),
                id,
            ));
        }
        (Family::Classic, Product::Atlas) => {
            return Err(ApiError::missing(
                "ATLAS_GROUP",
                format!("Group {id} is an Atlas group; use the Atlas Public API at /api/atlas/v2 to access it."),
                id,
            ));
        }
        _ => {}
    }
    let wanted: &[&str] = match need {
        Need::ReadOnly => &[],
        Need::Owner => &["GROUP_OWNER"],
        Need::AccessManager => &["GROUP_ACCESS_MANAGER", "GROUP_OWNER"],
        Need::UserAdmin => &["GROUP_USER_ADMIN", "GROUP_OWNER"],
    };
    if !wanted.is_empty() && !roles.iter().any(|role| wanted.contains(&role.as_str())) {
        return Err(match need {
            Need::UserAdmin => ApiError::not_permitted(
                "NOT_GROUP_USER_ADMIN",
                "The current user does not have the Project User Admin role for this group.",
            ),
            Need::ReadOnly | Need::Owner | Need::AccessManager => ApiError::not_permitted(
                "USER_CANNOT_ACCESS_GROUP",
                format!("The current user may not do this in group {id}."),
            ),
        });
    }
    Ok(Target {
        id: project.id.clone(),
        name: project.name.clone(),
        org: project.org.clone(),
        product: project.product,
    })
}

/// Lets a caller into an organisation and returns its name.
pub(crate) fn organization(world: &World, caller: &Caller, id: &str, need: OrgNeed) -> Result<String, ApiError> {
    let org = world
        .orgs
        .get(id)
        .ok_or_else(|| ApiError::missing("ORG_NOT_FOUND", format!("No organization with ID {id} exists."), id))?;
    let roles = caller.known.org_roles(id);
    let below = caller.known.all_grants().keys().any(|key| world.projects.get(key).is_some_and(|p| p.org == id));
    if roles.is_empty() && !(below && need == OrgNeed::Member) {
        return Err(ApiError::not_permitted(
            "USER_CANNOT_ACCESS_ORG",
            format!("The current user is not in organization {id}."),
        ));
    }
    if need == OrgNeed::Owner && !roles.iter().any(|role| role == "ORG_OWNER") {
        return Err(ApiError::not_permitted(
            "NOT_ORG_OWNER",
            "The current user does not have the Organization Owner role.",
        ));
    }
    Ok(org.name.clone())
}
