//! `crds/` is what `make generate` writes, and every definition is one that users can read.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use invitation_operator::api::crd::crds;
use invitation_operator::runtime::crds::files;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn the_files_are_those_that_make_generate_writes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    let generated = files().unwrap();
    for (name, yaml) in &generated {
        let written = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(&written == yaml, "crds/{name} is not what the types say: run `make generate`");
    }
    let expected: BTreeSet<_> = generated.into_iter().map(|(name, _)| name).collect();
    let present: BTreeSet<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(present, expected, "crds/ has files that nothing generates: run `make generate`");
}

#[test]
fn the_files_mean_what_the_types_say() {
    for ((name, yaml), crd) in files().unwrap().iter().zip(crds()) {
        let read: Value = serde_saphyr::from_str(yaml).unwrap();
        assert_eq!(without_float_noise(read), without_float_noise(serde_json::to_value(crd).unwrap()), "{name}");
    }
}

#[test]
fn every_field_is_described_in_plain_words() {
    each_schema(&mut |path, schema| {
        let described = schema["description"].as_str().unwrap_or_default();
        // The items of a list of plain values are described by the list.
        if !path.ends_with("[]") || schema["type"] == "object" {
            assert!(!described.is_empty(), "{path} has no description");
        }
        for mark in ["`", "[[", "](", "Auto-generated", "  "] {
            assert!(!described.contains(mark), "the description of {path} has '{mark}': {described}");
        }
    });
}

#[test]
fn no_schema_says_what_the_api_server_ignores_or_warns_about() {
    each_schema(&mut |path, schema| {
        let format = schema["format"].as_str().unwrap_or_default();
        assert!(!format.starts_with('u'), "{path} has the format {format}, which API servers do not know");
        for noise in ["oneOf", "anyOf", "allOf", "not", "nullable", "title"] {
            assert!(schema[noise].is_null(), "{path} has '{noise}'");
        }
    });
}

#[test]
fn whatever_a_user_writes_is_bounded() {
    each_schema(&mut |path, schema| {
        let by_user = path.contains(".spec") && !path.starts_with("InvitationClaim");
        if by_user && schema["type"] == "array" {
            assert!(schema["maxItems"].is_i64(), "{path} is a list without bound");
        }
        let written_out = schema["enum"].is_array() || path.contains("matchLabels");
        if by_user && schema["type"] == "string" && !written_out {
            assert!(schema["maxLength"].is_i64(), "{path} is a string without bound");
        }
    });
}

#[test]
fn every_rule_says_what_to_write() {
    each_schema(&mut |path, schema| {
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let message = rule["message"].as_str().unwrap_or_default();
            assert!(message.len() > 30, "a rule of {path} has no message that helps: {rule}");
        }
    });
}

#[test]
fn a_definition_can_be_applied_from_the_client_side() {
    for (name, yaml) in files().unwrap() {
        assert!(yaml.len() < 200_000, "{name} does not fit into the annotation that kubectl apply writes");
    }
}

fn each_schema(visit: &mut dyn FnMut(&str, &Value)) {
    for crd in crds() {
        let value = serde_json::to_value(&crd).unwrap();
        walk(&crd.spec.names.kind, &value["spec"]["versions"][0]["schema"]["openAPIV3Schema"], visit);
    }
}

fn walk(path: &str, schema: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{path}.{name}"), property, visit);
    }
    for (suffix, inner) in [("[]", &schema["items"]), ("[]", &schema["additionalProperties"])] {
        if inner.is_object() {
            walk(&format!("{path}{suffix}"), inner, visit);
        }
    }
}

/// `0.0` and `0` are one number in a schema.
fn without_float_noise(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(Value::Null, |number| number.to_string().into()),
        Value::Array(items) => items.into_iter().map(without_float_noise).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, field)| (name, without_float_noise(field)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Null | Value::Bool(_) | Value::String(_) => value,
    }
}
