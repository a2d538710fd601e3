//! How far an inviter reaches: what may be asked for through it, and from which namespaces.
//!
//! Owns the shape of `allow` and `namespaces`; whether a request is inside is decided in `domain`. Must never treat an
//! absent list of a `ClusterInviter` as open: there it is refused by the schema.

use super::rules;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What may be asked for through an `Inviter`.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllowInviter {
    /// Ids of projects that people may be invited to; absent or ['*'] allows every project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500), inner(length(max = 100)))]
    #[x_kube(merge_strategy = ListMerge::Set, validation = rules::allowed_projects())]
    pub projects: Option<Vec<String>>,
    /// Roles that may be given; absent or ['*'] allows every role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), inner(length(max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Set, validation = rules::allowed_roles())]
    pub roles: Option<Vec<String>>,
    /// Domains of e-mail addresses that may be invited; absent or ['*'] allows every domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), inner(length(max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Set, validation = rules::allowed_domains())]
    pub email_domains: Option<Vec<String>>,
}

/// What may be asked for through a `ClusterInviter`.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllowClusterInviter {
    /// Ids of projects that people may be invited to; ['*'] allows every project. Required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500), inner(length(max = 100)))]
    #[x_kube(merge_strategy = ListMerge::Set, validation = rules::allowed_projects())]
    pub projects: Option<Vec<String>>,
    /// Roles that may be given; ['*'] allows every role. Required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), inner(length(max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Set, validation = rules::allowed_roles())]
    pub roles: Option<Vec<String>>,
    /// Domains of e-mail addresses that may be invited; absent or ['*'] allows every domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), inner(length(max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Set, validation = rules::allowed_domains())]
    pub email_domains: Option<Vec<String>>,
}

/// Selects namespaces by their labels.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// Labels that a namespace must have, each with this value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Requirements that a namespace's labels must all meet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub match_expressions: Vec<SelectorRequirement>,
}

/// One requirement of a selector.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SelectorRequirement {
    /// Key of the label.
    #[schemars(length(max = 317))]
    pub key: String,
    /// How the label's value relates to values.
    pub operator: SelectorOperator,
    /// Values for In and `NotIn`; empty for Exists and `DoesNotExist`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(max = 63)))]
    pub values: Vec<String>,
}

/// How a label's value relates to the values of a requirement.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelectorOperator {
    /// The value is one of these.
    In,
    /// The label is absent or its value is none of these.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
}
