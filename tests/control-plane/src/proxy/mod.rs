//! A proxy on loopback between a client and the API server: what lies between
//! the two in a cluster, and can fail there.
//!
//! Owns: one port and a kubeconfig that leads to it. Whoever comes in speaks
//! plain HTTP and is the administrator, or whom it impersonates; the way on
//! is TLS, with a connection of its own for each request, so that nothing of
//! one request can reach another.
//!
//! Must never: repeat a request, or answer one by itself unless a rule says so.

mod exchange;
mod rules;
mod traffic;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use reqwest::{Certificate, Client, Identity};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

pub use rules::{Request, Rule, RuleId, Trouble};

use crate::error::Error;
use crate::plane::ControlPlane;
use exchange::exchange;
use traffic::Traffic;

/// Where requests go on to.
pub(crate) struct Upstream {
    client: Client,
    server: String,
}

/// A proxy before the API server. It ends with this value, and with it every
/// connection through it.
pub struct Proxy {
    traffic: Arc<Traffic>,
    url: String,
    kubeconfig: PathBuf,
    accepting: JoinHandle<()>,
}

impl ControlPlane {
    /// Starts a proxy before the API server, with no rules: everything goes
    /// through.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn proxy(&self) -> Result<Proxy, Error> {
        let upstream = Arc::new(upstream(self)?);
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::os("listen on loopback"))?;
        let address = listener.local_addr().map_err(Error::os("listen on loopback"))?;
        let kubeconfig = self.folder().join(format!("proxy-{}.kubeconfig", address.port()));
        let url = format!("http://{address}");
        fs::write(&kubeconfig, leading_to(&url)).map_err(Error::os("write a kubeconfig"))?;
        let traffic = Arc::new(Traffic::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&traffic), upstream));
        Ok(Proxy { traffic, url, kubeconfig, accepting })
    }
}

impl Proxy {
    /// A kubeconfig that leads through the proxy, as administrator.
    #[must_use]
    pub fn kubeconfig_path(&self) -> &Path {
        &self.kubeconfig
    }

    /// Where it listens, as `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Adds a rule. Of several that fit a request, the first added strikes.
    #[allow(clippy::must_use_candidate, reason = "a rule may stand to the end")]
    pub fn add(&self, rule: Rule) -> RuleId {
        self.traffic.add(rule)
    }

    /// Takes a rule away: what it held goes on.
    pub fn remove(&self, rule: RuleId) {
        self.traffic.retain(|id| id != rule);
    }

    /// Takes all rules away.
    pub fn clear(&self) {
        self.traffic.retain(|_| false);
    }

    /// Breaks the connections of requests that are under way, watches above
    /// all; returns how many.
    pub fn cut(&self, which: impl Fn(&Request) -> bool) -> usize {
        self.traffic.cut(which)
    }

    /// Every request so far, in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.traffic.requests()
    }

    /// Waits until the requests are as asked; `false` when the limit is over.
    pub async fn wait_until(&self, limit: Duration, holds: impl Fn(&[Request]) -> bool + Send) -> bool {
        tokio::time::timeout(limit, self.traffic.wait_until(holds)).await.is_ok()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Proxy").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Every connection ends with the task that runs this.
async fn accept(listener: TcpListener, traffic: Arc<Traffic>, upstream: Arc<Upstream>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let (traffic, upstream) = (Arc::clone(&traffic), Arc::clone(&upstream));
        connections.spawn(async move {
            let service = service_fn(|request| exchange(request, Arc::clone(&traffic), Arc::clone(&upstream)));
            // A broken connection is what was asked for, or the client's own doing.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// The way on, with the administrator's credentials.
fn upstream(plane: &ControlPlane) -> Result<Upstream, Error> {
    let text = fs::read(plane.kubeconfig_path()).map_err(Error::os("read the kubeconfig"))?;
    let kubeconfig: Value = serde_json::from_slice(&text).map_err(|error| Error::Unexpected(error.to_string()))?;
    let pem = |pointer: &str| -> Result<Vec<u8>, Error> {
        let found = kubeconfig.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        STANDARD.decode(found).map_err(|error| Error::Unexpected(error.to_string()))
    };
    let mut identity = pem("/users/0/user/client-certificate-data")?;
    identity.extend(pem("/users/0/user/client-key-data")?);
    let authority = pem("/clusters/0/cluster/certificate-authority-data")?;
    let client = Identity::from_pem(&identity).and_then(|identity| {
        Client::builder()
            .tls_certs_only([Certificate::from_pem(&authority)?])
            .identity(identity)
            .http1_only()
            .no_proxy()
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .tcp_nodelay(true)
            .build()
    });
    let client = client.map_err(|error| Error::Unexpected(error.to_string()))?;
    Ok(Upstream { client, server: plane.server_url().to_owned() })
}

fn leading_to(server: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "proxy", "cluster": { "server": server } }],
        "users": [{ "name": "user", "user": {} }],
        "contexts": [{ "name": "proxy", "context": { "cluster": "proxy", "user": "user" } }],
        "current-context": "proxy",
    })
    .to_string()
}
