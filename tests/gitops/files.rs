//! The files under `deploy/argocd` that follow from others: test data, what the scripts must make of them, and the
//! settings that carry the scripts into an Argo CD.
//!
//! Owns their form. The scripts themselves are written by hand, and those of ClusterInviters are those of Inviters.

use crate::cases::{Case, all};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Where Argo CD looks for the scripts of a kind.
pub const CUSTOMIZATIONS: &str = "deploy/argocd/resource_customizations";
const GROUP: &str = "invitation-operator.io";
const KINDS: [&str; 3] = ["ProjectInvitation", "Inviter", "ClusterInviter"];
const DONE_AT: &str = "2026-11-01T12:00:00Z";

/// The root of the sources.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the scripts are.
pub fn customizations() -> PathBuf {
    root().join(CUSTOMIZATIONS)
}

/// Every generated file, by its path from the root.
pub fn generated() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let cases = all();
    for kind in KINDS {
        let folder = format!("{CUSTOMIZATIONS}/{GROUP}/{kind}");
        let of_kind: Vec<_> = cases.iter().filter(|case| case.kind == kind).collect();
        for case in &of_kind {
            let replaced = files.insert(format!("{folder}/testdata/{}.yaml", case.name), yaml(&case.object));
            assert!(replaced.is_none(), "two cases of {kind} are called {}", case.name);
        }
        files.insert(format!("{folder}/health_test.yaml"), yaml(&health_test(&of_kind)));
        actions(kind, &folder, &of_kind, &mut files);
    }
    for script in ["health.lua", "actions/discovery.lua", "actions/refresh/action.lua"] {
        let script_of = |kind| format!("{CUSTOMIZATIONS}/{GROUP}/{kind}/{script}");
        files.insert(script_of("ClusterInviter"), read(&script_of("Inviter")));
    }
    let settings = settings();
    files.insert("deploy/argocd/argocd-cm-patch.yaml".to_owned(), patch(&settings));
    files.insert("deploy/argocd/argocd-values.yaml".to_owned(), values(&settings));
    files
}

/// Writes them, and removes test data that nothing generates any more.
pub fn write() {
    for kind in KINDS {
        for folder in ["testdata", "actions/testdata"] {
            let _ = std::fs::remove_dir_all(customizations().join(GROUP).join(kind).join(folder));
        }
    }
    for (path, content) in generated() {
        let path = root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

/// A file of the sources.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_default()
}

fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).unwrap()
}

fn health_test(cases: &[&Case]) -> Value {
    let test = |case: &&Case| {
        json!({
            "inputPath": format!("testdata/{}.yaml", case.name),
            "healthStatus": { "status": case.argo, "message": case.message },
        })
    };
    json!({ "tests": cases.iter().map(test).collect::<Vec<_>>() })
}

/// What each action makes of an object, and which actions are offered when.
fn actions(kind: &str, folder: &str, cases: &[&Case], files: &mut BTreeMap<String, String>) {
    let mut act = |name: &str, object: &Value| {
        files.insert(format!("{folder}/actions/testdata/{name}.yaml"), yaml(object));
        format!("testdata/{name}.yaml")
    };
    let object = |name: &str| cases.iter().find(|case| case.name == name).unwrap().object.clone();
    let annotated = |mut object: Value, annotation: &str| {
        object["metadata"]["annotations"][annotation] = DONE_AT.into();
        object
    };
    let (mut discoveries, mut tests) = (Vec::new(), Vec::new());
    let mut test = |action: &str, input: &str, expected: String| {
        tests.push(json!({
            "action": action,
            "inputPath": format!("../testdata/{input}.yaml"),
            "expectedOutputPath": expected,
        }));
    };
    let mut discovery = |input: &str, offers: Value| {
        discoveries.push(json!({ "inputPath": format!("../testdata/{input}.yaml"), "result": offers }));
    };
    if kind == "ProjectInvitation" {
        test(
            "refresh",
            "invited",
            act("refreshed", &annotated(object("invited"), "invitation-operator.io/requestedAt")),
        );
        test("resend", "expired", act("resent", &annotated(object("expired"), "invitation-operator.io/resend")));
        for input in ["invited", "suspended-once-invited"] {
            let with = |suspend: bool| {
                let mut object = object(input);
                object["spec"]["suspend"] = suspend.into();
                object
            };
            test("suspend", input, act(&format!("{input}-then-suspended"), &with(true)));
            test("resume", input, act(&format!("{input}-then-resumed"), &with(false)));
        }
        for (input, on) in [
            ("new", ["refresh", "resend", "suspend"].as_slice()),
            ("invited", &["refresh", "resend", "suspend"]),
            ("accepted", &["refresh", "suspend"]),
            ("suspended", &["resume"]),
            ("cancelling-deleting", &[]),
        ] {
            discovery(input, invitation_offers(on));
        }
    } else {
        test("refresh", "ready", act("refreshed", &annotated(object("ready"), "invitation-operator.io/requestedAt")));
        let offer = offer("refresh", "Check the credentials now", "fa-sync", true);
        for input in ["new", "ready", "credentials-rejected"] {
            discovery(input, json!([offer.clone()]));
        }
    }
    let content = json!({ "discoveryTests": discoveries, "actionTests": tests });
    files.insert(format!("{folder}/actions/action_test.yaml"), yaml(&content));
}

