//! Objects as watches read them: without what no decision reads, and one that cannot be read stops no other.
//!
//! Most of an object's size is who wrote which field and what was last applied. It is passed over while the answer is read,
//! so that a list needs no memory for it. Must never drop what a decision reads, nor fail for a whole list.

use crate::api::names::{OWNER_UID_LABEL, annotation};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// An object of a list or a watch, if it could be read.
#[derive(Clone, Debug)]
pub struct Lean<K>(pub Result<K, Unreadable>);

/// An object that is not what its kind says.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// What is wrong with it.
    pub error: String,
    /// Its name and version, as far as they could be read.
    pub metadata: ObjectMeta,
}

impl<'de, K: DeserializeOwned> Deserialize<'de> for Lean<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Part::Object.deserialize(deserializer)?;
        let read = K::deserialize(&object).map_err(|error| {
            let metadata = object.get("metadata").map(ObjectMeta::deserialize);
            Unreadable { error: error.to_string(), metadata: metadata.and_then(Result::ok).unwrap_or_default() }
        });
        Ok(Self(read))
    }
}

impl<K: Resource> Resource for Lean<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(kind: &Self::DynamicType) -> Cow<'_, str> {
        K::kind(kind)
    }

    fn group(kind: &Self::DynamicType) -> Cow<'_, str> {
        K::group(kind)
    }

    fn version(kind: &Self::DynamicType) -> Cow<'_, str> {
        K::version(kind)
    }

    fn plural(kind: &Self::DynamicType) -> Cow<'_, str> {
        K::plural(kind)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.as_ref().map_or_else(|unreadable| &unreadable.metadata, K::meta)
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.as_mut().map_or_else(|unreadable| &mut unreadable.metadata, K::meta_mut)
    }
}

/// A part of an object of which something is passed over.
#[derive(Clone, Copy)]
enum Part {
    Object,
    Metadata,
    Annotations,
    Labels,
}

/// What becomes of a field.
enum Field {
    Kept,
    Dropped,
    Within(Part),
}

impl Part {
    fn field(self, name: &str) -> Field {
        match (self, name) {
            (Self::Object, "metadata") => Field::Within(Self::Metadata),
            (Self::Metadata, "annotations") => Field::Within(Self::Annotations),
            (Self::Metadata, "labels") => Field::Within(Self::Labels),
            (Self::Annotations, name) if !annotation::ALL.contains(&name) => Field::Dropped,
            // The owner of a claim stands in its spec, too.
            (Self::Metadata, "managedFields") | (Self::Labels, OWNER_UID_LABEL) => Field::Dropped,
            (Self::Object | Self::Metadata | Self::Annotations | Self::Labels, _) => Field::Kept,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Part {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = fields.next_key::<Cow<'_, str>>()? {
            let value = match self.field(&name) {
                Field::Kept => fields.next_value()?,
                Field::Within(part) => fields.next_value_seed(part)?,
                Field::Dropped => {
                    fields.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            kept.insert(name.into_owned(), value);
        }
        Ok(Value::Object(kept))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::api::{InvitationClaim, ProjectInvitation};
    use kube::core::{ObjectList, WatchEvent};
    use serde_json::json;

    fn object(spec: &Value) -> Value {
        json!({
            "apiVersion": "invitation-operator.io/v1alpha1", "kind": "ProjectInvitation",
            "metadata": {
                "name": "jane", "namespace": "payments", "uid": "u", "resourceVersion": "7", "generation": 2,
                "labels": { "app": "a" },
                "annotations": { annotation::RESEND: "1", "kubectl.kubernetes.io/last-applied-configuration": "{}" },
                "finalizers": ["invitation-operator.io/invitation"],
                "managedFields": [{ "manager": "kubectl", "fieldsV1": { "f:spec": {} } }],
            },
            "spec": spec,
        })
    }

    fn spec() -> Value {
        json!({ "projectId": "p", "username": "u", "roles": ["R"], "inviterRef": { "name": "atlas" } })
    }

    #[test]
    fn everything_is_kept_but_what_no_decision_reads() {
        let whole = object(&spec());
        let mut expected: ProjectInvitation = serde_json::from_value(whole.clone()).unwrap();
        expected.metadata.managed_fields = None;
        expected.metadata.annotations.as_mut().unwrap().retain(|name, _| name == annotation::RESEND);
        let lean: Lean<ProjectInvitation> = serde_json::from_str(&whole.to_string()).unwrap();
        assert_eq!(serde_json::to_value(lean.0.unwrap()).unwrap(), serde_json::to_value(expected).unwrap());
    }

    #[test]
    fn the_owner_of_a_claim_is_kept_once() {
        let claim = json!({
            "apiVersion": "invitation-operator.io/v1alpha1", "kind": "InvitationClaim",
            "metadata": { "name": "c", "labels": { OWNER_UID_LABEL: "uid-1", "team": "a" } },
            "spec": {
                "key": { "product": "Atlas", "api": "v2", "host": "h", "projectId": "p", "username": "u" },
                "inviterRef": { "kind": "Inviter", "namespace": "a", "name": "i", "uid": "u" },
                "owner": { "namespace": "a", "name": "jane", "uid": "uid-1" },
            },
        });
        let lean: Lean<InvitationClaim> = serde_json::from_value(claim).unwrap();
        let claim = lean.0.unwrap();
        assert_eq!(claim.spec.owner.unwrap().uid, "uid-1");
        assert_eq!(claim.metadata.labels.unwrap().into_iter().collect::<Vec<_>>(), [("team".into(), "a".into())]);
    }

    #[test]
    fn one_that_cannot_be_read_stops_no_other() {
        let list = json!({
            "apiVersion": "v1", "kind": "List", "metadata": {},
            "items": [object(&json!("nonsense")), object(&spec())],
        });
        let list: ObjectList<Lean<ProjectInvitation>> = serde_json::from_str(&list.to_string()).unwrap();
        let unreadable = list.items.first().unwrap().0.as_ref().unwrap_err();
        assert_eq!(unreadable.metadata.name.as_deref(), Some("jane"));
        assert_eq!(unreadable.metadata.resource_version.as_deref(), Some("7"));
        assert!(unreadable.error.contains("nonsense"), "{}", unreadable.error);
        assert!(list.items.get(1).unwrap().0.is_ok());
    }

    #[test]
    fn events_are_read_whichever_field_comes_first() {
        for event in [
            format!("{{\"type\":\"ADDED\",\"object\":{}}}", object(&spec())),
            format!("{{\"object\":{},\"type\":\"ADDED\"}}", object(&spec())),
        ] {
            let WatchEvent::Added(lean) = serde_json::from_str::<WatchEvent<Lean<ProjectInvitation>>>(&event).unwrap()
            else {
                panic!("another event");
            };
            assert!(lean.0.unwrap().metadata.managed_fields.is_none());
        }
    }
}
