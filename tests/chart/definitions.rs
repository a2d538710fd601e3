//! The definitions as part of a release: upgraded with it, and never lost by a slip.

use crate::harness::*;
use crate::release::{Release, chart, empty_plane, values_everywhere};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::Api;
use libtest_mimic::Trial;
use serde_json::{Value, json};

pub fn tests() -> Vec<Trial> {
    crate::tests![
        an_upgrade_that_would_drop_the_definitions_is_refused_until_they_are_kept,
        a_default_cluster_inviter_comes_with_the_release_and_stays_the_same_object,
    ]
}

fn with(mut values: Value, key: &str, value: Value) -> Value {
    values[key] = value;
    values
}

async fn an_upgrade_that_would_drop_the_definitions_is_refused_until_they_are_kept() {
    let plane = empty_plane().await;
    let world = Setup::default().without_operator().start_on(&plane).await;
    let release = Release::of(&plane, &world);
    let values = values_everywhere(&world);
    let crds = |enabled: bool, keep: bool| with(values.clone(), "crds", json!({ "enabled": enabled, "keep": keep }));
    release.install(&chart(), &crds(true, false)).await.unwrap();
    world.inviter("atlas", "atlas", |_| {}).await;
    let refused = release.upgrade(&chart(), &crds(false, false)).await.unwrap_err();
    assert!(refused.contains("crds.enabled=false would delete projectinvitations.invitation-operator.io"), "{refused}");
    assert!(refused.contains("upgrade with crds.enabled=true and crds.keep=true first"), "{refused}");
    release.upgrade(&chart(), &crds(true, true)).await.unwrap();
    release.upgrade(&chart(), &crds(false, true)).await.unwrap();
    let definitions: Api<CustomResourceDefinition> = Api::all(plane.client.clone());
    assert_eq!(definitions.list(&kube::api::ListParams::default()).await.unwrap().items.len(), 4);
    world.inviters().get("atlas").await.unwrap();
    plane.control.stop().await.unwrap();
}

async fn a_default_cluster_inviter_comes_with_the_release_and_stays_the_same_object() {
    let plane = empty_plane().await;
    let world = Setup::default().without_operator().start_on(&plane).await;
    let release = Release::of(&plane, &world);
    let allow = json!({ "projects": ["*"], "roles": ["GROUP_READ_ONLY"] });
    let inviter = json!({ "create": true, "secretName": "atlas", "allow": allow });
    let values = with(values_everywhere(&world), "clusterInviter", inviter);
    let api: Api<ClusterInviter> = Api::all(plane.client.clone());
    release.install(&chart(), &values).await.unwrap();
    let uid = api.get("default").await.unwrap().uid();
    release.upgrade(&chart(), &values).await.unwrap();
    release.upgrade(&chart(), &values).await.unwrap();
    assert_eq!(api.get("default").await.unwrap().uid(), uid);
    release.helm("rollback", &["1"], &json!({})).await.unwrap();
    assert_eq!(api.get("default").await.unwrap().uid(), uid);
    plane.control.stop().await.unwrap();
}
