//! What the controllers are told when they start.
//!
//! Must never be read from the environment here: `runtime` does that, so that tests start what production starts.

use crate::domain::lease::LeaseTimes;
use crate::domain::pacer::Rate;
use crate::domain::timings::Timings;
use std::collections::BTreeSet;
use std::time::Duration;

/// Settings of all controllers.
#[derive(Clone, Debug)]
pub struct ControllerSettings {
    /// Where claims live and where `ClusterInviter`s have their Secrets.
    pub operator_namespace: String,
    /// Namespaces to serve.
    pub namespaces: Namespaces,
    /// Hosts, with their port unless it is the default, that credentials may be sent to.
    pub allowed_hosts: BTreeSet<String>,
    /// At most so many e-mails per person and project in any 24 hours.
    pub max_mails_per_person: i32,
    /// How many invitations a host is sent.
    pub rate: Rate,
    /// The times of the protocol.
    pub timings: Timings,
    /// Total deadline of a call that does not e-mail.
    pub call_deadline: Duration,
    /// Every watch of the Kubernetes API is renewed so often.
    pub watch_renewal: Duration,
    /// How many objects are reconciled at a time.
    pub concurrency: u16,
}

/// Namespaces to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// All of them, `ClusterInviter`s included.
    All,
    /// Just these; `ClusterInviter`s are not served.
    Only(BTreeSet<String>),
}

/// The Lease by which replicas agree on the one that acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseSettings {
    /// Its name.
    pub name: String,
    /// Who this process is in it: its own, never another's, not even that of its predecessor in the same place.
    pub identity: String,
    /// The times of the election.
    pub times: LeaseTimes,
}
