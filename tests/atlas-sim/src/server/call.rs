//! One request as the handlers see it.
//!
//! Owns access to headers and query parameters. Must never interpret a body.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::api_error::ApiError;

/// A received request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Number in the request log, from 1.
    pub(crate) number: u64,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Raw query, without the question mark.
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) peer: IpAddr,
}

impl Call {
    /// The request target: path and query exactly as sent, which digest signs (contract §5.1).
    pub(crate) fn target(&self) -> String {
        self.query.as_ref().map_or_else(|| self.path.clone(), |query| format!("{}?{query}", self.path))
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All values of a query parameter, in order.
    pub(crate) fn params(&self, name: &str) -> Vec<String> {
        form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    /// The first value of a query parameter.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        self.params(name).into_iter().next()
    }

    /// A boolean query parameter.
    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        match self.param(name).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(invalid(name)),
        }
    }

    /// A numeric query parameter between two bounds.
    pub(crate) fn integer(&self, name: &str, default: usize, lowest: usize, highest: usize) -> Result<usize, ApiError> {
        let Some(text) = self.param(name) else {
            return Ok(default);
        };
        text.parse().ok().filter(|number| (lowest..=highest).contains(number)).ok_or_else(|| invalid(name))
    }

    /// A form attribute of the body.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(&self.body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// A query parameter has a value it cannot have.
pub(crate) fn invalid(name: &str) -> ApiError {
    let mut error = ApiError::bad(
        "INVALID_QUERY_PARAMETER",
        format!("An invalid value was specified for the query parameter {name}."),
        name,
    );
    error.status = StatusCode::BAD_REQUEST;
    error
}
