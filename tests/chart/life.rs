//! A release from its installation to its end, with invitations that outlive it. Nobody is mailed twice on the way.

use crate::harness::*;
use crate::hooks::be_the_node_of_the_end;
use crate::release::{Release, chart, empty_plane, values, values_everywhere};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::Api;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        a_release_is_installed_upgraded_rolled_back_and_uninstalled_with_invitations_in_it,
        a_token_in_a_file_and_a_proxy_for_mongodb_do_for_the_kubernetes_api,
    ]
}

/// Gone from the previous chart's definition, so that it shows whether an upgrade brings it.
const NEW_FIELD: &str = "onUnknown";

/// The chart as it might have been before: another version, and a field less.
fn previous_chart(folder: &TempDir) -> PathBuf {
    let made = folder.path().join("invitation-operator");
    copy(&chart(), &made);
    edit(&made.join("Chart.yaml"), |text| text.replace("0.1.0", "0.0.9"));
    edit(&made.join("templates/crds/inviters.yaml"), |text| without_field(text, NEW_FIELD));
    made
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn edit(file: &Path, change: impl Fn(&str) -> String) {
    let before = std::fs::read_to_string(file).unwrap();
    let after = change(&before);
    assert_ne!(before, after, "{} is not changed", file.display());
    std::fs::write(file, after).unwrap();
}

/// A schema's text without a property.
fn without_field(text: &str, field: &str) -> String {
    let mut inside = None;
    let mut kept = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if inside.is_some_and(|level| indent <= level) {
            inside = None;
        }
        if line.trim() == format!("{field}:") {
            inside = Some(indent);
        }
        if inside.is_none() {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}

async fn knows_the_new_field(world: &World) -> bool {
    let definitions: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    let inviters = definitions.get("inviters.invitation-operator.io").await.unwrap();
    serde_json::to_string(&inviters).unwrap().contains(NEW_FIELD)
}

/// As a Deployment does it: the new replica first.
async fn roll(release: &Release<'_>, world: &mut World) {
    let mut old = world.operator.take().unwrap();
    release.deploy_to(world).await;
    world.start_operator();
    old.terminate();
    assert_eq!(old.ended().await.code(), Some(0));
    let new = world.operator.as_ref().unwrap();
    let leads = wait::poll(async || new.page("/readyz").await.is_some_and(|(_, page)| page == "ok\n")).await;
    assert!(leads, "the new replica does not lead:\n{}", world.log());
}

async fn a_release_is_installed_upgraded_rolled_back_and_uninstalled_with_invitations_in_it() {
    let plane = empty_plane().await;
    let mut world = Setup::default().without_operator().start_on(&plane).await;
    let release = Release::of(&plane, &world);
    let (folder, none) = (TempDir::new().unwrap(), json!({}));
    let values = values_everywhere(&world);

    release.install(&previous_chart(&folder), &values).await.unwrap();
    assert!(!knows_the_new_field(&world).await);
    release.deploy_to(&mut world).await;
    world.start_operator();
    let (account, jane) = world.invited().await;

    release.upgrade(&chart(), &values).await.unwrap();
    assert!(knows_the_new_field(&world).await, "an upgrade brings the definitions along");
    roll(&release, &mut world).await;
    world.invite("john", &account.project, JOHN).await;
    world.until("john", "invited", in_phase(Phase::Invited)).await;

    release.helm("rollback", &["1"], &none).await.unwrap();
    assert!(!knows_the_new_field(&world).await);
    roll(&release, &mut world).await;
    world.looks(&account.project, 2).await;

    let (end, _) =
        tokio::join!(release.helm("uninstall", &[], &none), be_the_node_of_the_end(&plane, &release.namespace));
    end.unwrap();
    world.operator.take().unwrap().terminate();
    let claims = world.claims().await.len();
    assert_eq!(claims, 2, "the ledger outlives the release");
    world.delete("jane").await;
    let held = world.invitations().get("jane").await.unwrap();
    assert!(held.metadata.deletion_timestamp.is_some(), "without an operator a deletion waits");

    release.install(&chart(), &values).await.unwrap();
    release.deploy_to(&mut world).await;
    world.start_operator();
    world.until_gone(&jane).await;
    let left: Vec<_> = world.sim.invitations(&account.project).into_iter().map(|found| found.username).collect();
    assert_eq!(left, [JOHN]);
    assert_eq!((world.mails(JANE), world.mails(JOHN)), (1, 1));
    plane.control.stop().await.unwrap();
}

async fn a_token_in_a_file_and_a_proxy_for_mongodb_do_for_the_kubernetes_api() {
    let plane = empty_plane().await;
    let mut world = Setup::default().without_operator().start_on(&plane).await;
    let release = Release::of(&plane, &world);
    let mut values: Value = values(&world);
    // Nobody listens there: what went through it would fail. The simulator is on this machine, and called without it.
    values["proxy"] = json!({ "https": "http://127.0.0.1:9", "noProxy": ["internal.example.com"] });
    release.install(&chart(), &values).await.unwrap();
    release.deploy_to(&mut world).await;
    world.start_operator();
    world.invited().await;
    world.inviter("elsewhere", "atlas", |spec| spec.base_url = Some("https://cloud.mongodb.com".to_owned())).await;
    world.until_inviter("elsewhere", Reason::HostNotAllowed).await;
    plane.control.stop().await.unwrap();
}
