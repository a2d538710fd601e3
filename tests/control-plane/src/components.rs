//! The flags with which each process is started.
//!
//! Owns: what makes this a small, secure and quick control plane: etcd on unix
//! sockets inside the folder, so that only its owner reaches it; the API
//! server on one port of loopback with RBAC; a controller manager without a
//! port and without an election.
//!
//! Must never: turn off an authorization or an admission that a cluster has.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use crate::credentials::{AUTHORITY, SERVING_CERTIFICATE, SERVING_KEY, TOKEN_CHECKING_KEY, TOKEN_SIGNING_KEY};
use crate::error::Error;
use crate::options::Options;

pub(crate) const ETCD: &str = "etcd";
pub(crate) const API_SERVER: &str = "kube-apiserver";
pub(crate) const CONTROLLER_MANAGER: &str = "kube-controller-manager";

/// Relative, since every process runs in the folder: a path may be longer than
/// what a socket's address holds. The `:0` is what etcd wants and does not use.
const CLIENT_SOCKET: &str = "unix://etcd.sock:0";
const PEER_SOCKET: &str = "unix://peer.sock:0";

const AUDIT_POLICY: &str = "audit-policy.yaml";
const EVERY_REQUEST_ONCE: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
";

pub(crate) fn etcd() -> Vec<String> {
    vec![
        "--name=etcd".to_owned(),
        "--data-dir=etcd".to_owned(),
        format!("--listen-client-urls={CLIENT_SOCKET}"),
        format!("--advertise-client-urls={CLIENT_SOCKET}"),
        format!("--listen-peer-urls={PEER_SOCKET}"),
        format!("--initial-advertise-peer-urls={PEER_SOCKET}"),
        format!("--initial-cluster=etcd={PEER_SOCKET}"),
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

pub(crate) fn api_server(options: &Options, address: SocketAddr, folder: &Path) -> Result<Vec<String>, Error> {
    let mut args = vec![
        format!("--etcd-servers={CLIENT_SOCKET}"),
        format!("--bind-address={}", address.ip()),
        format!("--advertise-address={}", address.ip()),
        format!("--secure-port={}", address.port()),
        "--permit-port-sharing=true".to_owned(),
        // The service `kubernetes` needs no endpoints: nothing runs in here.
        "--endpoint-reconciler-type=none".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        format!("--tls-cert-file={SERVING_CERTIFICATE}"),
        format!("--tls-private-key-file={SERVING_KEY}"),
        format!("--client-ca-file={AUTHORITY}"),
        "--authorization-mode=RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        format!("--service-account-key-file={TOKEN_CHECKING_KEY}"),
        format!("--service-account-signing-key-file={TOKEN_SIGNING_KEY}"),
        "--profiling=false".to_owned(),
    ];
    if let Some(log) = &options.audit_log {
        let policy = options.audit_policy.as_deref().unwrap_or(EVERY_REQUEST_ONCE);
        fs::write(folder.join(AUDIT_POLICY), policy).map_err(Error::os("write the audit policy"))?;
        args.push(format!("--audit-policy-file={AUDIT_POLICY}"));
        args.push(format!("--audit-log-path={}", folder.join(log).display()));
        args.push("--audit-log-mode=blocking".to_owned());
        // Counting needs one file, so it is not rotated.
        args.push("--audit-log-maxsize=65536".to_owned());
    }
    args.extend(options.extra_apiserver_args.iter().cloned());
    Ok(args)
}

pub(crate) fn controller_manager(options: &Options, kubeconfig: &Path) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--controllers={}", options.controllers.join(",")),
        "--secure-port=0".to_owned(),
        "--leader-elect=false".to_owned(),
        "--use-service-account-credentials=true".to_owned(),
        format!("--service-account-private-key-file={TOKEN_SIGNING_KEY}"),
        format!("--root-ca-file={AUTHORITY}"),
        "--profiling=false".to_owned(),
    ]
}
