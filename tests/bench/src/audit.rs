//! What the operator asks of the Kubernetes API, from the API server's audit log.
//!
//! Only the operator's own account is logged, and neither its watches nor its reads of one object, so that counting costs the
//! API server little. Must never count what the benchmark itself does.

use crate::stage::{ACCOUNT, OPERATOR_NAMESPACE};
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Requests by verb and resource, such as `patch projectinvitations/status`.
pub(crate) type Requests = BTreeMap<String, u64>;

/// The log, as it grows.
pub(crate) struct Audit {
    log: PathBuf,
    read: u64,
}

/// What is logged.
pub(crate) fn policy() -> String {
    let account = format!("system:serviceaccount:{OPERATOR_NAMESPACE}:{ACCOUNT}");
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [
            {
                "level": "Metadata",
                "users": [account],
                "verbs": ["create", "update", "patch", "delete", "deletecollection", "list"],
            },
            { "level": "None" },
        ],
    })
    .to_string()
}

impl Audit {
    pub(crate) fn of(log: &Path) -> Self {
        Self { log: log.to_owned(), read: 0 }
    }

    /// What was asked since the last time.
    pub(crate) fn since(&mut self) -> Result<Requests> {
        let mut requests = Requests::new();
        let mut file = File::open(&self.log)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut lines = BufReader::new(file);
        let mut line = String::new();
        while lines.read_line(&mut line)? > 0 {
            if !line.ends_with('\n') {
                // Still being written.
                break;
            }
            self.read += u64::try_from(line.len())?;
            let entry: Value = serde_json::from_str(&line)?;
            line.clear();
            let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let (verb, resource, part) = (text("/verb"), text("/objectRef/resource"), text("/objectRef/subresource"));
            let name = if part.is_empty() { format!("{verb} {resource}") } else { format!("{verb} {resource}/{part}") };
            *requests.entry(name).or_default() += 1;
        }
        Ok(requests)
    }
}

/// Writes that are neither the Lease's nor questions in the form of a creation.
pub(crate) fn writes(requests: &Requests) -> Requests {
    let is_write =
        |name: &str| !name.starts_with("list ") && !name.ends_with(" leases") && !name.contains("accessreviews");
    requests.iter().filter(|(name, _)| is_write(name)).map(|(name, count)| (name.clone(), *count)).collect()
}

/// All of them.
pub(crate) fn sum(requests: &Requests) -> u64 {
    requests.values().sum()
}
