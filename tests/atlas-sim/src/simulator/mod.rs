//! The handle tests hold.
//!
//! Owns start, stop and waiting; what can be planted, done and seen is in the modules below. Must never be needed by the simulated
//! service itself.

mod acting;
mod looking;

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinHandle, time::timeout};

use crate::{
    control::Control,
    options::Options,
    server::{self, Shared, pipeline::Service, tls},
    span::Span,
    world::World,
};

/// A running simulator. Dropping it ends it.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    base_url: String,
    control_url: String,
    address: SocketAddr,
    service: JoinHandle<()>,
    control: JoinHandle<()>,
}

impl Simulator {
    /// Starts a simulator on its addresses; free loopback ports by default.
    ///
    /// # Errors
    ///
    /// When an address cannot be listened on, or the TLS identity cannot be read.
    pub async fn start(options: Options) -> io::Result<Self> {
        let tls = options.tls.as_ref().map(tls::config).transpose()?;
        let listener = TcpListener::bind(options.listen).await?;
        let control_listener = TcpListener::bind(options.control).await?;
        let address = listener.local_addr()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base_url = format!("{scheme}://{address}");
        let control_url = format!("http://{}", control_listener.local_addr()?);
        let shared = Arc::new(Shared::new(World::new(&options)));
        let control = Control { shared: Arc::clone(&shared), base_url: base_url.as_str().into() };
        Ok(Self {
            service: tokio::spawn(server::listen(listener, tls, Service(Arc::clone(&shared)))),
            control: tokio::spawn(server::listen(control_listener, None, control)),
            shared,
            base_url,
            control_url,
            address,
        })
    }

    /// Base URL of the simulated service, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Base URL of the control API, without a slash at the end.
    #[must_use]
    pub fn control_url(&self) -> &str {
        &self.control_url
    }

    /// Address of the simulated service.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until a condition holds, looking at every request and every change; `false` when the
    /// time is over.
    pub async fn wait_until(&self, limit: Span, condition: impl Fn(&Self) -> bool) -> bool {
        let mut bell = self.shared.bell();
        self.bounded(limit, async {
            while !condition(self) {
                // Time alone may make a condition true (list lag, expiry): look regularly, too.
                let _either = timeout(Duration::from_millis(20), bell.changed()).await;
            }
        })
        .await
    }

    /// Ends the simulator; all connections end with it.
    pub async fn stop(self) {
        self.service.abort();
        self.control.abort();
        while !(self.service.is_finished() && self.control.is_finished()) {
            tokio::task::yield_now().await;
        }
    }

    async fn bounded(&self, limit: Span, work: impl Future<Output = ()>) -> bool {
        timeout(limit.duration(), work).await.is_ok()
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let result = change(&mut self.shared.world());
        self.shared.ring();
        result
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.shared.world())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.service.abort();
        self.control.abort();
    }
}
