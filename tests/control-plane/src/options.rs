//! What a caller may choose about a control plane.
//!
//! Must never: offer a choice that weakens what every test relies on (RBAC,
//! loopback, cleaning up).

use std::path::PathBuf;
use std::time::Duration;

/// Choices for [`ControlPlane::start`](crate::ControlPlane::start).
#[derive(Clone, Debug)]
pub struct Options {
    /// Runs kube-controller-manager as well: namespaces end, garbage is
    /// collected, service accounts appear. On by default.
    pub with_controller_manager: bool,
    /// The controllers it runs, as in its flag `--controllers`.
    pub controllers: Vec<String>,
    /// Flags added to those of kube-apiserver; a flag given here wins.
    pub extra_apiserver_args: Vec<String>,
    /// Writes an audit log, one JSON event per line and per answered request.
    /// A relative path lies in the folder of the plane and goes with it.
    pub audit_log: Option<PathBuf>,
    /// The audit policy as YAML or JSON, in place of "every request, at level
    /// Metadata, once, when it has been answered".
    pub audit_policy: Option<String>,
    /// How long the processes may take to be ready, building tools not counted.
    pub start_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            with_controller_manager: true,
            controllers: CONTROLLERS.iter().map(ToString::to_string).collect(),
            extra_apiserver_args: Vec::new(),
            audit_log: None,
            audit_policy: None,
            start_timeout: Duration::from_secs(120),
        }
    }
}

/// What a cluster without nodes can make use of.
const CONTROLLERS: &[&str] = &[
    "clusterrole-aggregation-controller",
    "deployment-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "replicaset-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "validatingadmissionpolicy-status-controller",
];
