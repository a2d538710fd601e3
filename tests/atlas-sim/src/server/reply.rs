//! One answer before it becomes bytes.
//!
//! Owns headers every answer has, alphabetical keys, `pretty` and `envelope` (contract §1.1, §4.2).
//! Must never know which operation answers.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::call::Call;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Box<HeaderMap>,
    pub(crate) content: Content,
}

/// What an answer carries.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// No body at all.
    Nothing,
    /// JSON that `pretty` and `envelope` apply to.
    Json(Value),
    /// Anything else, sent as it is.
    Raw(Bytes),
}

impl Reply {
    /// An answer without a body.
    pub(crate) fn status(status: StatusCode) -> Self {
        Self { status, headers: Box::default(), content: Content::Nothing }
    }

    /// A JSON answer; its media type is set by the API family.
    pub(crate) fn value(status: StatusCode, body: Value) -> Self {
        Self { content: Content::Json(body), ..Self::status(status) }
    }

    /// Sets a header; a value that cannot be one is left out.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Sets a header unless it is there.
    pub(crate) fn default_header(self, name: &'static str, value: &str) -> Self {
        if self.headers.contains_key(name) { self } else { self.header(name, value) }
    }

    /// Sets a JSON body with its media type.
    pub(crate) fn json(mut self, media: &str, body: Value) -> Self {
        self.content = Content::Json(body);
        self.header("content-type", media)
    }

    /// Sets a body that is sent as it is.
    pub(crate) fn raw(mut self, media: &str, body: impl Into<Bytes>) -> Self {
        self.content = Content::Raw(body.into());
        self.header("content-type", media)
    }

    /// The body's bytes for this caller.
    pub(crate) fn bytes(&self, call: &Call) -> Bytes {
        match &self.content {
            Content::Nothing => Bytes::new(),
            Content::Raw(bytes) => bytes.clone(),
            Content::Json(value) => {
                let mut value = sorted(value.clone());
                if call.param("envelope").as_deref() == Some("true") {
                    value = enveloped(value, self.status);
                }
                let text = if call.param("pretty").as_deref() == Some("true") {
                    serde_json::to_vec_pretty(&value)
                } else {
                    serde_json::to_vec(&value)
                };
                text.unwrap_or_default().into()
            }
        }
    }
}

/// Puts keys in alphabetical order at every depth, as the recorded answers have them.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut pairs: Vec<(String, Value)> = object.into_iter().collect();
            pairs.sort_by(|(left, _), (right, _)| left.cmp(right));
            Value::Object(pairs.into_iter().map(|(k, v)| (k, sorted(v))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// Paged lists get `status` beside their results, everything else goes under `content`.
fn enveloped(value: Value, status: StatusCode) -> Value {
    let code = json!(status.as_u16());
    match value {
        Value::Object(mut object) if object.contains_key("results") => {
            object.insert("status".to_owned(), code);
            sorted(Value::Object(object))
        }
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => {
            let mut object = Map::new();
            object.insert("content".to_owned(), other);
            object.insert("status".to_owned(), code);
            Value::Object(object)
        }
    }
}
