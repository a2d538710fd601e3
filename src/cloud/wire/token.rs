//! The token endpoint on the wire: a token, or an error that is not an `ApiError`.
//!
//! Owns the two shapes of that error: OAuth's, whose `error` is a word, and `ApiError`, which rate limits have. Must never
//! implement `Debug`: the answer is a credential.

use super::Unreadable;
use super::invitation::object;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

/// A token as answered.
#[derive(Deserialize)]
pub(in crate::cloud) struct TokenAnswer {
    access_token: Option<String>,
    expires_in: Option<Value>,
    token_type: Option<String>,
}

impl TokenAnswer {
    /// The token and its life in seconds, where the answer says it.
    pub(in crate::cloud) fn read(body: &[u8]) -> Result<(SecretString, Option<u64>), Unreadable> {
        let answer: Self = object(body)?;
        if answer.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(Unreadable("the token is not a bearer token"));
        }
        let token: SecretString =
            answer.access_token.map(Into::into).ok_or(Unreadable("the answer has no access_token"))?;
        let seconds = match answer.expires_in {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
        };
        Ok((token, seconds))
    }
}

/// OAuth's own error.
#[derive(Default, Deserialize)]
struct TokenError {
    error: Option<Value>,
    error_description: Option<Value>,
}

/// The word of an OAuth error and its description; nothing where the body is another.
pub(in crate::cloud) fn read_error(body: &[u8]) -> (Option<String>, Option<String>) {
    let error: TokenError = object(body).unwrap_or_default();
    let text = |value: Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
    let word =
        text(error.error).filter(|word| word.len() <= 64 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
    (word, text(error.error_description))
}
