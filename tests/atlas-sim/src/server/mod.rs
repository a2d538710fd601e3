//! The HTTP servers: one for the simulated service, one for control.
//!
//! Owns listening, TLS and connections. It accepts sockets itself, so that a connection can be cut
//! before or after an effect. Must never decide what an answer says.

pub(crate) mod call;
mod ending;
pub(crate) mod log;
pub(crate) mod pieces;
pub(crate) mod pipeline;
pub(crate) mod reply;
pub(crate) mod socket;
pub(crate) mod tls;
pub(crate) mod transform;

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use self::{
    pieces::Pieces,
    socket::{Ending, Socket},
};
use crate::world::World;

/// Largest request body read.
const MAX_BODY: usize = 1024 * 1024;

/// State and its bell.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    changed: watch::Sender<u64>,
}

impl Shared {
    /// Wraps a world.
    pub(crate) fn new(world: World) -> Self {
        Self { world: Mutex::new(world), changed: watch::Sender::new(0) }
    }

    /// The world, for one critical section.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells waiting tests that something happened.
    pub(crate) fn ring(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Where waiting tests listen.
    pub(crate) fn bell(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// The end of a call.
pub(crate) enum Outcome {
    /// An answer.
    Answer(Response<Pieces>),
    /// The connection is reset.
    Reset,
    /// No answer, for as long as the client keeps the connection.
    Silence,
}

/// What a listener does with a call.
pub(crate) trait Handler: Clone + Send + Sync + 'static {
    /// Handles one request whose body has been read.
    fn handle(&self, request: Request<Bytes>, peer: SocketAddr) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;
}

/// Serves connections until it is dropped; then all of them end.
pub(crate) async fn listen(listener: TcpListener, tls: Option<Arc<rustls::ServerConfig>>, handler: impl Handler) {
    let tls = tls.map(TlsAcceptor::from);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, peer)) = accepted else { continue };
                let (tls, handler) = (tls.clone(), handler.clone());
                connections.spawn(async move {
                    let ending = Ending::default();
                    let socket = Socket::new(stream, ending.clone());
                    match tls {
                        None => connection(socket, ending, peer, handler).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(socket).await {
                                connection(stream, ending, peer, handler).await;
                            }
                        }
                    }
                });
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn connection<S>(stream: S, ending: Ending, peer: SocketAddr, handler: impl Handler)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (handler, ending) = (handler.clone(), ending.clone());
        async move {
            let (parts, body) = request.into_parts();
            let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
                return Err(Cut);
            };
            let request = Request::from_parts(parts, body.to_bytes());
            match handler.handle(request, peer).await {
                Outcome::Answer(response) => Ok(response),
                Outcome::Silence => std::future::pending().await,
                Outcome::Reset => {
                    ending.reset();
                    Err(Cut)
                }
            }
        }
    });
    // An error here is a cut connection: ours on purpose, or the client's.
    let _either_way_over = http1::Builder::new()
        .timer(TokioTimer::new())
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The connection is cut without an answer.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is cut on purpose")
    }
}

impl std::error::Error for Cut {}

/// Runs a call apart from its connection: like a real server, an effect under way happens even when
/// the client is gone.
pub(crate) async fn detached(work: impl Future<Output = Outcome> + Send + 'static) -> Result<Outcome, Infallible> {
    Ok(tokio::spawn(work).await.unwrap_or(Outcome::Reset))
}
