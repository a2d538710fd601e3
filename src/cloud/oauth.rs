//! Tokens of service accounts (OAuth 2.0 client credentials).
//!
//! Owns the one token that a credential has at a time: fetched by one caller while the others wait, renewed at two thirds of
//! its life by monotonic time, dropped when an API refuses it. A service account may have 100 live tokens, so callers
//! share a [`TokenCache`]. Must never show a token, and never keep one longer than its users live.

use super::endpoint::Endpoint;
use super::limits::{self, Calls, Tally};
use super::message::{bounded, compose};
use super::room::Limits;
use super::transport::{Answer, Body, Line, OBJECT_LIMIT, Outgoing, Transport, host_of, unavailable};
use super::wire::token::{TokenAnswer, read_error};
use crate::domain::bucket::Priority;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::limits::{BucketKey, EndpointSet};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use url::Url;
use url::form_urlencoded::byte_serialize;

/// What the documentation gives a token where the answer does not say it.
const USUAL_LIFE: u64 = 3600;
/// A token that claims more is looked at again after this.
const LONGEST_LIFE: u64 = 24 * 3600;
/// After a renewal has failed the old token serves on; the next try comes after this.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// The tokens of a process, one per credential; cloning shares them.
#[derive(Clone, Default)]
pub struct TokenCache {
    slots: Arc<Mutex<HashMap<[u8; 32], Weak<Slot>>>>,
}

impl std::fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenCache(…)")
    }
}

impl TokenCache {
    /// The slot of a credential at an endpoint. Only who knows the whole credential, and trusts the same certificates,
    /// shares it.
    fn slot(&self, url: &Url, client_id: &str, secret: &SecretString, ca_bundle: Option<&[u8]>) -> Arc<Slot> {
        let mut hasher = Sha256::new();
        for part in
            [url.as_str().as_bytes(), client_id.as_bytes(), secret.expose_secret().as_bytes(), ca_bundle.unwrap_or(b"")]
        {
            hasher.update(Sha256::digest(part));
        }
        let key: [u8; 32] = hasher.finalize().into();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| slot.strong_count() > 0);
        if let Some(slot) = slots.get(&key).and_then(Weak::upgrade) {
            return slot;
        }
        let slot = Arc::new(Slot::default());
        slots.insert(key, Arc::downgrade(&slot));
        slot
    }
}

#[derive(Default)]
struct Slot {
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Token>,
    fetched: u64,
    failed: Option<(Instant, Failure)>,
}

/// A token, ready for a header.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    number: u64,
    renew_at: Instant,
    ends_at: Instant,
}

/// Where one credential gets its tokens.
pub(super) struct TokenSource {
    slot: Arc<Slot>,
    url: Url,
    basic: HeaderValue,
    limits: Arc<Limits>,
    bucket: BucketKey,
}

impl TokenSource {
    /// The source of a service account. Id and secret are percent-encoded before Basic, as OAuth 2.0 has it.
    pub(super) fn new(
        cache: &TokenCache,
        url: Url,
        client_id: &str,
        secret: &SecretString,
        ca_bundle: Option<&[u8]>,
        limits: &Arc<Limits>,
    ) -> Result<Self, Failure> {
        let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = STANDARD.encode(format!("{}:{}", encode(client_id), encode(secret.expose_secret())));
        let mut basic = HeaderValue::try_from(format!("Basic {pair}"))
            .map_err(|_| rejected("clientId and clientSecret cannot be sent".to_owned()))?;
        basic.set_sensitive(true);
        let bucket = BucketKey { host: host_of(&url), set: EndpointSet::Token, scope: client_id.to_owned() };
        let slot = cache.slot(&url, client_id, secret, ca_bundle);
        Ok(Self { slot, url, basic, limits: Arc::clone(limits), bucket })
    }

