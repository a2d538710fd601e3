//! The control API under `/sim/`.
//!
//! Owns the plain JSON interface to seeding, people's decisions, the clock, the outbox, the request
//! log and faults. Nobody authenticates to it: it listens on loopback and on a port of its own.

mod routes;

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::server::{
    Handler, Outcome, Shared,
    pieces::{Flow, Pieces},
};

/// Handles control calls.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    pub(crate) shared: Arc<Shared>,
    pub(crate) base_url: Arc<str>,
}

/// What a control call answers.
pub(crate) type Answer = Result<Value, Refusal>;

/// Why a control call is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn bad(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    fn missing(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, message: message.into() }
    }
}

impl Handler for Control {
    fn handle(&self, request: Request<Bytes>, _peer: SocketAddr) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        let (status, body) = match routes::answer(self, &request) {
            Ok(body) => (StatusCode::OK, body),
            Err(refusal) => (refusal.status, json!({"error": refusal.message})),
        };
        self.shared.ring();
        let text = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Pieces::new(text.into(), &Flow::default()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        Box::pin(std::future::ready(Outcome::Answer(response)))
    }
}