fn invitation_offers(on: &[&str]) -> Value {
    [
        ("refresh", "Look at MongoDB now", "fa-sync"),
        ("resend", "Cancel and invite again (sends an e-mail)", "fa-envelope"),
        ("suspend", "Suspend", "fa-pause-circle"),
        ("resume", "Resume", "fa-play-circle"),
    ]
    .map(|(name, title, icon)| offer(name, title, icon, on.contains(&name)))
    .into_iter()
    .collect()
}

fn offer(name: &str, title: &str, icon: &str, on: bool) -> Value {
    json!({ "name": name, "displayName": title, "iconClass": format!("fa fa-fw {icon}"), "disabled": !on })
}

/// Keys of `argocd-cm` and their values, made of the scripts.
pub fn settings() -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for kind in KINDS {
        // ClusterInviters have the scripts of Inviters, also before these files are written.
        let source = if kind == "ClusterInviter" { "Inviter" } else { kind };
        let folder = format!("{CUSTOMIZATIONS}/{GROUP}/{source}");
        let key = |what: &str| format!("resource.customizations.{what}.{GROUP}_{kind}");
        settings.insert(key("health"), read(&format!("{folder}/health.lua")));
        let mut names: Vec<_> = std::fs::read_dir(root().join(&folder).join("actions"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().join("action.lua").exists())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        let mut actions = "discovery.lua: |\n".to_owned();
        actions.push_str(&indented(&read(&format!("{folder}/actions/discovery.lua")), 2));
        actions.push_str("definitions:\n");
        for name in names {
            let script = read(&format!("{folder}/actions/{name}/action.lua"));
            writeln!(actions, "- name: {name}\n  action.lua: |\n{}", indented(&script, 4).trim_end()).unwrap();
        }
        settings.insert(key("actions"), actions);
    }
    settings
}

fn indented(text: &str, by: usize) -> String {
    let margin = " ".repeat(by);
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{margin}{line}\n") }).collect()
}

fn block(settings: &BTreeMap<String, String>, by: usize) -> String {
    let margin = " ".repeat(by);
    let mut text = String::new();
    for (key, value) in settings {
        write!(text, "{margin}{key}: |\n{}", indented(value, by + 2)).unwrap();
    }
    text
}

const HEAD: &str = "# Health and actions of the kinds of invitation-operator.io, for Argo CD. Written by `make generate` from\n\
                    # the scripts in resource_customizations.\n";

fn patch(settings: &BTreeMap<String, String>) -> String {
    format!(
        "{HEAD}#\n# kubectl patch configmap argocd-cm --namespace argocd --patch-file deploy/argocd/argocd-cm-patch.yaml\n\
         data:\n{}",
        block(settings, 2)
    )
}

fn values(settings: &BTreeMap<String, String>) -> String {
    format!("{HEAD}#\n# Values of the Helm chart argo-cd.\nconfigs:\n  cm:\n{}", block(settings, 4))
}

/// Keys and values as an Argo CD reads them out of the generated files.
pub fn carried() -> [Map<String, Value>; 2] {
    let read = |path: &str| serde_saphyr::from_str::<Value>(&read(path)).unwrap();
    let data = read("deploy/argocd/argocd-cm-patch.yaml")["data"].as_object().unwrap().clone();
    let values = read("deploy/argocd/argocd-values.yaml")["configs"]["cm"].as_object().unwrap().clone();
    [data, values]
}
