//! The README says everything that a user may meet, and nothing that is not there.
//!
//! Compares its tables, by their first column, with the catalogue of reasons, the schemas, the flags and the phases. Must
//! never check wording.

#![allow(clippy::unwrap_used, clippy::panic)]

use clap::CommandFactory;
use invitation_operator::api::Phase;
use invitation_operator::api::names::annotation;
use invitation_operator::runtime::cli::Cli;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_reason_has_an_entry() {
    // The enum has no list of its own; what conditions spell stands on the right of its `as_str`.
    let source = read("src/api/reason.rs");
    let spelled = source.lines().filter_map(|line| line.split_once("=> \"")?.1.split_once('"'));
    let reasons: BTreeSet<String> = spelled.map(|(reason, _)| reason.to_owned()).collect();
    assert!(reasons.len() > 30, "the reasons are not where this test looks");
    same("reasons", &reasons, &listed("## Reasons", &["reason"]));
}

#[test]
fn every_phase_has_an_entry() {
    let phases = Phase::ALL.map(|phase| phase.as_str().to_owned());
    same("phases", &phases.into(), &listed("## Phases", &["phase"]));
}

#[test]
fn every_field_has_an_entry() {
    let invitation = fields("projectinvitations");
    same(
        "fields of ProjectInvitation",
        &invitation,
        &listed("### ProjectInvitation", &["`spec` field", "`status` field"]),
    );
    let mut inviters = fields("inviters");
    inviters.extend(fields("clusterinviters"));
    // The status of inviters is told in a sentence.
    inviters.retain(|field| !["conditions", "observedGeneration", "lastHandledReconcileAt"].contains(&field.as_str()));
    same("fields of inviters", &inviters, &listed("### Inviter and ClusterInviter", &["`spec` field"]));
}

#[test]
fn every_annotation_has_an_entry() {
    // One stands on the operator's Lease.
    let all = annotation::ALL.iter().chain([&annotation::RESUME_CANCELLATIONS]);
    let annotations = all.map(|name| (*name).to_owned()).collect::<Vec<_>>();
    same("annotations", &annotations.into_iter().collect(), &listed("### ProjectInvitation", &["annotation"]));
}

#[test]
fn every_flag_has_an_entry() {
    let command = Cli::command();
    let run = command.find_subcommand("run").unwrap();
    let flags = run.get_arguments().filter_map(|argument| argument.get_long()).map(|flag| format!("--{flag}"));
    same("flags", &flags.collect(), &listed("### Settings of the operator", &["flag"]));
}

#[test]
fn every_link_leads_somewhere() {
    let readme = read("README.md");
    let anchors: BTreeSet<String> = readme.lines().filter_map(anchor).collect();
    let mut wrong = Vec::new();
    for target in readme.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
        let found = match target.strip_prefix('#') {
            Some(name) => anchors.contains(name),
            None => root().join(target).exists(),
        };
        if !found {
            wrong.push(target.to_owned());
        }
    }
    assert!(wrong.is_empty(), "these links of the README lead nowhere: {wrong:?}");
}

/// As a heading is named in links.
fn anchor(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
    let kept = title.to_lowercase().replace(' ', "-");
    Some(kept.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect())
}

fn same(what: &str, known: &BTreeSet<String>, told: &BTreeSet<String>) {
    let missing: Vec<_> = known.difference(told).collect();
    let stale: Vec<_> = told.difference(known).collect();
    assert!(missing.is_empty() && stale.is_empty(), "{what}: the README lacks {missing:?} and has {stale:?} too many");
}

/// What stands in backticks in the first column of the tables of a section whose header's first column is one of these.
fn listed(section: &str, headers: &[&str]) -> BTreeSet<String> {
    let readme = read("README.md");
    let level = section.chars().take_while(|c| *c == '#').count();
    let ends = |line: &str| {
        let hashes = line.chars().take_while(|c| *c == '#').count();
        (1..=level).contains(&hashes) && line != section
    };
    let mut found = BTreeSet::new();
    let mut wanted = false;
    for line in readme.lines().skip_while(|line| *line != section).take_while(|line| !ends(line)) {
        let Some(first) = line.strip_prefix("| ").and_then(|rest| rest.split_once(" |")).map(|(first, _)| first) else {
            wanted &= line.starts_with('|');
            continue;
        };
        if headers.contains(&first) {
            wanted = true;
        } else if wanted {
            found.extend(first.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    assert!(!found.is_empty(), "the README has no table {headers:?} under {section}");
    found
}

/// The fields of a kind without their `spec.` or `status.`: leaves, lists and maps.
fn fields(plural: &str) -> BTreeSet<String> {
    let crd: Value = serde_saphyr::from_str(&read(&format!("crds/{plural}.yaml"))).unwrap();
    let schema = crd.pointer("/spec/versions/0/schema/openAPIV3Schema/properties").unwrap();
    let mut found = BTreeSet::new();
    for part in ["spec", "status"] {
        leaves(schema.get(part).unwrap(), "", &mut found);
    }
    found
}

fn leaves(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    match schema.get("properties").and_then(Value::as_object) {
        Some(properties) => {
            for (name, inner) in properties {
                let inner_path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(inner, &inner_path, found);
            }
        }
        None => {
            found.insert(path.to_owned());
        }
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_files_that_the_documents_name_are_there() {
    let text = read("docs/exactly-once.md");
    let named: BTreeSet<&str> = text.split('`').filter(|part| part.starts_with("src/")).collect();
    assert!(named.len() > 10, "the files are not where this test looks");
    for file in named {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(file).is_file(), "docs/exactly-once.md names {file}");
    }
}
