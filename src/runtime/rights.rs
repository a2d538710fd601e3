//! The rights that the operator needs, asked of the API server before it begins.
//!
//! Owns which they are and how what is missing is told. Leases are the election's to ask for; Secrets and ConfigMaps of an
//! operator for the whole cluster are granted namespace by namespace, and told by the inviter that cannot be served. Must
//! never try an action to find out whether it is allowed.

use super::settings::{Settings, Watched};
use crate::api::names::GROUP;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::Client;
use kube::api::{Api, PostParams};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Questions on their way at the same time.
const AT_A_TIME: usize = 16;

/// One action on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Where; everywhere without a name.
    pub namespace: Option<String>,
    /// API group.
    pub group: &'static str,
    /// Plural, with its subresource after a slash.
    pub resource: &'static str,
    /// Verb.
    pub verb: &'static str,
}

/// What a group of rights is about.
type Rule = (&'static str, &'static str, &'static [&'static str]);

/// On the ledger.
const OWN: &[Rule] = &[(GROUP, "invitationclaims", &["get", "list", "watch", "create", "update", "delete"])];
/// On users' objects.
const SERVED: &[Rule] = &[
    (GROUP, "projectinvitations", &["get", "list", "watch", "patch"]),
    (GROUP, "projectinvitations/status", &["patch"]),
    (GROUP, "inviters", &["list", "watch"]),
    (GROUP, "inviters/status", &["patch"]),
    ("events.k8s.io", "events", &["create", "patch"]),
];
/// Of an operator for the whole cluster.
const EVERYWHERE: &[Rule] = &[
    (GROUP, "clusterinviters", &["list", "watch"]),
    (GROUP, "clusterinviters/status", &["patch"]),
    ("", "namespaces", &["list", "watch"]),
];
/// Of an operator for some namespaces.
const WITHIN: &[Rule] = &[("", "secrets", &["get"]), ("", "configmaps", &["get"])];

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Without these nothing can begin.
    pub rights: Vec<Right>,
    /// Namespaces to be served in which nothing may be listed: most likely they do not exist yet.
    pub namespaces: Vec<String>,
}

/// Every right that a run with these settings needs.
#[must_use]
pub fn needed(settings: &Settings) -> Vec<Right> {
    let own = rights(Some(&settings.operator_namespace), OWN);
    let served: Vec<_> = match &settings.watched {
        Watched::Everywhere => [SERVED, EVERYWHERE].into_iter().flat_map(|rules| rights(None, rules)).collect(),
        Watched::Only(namespaces) => namespaces
            .iter()
            .flat_map(|namespace| [SERVED, WITHIN].into_iter().flat_map(|rules| rights(Some(namespace), rules)))
            .collect(),
    };
    [own, served].concat()
}

fn rights(namespace: Option<&str>, rules: &[Rule]) -> Vec<Right> {
    let right = |group, resource, verb| Right { namespace: namespace.map(str::to_owned), group, resource, verb };
    rules
        .iter()
        .flat_map(|(group, resource, verbs)| verbs.iter().map(move |verb| right(group, resource, verb)))
        .collect()
}

/// Asks for every right.
///
/// # Errors
/// When the API server does not answer.
pub async fn look(client: &Client, settings: &Settings) -> kube::Result<Missing> {
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let asked = stream::iter(needed(settings).into_iter().map(|right| {
        let reviews = reviews.clone();
        async move { is_allowed(&reviews, &right).await.map(|allowed| (allowed, right)) }
    }));
    let answers: Vec<(bool, Right)> = asked.buffer_unordered(AT_A_TIME).try_collect().await?;
    Ok(missing(&settings.watched, answers))
}

async fn is_allowed(reviews: &Api<SelfSubjectAccessReview>, right: &Right) -> kube::Result<bool> {
    let (resource, subresource) = match right.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (right.resource, None),
    };
    let attributes = ResourceAttributes {
        namespace: right.namespace.clone(),
        group: Some(right.group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource,
        verb: Some(right.verb.to_owned()),
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), non_resource_attributes: None },
        ..SelfSubjectAccessReview::default()
    };
    let answer = reviews.create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

fn missing(watched: &Watched, answers: Vec<(bool, Right)>) -> Missing {
    let absent: Vec<String> = match watched {
        Watched::Everywhere => Vec::new(),
        Watched::Only(namespaces) => {
            let listed = |namespace: &String| {
                answers.iter().any(|(allowed, right)| *allowed && right.verb == "list" && right.is_served_in(namespace))
            };
            namespaces.iter().filter(|namespace| !listed(namespace)).cloned().collect()
        }
    };
    let mut rights: Vec<_> = answers.into_iter().filter(|(allowed, _)| !allowed).map(|(_, right)| right).collect();
    rights.retain(|right| !absent.iter().any(|namespace| right.is_served_in(namespace)));
    rights.sort();
    Missing { rights, namespaces: absent }
}

impl Right {
    /// On users' objects in this namespace: the ledger may be in the same.
    fn is_served_in(&self, namespace: &String) -> bool {
        self.resource != "invitationclaims" && self.namespace.as_ref() == Some(namespace)
    }
}

/// The rights, in words: verbs by resource and place.
#[must_use]
pub fn shown(rights: &[Right]) -> String {
    let mut grouped: BTreeMap<(&Option<String>, &str, &str), Vec<&str>> = BTreeMap::new();
    for right in rights {
        grouped.entry((&right.namespace, right.group, right.resource)).or_default().push(right.verb);
    }
    let mut text = String::new();
    for ((namespace, group, resource), verbs) in grouped {
        let separator = if text.is_empty() { "" } else { "; " };
        let of = if group.is_empty() { String::new() } else { format!(".{group}") };
        let place = namespace.as_ref().map_or_else(|| "all namespaces".to_owned(), |name| format!("namespace {name}"));
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}{} {resource}{of} in {place}", verbs.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(namespace: Option<&str>, resource: &'static str, verb: &'static str) -> Right {
        Right { namespace: namespace.map(str::to_owned), group: GROUP, resource, verb }
    }

    fn only(namespaces: &[&str]) -> Watched {
        Watched::Only(namespaces.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_missing_is_told_by_name() {
        let rights = [
            right(None, "inviters", "list"),
            right(None, "inviters", "watch"),
            right(Some("a"), "invitationclaims", "create"),
        ];
        assert_eq!(
            shown(&rights),
            "list, watch inviters.invitation-operator.io in all namespaces; create invitationclaims.invitation-operator.io \
             in namespace a"
        );
    }

    #[test]
    fn a_namespace_without_any_right_is_absent_and_one_with_some_lacks_the_others() {
        let answers = vec![
            (true, right(Some("some"), "inviters", "list")),
            (false, right(Some("some"), "inviters", "watch")),
            (false, right(Some("none"), "inviters", "list")),
            (true, right(Some("none"), "projectinvitations", "patch")),
        ];
        let found = missing(&only(&["none", "some"]), answers);
        assert_eq!(found.namespaces, ["none"]);
        assert_eq!(found.rights, [right(Some("some"), "inviters", "watch")]);
    }

    #[test]
    fn the_ledger_is_needed_even_where_nothing_is_served_yet() {
        let claims = right(Some("own"), "invitationclaims", "create");
        let found =
            missing(&only(&["own"]), vec![(false, claims.clone()), (false, right(Some("own"), "inviters", "list"))]);
        assert_eq!(found, Missing { rights: vec![claims], namespaces: vec!["own".to_owned()] });
    }
}
