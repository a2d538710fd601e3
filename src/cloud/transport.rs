//! One HTTP exchange: a request out, a bounded answer back, within a deadline.
//!
//! Owns the two clients and what a connection's failure means: before the first byte of a request nothing was sent, after
//! it nobody can tell. Must never repeat, redirect, or keep a connection that sent an invitation; must never put an
//! address of a request into a message, because its query holds a person.

use super::message::bounded;
use super::{base_url, tls};
use crate::domain::failure::{Failure, FailureKind};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::{Certificate, Client, ClientBuilder, Response};
use std::error::Error;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use url::Url;

/// Most bytes of an answer with one object, or of an error.
pub(super) const OBJECT_LIMIT: usize = 1024 * 1024;
/// Most bytes of a list, all pages together.
pub(super) const LIST_LIMIT: usize = 16 * 1024 * 1024;

/// A connection that is not there after this is not coming; shorter than any call's deadline, so that it ends as a definite
/// "not sent".
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// Shorter than the idle time-outs of the servers in use, so that a connection is rarely closed under a request; longer than
/// the six seconds from one invitation to the next under the throttle. Each keeps room for the longest list that it read.
const POOL_IDLE: Duration = Duration::from_secs(8);
const POOL_SIZE: usize = 8;
const USER_AGENT: &str = concat!("invitation-operator/", env!("CARGO_PKG_VERSION"));

/// No call takes longer than this, whatever it is allowed.
const LONGEST_CALL: Duration = Duration::from_secs(600);

/// The moment after so much time; not overflowed by a caller who allows for ever.
pub(super) fn moment_after(time: Duration) -> Instant {
    Instant::now() + time.min(LONGEST_CALL)
}

/// Which connections an exchange uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Kept for other calls: for what may be repeated.
    Pooled,
    /// Made for this request and closed after it: for what e-mails.
    Single,
}

/// A request, ready to go. No `Debug`: it holds credentials and a person.
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) accept: &'static str,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) content: Option<(&'static str, Vec<u8>)>,
}

/// The body of an answer, as far as it is there.
pub(super) enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// More than was allowed.
    Oversized,
    /// The connection broke, or time was up, before its end.
    Broken,
}

/// An answer, whatever its status.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

impl Answer {
    /// The body of a success.
    ///
    /// # Errors
    /// `Unavailable`, if not all of it is there.
    pub(super) fn whole(&self) -> Result<&[u8], Failure> {
        match &self.body {
            Body::Whole(bytes) => Ok(bytes),
            Body::Oversized => Err(unavailable("the answer is larger than any the API is known to give")),
            Body::Broken => Err(unavailable("the answer broke off before its end")),
        }
    }
}

/// A failure after which nobody can tell what the server did.
pub(super) fn unavailable(message: &str) -> Failure {
    Failure { kind: FailureKind::Unavailable { retry_after: None }, message: message.to_owned() }
}

/// Host, and port where it is not the scheme's.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The clients of one base URL.
pub(super) struct Transport {
    pooled: Client,
    single: Client,
    host: String,
}

impl Transport {
    /// Clients that trust the system's certification authorities, or the bundle's and no other.
    ///
    /// # Errors
    /// `TlsFailed`, if the bundle holds no certificate or something that is none.
    pub(super) fn new(base: &Url, ca_bundle: Option<&[u8]>) -> Result<Self, Failure> {
        let bundle = ca_bundle.map(certificates).transpose()?;
        let build = |builder: ClientBuilder| {
            builder.build().map_err(|error| Failure {
                kind: FailureKind::TlsFailed,
                message: format!("no HTTPS client can be made: {}", bounded(&innermost(&error))),
            })
        };
        let pooled = client(base, bundle.as_deref()).pool_idle_timeout(POOL_IDLE).pool_max_idle_per_host(POOL_SIZE);
        let single = client(base, bundle.as_deref()).pool_max_idle_per_host(0);
        Ok(Self { pooled: build(pooled)?, single: build(single)?, host: host_of(base) })
    }

    /// Sends one request and reads its answer up to `limit` bytes, all before `deadline`.
    ///
    /// # Errors
    /// `Unreachable` or `TlsFailed`, if no byte of the request was written; `Unavailable` if one may have been and no
    /// status came back.
    pub(super) async fn exchange(
        &self,
        line: Line,
        outgoing: Outgoing,
        limit: usize,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        let client = match line {
            Line::Pooled => &self.pooled,
            Line::Single => &self.single,
        };
        let mut request = client.request(outgoing.method, outgoing.url).header(header::ACCEPT, outgoing.accept);
        if line == Line::Single {
            request = request.header(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(authorization) = outgoing.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some((media_type, body)) = outgoing.content {
            request = request.header(header::CONTENT_TYPE, media_type).body(body);
        }
        let response = match timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.failure(error)),
            Err(_) => return Err(unavailable(&format!("{} did not answer in time", self.host))),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let body = timeout_at(deadline, read(response, limit)).await.unwrap_or(Body::Broken);
        Ok(Answer { status, headers, body })
    }

    fn failure(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        if !error.is_connect() && !error.is_builder() {
            return unavailable(&format!("the connection to {} broke before the answer was there", self.host));
        }
        if let Some(problem) = tls::problem(&error) {
            let message = format!("no trusted connection to {}: {problem}", self.host);
            return Failure { kind: FailureKind::TlsFailed, message };
        }
        let cause = bounded(&innermost(&error));
        Failure { kind: FailureKind::Unreachable, message: format!("no connection to {}: {cause}", self.host) }
    }
}

fn client(base: &Url, bundle: Option<&[Certificate]>) -> ClientBuilder {
    let https = base.scheme() == "https";
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
        .https_only(https)
        .connect_timeout(CONNECT_DEADLINE);
    if base_url::is_loopback(base) {
        // What is on this machine is not behind a proxy.
        builder = builder.no_proxy();
    }
    match bundle {
        Some(bundle) => builder.tls_certs_only(bundle.iter().cloned()),
        // Without certificates of the system no client could be built, and plain HTTP to loopback needs none.
        None if !https => builder.tls_certs_only([]),
        None => builder,
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, Failure> {
    let refused = |message: &str| Failure { kind: FailureKind::TlsFailed, message: message.to_owned() };
    let found = Certificate::from_pem_bundle(pem).map_err(|_| refused("the CA bundle is not PEM certificates"))?;
    if found.is_empty() {
        return Err(refused("the CA bundle holds no certificate"));
    }
    Ok(found)
}

async fn read(mut response: Response, limit: usize) -> Body {
    let declared = response.content_length().and_then(|length| usize::try_from(length).ok());
    if declared.is_some_and(|length| length > limit) {
        return Body::Oversized;
    }
    let mut bytes = Vec::with_capacity(declared.unwrap_or_default().min(OBJECT_LIMIT));
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > limit => return Body::Oversized,
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Body::Whole(bytes),
            Err(_) => return Body::Broken,
        }
    }
}

/// The cause at the end of the chain, which is what a user can act on.
fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
