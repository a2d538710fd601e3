//! What an object bears of an operator that acted on it.
//!
//! The finalizer is acknowledged before anything is sent for an object, so one without it, and without a word in its status,
//! has no claim that anything was sent on. To be asked of an object that was read live. Must never tell what was done.

use crate::api::ProjectInvitation;
use crate::api::names::FINALIZER;
use kube::ResourceExt;

/// Which traces an object bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traces {
    /// The operator's finalizer.
    pub finalizer: bool,
    /// A status: every one that is written has a phase.
    pub status: bool,
}

impl Traces {
    /// Reads them.
    #[must_use]
    pub fn of(object: &ProjectInvitation) -> Self {
        Self {
            finalizer: object.finalizers().iter().any(|finalizer| finalizer == FINALIZER),
            status: object.status.as_ref().is_some_and(|status| status.phase.is_some()),
        }
    }

    /// Whether no operator has acted on the object yet.
    #[must_use]
    pub fn none(self) -> bool {
        !self.finalizer && !self.status
    }
}
