//! `Inviter` and `ClusterInviter`: through which product, host and credentials people are invited, and how far.
//!
//! The two specs are one set of fields; they differ in scope, in what is required and in the default of `adoption`.
//! No field may name a Secret of another namespace: that is the confused deputy of `docs`, and the schema cannot say it.

use super::allow::{AllowClusterInviter, AllowInviter, NamespaceSelector};
use super::rules;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Credentials and limits of one namespace.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "invitation-operator.io",
    version = "v1alpha1",
    kind = "Inviter",
    category = "mongodb",
    namespaced,
    status = "InviterStatus",
    derive = "PartialEq",
    doc = "The product, host and credentials through which the ProjectInvitations of the same namespace are sent.",
    printcolumn(name = "Product", type_ = "string", json_path = ".spec.product"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Host", type_ = "string", json_path = ".spec.baseUrl", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    )
)]
#[x_kube(validation = rules::ops_manager_needs_base_url(), validation = rules::base_url_immutable())]
#[serde(rename_all = "camelCase")]
pub struct InviterSpec {
    /// The product that owns the projects: Atlas, CloudManager or OpsManager. Cannot be changed.
    #[x_kube(validation = rules::immutable("product", "create another inviter for the other product"))]
    pub product: Product,
    /// Address of the API: https and a host. Default https://cloud.mongodb.com for Atlas and Cloud Manager, required
    /// for Ops Manager. The host must be on the operator's list of allowed hosts. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 300))]
    #[x_kube(validation = rules::base_url())]
    pub base_url: Option<String>,
    /// The Secret with the credentials, in the namespace of this Inviter.
    pub credentials_secret_ref: CredentialsSecretRef,
    /// Certificates of a private certification authority that the API's certificate is checked against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_ref: Option<CaBundleRef>,
    /// How old the operator's view of a project may be: at least 30s.
    #[serde(default = "default_check_interval")]
    #[schemars(length(max = 20))]
    #[x_kube(validation = rules::duration_well_formed(), validation = rules::check_interval_bounds())]
    pub check_interval: String,
    /// Enforce acts; Observe only looks, and says in each invitation's status.plan what Enforce would do.
    #[serde(default)]
    pub mode: Mode,
    /// What to do with a pending invitation that somebody else sent: Any takes it over, SameRoles only with equal
    /// roles, Never leaves it alone. Invitations taken over are changed or cancelled only under Any.
    #[serde(default = "adopt_any")]
    pub adoption: Adoption,
    /// What to do when an invitation was sent, the answer was lost and the person cannot be found after the quarantine:
    /// Retry sends one more, Hold waits for a human.
    #[serde(default)]
    pub on_unknown: OnUnknown,
    /// What may be asked for through this inviter. What is absent is not limited.
    #[serde(default)]
    pub allow: AllowInviter,
}

/// Credentials and limits owned by the platform team.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "invitation-operator.io",
    version = "v1alpha1",
    kind = "ClusterInviter",
    category = "mongodb",
    status = "InviterStatus",
    derive = "PartialEq",
    doc = "The product, host and credentials through which ProjectInvitations of selected namespaces are sent. Its Secret is in the operator's namespace.",
    printcolumn(name = "Product", type_ = "string", json_path = ".spec.product"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Host", type_ = "string", json_path = ".spec.baseUrl", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    )
)]
#[x_kube(
    validation = rules::ops_manager_needs_base_url(),
    validation = rules::base_url_immutable(),
    validation = rules::cluster_inviter_allow(),
    validation = rules::cluster_inviter_namespaces()
)]
#[serde(rename_all = "camelCase")]
pub struct ClusterInviterSpec {
    /// The product that owns the projects: Atlas, CloudManager or OpsManager. Cannot be changed.
    #[x_kube(validation = rules::immutable("product", "create another inviter for the other product"))]
    pub product: Product,
    /// Address of the API: https and a host. Default https://cloud.mongodb.com for Atlas and Cloud Manager, required
    /// for Ops Manager. The host must be on the operator's list of allowed hosts. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 300))]
    #[x_kube(validation = rules::base_url())]
    pub base_url: Option<String>,
    /// The Secret with the credentials, in the operator's namespace.
    pub credentials_secret_ref: CredentialsSecretRef,
    /// Certificates of a private certification authority, in the operator's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_ref: Option<CaBundleRef>,
    /// How old the operator's view of a project may be: at least 30s.
    #[serde(default = "default_check_interval")]
    #[schemars(length(max = 20))]
    #[x_kube(validation = rules::duration_well_formed(), validation = rules::check_interval_bounds())]
    pub check_interval: String,
    /// Enforce acts; Observe only looks, and says in each invitation's status.plan what Enforce would do.
    #[serde(default)]
    pub mode: Mode,
    /// What to do with a pending invitation that somebody else sent: Any takes it over, SameRoles only with equal
    /// roles, Never leaves it alone. Invitations taken over are changed or cancelled only under Any.
    #[serde(default = "adopt_same_roles")]
    pub adoption: Adoption,
    /// What to do when an invitation was sent, the answer was lost and the person cannot be found after the quarantine:
    /// Retry sends one more, Hold waits for a human.
    #[serde(default)]
    pub on_unknown: OnUnknown,
    /// What may be asked for through this inviter: projects and roles are required, ['*'] opens a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<AllowClusterInviter>,
    /// The namespaces that may use this inviter, by their labels; {} selects every namespace. Required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<NamespaceSelector>,
}

