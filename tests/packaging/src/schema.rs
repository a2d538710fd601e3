//! `values.schema.json`: what Helm refuses before it renders.
//!
//! Owns which type follows from a default. Keys that are not in the values are refused, so that a slip of the pen is told
//! and not passed over. Must never hold a rule about one value: rules stand beside the value.

use crate::documented::Entry;
use serde_json::{Map, Value, json};

/// The schema's text.
#[must_use]
pub fn text(entries: &[Entry]) -> String {
    let mut schema = section(entries, &[]);
    if let Some(root) = schema.as_object_mut() {
        root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("title".to_owned(), json!("Values of the chart invitation-operator"));
        root.insert("$defs".to_owned(), shared());
    }
    format!("{schema:#}\n")
}

fn section(entries: &[Entry], path: &[String]) -> Value {
    let mut properties = Map::new();
    for entry in entries.iter().filter(|entry| entry.path.len() == path.len() + 1 && entry.path.starts_with(path)) {
        let Some(key) = entry.path.last() else { continue };
        let schema = if entry.is_section() { section(entries, &entry.path) } else { value(entry) };
        properties.insert(key.clone(), schema);
    }
    // A parent chart's values may hold `global` values of other charts.
    let open = path.first().is_some_and(|first| first == "global");
    json!({ "type": "object", "properties": properties, "additionalProperties": open })
}

fn value(entry: &Entry) -> Value {
    let mut schema = entry.schema.clone();
    if let Some(explained) = &entry.explained {
        schema.insert("description".to_owned(), json!(explained));
    }
    if !["type", "$ref", "enum"].iter().any(|key| schema.contains_key(*key)) {
        schema.insert("type".to_owned(), json!(type_of(&entry.default)));
    }
    Value::Object(schema)
}

fn type_of(default: &Value) -> &'static str {
    match default {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Forms that several values have.
fn shared() -> Value {
    json!({
        "duration": {
            "type": "string",
            "pattern": "^([0-9]+(ms|s|m|h))*$",
            "description": "a number with a unit, such as 500ms, 90s, 5m or 1h30m",
        },
        "strings": { "type": "object", "additionalProperties": { "type": "string" } },
        "references": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": { "name": { "type": "string", "minLength": 1 } },
                "additionalProperties": false,
            },
        },
        "probe": {
            "type": "object",
            "properties": {
                "initialDelaySeconds": { "type": "integer", "minimum": 0 },
                "periodSeconds": { "type": "integer", "minimum": 1 },
                "timeoutSeconds": { "type": "integer", "minimum": 1 },
                "failureThreshold": { "type": "integer", "minimum": 1 },
            },
            "additionalProperties": false,
        },
    })
}
