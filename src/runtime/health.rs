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
    /// Rights that the operator needs and does not have.
    RightsMissing(String),
    /// Another instance serves what this one is to serve.
    Served {
        /// Namespace of the other.
        by: String,
        /// Whom it serves.
        serves: String,
    },
    /// The first lists are being read.
    Syncing,
    /// Everything is seen, and another replica acts.
    Standby,
    /// Everything is seen, and this replica can never act as things are.
    NoElection(String),
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
            Self::RightsMissing(rights) => write!(
                f,
                "the operator lacks rights: {rights}. Bind roles with them to its service account, as the chart does"
            ),
            Self::Served { by, serves } => write!(
                f,
                "another instance, in the namespace {by}, serves {}: uninstall one of the two, or give them different \
                 --watch-namespaces",
                if serves == "*" { "the whole cluster" } else { serves }
            ),
            Self::Syncing => f.write_str("reading the first lists"),
            Self::Standby => f.write_str("ok (standby)"),
            Self::NoElection(problem) => f.write_str(problem),
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

impl Pages {
    /// The pages, for the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "probes and metrics",
            Self::Probes => "probes",
            Self::Metrics => "metrics",
        }
    }
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
        Readiness::Ready | Readiness::Standby => StatusCode::OK,
        Readiness::Starting
        | Readiness::Unreachable(_)
        | Readiness::KindsMissing(_)
        | Readiness::RightsMissing(_)
        | Readiness::Served { .. }
        | Readiness::Syncing
        | Readiness::NoElection(_)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    struct Server {
        address: SocketAddr,
        health: Arc<Health>,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<std::io::Result<()>>,
    }

    async fn server(pages: Pages) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (health, stop) = (Arc::new(Health::default()), CancellationToken::new());
        let task = tokio::spawn(serve(listener, pages, Arc::clone(&health), Arc::default(), stop.clone()));
        Server { address, health, stop, task }
    }

    async fn get(server: &Server, path: &str) -> String {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test(start_paused = true)]
    async fn alive_means_progress() {
        let server = server(Pages::All).await;
        tokio::time::advance(LONGEST_SILENCE * 10).await;
        assert!(get(&server, "/livez").await.starts_with("HTTP/1.1 200"), "a long start is no death");
        server.health.beat();
        tokio::time::advance(LONGEST_SILENCE).await;
        assert!(get(&server, "/livez").await.starts_with("HTTP/1.1 200"));
        tokio::time::advance(Duration::from_secs(2)).await;
        let dead = get(&server, "/livez").await;
        assert!(dead.starts_with("HTTP/1.1 503") && dead.contains("no progress for 182 s"), "{dead}");
        server.health.beat();
        assert!(get(&server, "/livez").await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn readiness_says_what_is_waited_for() {
        let server = server(Pages::All).await;
        for (readiness, part) in [
            (Readiness::Starting, "starting"),
            (Readiness::Unreachable("connection refused".to_owned()), "cannot be used: connection refused"),
            (
                Readiness::KindsMissing(vec!["Inviter", "InvitationClaim"]),
                "does not know Inviter, InvitationClaim: run `invitation-operator crds | kubectl apply -f -`",
            ),
            (Readiness::RightsMissing("list inviters in namespace a".to_owned()), "lacks rights: list inviters in"),
            (Readiness::Served { by: "b".to_owned(), serves: "*".to_owned() }, "in the namespace b, serves the whole"),
            (Readiness::Syncing, "reading the first lists"),
            (Readiness::NoElection("the lease a/b cannot be used".to_owned()), "the lease a/b cannot be used"),
            (Readiness::Stopping, "stopping"),
        ] {
            server.health.set(readiness);
            let answer = get(&server, "/readyz").await;
            assert!(answer.starts_with("HTTP/1.1 503") && answer.contains(part), "{answer}");
        }
        for (readiness, body) in [(Readiness::Ready, "\r\n\r\nok\n"), (Readiness::Standby, "\r\n\r\nok (standby)\n")] {
            server.health.set(readiness);
            let answer = get(&server, "/readyz").await;
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(body), "{answer}");
        }
    }

    #[tokio::test]
    async fn metrics_have_the_content_type_of_openmetrics() {
        let server = server(Pages::Metrics).await;
        let answer = get(&server, "/metrics").await;
        assert!(
            answer.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"),
            "{answer}"
        );
        assert!(answer.trim_end().ends_with("# EOF"), "{answer}");
        assert!(get(&server, "/livez").await.starts_with("HTTP/1.1 404"));
    }

    #[tokio::test]
    async fn probes_can_stand_alone_and_end_when_told() {
        let server = server(Pages::Probes).await;
        assert!(get(&server, "/livez").await.starts_with("HTTP/1.1 200"));
        assert!(get(&server, "/metrics").await.starts_with("HTTP/1.1 404"));
        server.stop.cancel();
        server.task.await.unwrap().unwrap();
    }
}
