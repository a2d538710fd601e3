//! Calls that may be repeated: signed, and sent again once where the signature was not at fault.
//!
//! Owns the two ways to sign. Digest: an unsigned read of the same address brings the challenge, one signed request answers
//! it. Bearer: a refused token is dropped, one more is fetched, the call is made once more. Must never carry a create.

use super::digest::{Challenge, fresh_cnonce};
use super::endpoint::request_target;
use super::error::is_about_permission;
use super::http_api::{Auth, HttpApi};
use super::limits::Tally;
use super::oauth::TokenSource;
use super::transport::{Answer, Line, OBJECT_LIMIT, Outgoing, unavailable};
use crate::domain::failure::{Failure, FailureKind};
use http::{HeaderValue, Method, StatusCode};
use secrecy::SecretString;
use tokio::time::Instant;
use url::Url;

/// A call without its signature; method and media types are those of the tally's endpoint.
#[derive(Clone)]
pub(super) struct Repeatable {
    pub(super) url: Url,
    pub(super) content: Option<Vec<u8>>,
    pub(super) limit: usize,
}

impl HttpApi {
    /// Makes the call and returns its answer, whatever the status.
    ///
    /// # Errors
    /// No answer, no token, or a demand for authentication that cannot be met.
    pub(super) async fn repeatable(
        &self,
        tally: &mut Tally,
        call: Repeatable,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        match &self.auth {
            Auth::Digest { public_key, private_key } => {
                self.with_digest(tally, call, deadline, public_key, private_key).await
            }
            Auth::Bearer(tokens) => self.with_token(tally, call, deadline, tokens).await,
        }
    }

    async fn with_digest(
        &self,
        tally: &mut Tally,
        call: Repeatable,
        deadline: Instant,
        public_key: &str,
        private_key: &SecretString,
    ) -> Result<Answer, Failure> {
        let method = tally.endpoint().method();
        let first = self.unsigned_read(tally, &call.url, call.limit, deadline).await?;
        if first.status != StatusCode::UNAUTHORIZED {
            // A server that asks for no credentials has answered a read already; what acts is still to be sent.
            if method == Method::GET || !first.status.is_success() {
                return Ok(first);
            }
            return self.signed(tally, &call, deadline, None).await;
        }
        let challenge = Challenge::strongest(&first.headers).ok_or_else(no_usable_challenge)?;
        let authorization = answered(&challenge, public_key, private_key, &method, &call.url)?;
        let answer = self.signed(tally, &call, deadline, Some(authorization)).await?;
        match stale_challenge(&answer) {
            None => Ok(answer),
            Some(fresh) => {
                let authorization = answered(&fresh, public_key, private_key, &method, &call.url)?;
                self.signed(tally, &call, deadline, Some(authorization)).await
            }
        }
    }

    async fn with_token(
        &self,
        tally: &mut Tally,
        call: Repeatable,
        deadline: Instant,
        tokens: &TokenSource,
    ) -> Result<Answer, Failure> {
        let token = tokens.current(&self.transport, self.calls.as_ref(), deadline).await?;
        let answer = self.signed(tally, &call, deadline, Some(token.header.clone())).await?;
        if answer.status != StatusCode::UNAUTHORIZED || is_about_permission(&answer) {
            return Ok(answer);
        }
        tokens.refused(&token).await;
        let token = tokens.current(&self.transport, self.calls.as_ref(), deadline).await?;
        self.signed(tally, &call, deadline, Some(token.header.clone())).await
    }

    async fn signed(
        &self,
        tally: &mut Tally,
        call: &Repeatable,
        deadline: Instant,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, Failure> {
        let media_type = self.routes.media_type(tally.endpoint());
        let outgoing = Outgoing {
            method: tally.endpoint().method(),
            url: call.url.clone(),
            accept: media_type,
            authorization,
            content: call.content.clone().map(|body| (media_type, body)),
        };
        tally.sent();
        let answer = self.transport.exchange(Line::Pooled, outgoing, call.limit, deadline).await?;
        tally.seen(&answer);
        Ok(answer)
    }

    /// A read without credentials: changes nothing, and brings the challenge.
    pub(super) async fn unsigned_read(
        &self,
        tally: &mut Tally,
        url: &Url,
        limit: usize,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        let outgoing = Outgoing {
            method: Method::GET,
            url: url.clone(),
            accept: self.routes.media_type(tally.endpoint()),
            authorization: None,
            content: None,
        };
        tally.sent();
        let answer = self.transport.exchange(Line::Pooled, outgoing, limit.max(OBJECT_LIMIT), deadline).await?;
        tally.seen(&answer);
        Ok(answer)
    }
}

/// The challenge of a 401 that is about the nonce: the request was not acted on, and the credentials were not judged.
pub(super) fn stale_challenge(answer: &Answer) -> Option<Challenge> {
    if answer.status != StatusCode::UNAUTHORIZED {
        return None;
    }
    Challenge::strongest(&answer.headers).filter(Challenge::is_stale)
}

/// Signs one request.
pub(super) fn answered(
    challenge: &Challenge,
    public_key: &str,
    private_key: &SecretString,
    method: &Method,
    url: &Url,
) -> Result<HeaderValue, Failure> {
    let cnonce = fresh_cnonce().ok_or_else(|| unavailable("the system's random generator failed"))?;
    challenge
        .answer(public_key, private_key, method, &request_target(url), &cnonce)
        .ok_or_else(|| unavailable("the challenge of the API cannot be answered"))
}

pub(super) fn no_usable_challenge() -> Failure {
    let message = "API answered 401 and asks for no digest (MD5 or SHA-256): does it take API keys, is baseUrl right?";
    Failure { kind: FailureKind::CredentialsRejected, message: message.to_owned() }
}
