//! Products and the roles each of them knows.
//!
//! Owns the role tables of contract §7. Must never be copied by the operator, which treats roles as
//! open strings because the list keeps growing.

use serde::{Deserialize, Serialize};

/// The product a project lives in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Product {
    /// Atlas, served under `/api/atlas/v2`.
    #[default]
    Atlas,
    /// Cloud Manager, served under `/api/public/v1.0` of the same host as Atlas.
    CloudManager,
    /// Ops Manager, served under `/api/public/v1.0` of a host of its own.
    OpsManager,
}

/// Roles every product has.
const COMMON: [&str; 5] = [
    "GROUP_OWNER",
    "GROUP_READ_ONLY",
    "GROUP_DATA_ACCESS_ADMIN",
    "GROUP_DATA_ACCESS_READ_WRITE",
    "GROUP_DATA_ACCESS_READ_ONLY",
];

/// Roles only Atlas has: six of the legacy enum and fifteen that came in 2026.
const ATLAS: [&str; 21] = [
    "GROUP_CLUSTER_MANAGER",
    "GROUP_SEARCH_INDEX_EDITOR",
    "GROUP_STREAM_PROCESSING_OWNER",
    "GROUP_BACKUP_MANAGER",
    "GROUP_OBSERVABILITY_VIEWER",
    "GROUP_DATABASE_ACCESS_ADMIN",
    "GROUP_REPLICA_SET_MANAGER",
    "GROUP_CLUSTER_CREATOR",
    "GROUP_CLUSTER_LOG_VIEWER",
    "GROUP_CLUSTER_RESILIENCE_TESTER",
    "GROUP_ACCESS_MANAGER",
    "GROUP_BACKUP_CREATOR",
    "GROUP_BACKUP_RECOVERY_OPERATOR",
    "GROUP_BACKUP_EXPORT_OPERATOR",
    "GROUP_NETWORK_ACCESS_MANAGER",
    "GROUP_TRIGGER_MANAGER",
    "GROUP_INDEX_MANAGER",
    "GROUP_REAL_TIME_PERFORMANCE_OPERATOR",
    "GROUP_SUPPORT_ACCESS_MANAGER",
    "GROUP_ALERTS_MANAGER",
    "GROUP_MODEL_OWNER",
];

/// Roles only Cloud Manager and Ops Manager have.
const CLASSIC: [&str; 4] =
    ["GROUP_AUTOMATION_ADMIN", "GROUP_BACKUP_ADMIN", "GROUP_MONITORING_ADMIN", "GROUP_USER_ADMIN"];

const ORGANIZATION: [&str; 7] = [
    "ORG_OWNER",
    "ORG_MEMBER",
    "ORG_GROUP_CREATOR",
    "ORG_BILLING_ADMIN",
    "ORG_BILLING_READ_ONLY",
    "ORG_STREAM_PROCESSING_ADMIN",
    "ORG_READ_ONLY",
];

/// What a name given as a project role turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoleKind {
    /// A project role of this product.
    Project,
    /// A project role of another product.
    OtherProduct,
    /// An organisation role.
    Organization,
    /// Nothing any product knows.
    Unknown,
}

/// Sorts a name into what it is for a product.
pub(crate) fn classify(product: Product, role: &str) -> RoleKind {
    let (own, other): (&[&str], &[&str]) = match product {
        Product::Atlas => (&ATLAS, &CLASSIC),
        Product::CloudManager | Product::OpsManager => (&CLASSIC, &ATLAS),
    };
    if COMMON.contains(&role) || own.contains(&role) {
        RoleKind::Project
    } else if other.contains(&role) {
        RoleKind::OtherProduct
    } else if ORGANIZATION.contains(&role) {
        RoleKind::Organization
    } else {
        RoleKind::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atlas_has_26_project_roles_and_the_classic_products_9() {
        assert_eq!(COMMON.len() + ATLAS.len(), 26);
        assert_eq!(COMMON.len() + CLASSIC.len(), 9);
    }
}
