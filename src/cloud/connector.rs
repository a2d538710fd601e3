//! Makes connections to MongoDB's APIs.
//!
//! Owns what all connections share: the fence, the listener and the tokens. Must never call.

use super::http_api::{Connection, HttpApi};
use super::limits::Calls;
use super::oauth::TokenCache;
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
    tokens: TokenCache,
}

impl HttpConnector {
    /// All connections ask the same fence and tell the same listener.
    #[must_use]
    pub fn new(fence: Arc<dyn Fence>, calls: Arc<dyn Calls>) -> Self {
        Self { fence, calls, tokens: TokenCache::default() }
    }
}

impl Connect for HttpConnector {
    fn connect(&self, connection: Connection) -> Result<Arc<dyn InvitesApi>, Failure> {
        let api = HttpApi::with_tokens(connection, Arc::clone(&self.fence), Arc::clone(&self.calls), &self.tokens)?;
        Ok(Arc::new(api))
    }
}
