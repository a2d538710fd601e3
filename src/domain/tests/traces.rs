//! What an object bears of an operator that acted on it.

use super::values::object;
use crate::api::names::FINALIZER;
use crate::api::{Phase, ProjectInvitationStatus};
use crate::domain::traces::Traces;

fn traces(finalizers: &[&str], status: Option<ProjectInvitationStatus>) -> Traces {
    let mut object = object();
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
