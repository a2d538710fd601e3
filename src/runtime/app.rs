//! The operator as one value: made from settings, run until it is told to stop.
//!
//! Owns the order of start and end. Tests start exactly what production starts. Must never decide anything that a
//! setting, the cluster or the controller decides.

use super::cluster::connect;
use super::control::control;
use super::health::{Health, Pages, Readiness, serve};
use super::metrics::Metrics;
use super::prerequisites::{self, Arrival};
use super::settings::Settings;
use super::{StartError, shutdown};
use kube::Client;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

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
        match prerequisites::wait(&self.client, &self.settings.watched, &self.health, &self.stop).await? {
            Arrival::Stopped => return Ok(()),
            Arrival::Complete => {}
        }
        self.health.set(Readiness::Syncing);
        control(
            &self.settings,
            self.client.clone(),
            Arc::clone(&self.metrics),
            Arc::clone(&self.health),
            self.stop.clone(),
        )
        .await;
        Ok(())
    }
}

async fn listen(address: SocketAddr, flag: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, flag, source })
}
