//! Where a relay passes requests on to: the API server, or the simulator.
//!
//! Must never repeat a request by itself.

use bytes::Bytes;
use http::{Request, Response, Uri, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::net::SocketAddr;

/// Whatever goes wrong on the way.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// A body that may go on for long, as that of a watch.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Where requests go.
#[derive(Clone)]
pub enum Upstream {
    /// The API server, with the client's own credentials.
    Cluster(kube::Client),
    /// A plain HTTP server.
    Plain(Client<HttpConnector, Full<Bytes>>, SocketAddr),
}

impl Upstream {
    /// A plain HTTP server; every request has a connection of its own.
    #[must_use]
    pub fn plain(address: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(0).retry_canceled_requests(false);
        Self::Plain(builder.build(connector), address)
    }

    /// Sends a request once.
    pub(crate) async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Body>, BoxError> {
        match self {
            Self::Cluster(client) => {
                // The client names itself.
                request.headers_mut().remove(header::USER_AGENT);
                let response = client.send(request.map(kube::client::Body::from)).await?;
                Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
            }
            Self::Plain(client, address) => {
                let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
                *request.uri_mut() = format!("http://{address}{path}").parse::<Uri>()?;
                let response = client.request(request.map(Full::new)).await?;
                Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
            }
        }
    }
}
