//! API keys, service accounts, live tokens and nonces.
//!
//! Owns what a caller may prove and may do. Must never format an HTTP answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnet::IpNet;
use jiff::Timestamp;

use super::World;
use crate::seed::{Credential, CredentialKind};

/// All credentials and what was issued to them.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    known: Vec<Known>,
    /// Live and expired access tokens by their text.
    pub(crate) tokens: BTreeMap<String, Token>,
    /// Digest nonces by their text.
    pub(crate) nonces: BTreeMap<String, Nonce>,
}

/// A credential with its grants.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Id of the key itself, which is not its public half.
    pub(crate) id: String,
    pub(crate) credential: Credential,
    grants: BTreeMap<String, Vec<String>>,
    access_list: Option<Vec<String>>,
}

/// An issued access token.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) client: String,
    pub(crate) expires: Timestamp,
}

/// An issued nonce.
#[derive(Debug)]
pub(crate) struct Nonce {
    pub(crate) issued: Timestamp,
    pub(crate) used: BTreeSet<u64>,
}

impl Credentials {
    /// Adds a credential, in place of one with the same id.
    pub(crate) fn add(
        &mut self,
        id: String,
        credential: Credential,
        grants: BTreeMap<String, Vec<String>>,
        access_list: Option<Vec<String>>,
    ) {
        self.remove(&credential.id);
        self.known.push(Known { id, credential, grants, access_list });
    }

    /// Removes a credential and its tokens.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let before = self.known.len();
        self.known.retain(|known| known.credential.id != id);
        self.tokens.retain(|_, token| token.client != id);
        self.known.len() < before
    }

    /// The credential with an id, if it is of this kind.
    pub(crate) fn find(&self, kind: CredentialKind, id: &str) -> Option<&Known> {
        self.known.iter().find(|known| known.credential.kind == kind && known.credential.id == id)
    }
}

impl Known {
    /// Roles in a project, with those its organisation lends: an organisation owner owns all.
    pub(crate) fn project_roles(&self, project: &str, org: &str) -> Vec<String> {
        let mut roles: Vec<String> = self.direct(project).into_iter().cloned().collect();
        if self.direct(org).iter().any(|role| *role == "ORG_OWNER") {
            roles.push("GROUP_OWNER".to_owned());
        }
        roles.retain(|role| role.starts_with("GROUP_"));
        roles
    }

    /// Roles in an organisation.
    pub(crate) fn org_roles(&self, org: &str) -> Vec<String> {
        let mut roles: Vec<String> = self.direct(org).into_iter().cloned().collect();
        roles.retain(|role| role.starts_with("ORG_"));
        roles
    }

    /// Whether it belongs to anything in the organisation.
    pub(crate) fn all_grants(&self) -> &BTreeMap<String, Vec<String>> {
        &self.grants
    }

    /// Whether it may be used from an address.
    pub(crate) fn admits(&self, address: IpAddr) -> bool {
        let Some(list) = &self.access_list else {
            return true;
        };
        list.iter().any(|entry| {
            entry.parse::<IpNet>().is_ok_and(|net| net.contains(&address))
                || entry.parse::<IpAddr>().is_ok_and(|one| one == address)
        })
    }

    fn direct(&self, target: &str) -> Vec<&String> {
        [target, "*"].iter().filter_map(|key| self.grants.get(*key)).flatten().collect()
    }
}

impl World {
    /// An id and a secret of the shapes the contract names (§5.2).
    pub(crate) fn fresh_secret(&mut self, kind: CredentialKind) -> (String, String) {
        match kind {
            CredentialKind::ApiKey => {
                let raw = self.mint.hex(16);
                let parts: Vec<&str> = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)]
                    .iter()
                    .filter_map(|(from, to)| raw.get(*from..*to))
                    .collect();
                (self.mint.letters(8), parts.join("-"))
            }
            CredentialKind::ServiceAccount => {
                (format!("mdb_sa_id_{}", self.mint.hex(12)), format!("mdb_sa_sk_{}", self.mint.hex(20)))
            }
        }
    }
}