fn default_check_interval() -> String {
    "5m".to_owned()
}

fn adopt_any() -> Adoption {
    Adoption::Any
}

fn adopt_same_roles() -> Adoption {
    Adoption::SameRoles
}

/// A product with an invites API.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Product {
    /// MongoDB Atlas, Administration API v2.
    Atlas,
    /// MongoDB Cloud Manager, Public API v1.0.
    CloudManager,
    /// MongoDB Ops Manager 5.0 or later, Public API v1.0.
    OpsManager,
}

impl Product {
    /// The product as the spec spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Atlas => "Atlas",
            Self::CloudManager => "CloudManager",
            Self::OpsManager => "OpsManager",
        }
    }

    /// The product as its users call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Atlas => "Atlas",
            Self::CloudManager => "Cloud Manager",
            Self::OpsManager => "Ops Manager",
        }
    }
}

/// Names the Secret with the credentials.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsSecretRef {
    /// Name of the Secret. Its keys are publicApiKey and privateApiKey (API key), or clientId and clientSecret
    /// (service account).
    #[schemars(length(max = 253))]
    #[x_kube(validation = rules::object_name("credentialsSecretRef.name"))]
    pub name: String,
}

/// Names the object and key that hold PEM certificates.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaBundleRef {
    /// ConfigMap or Secret.
    #[serde(default)]
    pub kind: CaBundleSource,
    /// Name of the ConfigMap or Secret.
    #[schemars(length(max = 253))]
    #[x_kube(validation = rules::object_name("caBundleRef.name"))]
    pub name: String,
    /// The key that holds the certificates in PEM form.
    #[serde(default = "default_ca_key")]
    #[schemars(length(max = 253))]
    #[x_kube(validation = rules::ca_bundle_key())]
    pub key: String,
}

fn default_ca_key() -> String {
    "ca.crt".to_owned()
}

/// Where a CA bundle is read from.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CaBundleSource {
    /// A key of a `ConfigMap`.
    #[default]
    ConfigMap,
    /// A key of a Secret.
    Secret,
}

/// Whether the operator acts or only looks.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// The operator acts.
    #[default]
    Enforce,
    /// The operator looks, adopts nothing and sends nothing.
    Observe,
}

/// What to do with a pending invitation that somebody else sent.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Adoption {
    /// Take it over, whatever its roles.
    Any,
    /// Take it over if its roles are those of the spec.
    SameRoles,
    /// Leave it alone.
    Never,
}

/// What to do when the fate of an invitation stays unknown after the quarantine.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OnUnknown {
    /// Send one more; a second loss in a row holds.
    #[default]
    Retry,
    /// Wait for a human.
    Hold,
}

/// Whether an inviter can be used.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviterStatus {
    /// The last value of a requestedAt annotation that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, with the reason why not; Reconciling and Stalled as kstatus reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}
