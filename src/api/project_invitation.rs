//! `ProjectInvitation`: who is invited, where, as what.
//!
//! Owns the user's side of the kind (its spec); `status.rs` has the operator's side. Must never hold a rule that CEL
//! cannot check on the object alone.

use super::rules;
use super::status::ProjectInvitationStatus;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the author of a `ProjectInvitation` wants.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "invitation-operator.io",
    version = "v1alpha1",
    kind = "ProjectInvitation",
    plural = "projectinvitations",
    shortname = "pinv",
    category = "mongodb",
    namespaced,
    status = "ProjectInvitationStatus",
    derive = "PartialEq",
    doc = "An invitation of one person to one MongoDB project of Atlas, Cloud Manager or Ops Manager. The operator sends it, at most once, and reports in the status until the person has accepted or the invitation has expired.",
    selectable = ".spec.projectId",
    selectable = ".spec.username",
    selectable = ".status.phase",
    printcolumn(name = "Username", type_ = "string", json_path = ".spec.username"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.expiresAt"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Project", type_ = "string", json_path = ".spec.projectId", priority = 1),
    printcolumn(name = "Roles", type_ = "string", json_path = ".spec.roles", priority = 1),
    printcolumn(name = "Id", type_ = "string", json_path = ".status.id", priority = 1),
    printcolumn(name = "Inviter", type_ = "string", json_path = ".spec.inviterRef.name", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
pub struct ProjectInvitationSpec {
    /// Id of the MongoDB project (also called group): 24 lower-case hexadecimal digits. Cannot be changed.
    #[schemars(length(max = 253))]
    #[x_kube(
        validation = rules::project_id(),
        validation = rules::immutable("projectId", "create another ProjectInvitation for the other project")
    )]
    pub project_id: String,
    /// E-mail address of the person to invite. It is sent as written and compared without regard to case. Cannot be
    /// changed.
    #[schemars(length(max = 254))]
    #[x_kube(
        validation = rules::username(),
        validation = rules::immutable("username", "create another ProjectInvitation for the other person")
    )]
    pub username: String,
    /// Project roles that the person gets on accepting, such as GROUP_READ_ONLY. Their order means nothing. Roles of a
    /// pending invitation are changed in place, without a second e-mail.
    #[schemars(length(max = 50), inner(length(max = 64)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = rules::roles_present(),
        validation = rules::roles_well_formed()
    )]
    pub roles: Vec<String>,
    /// The inviter whose credentials are used. It may be changed to another inviter of the same product and API host.
    pub inviter_ref: InviterRef,
    /// Stops all calls for this object, except to find out what became of an invitation that was just being sent.
    /// Deleting a suspended object leaves its invitation as it is.
    #[serde(default)]
    pub suspend: bool,
    /// What `Ready=True` means: `Invited`, the invitation has been sent; `Accepted`, the person is a member.
    #[serde(default)]
    pub ready_when: ReadyWhen,
    /// What deleting this object does.
    #[serde(default)]
    pub deletion: Deletion,
}

/// Names an `Inviter` of the same namespace or a `ClusterInviter`.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviterRef {
    /// `Inviter`, in the namespace of this object, or `ClusterInviter`.
    #[serde(default)]
    pub kind: InviterKind,
    /// Name of the inviter.
    #[schemars(length(max = 253))]
    #[x_kube(validation = rules::object_name("inviterRef.name"))]
    pub name: String,
}

/// Kind of the inviter.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum InviterKind {
    /// In the namespace of the invitation.
    #[default]
    Inviter,
    /// Owned by the platform team.
    ClusterInviter,
}

impl InviterKind {
    /// The kind as Kubernetes spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inviter => "Inviter",
            Self::ClusterInviter => "ClusterInviter",
        }
    }
}

/// What `Ready=True` means.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReadyWhen {
    /// The invitation has been sent; what the person then does changes nothing.
    #[default]
    Invited,
    /// The person is a member of the project.
    Accepted,
}

/// What deleting the object does.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// What happens to an invitation that is still pending: `Cancel` withdraws it, `Keep` leaves it as it is.
    #[serde(default)]
    pub invitation: DeletionPolicy,
}

/// What happens to a pending invitation.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeletionPolicy {
    /// The invitation is withdrawn.
    #[default]
    Cancel,
    /// The invitation stays as it is.
    Keep,
}
