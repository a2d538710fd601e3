//! Where credentials are sent: the address of an API, checked and in one form.
//!
//! Owns the default addresses and what an address must be before a credential may go there. Must never let one through
//! that is not https, except to this machine, nor one that hides another host or a secret in it.

use crate::api::Product;
use url::{Host, Url};

/// Why an address cannot be used; messages are for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not an absolute URL.
    #[error("baseUrl is no address: write https:// and a host")]
    NotAnAddress,
    /// Neither https nor http to loopback.
    #[error("baseUrl must begin with https:// (http:// is for loopback addresses only)")]
    NotHttps,
    /// A user name or password in the URL.
    #[error("baseUrl must not hold a user name or password: credentials belong into the Secret")]
    HoldsCredentials,
    /// A query or a fragment.
    #[error("baseUrl must end with the host, port or path: no ? and no #")]
    HoldsQuery,
    /// A link-local or unspecified address, as those of metadata services.
    #[error("baseUrl must not be a link-local or unspecified address")]
    LinkLocal,
}

/// The address of a product where none is given: MongoDB's own cloud; Ops Manager has none.
#[must_use]
pub fn default_base_url(product: Product) -> Option<Url> {
    match product {
        Product::Atlas | Product::CloudManager => Url::parse("https://cloud.mongodb.com").ok(),
        Product::OpsManager => None,
    }
}

/// Reads a `baseUrl` of an inviter and checks it as [`checked_base_url`] does.
///
/// # Errors
/// Whatever makes it unusable.
pub fn parse_base_url(text: &str) -> Result<Url, BaseUrlError> {
    checked_base_url(&Url::parse(text.trim()).map_err(|_| BaseUrlError::NotAnAddress)?)
}

/// The address without trailing slashes in its path, if credentials may be sent to it.
///
/// # Errors
/// Whatever makes it unusable.
pub fn checked_base_url(url: &Url) -> Result<Url, BaseUrlError> {
    let Some(host) = url.host() else { return Err(BaseUrlError::NotAnAddress) };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BaseUrlError::HoldsCredentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(BaseUrlError::HoldsQuery);
    }
    if is_link_local(&host) {
        return Err(BaseUrlError::LinkLocal);
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        _ => return Err(BaseUrlError::NotHttps),
    }
    let mut checked = url.clone();
    checked.set_path(url.path().trim_end_matches('/'));
    Ok(checked)
}

/// Whether the host is this machine by its own name or address; other names are not looked up.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_link_local(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(_) => false,
        Host::Ipv4(address) => address.is_link_local() || address.is_unspecified(),
        Host::Ipv6(address) => {
            let mapped = address.to_ipv4_mapped();
            address.is_unicast_link_local()
                || address.is_unspecified()
                || mapped.is_some_and(|v4| v4.is_link_local() || v4.is_unspecified())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_out_in_one_form() {
        for (given, expected) in [
            ("https://cloud.mongodb.com", "https://cloud.mongodb.com/"),
            ("https://cloud.mongodb.com/", "https://cloud.mongodb.com/"),
            (" https://CLOUD.mongodb.com:443// ", "https://cloud.mongodb.com/"),
            ("https://om.example.com:8443/om/", "https://om.example.com:8443/om"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("http://localhost:1", "http://localhost:1/"),
            ("http://[::1]:1/", "http://[::1]:1/"),
        ] {
            assert_eq!(parse_base_url(given).unwrap().as_str(), expected, "{given}");
        }
    }

    #[test]
    fn addresses_that_may_not_have_credentials_are_refused() {
        for (given, expected) in [
            ("cloud.mongodb.com", BaseUrlError::NotAnAddress),
            ("", BaseUrlError::NotAnAddress),
            ("mailto:a@b", BaseUrlError::NotAnAddress),
            ("http://cloud.mongodb.com", BaseUrlError::NotHttps),
            ("http://localhost.example.com", BaseUrlError::NotHttps),
            ("ftp://localhost", BaseUrlError::NotHttps),
            ("https://cloud.mongodb.com@evil.example", BaseUrlError::HoldsCredentials),
            ("https://u:p@cloud.mongodb.com", BaseUrlError::HoldsCredentials),
            ("https://cloud.mongodb.com?x=1", BaseUrlError::HoldsQuery),
            ("https://cloud.mongodb.com/#x", BaseUrlError::HoldsQuery),
            ("https://169.254.169.254", BaseUrlError::LinkLocal),
            ("https://[fe80::1]", BaseUrlError::LinkLocal),
            ("https://[::ffff:169.254.169.254]", BaseUrlError::LinkLocal),
            ("https://0.0.0.0", BaseUrlError::LinkLocal),
            ("https://2852039166", BaseUrlError::LinkLocal),
        ] {
            assert_eq!(parse_base_url(given).unwrap_err(), expected, "{given}");
        }
    }

    #[test]
    fn only_ops_manager_has_no_default() {
        assert!(default_base_url(Product::OpsManager).is_none());
        for product in [Product::Atlas, Product::CloudManager] {
            assert_eq!(default_base_url(product).unwrap().as_str(), "https://cloud.mongodb.com/");
        }
    }
}
