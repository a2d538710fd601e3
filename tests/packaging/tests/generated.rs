//! What is generated from the chart is what `make generate` writes, and the kustomizations are the chart.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use packaging::manifests::{cluster_wide, namespace, one_namespace, secrets_everywhere, unmark};
use packaging::render::{kubectl, objects, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_files_are_those_that_make_generate_writes() {
    let repository = repository();
    for (path, content) in packaging::files(&repository).unwrap().into_iter().chain(rendered()) {
        let written = std::fs::read_to_string(repository.join(&path)).unwrap_or_default();
        assert!(written == content, "{} is not what the chart says: run `make generate`", path.display());
    }
}

fn rendered() -> BTreeMap<PathBuf, String> {
    packaging::rendered_files(&repository()).unwrap()
}

#[test]
fn no_template_is_left_of_a_definition_that_is_gone() {
    let generated = packaging::files(&repository()).unwrap();
    for entry in std::fs::read_dir(repository().join("charts/invitation-operator/templates/crds")).unwrap() {
        let path = Path::new("charts/invitation-operator/templates/crds").join(entry.unwrap().file_name());
        assert!(generated.contains_key(&path), "nothing generates {}: delete it", path.display());
    }
}

#[test]
fn the_overlay_for_the_whole_cluster_is_the_chart() {
    same(&kustomized("overlays/cluster-wide"), &[vec![namespace()], cluster_wide(&repository()).unwrap()].concat());
}

#[test]
fn the_overlay_for_one_namespace_is_the_chart() {
    same(&kustomized("overlays/one-namespace"), &[vec![namespace()], one_namespace(&repository()).unwrap()].concat());
}

#[test]
fn the_manifest_is_the_chart() {
    let text = std::fs::read_to_string(repository().join("deploy/install.yaml")).unwrap();
    same(&objects(&text).unwrap(), &[vec![namespace()], cluster_wide(&repository()).unwrap()].concat());
}

#[test]
fn the_overlay_for_development_calls_the_simulator_only() {
    let found = kustomized("overlays/development");
    let expected = cluster_wide(&repository()).unwrap().len() + secrets_everywhere(&repository()).unwrap().len();
    // A ConfigMap and a namespace more, no budget.
    assert_eq!(found.len(), expected + 1);
    let deployment = found.iter().find(|object| object["kind"] == "Deployment").unwrap();
    let containers = deployment.pointer("/spec/template/spec/containers").unwrap().as_array().unwrap();
    let arguments = containers[0]["args"].as_array().unwrap();
    let hosts: Vec<_> = arguments.iter().filter(|argument| argument.as_str().unwrap().contains("-hosts=")).collect();
    assert_eq!(hosts, ["--allowed-hosts=127.0.0.1:27080"]);
    assert_eq!(containers.len(), 2);
    assert_eq!(deployment["spec"]["replicas"], 1);
}

fn kustomized(folder: &str) -> Vec<Value> {
    let mut command = Command::new(kubectl().unwrap());
    command.arg("kustomize").arg(repository().join("deploy/kustomize").join(folder));
    objects(&run(&mut command, "").unwrap()).unwrap()
}

/// The same objects, in whatever order.
fn same(found: &[Value], expected: &[Value]) {
    let named = |objects: &[Value]| -> BTreeMap<String, Value> {
        let name = |object: &Value| {
            let of = |path| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
            format!("{} {}/{}", of("/kind"), of("/metadata/namespace"), of("/metadata/name"))
        };
        objects
            .iter()
            .cloned()
            .map(|mut object| {
                unmark(&mut object);
                (name(&object), object)
            })
            .collect()
    };
    let (found, expected) = (named(found), named(expected));
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, object) in &found {
        assert!(object == &expected[name], "{name} is not as in the chart:\n{object:#}\n{:#}", expected[name]);
    }
}
