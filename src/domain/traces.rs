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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{
        Deletion, InviterKind, InviterRef, Phase, ProjectInvitationSpec, ProjectInvitationStatus, ReadyWhen,
    };

    fn traces(finalizers: &[&str], status: Option<ProjectInvitationStatus>) -> Traces {
        let spec = ProjectInvitationSpec {
            project_id: "32b6e34b3d91647abb20e7b8".to_owned(),
            username: "jane@example.com".to_owned(),
            roles: vec!["GROUP_READ_ONLY".to_owned()],
            inviter_ref: InviterRef { kind: InviterKind::Inviter, name: "atlas".to_owned() },
            suspend: false,
            ready_when: ReadyWhen::Invited,
            deletion: Deletion::default(),
        };
        let mut object = ProjectInvitation::new("jane", spec);
        object.metadata.finalizers = Some(finalizers.iter().map(|&name| name.to_owned()).collect());
        object.status = status;
        Traces::of(&object)
    }

    /// As the schema makes it.
    fn made() -> ProjectInvitationStatus {
        ProjectInvitationStatus { observed_generation: Some(-1), ..ProjectInvitationStatus::default() }
    }

    #[test]
    fn a_fresh_object_bears_none() {
        assert!(traces(&[], None).none());
        assert!(traces(&["example.com/other"], Some(made())).none(), "somebody else's finalizer says nothing");
    }

    #[test]
    fn the_finalizer_and_a_status_are_traces() {
        let finalizer = traces(&["example.com/other", FINALIZER], Some(made()));
        assert_eq!(finalizer, Traces { finalizer: true, status: false });
        let status = traces(&[], Some(ProjectInvitationStatus { phase: Some(Phase::Pending), ..made() }));
        assert_eq!(status, Traces { finalizer: false, status: true });
        assert!(!finalizer.none() && !status.none());
    }
}
