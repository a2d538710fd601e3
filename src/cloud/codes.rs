//! The `errorCode`s of MongoDB's APIs, sorted into families that are handled alike.
//!
//! Owns which code belongs where, from the error tables of Atlas, Cloud Manager and Ops Manager. Must never decide what a
//! family means: that depends on the HTTP status, which `error` reads first.

/// What kind of thing an `errorCode` speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// No such invitation, or accepted already.
    InvitationGone,
    /// The separate throttle of invitations.
    Throttled,
    /// The invitation could not be sent; one may exist all the same.
    SendFailed,
    /// A role that cannot be given here.
    Role,
    /// An address that cannot be invited.
    Username,
    /// A person whose attributes an identity provider owns.
    Federated,
    /// The request has the wrong form: a bug of the operator.
    Form,
    /// A limit of users, organizations or projects.
    Limit,
    /// The state of the organization or project.
    State,
    /// The API refuses to cancel.
    DeleteRefused,
    /// The credentials lack a role or membership.
    Permission,
    /// The address is not on an access list.
    AccessList,
    /// Billing.
    Suspended,
    /// A feature, plan or mode that forbids it.
    Forbidden,
    /// The project does not exist, or not for these credentials.
    ProjectMissing,
    /// The project belongs to Atlas.
    UseAtlas,
    /// The project belongs to Cloud Manager or Ops Manager.
    UseCloudManager,
    /// The project belongs to another product than the one asked.
    UseOther,
    /// A person who could not be looked up: look again.
    UserLookup,
    /// Something else that does not exist.
    OtherMissing,
    /// The person is there already.
    AlreadyThere,
    /// Writes are closed for an upgrade.
    Maintenance,
    /// No code, or one that says nothing here.
    Unknown,
}

/// The family of a code.
pub(super) fn family(code: Option<&str>) -> Family {
    let Some(code) = code else { return Family::Unknown };
    match code {
        "INVALID_INVITATION_ID" => Family::InvitationGone,
        "DEFAULT_INVITATION_EXCEPTION" => Family::SendFailed,
        "INVALID_ROLE_FOR_GROUP"
        | "INVALID_ROLE_FOR_ORG"
        | "UNSUPPORTED_ROLE"
        | "ROLE_NEEDS_GROUP_ID"
        | "ROLE_NEEDS_NO_GROUP_ID"
        | "ROLE_NEEDS_ORG_ID"
        | "ROLE_NEEDS_NO_ORG_ID"
        | "CANNOT_ADD_ORG_ROLE"
        | "CANNOT_ADD_GROUP_ROLE"
        | "INVALID_GROUP_ROLE_UPDATE"
        | "INVALID_ENUM_VALUE" => Family::Role,
        "INVALID_USERNAME"
        | "INVALID_EMAIL_ADDRESS"
        | "INVALID_DOMAIN_IN_USERNAME"
        | "DOMAIN_NOT_IN_ALLOW_LIST"
        | "BLOCKED_USERNAME"
        | "BAD_USERNAME_REF"
        | "BAD_USERNAME_IN_GROUP_REF"
        | "INVALID_USER" => Family::Username,
        "FEDERATED_USER_ATTRIBUTES_CANNOT_BE_UPDATED" => Family::Federated,
        "INVALID_ATTRIBUTE"
        | "ATTRIBUTE_READ_ONLY"
        | "MISSING_ATTRIBUTE"
        | "MISSING_ATTRIBUTES"
        | "MISSING_OR_INVALID_ATTRIBUTE"
        | "INVALID_JSON"
        | "INVALID_JSON_ATTRIBUTE"
        | "MALFORMED_JSON"
        | "VALIDATION_ERROR"
        | "INVALID_QUERY_PARAMETER"
        | "INVALID_PATH_PARAMETER"
        | "MUTUALLY_EXCLUSIVE_QUERY_PARAMETERS"
        | "FRACTIONAL_TIMESTAMP"
        | "INVALID_VERSION_DATE" => Family::Form,
        "MAX_USERS_PER_GROUP_EXCEEDED"
        | "MAX_USERS_PER_ORG_EXCEEDED"
        | "MAX_ORGS_PER_USER_EXCEEDED"
        | "MAX_GROUPS_PER_USER_EXCEEDED"
        | "DEFAULT_CONFIG_LIMIT_EXCEPTION" => Family::Limit,
        "INACTIVE_ORG" | "ALREADY_EXPIRED" | "GROUP_MISMATCH" => Family::State,
        "CANNOT_DELETE_GROUP_INVITATION" | "CANNOT_DELETE_ORG_INVITATION" => Family::DeleteRefused,
        "NO_CURRENT_USER"
        | "USER_UNAUTHORIZED"
        | "NOT_IN_GROUP"
        | "NOT_GROUP_USER_ADMIN"
        | "NOT_ORG_GROUP_CREATOR"
        | "NOT_ORG_OWNER"
        | "NOT_ORG_USER_ADMIN"
        | "NOT_ORG_ADMIN"
        | "NOT_USER_ADMIN"
        | "NOT_GLOBAL_USER_ADMIN" => Family::Permission,
        "ACCOUNT_SUSPENDED" => Family::Suspended,
        "ACCESS_FORBIDDEN"
        | "INVITATION_ONLY_MODE_OR_LDAP"
        | "FEATURE_UNSUPPORTED"
        | "USER_ORGS_RESTRICTED"
        | "NO_FREE_TIER_API"
        | "UNSUPPORTED_FOR_CURRENT_CONFIG"
        | "UNSUPPORTED_FOR_CURRENT_PLAN"
        | "CANNOT_DELETE_LAST_ADMIN"
        | "CANNOT_DELETE_LAST_OWNER"
        | "CANNOT_DEMOTE_LAST_OWNER"
        | "CANNOT_REMOVE_ALL_USER_ROLES"
        | "CANNOT_ADD_GLOBAL_ROLE"
        | "ROLES_SPECIFIED_FOR_USER" => Family::Forbidden,
        "RESOURCE_NOT_FOUND" | "GROUP_NOT_FOUND" | "INVALID_GROUP_ID" => Family::ProjectMissing,
        "ATLAS_GROUP" => Family::UseAtlas,
        "NOT_ATLAS_GROUP" | "NOT_ATLAS_ORG" => Family::UseCloudManager,
        "INVALID_ATLAS_GROUP" => Family::UseOther,
        "INVALID_USER_ID" | "USER_NOT_FOUND" | "USERNAME_NOT_FOUND" | "USER_NOT_IN_GROUP" | "USER_NOT_IN_ORG" => {
            Family::UserLookup
        }
        "CANNOT_ADD_PENDING_USER" | "ORG_NOT_FOUND" => Family::OtherMissing,
        "WRITES_NOT_ALLOWED_DURING_APP_UPGRADES" => Family::Maintenance,
        other => family_by_part(other),
    }
}

/// Codes of which MongoDB has, or had, several spellings.
fn family_by_part(code: &str) -> Family {
    if code.ends_with("RATE_LIMITED_IP") {
        Family::Throttled
    } else if code.starts_with("USER_ALREADY_") {
        Family::AlreadyThere
    } else if code.starts_with("USER_CANNOT_ACCESS_") {
        Family::Permission
    } else if code.contains("ACCESS_LIST") || code.contains("WHITELIST") {
        Family::AccessList
    } else {
        Family::Unknown
    }
}
