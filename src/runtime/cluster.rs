//! The connection to the Kubernetes API.
//!
//! Owns where the configuration comes from, and the time limits of the connection. Must never repeat a request by
//! itself: a write that happens after its sender gave up would break the claims' protocol, so the client's own retries
//! are off and every caller decides.

use super::settings::ClusterAccess;
use crate::controller::kube_error::plain;
use http::HeaderValue;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::ConfigExt;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use std::path::PathBuf;
use std::time::Duration;
use tower::{BoxError, ServiceBuilder};

/// A connection that is not made in this time is not going to be.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Nothing sent for so long means that the connection is dead.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often an idle connection is probed.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// Nothing received for so long after the time of a watch's renewal means the same: the server would have ended it. Shorter
/// than kube's own patience (5 s), which says nothing to anybody.
const SILENCE_AFTER_RENEWAL: Duration = Duration::from_secs(3);

/// Stands for a proxy where there is to be none; no host can have this name.
const NO_PROXY: &str = "none.invalid";

const USER_AGENT: &str = concat!("invitation-operator/", env!("CARGO_PKG_VERSION"));

/// Why the cluster cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The kubeconfig that was named.
    #[error("the kubeconfig {path} cannot be used: {problem}")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The context that was named.
    #[error("the context '{context}' cannot be used: {problem}")]
    Context {
        /// Its name.
        context: String,
        /// What is wrong.
        problem: String,
    },
    /// Neither a kubeconfig nor a service account.
    #[error(
        "there is no cluster to work with. From the kubeconfig: {kubeconfig}. From the Pod's service account: \
         {in_cluster}. Name a kubeconfig with --kubeconfig or KUBECONFIG, or run inside a cluster"
    )]
    Nowhere {
        /// What is wrong with the usual kubeconfig.
        kubeconfig: String,
        /// What is wrong with the service account.
        in_cluster: String,
    },
    /// The configuration makes no client.
    #[error("the cluster's configuration cannot be used: {0}")]
    Client(String),
    /// The cluster is older than what the operator relies on.
    #[error("the cluster runs Kubernetes {found}; the operator needs {least} or newer: upgrade the cluster")]
    TooOld {
        /// Its version.
        found: String,
        /// The least version.
        least: &'static str,
    },
}

/// How often watches are renewed where nobody asks for something else.
pub const WATCH_RENEWAL: Duration = Duration::from_secs(50);

/// Connections that nothing has used for so long are closed: each has about 60 kB.
const IDLE: Duration = Duration::from_secs(5);
/// A connection never needs more for what it reads at once; those of watches keep it.
const READ_AT_ONCE: usize = 64 * 1024;

/// A client for the cluster, for watches that are renewed so often: what bounds how long a half-open connection stays
/// unnoticed. Nothing is sent yet.
///
/// # Errors
/// When there is no configuration, or none that can be used.
pub async fn connect(access: &ClusterAccess, watch_renewal: Duration) -> Result<Client, ClusterError> {
    let mut config = find(access).await?;
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.write_timeout = Some(WRITE_TIMEOUT);
    config.read_timeout = Some(watch_renewal + SILENCE_AFTER_RENEWAL);
    config.reset_reader_on_write = true;
    // Audit logs tell clients apart by this.
    config.headers.push((http::header::USER_AGENT, HeaderValue::from_static(USER_AGENT)));
    tracing::info!(cluster = %config.cluster_url, "connecting");
    client(&config).map_err(|error| ClusterError::Client(plain(&error)))
}

/// kube's own stack of layers over a connector that it gives no access to: without `TCP_NODELAY` every write waits for the
/// acknowledgement of the one before, up to 40 ms, and without keep-alive an idle dead connection is found late.
fn client(config: &Config) -> kube::Result<Client> {
    if let Some(proxy_url) = &config.proxy_url {
        return Err(kube::Error::ProxyProtocolUnsupported { proxy_url: Box::new(proxy_url.clone()) });
    }
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // It fails only where it was installed in between.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEPALIVE));
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(tcp)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let hyper = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        // Without a timer what a burst needed would stay until the server ends it.
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .http1_max_buf_size(READ_AT_ONCE)
        .build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(hyper);
    Ok(Client::new(service, config.default_namespace.clone()))
}

