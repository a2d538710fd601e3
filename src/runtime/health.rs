//! Probes and metrics over HTTP.
//!
//! Owns `/livez`, `/readyz` and `/metrics`. Alive means that the controller makes progress, not that this server does;
//! ready means that it has seen the whole cluster. Must never show a name, an address or a credential.

use super::metrics::Metrics;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A controller that has not moved for so long is stuck: no call, list or write is allowed to take as long.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(180);

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How far the start has come, or what it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing has been asked yet.
    Starting,
    /// The Kubernetes API does not answer.
    Unreachable(String),
    /// Kinds that the cluster does not know.
    KindsMissing(Vec<&'static str>),
    /// The first lists are being read.
    Syncing,
    /// Everything is seen and served.
    Ready,
    /// The end has begun.
    Stopping,
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Unreachable(problem) => write!(f, "the Kubernetes API cannot be used: {problem}"),
            Self::KindsMissing(kinds) => write!(
                f,
                "the cluster does not know {}: run `invitation-operator crds | kubectl apply -f -`",
                kinds.join(", ")
            ),
            Self::Syncing => f.write_str("reading the first lists"),
            Self::Ready => f.write_str("ok"),
            Self::Stopping => f.write_str("stopping"),
        }
    }
}

/// What the probes tell; shared by everybody who knows something about it.
#[derive(Debug)]
pub struct Health {
    readiness: Mutex<Readiness>,
    last_beat: Mutex<Option<Instant>>,
}

impl Default for Health {
    fn default() -> Self {
        Self { readiness: Mutex::new(Readiness::Starting), last_beat: Mutex::new(None) }
    }
}

impl Health {
    /// How far the start has come.
    pub fn set(&self, readiness: Readiness) {
        *self.readiness.lock().unwrap_or_else(PoisonError::into_inner) = readiness;
    }

    /// How far the start has come.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.readiness.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The controller's loop went round once more. From the first beat on, silence is death.
    pub fn beat(&self) {
        *self.last_beat.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// How long the loop has been silent; `None` before it began, and then only the start can be waited for.
    #[must_use]
    pub fn silence(&self) -> Option<Duration> {
        self.last_beat.lock().unwrap_or_else(PoisonError::into_inner).map(|beat| beat.elapsed())
    }
}

/// What the server shows.
#[derive(Clone)]
struct Shown {
    health: Arc<Health>,
    metrics: Arc<Metrics>,
}

/// Which of the pages an address serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Probes and metrics.
    All,
    /// Probes only.
    Probes,
    /// Metrics only.
    Metrics,
}

/// Serves until told to stop.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(
    listener: TcpListener,
    pages: Pages,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let probes = || Router::new().route("/livez", get(livez)).route("/readyz", get(readyz));
    let numbers = || Router::new().route("/metrics", get(numbers));
    let routes = match pages {
        Pages::All => probes().merge(numbers()),
        Pages::Probes => probes(),
        Pages::Metrics => numbers(),
    };
    axum::serve(listener, routes.with_state(Shown { health, metrics }))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

async fn livez(State(shown): State<Shown>) -> (StatusCode, String) {
    match shown.health.silence() {
        Some(silence) if silence > LONGEST_SILENCE => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the controller has made no progress for {} s\n", silence.as_secs()),
        ),
        Some(_) | None => (StatusCode::OK, "ok\n".to_owned()),
    }
}

async fn readyz(State(shown): State<Shown>) -> (StatusCode, String) {
    let readiness = shown.health.readiness();
    let status = match readiness {
        Readiness::Ready => StatusCode::OK,
        Readiness::Starting
        | Readiness::Unreachable(_)
        | Readiness::KindsMissing(_)
        | Readiness::Syncing
        | Readiness::Stopping => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{readiness}\n"))
}

async fn numbers(State(shown): State<Shown>) -> Response {
    match shown.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
