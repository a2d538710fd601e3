//! A relay between the operator and what it calls: it sees each request arrive and each answer leave.
//!
//! Owns the way of a request: read in full, shown to a [`Tap`], passed on, shown again, answered. What was passed on takes
//! effect whatever becomes of its sender. Must never repeat a request, and never answer in the server's place: what cannot
//! be passed on ends as a broken connection.

use crate::upstream::{Body, BoxError, Upstream};
use anyhow::Result;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Call {
    /// HTTP method.
    pub method: Method,
    /// Path without query.
    pub path: String,
    /// Query, empty when there is none.
    pub query: String,
    /// Whether it carries credentials.
    pub authorized: bool,
    /// All of the body.
    pub body: Bytes,
    /// Where it comes from.
    pub sender: SocketAddr,
}

/// What becomes of a request or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onward {
    /// It goes on.
    Pass,
    /// It is lost with its connection.
    Lose,
}

/// Sees what passes, and may hold it.
pub trait Tap: Send + Sync + 'static {
    /// A request has arrived, and nobody else has seen it.
    fn arrived<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Onward>;

    /// The server has acted; its answer has not left.
    fn answered<'a>(&'a self, call: &'a Call, status: StatusCode) -> BoxFuture<'a, Onward>;
}

/// A listening relay; it ends when it is dropped.
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    end: CancellationToken,
}

struct Shared {
    upstream: Upstream,
    tap: Arc<dyn Tap>,
    /// Cancelled with the connections of its time.
    line: Mutex<CancellationToken>,
    is_cut: watch::Sender<bool>,
}

impl Relay {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start(upstream: Upstream, tap: Arc<dyn Tap>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let end = CancellationToken::new();
        let (is_cut, _) = watch::channel(false);
        let shared = Arc::new(Shared { upstream, tap, line: Mutex::new(end.child_token()), is_cut });
        tokio::spawn(end.clone().run_until_cancelled_owned(listen(listener, Arc::clone(&shared))));
        Ok(Self { address, shared, end })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks every connection; what arrives from now on waits for [`Relay::mend`], and is then lost.
    pub fn cut(&self) {
        self.shared.is_cut.send_replace(true);
        let mut line = self.shared.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.cancel();
        *line = self.end.child_token();
    }

    /// Lets requests pass again.
    pub fn mend(&self) {
        self.shared.is_cut.send_replace(false);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, sender)) = listener.accept().await else { continue };
        let line = shared.line.lock().unwrap_or_else(PoisonError::into_inner).clone();
        tokio::spawn(line.run_until_cancelled_owned(serve(stream, sender, Arc::clone(&shared))));
    }
}

async fn serve(stream: TcpStream, sender: SocketAddr, shared: Arc<Shared>) {
    let _without_delay = stream.set_nodelay(true);
    let service = service_fn(|request| handle(Arc::clone(&shared), request, sender));
    // A connection that breaks is what this is for.
    let _broken = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn handle(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    sender: SocketAddr,
) -> Result<Response<Body>, BoxError> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let call = Call {
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorized: parts.headers.contains_key(header::AUTHORIZATION),
        body: body.clone(),
        sender,
    };
    for of_this_connection in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH] {
        parts.headers.remove(of_this_connection);
    }
    // Apart from the connection: the sender's end does not stop what has arrived.
    tokio::spawn(pass(shared, call, Request::from_parts(parts, body))).await?
}

async fn pass(shared: Arc<Shared>, call: Call, request: Request<Bytes>) -> Result<Response<Body>, BoxError> {
    let mut is_cut = shared.is_cut.subscribe();
    if *is_cut.borrow_and_update() {
        is_cut.wait_for(|is_cut| !is_cut).await?;
        return Err("the line was cut".into());
    }
    if shared.tap.arrived(&call).await == Onward::Lose {
        return Err("the request was lost".into());
    }
    let mut response = shared.upstream.send(request).await?;
    if shared.tap.answered(&call, response.status()).await == Onward::Lose {
        return Err("the answer was lost".into());
    }
    response.headers_mut().remove(header::CONNECTION);
    response.headers_mut().remove(header::TRANSFER_ENCODING);
    Ok(response)
}
