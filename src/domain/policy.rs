//! What an inviter allows: projects, roles, e-mail domains, namespaces.
//!
//! Checked before every call that gives access, never against the cancellation of an own invitation. Fails closed: an
//! unreadable rule allows nothing. Must never ask the network.

use super::desired::Desired;
use crate::api::{AllowClusterInviter, AllowInviter, NamespaceSelector, SelectorOperator, SelectorRequirement};
use std::collections::{BTreeMap, BTreeSet};

/// One list of `allow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Not limited.
    Any,
    /// Only these.
    Only(BTreeSet<String>),
}

impl Allowed {
    fn of(list: Option<&Vec<String>>, absent: Self) -> Self {
        match list {
            None => absent,
            Some(list) if list.iter().any(|item| item == "*") => Self::Any,
            Some(list) => Self::Only(list.iter().cloned().collect()),
        }
    }

    fn permits(&self, item: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(items) => items.contains(item),
        }
    }
}

/// The limits of an inviter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// Ids of projects.
    pub projects: Allowed,
    /// Roles.
    pub roles: Allowed,
    /// Domains of addresses, in lower case; a domain does not include its subdomains.
    pub email_domains: Allowed,
}

impl From<&AllowInviter> for Allow {
    fn from(allow: &AllowInviter) -> Self {
        Self {
            projects: Allowed::of(allow.projects.as_ref(), Allowed::Any),
            roles: Allowed::of(allow.roles.as_ref(), Allowed::Any),
            email_domains: Allowed::of(allow.email_domains.as_ref(), Allowed::Any),
        }
    }
}

impl From<Option<&AllowClusterInviter>> for Allow {
    fn from(allow: Option<&AllowClusterInviter>) -> Self {
        let none = || Allowed::Only(BTreeSet::new());
        Self {
            projects: Allowed::of(allow.and_then(|a| a.projects.as_ref()), none()),
            roles: Allowed::of(allow.and_then(|a| a.roles.as_ref()), none()),
            email_domains: Allowed::of(allow.and_then(|a| a.email_domains.as_ref()), Allowed::Any),
        }
    }
}

/// Which rule forbids the wish, or nothing.
///
/// # Errors
/// Names the rule and the value that it does not allow.
pub fn check(allow: &Allow, desired: &Desired) -> Result<(), String> {
    let by = &desired.inviter;
    if !allow.projects.permits(desired.project.as_str()) {
        return Err(format!("allow.projects of {by} does not include project {}", desired.project));
    }
    if let Some(role) = desired.roles.iter().find(|role| !allow.roles.permits(role)) {
        return Err(format!("allow.roles of {by} does not include {role}"));
    }
    let domain = desired.username.domain();
    if !allow.email_domains.permits(domain) {
        return Err(format!("allow.emailDomains of {by} does not include {domain}"));
    }
    Ok(())
}

/// Whether a namespace with these labels may use a `ClusterInviter`.
#[must_use]
pub fn selects(selector: Option<&NamespaceSelector>, labels: &BTreeMap<String, String>) -> bool {
    selector.is_some_and(|selector| {
        selector.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && selector.match_expressions.iter().all(|requirement| meets(requirement, labels))
    })
}

fn meets(requirement: &SelectorRequirement, labels: &BTreeMap<String, String>) -> bool {
    let value = labels.get(&requirement.key);
    match requirement.operator {
        SelectorOperator::In => value.is_some_and(|value| requirement.values.contains(value)),
        SelectorOperator::NotIn => value.is_none_or(|value| !requirement.values.contains(value)),
        SelectorOperator::Exists => value.is_some(),
        SelectorOperator::DoesNotExist => value.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn an_absent_selector_selects_nothing_and_an_empty_one_everything() {
        assert!(!selects(None, &labels(&[])));
        assert!(selects(Some(&NamespaceSelector::default()), &labels(&[])));
    }

    #[test]
    fn expressions_and_labels_must_all_hold() {
        let requirement = |operator, values: &[&str]| SelectorRequirement {
            key: "team".to_owned(),
            operator,
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        };
        let selector = |requirement| NamespaceSelector {
            match_labels: labels(&[("mongodb", "allowed")]),
            match_expressions: vec![requirement],
        };
        let a = labels(&[("mongodb", "allowed"), ("team", "a")]);
        let none = labels(&[("mongodb", "allowed")]);
        for (operator, values, with_a, with_none) in [
            (SelectorOperator::In, &["a", "b"][..], true, false),
            (SelectorOperator::NotIn, &["a"][..], false, true),
            (SelectorOperator::Exists, &[][..], true, false),
            (SelectorOperator::DoesNotExist, &[][..], false, true),
        ] {
            assert_eq!(selects(Some(&selector(requirement(operator, values))), &a), with_a, "{operator:?}");
            assert_eq!(selects(Some(&selector(requirement(operator, values))), &none), with_none, "{operator:?}");
        }
        assert!(!selects(Some(&selector(requirement(SelectorOperator::Exists, &[]))), &labels(&[("team", "a")])));
    }

    #[test]
    fn what_a_cluster_inviter_leaves_out_is_closed() {
        let closed = Allow::from(None);
        assert!(!closed.projects.permits("5f1d7c8e9a3b2c4d5e6f7a8b"));
        assert!(!closed.roles.permits("GROUP_READ_ONLY"));
        let open = Allow::from(&AllowInviter::default());
        assert!(open.projects.permits("x") && open.roles.permits("y") && open.email_domains.permits("z"));
    }
}
