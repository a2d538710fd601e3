//! Everything the simulated service knows.
//!
//! Owns the state behind one lock. Every effect of a call happens inside one critical section, so a
//! client that goes away in the middle never leaves half an effect. Must know nothing about HTTP.

pub(crate) mod credentials;
pub(crate) mod events;
pub(crate) mod invitations;
pub(crate) mod limits;
mod org_invitations;
pub(crate) mod outbox;
pub(crate) mod people;
pub(crate) mod planting;
pub(crate) mod views;

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::{
    credentials::Credentials,
    invitations::{Invitation, OrgInvitation, Pending},
    limits::Limits,
    outbox::Mail,
    people::{Account, OrgMember},
};
use crate::{
    behaviour::{Behaviour, UsernameCase, UsernameFilter},
    clock::Clock,
    fault::Faults,
    ids::Mint,
    options::{Deployment, Options},
    roles::Product,
    server::log::Log,
};

/// The state of one simulator.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) mint: Mint,
    pub(crate) deployment: Deployment,
    pub(crate) behaviour: Behaviour,
    pub(crate) orgs: BTreeMap<String, Org>,
    pub(crate) projects: BTreeMap<String, Project>,
    /// Accounts by lower-case address.
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) credentials: Credentials,
    pub(crate) limits: Limits,
    pub(crate) outbox: Vec<Mail>,
    pub(crate) log: Log,
    pub(crate) faults: Faults,
    /// No legacy invitation ends before this moment.
    next_expiry: Timestamp,
}

/// An organisation.
#[derive(Debug, Default)]
pub(crate) struct Org {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Members by lower-case address.
    pub(crate) members: BTreeMap<String, OrgMember>,
    pub(crate) federated_domains: Vec<String>,
    /// Legacy organisation invitations, explicit ones and those a project invitation implied.
    pub(crate) invitations: Vec<OrgInvitation>,
    /// People invited through the 2025-02-19 users API.
    pub(crate) pending: Vec<Pending>,
}

/// A project.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) org: String,
    pub(crate) product: Product,
    pub(crate) created: Timestamp,
    pub(crate) invitations: Vec<Invitation>,
    /// Roles of members by lower-case address.
    pub(crate) members: BTreeMap<String, Vec<String>>,
}

impl World {
    /// A world without people and projects.
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            clock: Clock::default(),
            mint: Mint::new(options.random_seed),
            deployment: options.deployment,
            behaviour: options.behaviour.clone(),
            orgs: BTreeMap::new(),
            projects: BTreeMap::new(),
            accounts: BTreeMap::new(),
            credentials: Credentials::default(),
            limits: Limits::default(),
            outbox: Vec::new(),
            log: Log::default(),
            faults: Faults::default(),
            next_expiry: Timestamp::MAX,
        }
    }

    /// An address as this service stores it (contract §10.8).
    pub(crate) fn stored_username(&self, username: &str) -> String {
        match self.behaviour.username_case {
            UsernameCase::Lower => username.to_lowercase(),
            UsernameCase::Keep => username.to_owned(),
        }
    }

    /// Whether a `username` filter selects an address (contract §10.9).
    pub(crate) fn selects(&self, filter: Option<&str>, username: &str) -> bool {
        let Some(filter) = filter else { return true };
        let (filter, username) = (filter.to_lowercase(), username.to_lowercase());
        match self.behaviour.username_filter {
            UsernameFilter::Exact => filter == username,
            UsernameFilter::Prefix => username.starts_with(&filter),
            UsernameFilter::Ignored => true,
        }
    }
}
