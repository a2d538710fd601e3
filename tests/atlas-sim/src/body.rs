//! Strict reading of request bodies.
//!
//! Owns the refusal of malformed JSON, of attributes the API does not know and of those it only
//! ever sends (contract §4.3). Must never default what a client left out.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::{
    api_error::ApiError,
    roles::{Product, RoleKind, classify},
    server::call::Call,
};

/// Attributes an invitation answer has and a request must not have.
const READ_ONLY: [&str; 9] =
    ["createdAt", "expiresAt", "groupId", "groupName", "id", "inviterUsername", "links", "orgId", "orgName"];

/// The body's object with nothing but the allowed attributes.
pub(crate) fn object(call: &Call, allowed: &[&str]) -> Result<Map<String, Value>, ApiError> {
    let malformed = || ApiError::new(StatusCode::BAD_REQUEST, "MALFORMED_JSON", "Received JSON is malformed.");
    let value: Value = serde_json::from_slice(&call.body).map_err(|_| malformed())?;
    let Value::Object(object) = value else {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "INVALID_JSON",
            "Received JSON does not match expected format.",
        ));
    };
    if let Some(name) = object.keys().find(|name| !allowed.contains(&name.as_str())) {
        return Err(if READ_ONLY.contains(&name.as_str()) {
            ApiError::bad(
                "ATTRIBUTE_READ_ONLY",
                format!("The attribute {name} is read-only and cannot be changed by the user."),
                name,
            )
        } else {
            ApiError::bad("INVALID_ATTRIBUTE", format!("Invalid attribute {name} specified."), name)
        });
    }
    Ok(object)
}

/// A required text attribute.
pub(crate) fn text(object: &Map<String, Value>, name: &str) -> Result<String, ApiError> {
    match object.get(name) {
        None | Some(Value::Null) => Err(absent(name)),
        Some(Value::String(text)) if text.is_empty() => Err(absent(name)),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(mistyped(name)),
    }
}

/// A required e-mail address.
pub(crate) fn username(object: &Map<String, Value>) -> Result<String, ApiError> {
    let username = text(object, "username")?;
    if is_address(&username) {
        Ok(username)
    } else {
        Err(ApiError::bad(
            "INVALID_USERNAME",
            format!("The specified username {username} is not a valid email address."),
            &username,
        ))
    }
}

/// A list of texts, without repetitions; `None` when the attribute is absent.
pub(crate) fn texts(object: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, ApiError> {
    let Some(value) = object.get(name).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let items = value.as_array().ok_or_else(|| mistyped(name))?;
    let mut texts = Vec::new();
    for item in items {
        let text = item.as_str().ok_or_else(|| mistyped(name))?.to_owned();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    Ok(Some(texts))
}

/// A required, non-empty list of roles of a project of this product.
pub(crate) fn project_roles(
    object: &Map<String, Value>,
    name: &str,
    product: Product,
    group: &str,
) -> Result<Vec<String>, ApiError> {
    let roles = texts(object, name)?.filter(|roles| !roles.is_empty()).ok_or_else(|| absent(name))?;
    for role in &roles {
        project_role(role, product, group)?;
    }
    Ok(roles)
}

/// Refuses a name that is no role of a project of this product.
pub(crate) fn project_role(role: &str, product: Product, group: &str) -> Result<(), ApiError> {
    match classify(product, role) {
        RoleKind::Project => Ok(()),
        RoleKind::OtherProduct | RoleKind::Organization => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "INVALID_ROLE_FOR_GROUP",
            format!("Role {role} is invalid for group {group}."),
        )
        .with([json!(role), json!(group)])),
        RoleKind::Unknown => Err(ApiError::bad(
            "INVALID_ENUM_VALUE",
            format!("An invalid enumeration value {role} was specified."),
            role,
        )),
    }
}

/// A required, non-empty list of organisation roles.
pub(crate) fn org_roles(object: &Map<String, Value>, name: &str, org: &str) -> Result<Vec<String>, ApiError> {
    let roles = texts(object, name)?.filter(|roles| !roles.is_empty()).ok_or_else(|| absent(name))?;
    for role in &roles {
        org_role(role, org)?;
    }
    Ok(roles)
}

/// Refuses a name that is no organisation role.
pub(crate) fn org_role(role: &str, org: &str) -> Result<(), ApiError> {
    match classify(Product::Atlas, role) {
        RoleKind::Organization => Ok(()),
        RoleKind::Project | RoleKind::OtherProduct => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "INVALID_ROLE_FOR_ORG",
            format!("Role {role} is invalid for organization {org}."),
        )
        .with([json!(role), json!(org)])),
        RoleKind::Unknown => Err(ApiError::bad(
            "INVALID_ENUM_VALUE",
            format!("An invalid enumeration value {role} was specified."),
            role,
        )),
    }
}

/// A required attribute is not there.
pub(crate) fn absent(name: &str) -> ApiError {
    ApiError::bad("MISSING_ATTRIBUTE", format!("The required attribute {name} was not specified."), name)
}

/// An attribute has the wrong type.
pub(crate) fn mistyped(name: &str) -> ApiError {
    ApiError::bad(
        "INVALID_JSON_ATTRIBUTE",
        format!("Received JSON for the {name} attribute does not match expected format."),
        name,
    )
}

/// Whether a text looks like an address: something, `@`, and a domain with a dot.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    !local.is_empty()
        && !local.contains('@')
        && text.len() <= 254
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
}
