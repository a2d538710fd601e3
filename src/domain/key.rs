//! The key of a claim: one person, one project, one API host.
//!
//! Owns how a host is written canonically and how a claim is named. Must never change without a new version prefix: the
//! name is the lock.

use super::remote::{ObjectId, Username};
use crate::api::{ClaimKey, Product};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use url::Url;

/// Name of the API generation that serves Atlas, Cloud Manager and Ops Manager invitations today.
pub const INVITES_API: &str = "Invites";

/// A host as keys and allow-lists write it: lower case, no trailing dot, `:port` unless it is the scheme's default.
/// `None` for a URL without a host.
#[must_use]
pub fn canonical_host(base_url: &Url) -> Option<String> {
    let host = base_url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
    if host.is_empty() {
        return None;
    }
    // `Url::port` is `None` for the scheme's default.
    Some(base_url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
}

/// The key of a person in a project.
#[must_use]
pub fn claim_key(product: Product, host: &str, project: &ObjectId, person: &Username) -> ClaimKey {
    ClaimKey {
        product,
        api: INVITES_API.to_owned(),
        host: host.to_owned(),
        project_id: project.as_str().to_owned(),
        username: person.folded().to_owned(),
    }
}

/// Name of the claim: the first 40 hexadecimal digits of a SHA-256 over host, project and person.
///
/// The product is no part of it: two products on one host would invite the same person to the same project.
#[must_use]
pub fn claim_name(key: &ClaimKey) -> String {
    let digest = Sha256::digest(format!("v1\n{}\n{}\n{}", key.host, key.project_id, key.username));
    digest.iter().take(20).fold(String::with_capacity(40), |mut name, byte| {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}

/// Whether a claim found under the key's name is the key's: anything else is a collision or a forgery.
#[must_use]
pub fn same_key(recorded: &ClaimKey, wanted: &ClaimKey) -> bool {
    recorded.host == wanted.host && recorded.project_id == wanted.project_id && recorded.username == wanted.username
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_written_in_one_way() {
        for (url, host) in [
            ("https://Cloud.MongoDB.com/", "cloud.mongodb.com"),
            ("https://cloud.mongodb.com:443", "cloud.mongodb.com"),
            ("https://cloud.mongodb.com.", "cloud.mongodb.com"),
            ("https://om.example.com:8443", "om.example.com:8443"),
            ("http://127.0.0.1:80", "127.0.0.1"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(canonical_host(&Url::parse(url).unwrap()).as_deref(), Some(host), "{url}");
        }
    }

    #[test]
    fn the_name_depends_on_host_project_and_person_but_not_on_case_or_product() {
        let project = ObjectId::parse("5f1d7c8e9a3b2c4d5e6f7a8b").unwrap();
        let name =
            |product, host: &str, person: &str| claim_name(&claim_key(product, host, &project, &Username::new(person)));
        let one = name(Product::Atlas, "cloud.mongodb.com", "Jane@Example.com");
        // Fixed for ever: a changed name would be a lost lock.
        assert_eq!(one, "fda35ba2edc41cbb74d28acf8a2d765cf2c59367");
        assert_eq!(one, name(Product::CloudManager, "cloud.mongodb.com", "jane@example.com"));
        assert_ne!(one, name(Product::Atlas, "cloud.mongodbgov.com", "jane@example.com"));
        assert_ne!(one, name(Product::Atlas, "cloud.mongodb.com", "john@example.com"));
    }
}
