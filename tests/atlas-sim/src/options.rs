//! What is fixed when a simulator starts.
//!
//! Owns addresses, TLS and the deployment shape; everything a test may change later is in
//! [`Behaviour`]. Must never read the environment or files.

use std::net::{Ipv4Addr, SocketAddr};

use crate::behaviour::Behaviour;

/// How to start a simulator.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address of the simulated service. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the control API, which nobody has to authenticate to: keep it on loopback.
    pub control: SocketAddr,
    /// Which hosts this simulator stands for.
    pub deployment: Deployment,
    /// Certificate and key to serve the simulated service over TLS; `None` serves plain HTTP.
    pub tls: Option<TlsIdentity>,
    /// Behaviour at the start.
    pub behaviour: Behaviour,
    /// Seed of the random source, for repeatable fault probabilities and ids.
    pub random_seed: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: loopback,
            control: loopback,
            deployment: Deployment::default(),
            tls: None,
            behaviour: Behaviour::default(),
            random_seed: None,
        }
    }
}

/// Which hosts a simulator stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deployment {
    /// All three products on one address; projects decide.
    #[default]
    Everything,
    /// `cloud.mongodb.com`: Atlas, Cloud Manager and the token endpoint.
    Cloud,
    /// An Ops Manager: no Atlas paths, no service accounts.
    OpsManager,
}

/// A certificate chain and its private key.
#[derive(Clone)]
pub struct TlsIdentity {
    /// PEM of the chain, the server's own certificate first.
    pub certificate_pem: String,
    /// PEM of the private key.
    pub key_pem: String,
}

impl std::fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsIdentity").finish_non_exhaustive()
    }
}
