//! `InvitationClaim`: the operator's ledger, one object per person and project, in the operator's own namespace.
//!
//! The claim is lock and memory of the exactly-once protocol: its creation is the lock, its content the truth that
//! status only projects. Users have no rights on it. Must never be written except by compare-and-swap.

use super::inviter::Product;
use super::project_invitation::{DeletionPolicy, InviterKind};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator knows about one person in one project.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "invitation-operator.io",
    version = "v1alpha1",
    kind = "InvitationClaim",
    shortname = "iclaim",
    namespaced,
    derive = "PartialEq",
    doc = "The operator's own record of one person in one MongoDB project: who owns the invitation, what was sent and when. Written by the operator only; do not edit.",
    printcolumn(name = "Project", type_ = "string", json_path = ".spec.key.projectId"),
    printcolumn(name = "Owner-Namespace", type_ = "string", json_path = ".spec.owner.namespace"),
    printcolumn(name = "Owner", type_ = "string", json_path = ".spec.owner.name"),
    printcolumn(name = "Id", type_ = "string", json_path = ".spec.invitation.id"),
    printcolumn(name = "Attempt", type_ = "string", json_path = ".spec.attempt.startedAt"),
    printcolumn(name = "Verdict", type_ = "string", json_path = ".spec.verdict.kind"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct InvitationClaimSpec {
    /// The parts of the key that the object's name is made from; compared on every read.
    pub key: ClaimKey,
    /// The inviter last used.
    pub inviter_ref: RecordedInviter,
    /// The `ProjectInvitation` that this claim serves; absent after it let go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// What the owner wants done with a pending invitation when the owner goes.
    #[serde(default)]
    pub deletion: DeletionPolicy,
    /// A call that may e-mail and whose result is not recorded yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// How many attempts in a row were neither answered nor found.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub lost_attempts: i32,
    /// The invitation, as last recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<RecordedInvitation>,
    /// Ids of invitations that this operator sent beside the one that stands: they are being cancelled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub surplus: Vec<String>,
    /// What the person or somebody else did with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// When the person was first seen as a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Time>,
    /// The API's last definite no, while nothing about the request has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// The annotation that asks for another invitation: what was done of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resend: Option<Resend>,
    /// When each e-mail was sent or may have been sent, the newest 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub mails: Vec<Time>,
    /// The owner left the invitation as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// The invitation is being cancelled: nobody may take the claim over.
    #[serde(default)]
    pub cancelling: bool,
    /// A cancellation that could not be made before the owner was let go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debt: Option<Debt>,
}

/// Names a person in a project of one API host.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimKey {
    /// The product whose API made the invitation.
    pub product: Product,
    /// The API that made the invitation; it serves it until it ends.
    pub api: String,
    /// Host of the API, lower-case, with its port unless that is the scheme's default.
    pub host: String,
    /// Id of the project.
    pub project_id: String,
    /// The person's address in lower case.
    pub username: String,
}

/// The inviter whose credentials serve the claim.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedInviter {
    /// Inviter or `ClusterInviter`.
    pub kind: InviterKind,
    /// Namespace of an Inviter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the inviter.
    pub name: String,
    /// Uid of the inviter.
    pub uid: String,
}

/// The `ProjectInvitation` that a claim serves.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// Namespace of the owner.
    pub namespace: String,
    /// Name of the owner.
    pub name: String,
    /// Uid of the owner; a new object of the same name is another owner.
    pub uid: String,
}

/// A call that may e-mail and whose result is not recorded yet.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Names this attempt; a write whose answer was lost is recognised by it.
    pub nonce: String,
    /// When the attempt was recorded.
    pub started_at: Time,
    /// After this moment the call must not begin.
    pub deadline: Time,
    /// The API said success without an id: the call is never repeated, the person only looked for.
    #[serde(default)]
    pub answered: bool,
}

/// An invitation, as last recorded.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedInvitation {
    /// Id of the invitation at MongoDB.
    pub id: String,
    /// When MongoDB created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Time>,
    /// When it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// Who sent it, as MongoDB reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inviter_username: Option<String>,
    /// Whether this operator sent it or found it.
    pub origin: Origin,
}

/// Whether this operator sent an invitation or found it.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// Sent by this operator.
    Created,
    /// Found, and taken over as the inviter's `adoption` allows.
    Adopted,
}

/// What became of the person.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum VerdictKind {
    /// The person is a member.
    Accepted,
    /// The invitation vanished before it expired, or the member left or was removed.
    Withdrawn,
}

/// What became of the person, and since when.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// What became of the person.
    pub kind: VerdictKind,
    /// When it was first seen.
    pub since: Time,
}

/// A definite no of the API.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Reason, of the catalogue.
    pub reason: String,
    /// The API's own code and detail.
    pub message: String,
    /// When it last said so.
    pub at: Time,
    /// How often in a row it has said so.
    #[schemars(range(min = 0))]
    pub times: i32,
    /// Names the request that was refused: object, spec, inviter and requestedAt.
    pub request: String,
}

/// What was done of the annotation that asks for another invitation.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resend {
    /// The last value that was acted on, or that was there at the first invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handled: Option<String>,
    /// A value that is being acted on: the old invitation is cancelled, then another is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
}

/// The owner left the invitation as it is.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// When the owner let go.
    pub at: Time,
}

/// A cancellation that is still owed.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Debt {
    /// Since when it is owed.
    pub since: Time,
    /// Why it could not be paid.
    pub reason: String,
}
