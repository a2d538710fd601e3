//! Where and as whom an inviter calls.
//!
//! Owns what is needed to call, as values that have been read but not used. Must never show a credential, nor an address
//! that has not been checked.

use super::credentials::Credentials;
use crate::api::Product;
use std::time::Duration;
use url::Url;

/// Where and as whom to call.
#[derive(Clone)]
pub struct Connection {
    /// The product that owns the projects.
    pub product: Product,
    /// Address of the API, as [`super::base_url::parse_base_url`] gives it.
    pub base_url: Url,
    /// Who calls.
    pub credentials: Credentials,
    /// Certificates of a private certification authority, in PEM: the server's certificate is checked against these and no
    /// others. `None` takes the system's.
    pub ca_bundle_pem: Option<Vec<u8>>,
    /// Total time of every call but a create, all its exchanges included.
    pub call_deadline: Duration,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("product", &self.product)
            .field("host", &self.base_url.host_str())
            .field("identity", &self.credentials.identity())
            .finish_non_exhaustive()
    }
}
