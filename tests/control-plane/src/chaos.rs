//! Outages of the API server, for tests that ask how a client bears them.
//!
//! Owns: stopping, starting and freezing kube-apiserver, on the port and the
//! data it already has.
//!
//! Must never: lose data, or return from a start before clients can go on.

use crate::error::Error;
use crate::plane::ControlPlane;
use crate::supervised::Signal;

impl ControlPlane {
    /// Stops kube-apiserver and starts it again on the same port with the same
    /// data; returns when it is ready.
    ///
    /// # Errors
    ///
    /// When it does not end, or is not ready in time.
    pub async fn restart_api_server(&self) -> Result<(), Error> {
        self.stop_api_server().await?;
        self.start_api_server().await
    }

    /// Stops kube-apiserver as a node that is drained would: it is asked to
    /// end, and killed after 10 seconds. Connections are refused from then on.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub async fn stop_api_server(&self) -> Result<(), Error> {
        self.api_server.lock().await.stop().await
    }

    /// Kills kube-apiserver: every connection breaks, whatever was in flight.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub async fn kill_api_server(&self) -> Result<(), Error> {
        self.api_server.lock().await.kill().await
    }

    /// Starts kube-apiserver after it was stopped or killed; returns when it
    /// is ready.
    ///
    /// # Errors
    ///
    /// When it is not ready in time.
    pub async fn start_api_server(&self) -> Result<(), Error> {
        let mut api_server = self.api_server.lock().await;
        if api_server.check().is_ok() {
            return Ok(());
        }
        *api_server = self.spawn_api_server()?;
        let within = self.start_timeout;
        self.probe().answer("/readyz", &mut api_server, None, within).await?;
        Ok(())
    }

    /// Freezes kube-apiserver: connections stay open, and nothing is answered.
    ///
    /// # Errors
    ///
    /// When it is not running.
    pub async fn pause_api_server(&self) -> Result<(), Error> {
        self.api_server.lock().await.signal(Signal::Pause)
    }

    /// Lets a frozen kube-apiserver go on.
    ///
    /// # Errors
    ///
    /// When it is not running.
    pub async fn resume_api_server(&self) -> Result<(), Error> {
        self.api_server.lock().await.signal(Signal::Resume)
    }
}
