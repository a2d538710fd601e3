//! Refusals as the API words them.
//!
//! Owns the `ApiError` shape of contract §4.1 and the texts of the codes in §3. Must never carry an
//! OAuth error, whose `error` is a string.

use http::StatusCode;
use serde_json::{Value, json};

use crate::server::reply::Reply;

/// A refusal with its code.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: Option<String>,
    pub(crate) detail: String,
    pub(crate) parameters: Vec<Value>,
    pub(crate) retry_after: Option<u64>,
}

impl ApiError {
    /// A refusal without parameters.
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self { status, code: Some(code.to_owned()), detail: detail.into(), parameters: Vec::new(), retry_after: None }
    }

    /// The same with parameters.
    pub(crate) fn with<const N: usize>(mut self, parameters: [Value; N]) -> Self {
        self.parameters = parameters.into();
        self
    }

    /// A 400 about one named thing, which is also its parameter.
    pub(crate) fn bad(code: &str, detail: impl Into<String>, about: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail).with([json!(about)])
    }

    /// A 404 about one named thing, which is also its parameter.
    pub(crate) fn missing(code: &str, detail: impl Into<String>, about: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail).with([json!(about)])
    }

    /// A 401 for a missing permission: this API never uses 403 for it (§3).
    pub(crate) fn not_permitted(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
    }

    /// The wrong or missing second leg of an authentication.
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNEXPECTED_ERROR", "You are not authorized for this resource.")
    }

    /// No such path.
    pub(crate) fn no_resource(path: &str) -> Self {
        Self::missing("RESOURCE_NOT_FOUND", format!("Cannot find resource {path}."), path)
    }

    /// No such project; recorded wording (§4.1).
    pub(crate) fn no_group(id: &str) -> Self {
        Self::missing("GROUP_NOT_FOUND", format!("No group with ID {id} exists."), id)
    }

    /// The HTTP answer.
    pub(crate) fn reply(&self) -> Reply {
        // Recorded answers have `null` there, too (contract §4.1).
        let unexpected = self.code.as_deref() == Some("UNEXPECTED_ERROR") && self.parameters.is_empty();
        let parameters = if unexpected { Value::Null } else { Value::Array(self.parameters.clone()) };
        let mut body = json!({
            "detail": self.detail,
            "error": self.status.as_u16(),
            "parameters": parameters,
            "reason": self.status.canonical_reason().unwrap_or_default(),
        });
        let mut reply = Reply::status(self.status);
        if let Some(code) = &self.code {
            if let Some(object) = body.as_object_mut() {
                object.insert("errorCode".to_owned(), json!(code));
            }
            reply = reply.header("x-error-code", code);
        }
        if let Some(seconds) = self.retry_after {
            reply = reply.header("retry-after", &seconds.to_string());
        }
        reply.json("application/json", body)
    }
}
