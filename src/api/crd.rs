//! The four CustomResourceDefinitions, as they are applied to a cluster.
//!
//! Owns what the derive cannot say: the initial status that kstatus needs, and descriptions that read as plain text in
//! `kubectl explain`. Must never add a rule: rules stand in `rules.rs`, next to nothing but their message.

use super::{ClusterInviter, InvitationClaim, Inviter, ProjectInvitation};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde_json::json;

/// The definitions of the four kinds, in the order in which users meet them.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    [ProjectInvitation::crd(), Inviter::crd(), ClusterInviter::crd(), InvitationClaim::crd()]
        .into_iter()
        .map(completed)
        .collect()
}

fn completed(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut crd.spec.versions {
        let Some(root) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) else {
            continue;
        };
        root.title = None;
        for_each(root, &mut simplified);
        if let Some(properties) = root.properties.as_mut() {
            if let Some(status) = properties.get_mut("status") {
                // An object without status looks finished to `kubectl wait` and to everything that reads kstatus, until
                // the operator has written one. -1 is no generation of any spec: the object is in progress from birth.
                status.default = Some(JSON(json!({ "observedGeneration": -1 })));
            }
            if let Some(spec) = properties.get_mut("spec") {
                default_objects(spec);
            }
        }
    }
    crd
}

/// Gives every optional object whose fields all have defaults the default `{}`: the API server fills in the defaults of
/// an object's fields only where the object is there.
fn default_objects(schema: &mut JSONSchemaProps) {
    let required = schema.required.clone().unwrap_or_default();
    for (name, property) in schema.properties.iter_mut().flatten() {
        default_objects(property);
        let has_defaults = property.properties.iter().flatten().any(|(_, field)| field.default.is_some());
        let nothing_required = property.required.as_ref().is_none_or(Vec::is_empty);
        if has_defaults && nothing_required && property.default.is_none() && !required.contains(name) {
            property.default = Some(JSON(json!({})));
        }
    }
}

/// Visits a schema and every schema inside it.
fn for_each(schema: &mut JSONSchemaProps, visit: &mut impl FnMut(&mut JSONSchemaProps)) {
    visit(schema);
    for property in schema.properties.iter_mut().flatten().map(|(_, property)| property) {
        for_each(property, visit);
    }
    match schema.items.as_mut() {
        Some(JSONSchemaPropsOrArray::Schema(items)) => for_each(items, visit),
        Some(JSONSchemaPropsOrArray::Schemas(items)) => items.iter_mut().for_each(|item| for_each(item, visit)),
        None => {}
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = schema.additional_properties.as_mut() {
        for_each(values, visit);
    }
}

fn simplified(schema: &mut JSONSchemaProps) {
    if let Some(description) = schema.description.as_mut() {
        *description = plain(description);
    }
    // The API server drops a null where the schema has no `nullable`, and then fills in the default. So `field: null`,
    // as templates like to print it, means what leaving the field out means, to CEL's `has` too.
    schema.nullable = None;
}

/// Source lines joined, and without the marks of rustdoc.
fn plain(description: &str) -> String {
    let paragraphs = description.split("\n\n").map(|paragraph| {
        paragraph.split_whitespace().collect::<Vec<_>>().join(" ").replace("[`", "").replace("`]", "").replace('`', "")
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn descriptions_lose_the_marks_of_rustdoc_and_keep_their_paragraphs() {
        assert_eq!(
            plain("What `Ready=True` means,\nsee [`Ready`].\n\nMore."),
            "What Ready=True means, see Ready.\n\nMore."
        );
    }
}
