//! Makes connections to MongoDB's APIs.
//!
//! Owns what all connections share: the fence, the listener, the tokens and the limits. Must never call.

use super::http_api::{Connection, HttpApi, Shared};
use super::limits::Calls;
use super::oauth::TokenCache;
use super::room::Limits;
use super::{Fence, InvitesApi};
use crate::domain::failure::Failure;
use std::sync::Arc;

/// Makes an API client of a connection.
pub trait Connect: Send + Sync {
    /// Checks the connection; sends nothing.
    ///
    /// # Errors
    /// What is wrong with it, for the inviter to show.
    fn connect(&self, connection: Connection) -> Result<Arc<dyn InvitesApi>, Failure>;
}

/// Connects over HTTP.
pub struct HttpConnector {
    fence: Arc<dyn Fence>,
    calls: Arc<dyn Calls>,
    shared: Shared,
}

impl HttpConnector {
    /// All connections ask the same fence, tell the same listener and count under the same limits.
    #[must_use]
    pub fn new(fence: Arc<dyn Fence>, calls: Arc<dyn Calls>, limits: Arc<Limits>) -> Self {
        Self { fence, calls, shared: Shared { tokens: TokenCache::default(), limits } }
    }
}

impl Connect for HttpConnector {
    fn connect(&self, connection: Connection) -> Result<Arc<dyn InvitesApi>, Failure> {
        let api = HttpApi::sharing(connection, Arc::clone(&self.fence), Arc::clone(&self.calls), &self.shared)?;
        Ok(Arc::new(api))
    }
}
