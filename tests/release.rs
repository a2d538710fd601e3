//! Preparing a release refuses what would become a wrong one, and image and chart agree on who runs what.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// What `deploy/release/prepare` says to these arguments, all of which it refuses.
fn refusal(arguments: &[&str]) -> String {
    let output = Command::new("deploy/release/prepare").args(arguments).current_dir(root()).output().unwrap();
    assert!(!output.status.success(), "{arguments:?} are taken");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_version_is_three_numbers_without_a_v() {
    for version in ["", "v1.2.3", "1.2", "1.2.3.4", "1.2.3 4"] {
        assert!(refusal(&[version]).contains("VERSION must be like 1.2.3"), "{version:?}");
    }
}

#[test]
fn a_release_has_the_version_of_its_sources() {
    let said = refusal(&["9999.0.0"]);
    assert!(said.contains("Cargo.toml says another version than 9999.0.0"), "{said}");
    assert!(!root().join("dist/9999.0.0").exists(), "nothing is made before everything is checked");
}

#[test]
fn a_release_never_overwrites_another() {
    let said = refusal(&[env!("CARGO_PKG_VERSION"), "src"]);
    assert!(said.contains("src exists"), "{said}");
}

#[test]
fn chart_and_crate_have_one_version() {
    let chart = read("charts/invitation-operator/Chart.yaml");
    for line in
        [format!("version: {}", env!("CARGO_PKG_VERSION")), format!("appVersion: \"{}\"", env!("CARGO_PKG_VERSION"))]
    {
        assert!(chart.lines().any(|found| found == line), "Chart.yaml has no line {line}");
    }
}

#[test]
fn the_chart_tells_of_the_image_that_it_installs() {
    let (chart, manifest) = (read("charts/invitation-operator/Chart.yaml"), read("deploy/install.yaml"));
    let image =
        |text: &str| text.lines().find_map(|line| Some(line.trim().strip_prefix("image: ")?.to_owned())).unwrap();
    assert_eq!(image(&chart), image(&manifest));
}

#[test]
fn the_user_of_the_image_is_the_one_of_the_chart() {
    let dockerfile = read("deploy/Dockerfile");
    let user = dockerfile.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
    let (user, group) = user.split_once(':').unwrap();
    let manifest = read("deploy/install.yaml");
    for line in [format!("runAsUser: {user}"), format!("runAsGroup: {group}")] {
        assert!(manifest.lines().any(|found| found.trim() == line), "deploy/install.yaml has no {line}");
    }
}

#[test]
fn actions_are_pinned_by_commit() {
    let workflows: Vec<_> = std::fs::read_dir(root().join(".github/workflows")).unwrap().map(Result::unwrap).collect();
    assert!(!workflows.is_empty());
    for workflow in workflows {
        let text = std::fs::read_to_string(workflow.path()).unwrap();
        for action in text.lines().filter_map(|line| line.split_once("uses: ").map(|(_, action)| action)) {
            let commit = action.split_once('@').and_then(|(_, pin)| pin.split_whitespace().next());
            let pinned = commit.is_some_and(|pin| pin.len() == 40 && pin.chars().all(|c| c.is_ascii_hexdigit()));
            assert!(pinned, "{action}: name a commit, and the version in a comment");
        }
    }
}
