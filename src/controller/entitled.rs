//! Whether an object may use its inviter, and what it shows where it may not.
//!
//! Must never call anything: what an inviter can be used for was found out by its own pass.

use super::connection::{Connection, Usable};
use super::pass::Passes;
use crate::api::Reason;
use crate::domain::desired::Desired;
use crate::domain::finding::Finding;
use std::sync::Arc;

/// Why an object cannot use its inviter now.
pub(super) enum Unusable {
    /// The inviter's first pass is not over.
    Checking,
    /// What the object shows.
    Because(Finding),
}

impl Passes {
    /// The inviter's connection, if this object may use it now.
    pub(super) fn connection(&self, desired: &Desired) -> Result<Arc<Connection>, Unusable> {
        let because = |reason, message| Err(Unusable::Because(Finding::new(reason, message)));
        let name = &desired.inviter;
        match self.connections.find(name) {
            Usable::Yes(connection) => {
                if self.namespaces.may_use(&connection.access, &desired.object.namespace) {
                    Ok(connection)
                } else {
                    let namespace = &desired.object.namespace;
                    because(
                        Reason::PolicyDenied,
                        format!(
                            "namespaces of {name} does not select namespace {namespace}: ask the platform team to allow it"
                        ),
                    )
                }
            }
            Usable::No(finding) => because(
                Reason::InviterNotReady,
                format!("{name} is not ready: {}: {}", finding.reason.as_str(), finding.message),
            ),
            Usable::Checking => Err(Unusable::Checking),
            Usable::NotFound => because(
                Reason::InviterNotFound,
                match &name.namespace {
                    Some(namespace) => {
                        format!("{name} does not exist in namespace {namespace}: create it, or correct inviterRef")
                    }
                    None => {
                        format!("{name} does not exist or is not served: ask the platform team, or correct inviterRef")
                    }
                },
            ),
        }
    }
}
