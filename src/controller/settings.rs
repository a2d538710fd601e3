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

impl Namespaces {
    const EVERYWHERE: &str = "*";

    /// As the Lease shows it: `*`, or names with commas.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::All => Self::EVERYWHERE.to_owned(),
            Self::Only(names) => names.iter().map(String::as_str).collect::<Vec<_>>().join(","),
        }
    }

    /// Reads what [`Self::text`] wrote.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        if text == Self::EVERYWHERE {
            return Self::All;
        }
        Self::Only(text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// Whether there is a namespace in both.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, Self::All) => true,
            (Self::All, Self::Only(names)) | (Self::Only(names), Self::All) => !names.is_empty(),
            (Self::Only(own), Self::Only(theirs)) => !own.is_disjoint(theirs),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::Namespaces;

    fn only(names: &[&str]) -> Namespaces {
        Namespaces::Only(names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_a_lease_shows_can_be_read_again() {
        for namespaces in [Namespaces::All, only(&[]), only(&["a"]), only(&["a", "b"])] {
            assert_eq!(Namespaces::from_text(&namespaces.text()), namespaces);
        }
    }

    #[test]
    fn instances_meet_where_both_serve_a_namespace() {
        assert!(Namespaces::All.overlap(&Namespaces::All));
        assert!(Namespaces::All.overlap(&only(&["a"])) && only(&["a"]).overlap(&Namespaces::All));
        assert!(only(&["a", "b"]).overlap(&only(&["b", "c"])));
        assert!(!only(&["a"]).overlap(&only(&["b"])));
        assert!(!Namespaces::All.overlap(&only(&[])));
    }
}