async fn find(access: &ClusterAccess) -> Result<Config, ClusterError> {
    let options = KubeConfigOptions { context: access.context.clone(), ..KubeConfigOptions::default() };
    if let Some(path) = &access.kubeconfig {
        let unusable = |error| ClusterError::Kubeconfig { path: path.clone(), problem: problem(&error) };
        return configured(Kubeconfig::read_from(path), &options).await.map_err(unusable);
    }
    if let Some(context) = &access.context {
        let unusable = |error| ClusterError::Context { context: context.clone(), problem: problem(&error) };
        return configured(Kubeconfig::read(), &options).await.map_err(unusable);
    }
    match configured(Kubeconfig::read(), &options).await {
        Ok(config) => Ok(config),
        Err(kubeconfig) => Config::incluster().map_err(|in_cluster| ClusterError::Nowhere {
            kubeconfig: problem(&kubeconfig),
            in_cluster: in_cluster.to_string(),
        }),
    }
}

/// The configuration that a kubeconfig means. Where it names no proxy, kube takes that of the environment; but `HTTPS_PROXY`
/// is for the way to MongoDB, so one is named, and taken away again.
async fn configured(
    kubeconfig: Result<Kubeconfig, KubeconfigError>,
    options: &KubeConfigOptions,
) -> Result<Config, KubeconfigError> {
    let mut kubeconfig = kubeconfig?;
    for cluster in kubeconfig.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        if cluster.proxy_url.as_deref().unwrap_or_default().is_empty() {
            cluster.proxy_url = Some(NO_PROXY.to_owned());
        }
    }
    let mut config = Config::from_custom_kubeconfig(kubeconfig, options).await?;
    config.proxy_url = config.proxy_url.filter(|proxy| proxy.host() != Some(NO_PROXY));
    Ok(config)
}

fn problem(error: &KubeconfigError) -> String {
    #[allow(clippy::wildcard_enum_match_arm)] // the enum is kube's, and grows
    match error {
        // The parser quotes the file, and the file holds credentials.
        KubeconfigError::Parse(_) => "it is not the YAML of a kubeconfig".to_owned(),
        KubeconfigError::FindPath => "there is none".to_owned(),
        KubeconfigError::ReadConfig(source, path) => format!("{}: {source}", path.display()),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn error_for(kubeconfig: &str, context: Option<&str>) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        std::fs::write(&path, kubeconfig).unwrap();
        let access = ClusterAccess { kubeconfig: Some(path), context: context.map(str::to_owned) };
        connect(&access, WATCH_RENEWAL).await.map(|_| ()).unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_broken_kubeconfig_is_named_and_not_quoted() {
        let message = error_for("users: [{token: s3cret", None).await;
        assert!(message.contains("config cannot be used: it is not the YAML"), "{message}");
        assert!(!message.contains("s3cret"), "{message}");
    }

    #[tokio::test]
    async fn a_proxy_that_the_kubeconfig_names_is_told_and_not_passed_over() {
        let cluster = |proxy| {
            format!(
                "current-context: a\ncontexts: [{{name: a, context: {{cluster: a}}}}]\nclusters: [{{name: a, cluster: \
                 {{server: 'https://127.0.0.1:1', proxy-url: '{proxy}'}}}}]\n"
            )
        };
        let message = error_for(&cluster("http://proxy.example.com:3128"), None).await;
        assert!(message.contains("proxy.example.com"), "{message}");
        let kubeconfig = Kubeconfig::from_yaml(&cluster("")).unwrap();
        let config = configured(Ok(kubeconfig), &KubeConfigOptions::default()).await.unwrap();
        assert_eq!(config.proxy_url, None);
    }

    #[tokio::test]
    async fn a_context_that_is_not_there_is_named() {
        let message = error_for("apiVersion: v1\nkind: Config\n", Some("production")).await;
        assert!(message.contains("production"), "{message}");
    }

    #[tokio::test]
    async fn a_kubeconfig_that_is_not_there_is_named() {
        let access = ClusterAccess { kubeconfig: Some("/nowhere/config".into()), context: None };
        let message = connect(&access, WATCH_RENEWAL).await.map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("/nowhere/config") && message.contains("No such file"), "{message}");
    }
}
