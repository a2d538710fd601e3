//! The kinds that users and the operator write to Kubernetes: types, schema and names, nothing else.
//!
//! Owns the wire form of the `invitation-operator.io` API group. Must never decide, call or wait: a type here may be
//! constructed, compared and serialised, and that is all.

// `KubeSchema` emits `pub` items inside function bodies.
#![allow(unreachable_pub)]
// Each printer column names its own `type_`, which the lint takes for the same attribute.
#![allow(clippy::duplicated_attributes)]
// Field docs are what `kubectl explain` prints, and marks would show there.
#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes)]

pub mod allow;
pub mod claim;
pub mod crd;
pub mod inviter;
pub mod names;
pub mod project_invitation;
pub mod reason;
pub mod rules;
pub mod status;

pub use allow::{AllowClusterInviter, AllowInviter, NamespaceSelector, SelectorOperator, SelectorRequirement};
pub use claim::{
    Attempt, ClaimKey, Debt, InvitationClaim, InvitationClaimSpec, Kept, Origin, Owner, RecordedInvitation,
    RecordedInviter, Refusal, Resend, Verdict, VerdictKind,
};
pub use inviter::{
    Adoption, CaBundleRef, CaBundleSource, ClusterInviter, ClusterInviterSpec, CredentialsSecretRef, Inviter,
    InviterSpec, InviterStatus, Mode, OnUnknown, Product,
};
pub use project_invitation::{
    Deletion, DeletionPolicy, InviterKind, InviterRef, ProjectInvitation, ProjectInvitationSpec, ReadyWhen,
};
pub use reason::Reason;
pub use status::{Phase, Plan, ProjectInvitationStatus};
