//! What an operator says that lacks a right.

use crate::harness::wait::poll;
use crate::harness::*;
use crate::release::{Release, chart, empty_plane, values};
use k8s_openapi::api::rbac::v1::Role;
use kube::api::{Api, Patch, PatchParams};
use libtest_mimic::Trial;
use serde_json::json;

pub fn tests() -> Vec<Trial> {
    crate::tests![a_right_that_is_missing_is_named_and_waited_for]
}

async fn a_right_that_is_missing_is_named_and_waited_for() {
    let plane = empty_plane().await;
    let mut world = Setup::default().without_operator().start_on(&plane).await;
    let release = Release::of(&plane, &world);
    release.install(&chart(), &values(&world)).await.unwrap();
    let roles: Api<Role> = Api::namespaced(plane.client.clone(), &world.operator_namespace);
    let role = roles.get("invitation-operator").await.unwrap();
    let fewer = json!({ "rules": [{
        "apiGroups": ["invitation-operator.io"], "resources": ["invitationclaims"], "verbs": ["get", "list", "watch"],
    }] });
    roles.patch("invitation-operator", &PatchParams::default(), &Patch::Merge(fewer)).await.unwrap();
    release.deploy_to(&mut world).await;
    world.start_operator();
    let told = format!(
        "the operator lacks rights: create, delete, update invitationclaims.invitation-operator.io in namespace {}",
        world.operator_namespace
    );
    world.until_logged(&format!("waiting: {told}")).await;
    let operator = world.operator.as_ref().unwrap();
    let shown =
        poll(async || operator.page("/readyz").await.is_some_and(|(code, page)| code == 503 && page.contains(&told)));
    assert!(shown.await, "{:?}", operator.page("/readyz").await);
    assert_eq!(operator.page("/livez").await.unwrap().0, 200, "no crash loop");
    let all = json!({ "rules": role.rules });
    roles.patch("invitation-operator", &PatchParams::default(), &Patch::Merge(all)).await.unwrap();
    let ready = poll(async || operator.page("/readyz").await.is_some_and(|(code, _)| code == 200)).await;
    assert!(ready, "{:?}", operator.page("/readyz").await);
    world.invited().await;
    plane.control.stop().await.unwrap();
}
