//! The rights that the chart grants to the operator, and those that were used.
//!
//! Owns their comparison, in both directions. Must never know a right by itself.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// One action on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Right {
    /// API group.
    pub group: String,
    /// Plural, with its subresource after a slash.
    pub resource: String,
    /// Verb.
    pub verb: String,
    /// Where.
    pub place: Place,
}

/// Where a right holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// In the namespace of the operator.
    Own,
    /// In served namespaces, or everywhere.
    Beyond,
}

impl Right {
    /// The ledger and the Lease are the operator's own. Everything else that it does in its own namespace it does as in any
    /// other: that may be served, too.
    #[must_use]
    pub fn settled(mut self) -> Self {
        if !["invitationclaims", "leases"].contains(&self.resource.as_str()) {
            self.place = Place::Beyond;
        }
        self
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, resource, verb, place } = self;
        write!(f, "{verb} {resource}.{group} ({place:?})")
    }
}

/// What the roles among these objects grant to the operator in the namespace `own`.
#[must_use]
pub fn granted(objects: &[Value], own: &str) -> BTreeSet<Right> {
    let mut granted = BTreeSet::new();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    for binding in objects.iter().filter(|object| is_the_operators(object)) {
        let namespace = binding.pointer("/metadata/namespace");
        let role = objects.iter().find(|object| {
            object.get("kind") == binding.pointer("/roleRef/kind")
                && object.pointer("/metadata/name") == binding.pointer("/roleRef/name")
                && object.pointer("/metadata/namespace") == namespace
        });
        let place = if namespace.is_some_and(|namespace| namespace == own) { Place::Own } else { Place::Beyond };
        for rule in role.and_then(|role| role["rules"].as_array()).into_iter().flatten() {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    for verb in texts(&rule["verbs"]) {
                        let (group, resource) = (group.clone(), resource.clone());
                        granted.insert(Right { group, resource, verb, place }.settled());
                    }
                }
            }
        }
    }
    granted
}

/// Bound to the operator's account, and not to that of a hook.
fn is_the_operators(object: &Value) -> bool {
    let kind = object["kind"].as_str().unwrap_or_default();
    kind.ends_with("RoleBinding")
        && object.pointer("/subjects/0/name").is_some_and(|name| name == "invitation-operator")
}

/// What a run did, as its file tells.
#[derive(Debug, Default, Deserialize)]
struct Run {
    used: BTreeSet<Right>,
    refused: BTreeSet<Right>,
}

/// Compares what the chart grants with what the runs of one mode did; gives the number of rights.
///
/// # Errors
/// When one was granted and not used, or tried and not granted, or no run is there.
pub fn compare(mode: &str, objects: &[Value], own: &str, folder: &Path) -> Result<usize> {
    let mut all = Run::default();
    let mut runs = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(mode)) {
            let run: Run = serde_json::from_slice(&std::fs::read(&path)?)?;
            all.used.extend(run.used);
            all.refused.extend(run.refused);
            runs += 1;
        }
    }
    let granted = granted(objects, own);
    let list = |rights: Vec<&Right>| rights.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ");
    let idle: Vec<_> = granted.difference(&all.used).collect();
    // What was refused although it is granted was tried in a namespace that lost its roles on its way out.
    let lacking: Vec<_> = all.used.union(&all.refused).filter(|right| !granted.contains(*right)).collect();
    println!("{mode}: {} rights granted, {} used in {runs} runs", granted.len(), all.used.len());
    if runs == 0 {
        bail!("no run has told what it did");
    }
    if !idle.is_empty() || !lacking.is_empty() {
        bail!("{mode}: granted and never used:\n  {}\nused and not granted:\n  {}", list(idle), list(lacking));
    }
    Ok(granted.len())
}
