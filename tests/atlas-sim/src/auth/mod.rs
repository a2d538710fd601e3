//! Who is calling.
//!
//! Owns the decision whether a request is authenticated, and the challenges of contract §5. Must
//! never decide what a caller may do.

pub(crate) mod digest;
pub(crate) mod oauth;
pub(crate) mod permit;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::{
    api_error::ApiError,
    endpoint::{Family, Route},
    options::Deployment,
    seed::CredentialKind,
    server::{call::Call, log::AuthKind, reply::Reply},
    world::{World, credentials::Known},
};

/// A proven caller.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) known: Known,
}

impl Caller {
    /// Public key or client id: what `inviterUsername` shows (contract §1.1, §10.19).
    pub(crate) fn name(&self) -> &str {
        &self.known.credential.id
    }
}

/// What authentication found.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// A proven caller.
    Proven(Box<Caller>),
    /// The path needs no caller, or checks credentials itself.
    NotNeeded,
    /// Nobody, and this is the answer.
    Refused(Box<Reply>),
}

/// How a request tries to authenticate.
pub(crate) fn kind(call: &Call) -> AuthKind {
    let scheme = call
        .header("authorization")
        .and_then(|value| value.split_whitespace().next())
        .unwrap_or_default()
        .to_ascii_lowercase();
    match scheme.as_str() {
        "digest" => AuthKind::Digest,
        "bearer" => AuthKind::Bearer,
        "basic" => AuthKind::Basic,
        _ => AuthKind::Nothing,
    }
}

/// Finds out who is calling.
pub(crate) fn authenticate(world: &mut World, call: &Call, route: &Route) -> Verdict {
    match route.family {
        Family::Oauth | Family::Other => return Verdict::NotNeeded,
        Family::AtlasV2 | Family::AtlasV1 | Family::Classic => {}
    }
    let found = match kind(call) {
        AuthKind::Digest => digest::check(world, call),
        AuthKind::Bearer if world.deployment != Deployment::OpsManager => bearer(world, call),
        AuthKind::Bearer | AuthKind::Basic | AuthKind::Nothing => Err(digest::challenge(world, false)),
    };
    match found {
        Ok(known) => Verdict::Proven(Box::new(Caller { known })),
        Err(reply) => Verdict::Refused(Box::new(reply)),
    }
}

/// Refuses a caller whose address is not on its credential's access list (contract §3, §5.2).
pub(crate) fn check_address(caller: &Caller, call: &Call) -> Result<(), ApiError> {
    if caller.known.admits(call.peer) {
        return Ok(());
    }
    let address = call.peer.to_string();
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "IP_ADDRESS_NOT_ON_ACCESS_LIST",
        format!("IP address {address} is not allowed to access this resource."),
    )
    .with([json!(address)]))
}

fn bearer(world: &mut World, call: &Call) -> Result<Known, Reply> {
    let refused = || ApiError::unauthorized().reply().header("www-authenticate", "Bearer error=\"invalid_token\"");
    let token = call
        .header("authorization")
        .and_then(|value| value.split_once(' '))
        .map(|(_, token)| token.trim())
        .unwrap_or_default();
    let now = world.clock.now();
    let issued = world.credentials.tokens.get(token).filter(|issued| issued.expires > now).ok_or_else(refused)?;
    world.credentials.find(CredentialKind::ServiceAccount, &issued.client).cloned().ok_or_else(refused)
}

/// Id and secret of a basic header, percent-decoded as RFC 6749 §2.3.1 has clients encode them.
pub(crate) fn basic(call: &Call) -> Option<(String, String)> {
    let encoded = call.header("authorization")?.split_once(' ')?.1.trim();
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain = |text: &str| percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned);
    Some((plain(id)?, plain(secret)?))
}
