//! The token endpoints of service accounts (contract §5.2).
//!
//! Owns issuing and revoking. Errors here are OAuth's, with a *string* in `error`, but for the rate
//! limit, which was seen in `ApiError` shape (§6.2).

use http::StatusCode;
use serde_json::json;

use super::basic;
use crate::{
    api_error::ApiError,
    clock::after,
    seed::CredentialKind,
    server::{call::Call, reply::Reply},
    world::{World, credentials::Token},
};

/// `POST /api/oauth/token`.
pub(crate) fn token(world: &mut World, call: &Call) -> Reply {
    let client = match client(world, call) {
        Ok(client) => client,
        Err(reply) => return reply,
    };
    let now = world.clock.now();
    if let Some(limit) = world.behaviour.token_rate_limit {
        let scope = format!("token/{}/{client}", call.peer);
        if let Err(wait) = world.limits.count(&scope, limit, now) {
            return rate_limited(limit, wait);
        }
    }
    match call.form("grant_type").as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            return refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type", "Only client_credentials is supported.");
        }
        None => return refusal(StatusCode::BAD_REQUEST, "invalid_request", "grant_type is missing."),
    }
    world.credentials.tokens.retain(|_, token| token.expires > now);
    let live = world.credentials.tokens.values().filter(|token| token.client == client).count();
    if live >= world.behaviour.token_limit {
        return refusal(
            StatusCode::FORBIDDEN,
            "access_denied",
            "Access Token limit reached. Please use the existing Access Tokens or create a new \
             Service Account.",
        );
    }
    let text = format!("sim.{}", world.mint.hex(32));
    let lifetime = world.behaviour.token_life.duration();
    world.credentials.tokens.insert(text.clone(), Token { client, expires: after(now, lifetime) });
    Reply::status(StatusCode::OK).header("cache-control", "no-store").json(
        "application/json",
        json!({
            "access_token": text,
            "expires_in": lifetime.as_secs(),
            "token_type": "Bearer",
        }),
    )
}

/// `POST /api/oauth/revoke`.
pub(crate) fn revoke(world: &mut World, call: &Call) -> Reply {
    let client = match client(world, call) {
        Ok(client) => client,
        Err(reply) => return reply,
    };
    let Some(token) = call.form("token") else {
        return refusal(StatusCode::BAD_REQUEST, "invalid_request", "token is missing.");
    };
    world.credentials.tokens.retain(|text, issued| *text != token || issued.client != client);
    Reply::status(StatusCode::OK)
}

fn client(world: &World, call: &Call) -> Result<String, Reply> {
    let refused = || {
        refusal(StatusCode::UNAUTHORIZED, "invalid_client", "Client authentication failed.")
            .header("www-authenticate", "Basic realm=\"MMS Public API\"")
    };
    let form = call.header("content-type").is_some_and(|media| media.starts_with("application/x-www-form-urlencoded"));
    if !form {
        return Err(refusal(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "The body must be application/x-www-form-urlencoded.",
        ));
    }
    let (id, secret) = basic(call).ok_or_else(refused)?;
    world
        .credentials
        .find(CredentialKind::ServiceAccount, &id)
        .filter(|known| known.credential.secret == secret)
        .map(|known| known.credential.id.clone())
        .ok_or_else(refused)
}

fn refusal(status: StatusCode, error: &str, description: &str) -> Reply {
    Reply::status(status).json("application/json", json!({"error": error, "error_description": description}))
}

fn rate_limited(limit: u32, wait: u64) -> Reply {
    let path = "/api/oauth/token";
    let mut error = ApiError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "RATE_LIMITED",
        format!("Resource {path} is limited to {limit} requests every 1 minutes."),
    )
    .with([json!(path), json!(limit), json!(1)]);
    error.retry_after = Some(wait);
    error.reply()
}
