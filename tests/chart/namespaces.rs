//! Namespaces that come and go under a release that serves only some.

use crate::harness::wait::poll;
use crate::harness::world::make_namespace;
use crate::harness::*;
use crate::release::{Release, chart, empty_plane, values};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams};
use kube::runtime::{conditions, wait::await_condition};
use libtest_mimic::Trial;
use serde_json::json;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        a_namespace_that_does_not_exist_yet_holds_nobody_up_and_is_served_when_it_comes,
        a_namespace_goes_with_its_invitations_their_secret_and_the_operators_roles,
    ]
}

async fn a_namespace_that_does_not_exist_yet_holds_nobody_up_and_is_served_when_it_comes() {
    let plane = empty_plane().await;
    let mut world = Setup::default().without_operator().start_on(&plane).await;
    let later = format!("{}-later", world.namespace);
    let release = Release::of(&plane, &world);
    let mut values = values(&world);
    values["watchNamespaces"] = json!([world.namespace, later]);
    let notes = release.install(&chart(), &values).await.unwrap();
    assert!(notes.contains(&format!("The namespace {later} does not exist yet")), "{notes}");
    assert!(notes.contains("helm upgrade invitation-operator"), "{notes}");
    release.deploy_to(&mut world).await;
    world.start_operator();
    world.invited().await;
    world.until_logged("the namespace does not exist, or the operator has no rights in it").await;
    let operator = world.operator.as_ref().unwrap();
    let ready = poll(async || operator.page("/readyz").await.is_some_and(|(code, _)| code == 200)).await;
    assert!(ready, "{:?}", operator.page("/readyz").await);

    make_namespace(&plane.client, &later, &[]).await;
    release.upgrade(&chart(), &values).await.unwrap();
    let mut there = world.beside(&[]).await;
    there.namespace = later;
    let project = there.plant_project(Product::Atlas, "later");
    let key = there.sim.seed_credential(CredentialSeed::service_account().grant(&project, ["GROUP_OWNER"]));
    there.secret("atlas", &key).await;
    there.inviter("atlas", "atlas", |_| {}).await;
    there.invite("john", &project, JOHN).await;
    there.until("john", "invited", in_phase(Phase::Invited)).await;
    plane.control.stop().await.unwrap();
}

async fn a_namespace_goes_with_its_invitations_their_secret_and_the_operators_roles() {
    let plane = empty_plane().await;
    let mut world = Setup::default().without_operator().start_on(&plane).await;
    let release = Release::of(&plane, &world);
    release.install(&chart(), &values(&world)).await.unwrap();
    release.deploy_to(&mut world).await;
    world.start_operator();
    let (account, _) = world.invited().await;
    let namespaces: Api<Namespace> = Api::all(plane.client.clone());
    let uid = namespaces.get(&world.namespace).await.unwrap().uid().unwrap();
    namespaces.delete(&world.namespace, &DeleteParams::default()).await.unwrap();
    let gone = await_condition(namespaces, &world.namespace, conditions::is_deleted(&uid));
    tokio::time::timeout(wait::LIMIT, gone).await.expect("the namespace stays").unwrap();
    assert!(world.sim.invitations(&account.project).is_empty(), "cancelled by the credentials that last worked");
    plane.control.stop().await.unwrap();
}
