//! What an API says about an answer that is no success: `ApiError` in both of its generations.
//!
//! Owns the leniency: any field may be missing, `null` or of another type, and a code may come in a header instead. Must
//! never take a page of a proxy for the API's own words.

use super::invitation::object;
use crate::cloud::limits;
use crate::cloud::transport::{Answer, Body};
use crate::domain::bucket::Shape;
use serde::Deserialize;
use serde_json::Value;
use std::net::IpAddr;
use std::time::Duration;

/// A bucket that claims to fill more slowly is taken for one that fills in a day.
const LONGEST_FILL: Duration = Duration::from_secs(24 * 3600);

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiError {
    error: Option<Value>,
    error_code: Option<Value>,
    detail: Option<Value>,
    reason: Option<Value>,
    parameters: Option<Value>,
    bad_request_detail: Option<Value>,
}

/// An error as far as it could be read.
pub(in crate::cloud) struct Problem {
    code: Option<String>,
    detail: Option<String>,
    parameters: Vec<Value>,
    is_the_apis: bool,
}

impl Problem {
    /// Reads body and headers of an answer; what is not there is missing.
    pub(in crate::cloud) fn read(answer: &Answer) -> Self {
        let body: Option<ApiError> = match &answer.body {
            Body::Whole(bytes) => object(bytes).ok(),
            Body::Oversized | Body::Broken => None,
        };
        let header = answer.headers.get("x-error-code").and_then(|value| value.to_str().ok());
        let body = body.unwrap_or_default();
        let in_body = text(body.error_code.as_ref()).and_then(|code| usable_code(&code));
        let code = in_body.or_else(|| header.and_then(usable_code));
        // Gateways write JSON too, with a word in `error` where the API has a number.
        let is_the_apis = code.is_some() || body.error.as_ref().is_some_and(Value::is_number);
        Self {
            code,
            detail: detail(&body).filter(|_| is_the_apis),
            is_the_apis,
            parameters: match body.parameters {
                Some(Value::Array(parameters)) => parameters,
                Some(_) | None => Vec::new(),
            },
        }
    }

    /// The `errorCode`, of body or header.
    pub(in crate::cloud) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The API's own words, as they came: to be cleaned before anybody sees them, and never logged.
    pub(in crate::cloud) fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Whether the answer has anything of an `ApiError`, so that it was the API that answered.
    pub(in crate::cloud) fn is_the_apis(&self) -> bool {
        self.is_the_apis
    }

    /// The wait that `RATE_LIMITED_TOKEN_BUCKET` names as its second parameter, in seconds.
    pub(in crate::cloud) fn wait(&self) -> Option<Duration> {
        (self.code() == Some("RATE_LIMITED_TOKEN_BUCKET"))
            .then(|| self.parameters.get(1).and_then(Value::as_u64))
            .flatten()
            .map(limits::bounded_wait)
    }

    /// The bucket that `RATE_LIMITED_TOKEN_BUCKET` describes: capacity, refill and the seconds of the refill are its last
    /// three parameters.
    pub(in crate::cloud) fn bucket(&self) -> Option<Shape> {
        if self.code() != Some("RATE_LIMITED_TOKEN_BUCKET") {
            return None;
        }
        let number = |place: usize| u32::try_from(self.parameters.get(place)?.as_u64()?).ok().filter(|told| *told > 0);
        let (capacity, refill, seconds) = (number(2)?, number(3)?, number(4)?);
        let fill = Duration::from_secs(seconds.into()).checked_mul(capacity)? / refill;
        Some(Shape { capacity, fill: fill.min(LONGEST_FILL) })
    }

    /// The first address in the parameters, else in the detail.
    pub(in crate::cloud) fn address(&self) -> Option<IpAddr> {
        let in_parameters = self.parameters.iter().filter_map(Value::as_str).find_map(|text| text.trim().parse().ok());
        in_parameters.or_else(|| {
            self.detail()?
                .split(|c: char| c.is_whitespace() || "(),;\"'".contains(c))
                .find_map(|word| word.trim_end_matches('.').parse().ok())
        })
    }
}

/// The detail, else the reason, and the fields that a validation names.
fn detail(body: &ApiError) -> Option<String> {
    let said = text(body.detail.as_ref()).or_else(|| text(body.reason.as_ref()));
    let fields: Vec<String> = body
        .bad_request_detail
        .as_ref()
        .and_then(|detail| detail.get("fields")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(|field| Some(format!("{}: {}", field.get("field")?.as_str()?, field.get("description")?.as_str()?)))
        .collect();
    match (said, fields.is_empty()) {
        (said, true) => said,
        (None, false) => Some(fields.join(", ")),
        (Some(said), false) => Some(format!("{said} ({})", fields.join(", "))),
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

/// Codes become part of messages, so they must look like codes.
fn usable_code(code: &str) -> Option<String> {
    let code = code.trim();
    let valid = (1..=100).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && code.bytes().any(|b| b.is_ascii_uppercase());
    valid.then(|| code.to_owned())
}