    /// The current token; fetched if there is none or two thirds of its life are over.
    ///
    /// # Errors
    /// What the token endpoint answered; those who waited for the same fetch get the same failure.
    pub(super) async fn current(
        &self,
        transport: &Transport,
        calls: &dyn Calls,
        deadline: Instant,
    ) -> Result<Token, Failure> {
        let asked = Instant::now();
        let Ok(mut state) = timeout_at(deadline, self.slot.state.lock()).await else {
            return Err(unavailable("no token of the service account in time"));
        };
        if let Some(token) = state.current.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(token.clone());
        }
        if let Some((_, failure)) = state.failed.as_ref().filter(|(at, _)| *at >= asked) {
            return Err(failure.clone());
        }
        let number = state.fetched.saturating_add(1);
        match self.fetch(transport, calls, deadline, number).await {
            Ok(token) => {
                state.fetched = number;
                state.failed = None;
                state.current = Some(token.clone());
                Ok(token)
            }
            Err(failure) => {
                let now = Instant::now();
                if let Some(token) = state.current.as_mut().filter(|token| now < token.ends_at) {
                    token.renew_at = token.ends_at.min(now + RENEWAL_PAUSE);
                    return Ok(token.clone());
                }
                state.current = None;
                state.failed = Some((now, failure.clone()));
                Err(failure)
            }
        }
    }

    /// An API refused the token: it is dropped, unless another has taken its place already.
    pub(super) async fn refused(&self, token: &Token) {
        let mut state = self.slot.state.lock().await;
        if state.current.as_ref().is_some_and(|current| current.number == token.number) {
            state.current = None;
        }
    }

    async fn fetch(
        &self,
        transport: &Transport,
        calls: &dyn Calls,
        deadline: Instant,
        number: u64,
    ) -> Result<Token, Failure> {
        let mut tally = Tally::start(Endpoint::Token, None);
        match self.limits.enter(self.bucket.clone(), 1, Priority::First).await {
            Ok(room) => tally.enter(room),
            Err(failure) => return tally.finish(calls, Err(failure)),
        }
        let asked = Instant::now();
        let outgoing = Outgoing {
            method: Method::POST,
            url: self.url.clone(),
            accept: "application/json",
            authorization: Some(self.basic.clone()),
            content: Some(("application/x-www-form-urlencoded", b"grant_type=client_credentials".to_vec())),
        };
        tally.sent();
        let result = match transport.exchange(Line::Pooled, outgoing, OBJECT_LIMIT, deadline).await {
            Ok(answer) => {
                tally.seen(&answer);
                token(&answer, asked, number)
            }
            Err(failure) => Err(failure),
        };
        tally.finish(calls, result)
    }
}

fn token(answer: &Answer, asked: Instant, number: u64) -> Result<Token, Failure> {
    if !answer.status.is_success() {
        return Err(classify(answer));
    }
    let (secret, seconds) = TokenAnswer::read(answer.whole()?)
        .map_err(|problem| unavailable(&format!("the token endpoint's answer cannot be used: {}", problem.0)))?;
    let mut header = HeaderValue::try_from(format!("Bearer {}", secret.expose_secret()))
        .map_err(|_| unavailable("the token endpoint's answer cannot be used: the token has forbidden characters"))?;
    header.set_sensitive(true);
    let life = Duration::from_secs(seconds.unwrap_or(USUAL_LIFE).min(LONGEST_LIFE));
    Ok(Token { header, number, renew_at: asked + life * 2 / 3, ends_at: asked + life })
}

/// The token endpoint's own table: its errors are about the credential or about time, never about a project.
fn classify(answer: &Answer) -> Failure {
    let status = answer.status.as_u16();
    let retry_after = limits::retry_after(&answer.headers);
    let (word, description) = match &answer.body {
        Body::Whole(bytes) => read_error(bytes),
        Body::Oversized | Body::Broken => (None, None),
    };
    let said = description.as_deref().map(bounded);
    let says = |words: &str| said.as_deref().is_some_and(|text| text.to_ascii_lowercase().contains(words));
    let (on_no_list, too_many) = (says("access list"), says("token limit"));
    let (kind, cure) = match status {
        429 => (FailureKind::RateLimited { retry_after }, "too many tokens were asked for"),
        403 if on_no_list => {
            (FailureKind::NotOnAccessList, "add the operator's address to the service account's access list")
        }
        403 if too_many => (
            FailureKind::RateLimited { retry_after },
            "the service account has as many tokens as it may; each ends within an hour",
        ),
        400 | 401 | 403 => {
            (FailureKind::CredentialsRejected, "check clientId and clientSecret in the inviter's Secret")
        }
        404 => (FailureKind::CredentialsRejected, "there is no token endpoint: is baseUrl right?"),
        _ => (FailureKind::Unavailable { retry_after }, "no token of the service account"),
    };
    let detail = if status == 429 || status >= 500 { None } else { said.as_deref() };
    Failure { kind, message: compose(status, word.as_deref(), detail, cure) }
}

fn rejected(message: String) -> Failure {
    Failure { kind: FailureKind::CredentialsRejected, message }
}
