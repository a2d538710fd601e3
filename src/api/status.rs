//! The operator's side of `ProjectInvitation`: what was last seen and recorded.
//!
//! Status is a projection. It is never read back to cause anything; it may only forbid an e-mail (`ClaimMissing`).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator last saw and recorded.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectInvitationStatus {
    /// The last remote fact: Pending, Invited, Accepted, Expired, Withdrawn, or Failed when the API refused before
    /// there ever was an invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Id of the invitation at MongoDB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When MongoDB created the invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Time>,
    /// When the invitation expires, as MongoDB says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// When the person was first seen as a member of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Time>,
    /// Name of the project, as MongoDB reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
    /// Who sent the invitation, as MongoDB reports it: an address, the public part of an API key or a client id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inviter_username: Option<String>,
    /// Roles as MongoDB reports them, in alphabetical order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub roles: Option<Vec<String>>,
    /// Id of the person at MongoDB, once a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// How many e-mails the operator sent, or may have sent, to this person for this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mails_sent: Option<i32>,
    /// When the last of them was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_mailed_at: Option<Time>,
    /// Under an inviter with `mode: Observe`: the one call that the operator would make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The last value of a requestedAt annotation that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// The last value of the resend annotation that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_resend: Option<String>,
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Reconciling and Stalled as kstatus reads them, Accepted and RolesInSync.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// The last remote fact: Pending, Invited, Accepted, Expired, Withdrawn, or Failed when the API refused before there
/// ever was an invitation.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Phase {
    /// Nothing was sent or found yet.
    Pending,
    /// The invitation waits for the person.
    Invited,
    /// The person is a member.
    Accepted,
    /// The invitation expired unanswered.
    Expired,
    /// The invitation vanished before it expired, or the member left or was removed.
    Withdrawn,
    /// The API refused, and there never was an invitation.
    Failed,
}

impl Phase {
    /// Every phase, for metrics that show zeros.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Invited, Self::Accepted, Self::Expired, Self::Withdrawn, Self::Failed];

    /// The phase as the status spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Invited => "Invited",
            Self::Accepted => "Accepted",
            Self::Expired => "Expired",
            Self::Withdrawn => "Withdrawn",
            Self::Failed => "Failed",
        }
    }
}

/// Under an inviter with `mode: Observe`: the one call that the operator would make.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Plan {
    /// Send an invitation.
    Invite,
    /// Take over a pending invitation that somebody else sent.
    Adopt,
    /// Change the roles of the pending invitation.
    UpdateRoles,
    /// Cancel the pending invitation.
    Cancel,
    /// Nothing to do.
    None,
}
