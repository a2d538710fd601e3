//! Every name that stands in a cluster: group, finalizer, annotations, labels, condition types.
//!
//! Must never hold a rule. A name is written once here and used everywhere else.

/// The API group of all four kinds.
pub const GROUP: &str = "invitation-operator.io";
/// The only version served.
pub const VERSION: &str = "v1alpha1";
/// Category of the kinds that users write: `kubectl get mongodb`.
pub const CATEGORY: &str = "mongodb";
/// Makes `kubectl delete` wait until the invitation is cancelled. No guarantee rests on it.
pub const FINALIZER: &str = "invitation-operator.io/invitation";
/// Field manager and event reporter.
pub const CONTROLLER: &str = "invitation-operator";
/// Label of a claim: uid of the `ProjectInvitation` that owns it.
pub const OWNER_UID_LABEL: &str = "invitation-operator.io/owner-uid";

/// Annotation of the Lease: the namespaces that its holder serves, so that another instance keeps away from them.
pub const SERVES_ANNOTATION: &str = "invitation-operator.io/serves";

/// Annotations that ask the operator for something.
pub mod annotation {
    /// Any new value asks for a fresh look now.
    pub const REQUESTED_AT: &str = "invitation-operator.io/requestedAt";
    /// The same, as Flux's tools write it.
    pub const FLUX_REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
    /// Any new value cancels the invitation and invites again, once per value, under the cap on e-mails.
    pub const RESEND: &str = "invitation-operator.io/resend";
    /// `"true"` lets go of an object that is being deleted without calling the API.
    pub const RELEASE: &str = "invitation-operator.io/release";
    /// On the operator's Lease: any new value ends a pause of cancellations for vanished owners.
    pub const RESUME_CANCELLATIONS: &str = "invitation-operator.io/resumeCancellations";
    /// All of those on objects: what is kept of an object's annotations, and what wakes it.
    pub const ALL: [&str; 4] = [REQUESTED_AT, FLUX_REQUESTED_AT, RESEND, RELEASE];
}

/// Types of status conditions, read by kstatus, Argo CD and `kubectl wait`.
pub mod condition {
    /// Always present: what it means is set by `readyWhen`.
    pub const READY: &str = "Ready";
    /// Present only when `True`: waits for time, an API or an inviter.
    pub const RECONCILING: &str = "Reconciling";
    /// Present only when `True`: waits for a human.
    pub const STALLED: &str = "Stalled";
    /// Whether the person is a member of the project.
    pub const ACCEPTED: &str = "Accepted";
    /// Whether MongoDB reports the roles that the spec asks for.
    pub const ROLES_IN_SYNC: &str = "RolesInSync";
    /// Of inviters, present only when `True`: pending invitations that were sent through it belong to no object.
    pub const ORPHANS_FOUND: &str = "OrphansFound";
    /// Of inviters, present only when `True`: invitations of vanished owners are not cancelled for now.
    pub const CANCELLATIONS_PAUSED: &str = "CancellationsPaused";
}
