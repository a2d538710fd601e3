//! What Argo CD and kstatus make of every way in which an object can stand.

use crate::cases::{Case, all};
use crate::expected::{Told, told};
use crate::files::{carried, generated, read, root, settings};
use crate::judge;
use invitation_operator::api::{Phase, Reason};
use libtest_mimic::Trial;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        the_files_are_those_that_make_generate_writes,
        every_reason_and_every_phase_has_its_cases,
        argo_cd_finds_every_case_as_the_design_says,
        kstatus_finds_every_case_as_the_design_says,
        nothing_that_waits_for_a_human_stays_in_progress,
        the_settings_carry_the_scripts_unchanged,
    ]
}

async fn the_files_are_those_that_make_generate_writes() {
    let expected = generated();
    for (path, content) in &expected {
        assert!(read(path) == *content, "{path} is not what the types say: run `make generate`");
    }
    let present = yaml_files(&root().join("deploy/argocd/resource_customizations"));
    let stale: Vec<_> = present.iter().filter(|path| !expected.contains_key(*path)).collect();
    assert!(stale.is_empty(), "nothing generates {stale:?}: run `make generate`");
}

async fn every_reason_and_every_phase_has_its_cases() {
    let cases = all();
    // The enum has no list of its own; what conditions spell stands on the right of its `as_str`.
    let source = read("src/api/reason.rs");
    let spelled: BTreeSet<&str> =
        source.lines().filter_map(|line| Some(line.split_once("=> \"")?.1.split_once('"')?.0)).collect();
    assert!(spelled.len() > 40, "the reasons are not where this test looks");
    let shown: BTreeSet<&str> = cases.iter().flat_map(reasons_in).collect();
    for reason in &spelled {
        let event = EVENTS.iter().any(|event| event.as_str() == *reason);
        assert!(shown.contains(reason) != event, "{reason}: conditions show it, or it stands among the events");
    }
    for event in EVENTS {
        assert!(told(event) == Told::Event, "{}", event.as_str());
    }
    for case in &cases {
        let Some(reason) = case.reason else { continue };
        let inviter = case.kind != "ProjectInvitation";
        let allowed = if inviter { Told::Inviter } else { Told::Invitation };
        let where_told = told(reason);
        assert!(where_told == allowed || where_told == Told::Both, "{} of a {}", reason.as_str(), case.kind);
    }
    for kind in ["ProjectInvitation", "Inviter", "ClusterInviter"] {
        let shown: BTreeSet<&str> = cases.iter().filter(|case| case.kind == kind).flat_map(reasons_in).collect();
        assert!(TOLD_BY_BOTH.iter().all(|reason| shown.contains(reason)), "{kind} lacks what both tell");
    }
    let phases: BTreeSet<&str> = cases.iter().filter_map(|case| case.object["status"]["phase"].as_str()).collect();
    assert_eq!(phases, Phase::ALL.map(Phase::as_str).into());
}

const EVENTS: [Reason; 5] =
    [Reason::RolesUpdated, Reason::InvitationKept, Reason::HandedOver, Reason::Released, Reason::AccessLeftBehind];
const TOLD_BY_BOTH: [&str; 3] = ["RateLimited", "ApiUnavailable", "InviterNotReady"];

fn reasons_in(case: &Case) -> impl Iterator<Item = &str> {
    let conditions = case.object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().filter_map(|condition| condition["reason"].as_str())
}

async fn argo_cd_finds_every_case_as_the_design_says() {
    let tally = judge::cases().unwrap_or_else(|failures| panic!("{failures}"));
    assert_eq!(tally["health"], all().len());
    assert!(tally["discovery"].as_u64() >= Some(11) && tally["actions"].as_u64() >= Some(8), "{tally}");
    println!("{tally} cases of Argo CD");
}

async fn kstatus_finds_every_case_as_the_design_says() {
    let cases = all();
    let objects: Vec<_> = cases.iter().map(|case| case.object.clone()).collect();
    let mut wrong = String::new();
    for (case, verdict) in cases.iter().zip(judge::kstatus(&objects)) {
        if verdict.status != case.kstatus {
            writeln!(wrong, "{} {}: {verdict:?}, must be {}", case.kind, case.name, case.kstatus).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    println!("{} cases of kstatus", cases.len());
}

async fn nothing_that_waits_for_a_human_stays_in_progress() {
    let cases: Vec<_> = all().into_iter().filter(|case| case.reason.is_some()).collect();
    let objects: Vec<_> = cases.iter().map(|case| case.object.clone()).collect();
    for (case, verdict) in cases.iter().zip(judge::kstatus(&objects)) {
        if verdict.status == "InProgress" {
            let reason = case.reason.unwrap();
            assert!(ends_without_a_human(reason), "{}: {} waits for a human", case.name, reason.as_str());
        }
    }
}

/// Time ends it, or a service that answers, or the person whom `readyWhen: Accepted` waits for; and in the end an expiry or
/// a longest wait.
fn ends_without_a_human(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Inviting
            | Reason::Looking
            | Reason::WaitingForSlot
            | Reason::RateLimited
            | Reason::ApiUnavailable
            | Reason::Unreachable
            | Reason::Cancelling
            | Reason::Cancelled
            | Reason::MailCapReached
            | Reason::InviterNotFound
            | Reason::InviterNotReady
            | Reason::Invited
            | Reason::Adopted
            | Reason::RolesNotEnforced
    )
}

async fn the_settings_carry_the_scripts_unchanged() {
    let expected = settings();
    for carried in carried() {
        let found: Vec<_> = carried.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap())).collect();
        let wanted: Vec<_> = expected.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(found.iter().collect::<BTreeSet<_>>(), wanted.iter().collect::<BTreeSet<_>>());
    }
    for (key, value) in expected.iter().filter(|(key, _)| key.contains(".actions.")) {
        let kind = key.rsplit_once('_').unwrap().1;
        let actions: serde_json::Value = serde_saphyr::from_str(value).unwrap();
        let script = |path: &str| {
            read(&format!("deploy/argocd/resource_customizations/invitation-operator.io/{kind}/actions/{path}"))
        };
        assert_eq!(actions["discovery.lua"], script("discovery.lua"));
        for action in actions["definitions"].as_array().unwrap() {
            let name = action["name"].as_str().unwrap();
            assert_eq!(action["action.lua"], script(&format!("{name}/action.lua")), "{kind} {name}");
        }
    }
}

fn yaml_files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
        }
    }
    found
}
