//! The operator as one value: made from settings, run until it is told to stop.
//!
//! Owns the order of start and end. Tests start exactly what production starts. Must never decide anything that a
//! setting, the cluster or the controller decides.

use super::cluster::connect;
use super::control::{control, namespaces};
use super::election::Election;
use super::health::{Health, Pages, Readiness, serve};
use super::metrics::Metrics;
use super::neighbours::Neighbours;
use super::prerequisites::{self, Arrival};
use super::settings::Settings;
use super::{StartError, shutdown};
use kube::Client;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How often a running operator looks for other instances.
const NEIGHBOURS_EVERY: Duration = Duration::from_secs(30);

/// The operator, connected to nothing yet and listening already.
pub struct App {
    settings: Settings,
    client: Client,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    listeners: Vec<(TcpListener, Pages)>,
    stop: CancellationToken,
}

impl App {
    /// The operator with these settings, ended by signals.
    ///
    /// # Errors
    /// When an address is taken or there is no cluster to work with.
    pub async fn from_settings(settings: Settings) -> Result<Self, StartError> {
        let stop = shutdown::on_signal().map_err(|source| StartError::System { what: "signal handlers", source })?;
        Self::stopped_by(settings, stop).await
    }

    /// The operator with these settings, ended by a token.
    ///
    /// # Errors
    /// When an address is taken or there is no cluster to work with.
    pub async fn stopped_by(settings: Settings, stop: CancellationToken) -> Result<Self, StartError> {
        let metrics = Arc::new(Metrics::default());
        if let Some(factor) = settings.unsafe_timings {
            metrics.unsafe_timings(factor);
            tracing::warn!(factor, "--unsafe-timings: a person may get a second e-mail. Not for real invitations");
        }
        let mut listeners = Vec::new();
        match settings.metrics_listen {
            None => listeners.push((listen(settings.listen, "--listen").await?, Pages::All)),
            Some(address) => {
                listeners.push((listen(settings.listen, "--listen").await?, Pages::Probes));
                listeners.push((listen(address, "--metrics-listen").await?, Pages::Metrics));
            }
        }
        for (listener, pages) in &listeners {
            if let Ok(address) = listener.local_addr() {
                tracing::info!(%address, serves = pages.as_str(), "listening");
            }
        }
        let client = connect(&settings.cluster, settings.watch_renewal).await?;
        Ok(Self { settings, client, metrics, health: Arc::default(), listeners, stop })
    }

    /// Runs until it is told to stop.
    ///
    /// # Errors
    /// When the cluster is too old; everything else is waited out.
    pub async fn run(mut self) -> Result<(), StartError> {
        let served = CancellationToken::new();
        let mut servers = JoinSet::new();
        for (listener, pages) in std::mem::take(&mut self.listeners) {
            servers.spawn(serve(listener, pages, Arc::clone(&self.health), Arc::clone(&self.metrics), served.clone()));
        }
        let result = self.work().await;
        self.health.set(Readiness::Stopping);
        // The probes answer until the work has ended, so that a long last pass is not taken for death.
        served.cancel();
        while servers.join_next().await.is_some() {}
        tracing::info!("stopped");
        result
    }

    async fn work(&self) -> Result<(), StartError> {
        let mut neighbours = neighbours(&self.settings, &self.client);
        let arrival =
            prerequisites::wait(&self.client, &self.settings, neighbours.as_mut(), &self.health, &self.stop).await?;
        match arrival {
            Arrival::Stopped => return Ok(()),
            Arrival::Complete => {}
        }
        self.health.set(Readiness::Syncing);
        let watch = neighbours.map(|neighbours| tokio::spawn(keep_apart(neighbours, self.stop.clone())));
        control(
            &self.settings,
            self.client.clone(),
            Arc::clone(&self.metrics),
            Arc::clone(&self.health),
            self.stop.clone(),
        )
        .await;
        if let Some(watch) = watch {
            watch.abort();
        }
        Ok(())
    }
}

/// Instances are found by their Leases, so who stands for none looks for none.
fn neighbours(settings: &Settings, client: &Client) -> Option<Neighbours> {
    let Election::ByLease { name, .. } = &settings.election else { return None };
    let serves = namespaces(&settings.watched);
    Some(Neighbours::new(client.clone(), &settings.operator_namespace, name, serves))
}

/// Two instances that began at the same moment saw nothing of each other: the one with the younger Lease ends, and waits
/// when it starts again.
async fn keep_apart(mut neighbours: Neighbours, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(NEIGHBOURS_EVERY) => {}
        }
        if let Ok(Some(other)) = neighbours.look().await
            && other.older
        {
            tracing::error!(by = other.namespace, serves = other.serves, "another instance serves the same; ending");
            stop.cancel();
        }
    }
}

async fn listen(address: SocketAddr, flag: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, flag, source })
}
