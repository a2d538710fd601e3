//! A cluster in trouble, or not ready yet: each test has one of its own.

use crate::harness::plane::{Plane, apply, apply_definitions, start};
use crate::harness::*;
use control_plane::{Options, Request, Rule, Trouble};
use invitation_operator::api::crd::crds;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use kube::api::{Api, DeleteParams, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use libtest_mimic::Trial;
use serde_json::json;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        missing_definitions_are_waited_for,
        one_malformed_object_stops_nobody_else,
        an_api_server_that_dies_during_the_call_costs_no_second_mail,
        a_version_that_has_expired_at_the_api_server_is_followed_by_a_list,
    ]
}

async fn small_plane() -> Plane {
    start(Options { with_controller_manager: false, ..Options::default() }).await
}

fn everywhere() -> Setup {
    Setup::default().flag("--watch-namespaces", "")
}

async fn missing_definitions_are_waited_for() {
    let plane = small_plane().await;
    let world = everywhere().start_on(&plane).await;
    world.until_logged("the cluster does not know ProjectInvitation, Inviter, ClusterInviter, InvitationClaim").await;
    let operator = world.operator.as_ref().unwrap();
    let told = wait::poll(async || {
        let page = operator.page("/readyz").await;
        page.is_some_and(|(code, told)| code == 503 && told.contains("invitation-operator crds"))
    });
    assert!(told.await, "{:?}", operator.page("/readyz").await);
    assert_eq!(operator.page("/livez").await.unwrap().0, 200);
    apply_definitions(&plane.client).await;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    assert_eq!(operator.page("/readyz").await.unwrap().0, 200);
}

async fn one_malformed_object_stops_nobody_else() {
    let plane = small_plane().await;
    let mut definitions = crds();
    for crd in &mut definitions {
        if crd.spec.names.kind == "ProjectInvitation" {
            // As an older schema might have admitted it: anything.
            let schema = crd.spec.versions[0].schema.as_mut().unwrap().open_api_v3_schema.as_mut().unwrap();
            let anything = JSONSchemaProps {
                type_: Some("object".to_owned()),
                x_kubernetes_preserve_unknown_fields: Some(true),
                ..JSONSchemaProps::default()
            };
            schema.properties.as_mut().unwrap().insert("spec".to_owned(), anything);
            crd.spec.versions[0].selectable_fields = None;
        }
    }
    apply(&plane.client, &definitions).await;
    let mut world = everywhere().without_operator().start_on(&plane).await;
    let kind = GroupVersionKind::gvk("invitation-operator.io", "v1alpha1", "ProjectInvitation");
    let resource = ApiResource::from_gvk_with_plural(&kind, "projectinvitations");
    let raw: Api<DynamicObject> = Api::namespaced_with(world.client.clone(), &world.namespace, &resource);
    let make = async |name: &str, spec: serde_json::Value| {
        let mut object = DynamicObject::new(name, &resource);
        object.data = json!({ "spec": spec });
        let created = wait::poll(async || raw.create(&PostParams::default(), &object).await.is_ok()).await;
        assert!(created, "{name} is refused");
    };
    make("malformed", json!({ "roles": "all of them", "inviterRef": 7 })).await;
    let odd =
        json!({ "projectId": "../admin", "username": "nobody", "roles": [READER], "inviterRef": { "name": "atlas" } });
    make("odd", odd).await;
    let account = world.atlas().await;
    world.start_operator();
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    let odd = world.until("odd", "told", ready("False", Reason::InvalidSpec)).await;
    assert!(is_true(&odd, "Stalled"));
    world.until_logged("cannot be read and is left alone").await;
    // One that comes while the operator runs is no worse.
    make("malformed-too", json!({ "roles": 3 })).await;
    world.invite("john", &account.project, JOHN).await;
    world.until("john", "invited", ready("True", Reason::Invited)).await;
    world.delete("odd").await;
    world.until_gone(&odd).await;
    let (_, metrics) = world.operator.as_ref().unwrap().page("/metrics").await.unwrap();
    assert!(metrics.contains(r#"malformed_objects_total{kind="ProjectInvitation"}"#), "{metrics}");
    assert!(world.sim.requests().iter().all(|call| call.project.as_ref().is_none_or(|p| *p == account.project)));
}

async fn an_api_server_that_dies_during_the_call_costs_no_second_mail() {
    let plane = small_plane().await;
    apply_definitions(&plane.client).await;
    let world = everywhere().start_on(&plane).await;
    let account = world.atlas().await;
    let fault = Fault::Latency { before: Span::ZERO, after: Span::millis(1000) };
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    world.until_sim("a mail", |sim| sim.outbox().len() == 1).await;
    plane.control.kill_api_server().await.unwrap();
    world
        .until_sim("an answer", |sim| {
            sim.requests().iter().any(|call| call.endpoint == Endpoint::CreateGroupInvite && call.finished)
        })
        .await;
    plane.control.start_api_server().await.unwrap();
    // The status may tell of the invitation before the ledger could be written: its id comes with the record.
    let recorded = |o: &ProjectInvitation| ready("True", Reason::Invited)(o) && status(o).id.is_some();
    let invited = world.until("jane", "invited and recorded", recorded).await;
    assert_eq!(status(&invited).id.as_ref(), Some(&world.sim.invitations(&account.project)[0].id));
    world.looks(&account.project, 2).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn a_version_that_has_expired_at_the_api_server_is_followed_by_a_list() {
    let plane = small_plane().await;
    apply_definitions(&plane.client).await;
    let between = plane.between().await;
    let setup = everywhere().flag("--kubeconfig", between.operator_kubeconfig.to_str().unwrap());
    let world = setup.start_on(&plane).await;
    let (account, jane) = world.invited().await;
    world.inviter("other", "atlas", |_| {}).await;
    let through_other = |spec: &mut ProjectInvitationSpec| spec.inviter_ref.name = "other".to_owned();
    world.invite_with("mary", &account.project, "mary.major@example.com", through_other).await;
    let mary = world.until("mary", "invited", in_phase(Phase::Invited)).await;
    let proxy = &between.proxy;
    proxy.add(Rule::new(Trouble::Hold).on(Request::is_watch));
    world.patch("jane", json!({ "metadata": { "finalizers": null } })).await;
    world.delete("jane").await;
    world.until_gone(&jane).await;
    world.inviters().delete("other", &DeleteParams::default()).await.unwrap();
    world.invite("john", &account.project, JOHN).await;
    // What has happened so far is in no API server's memory now, so no watch can begin before it.
    plane.control.kill_api_server().await.unwrap();
    plane.control.start_api_server().await.unwrap();
    let before = proxy.requests().len();
    // Broken before they are let go: what a held watch still carries would tell of John without any list.
    proxy.cut(Request::is_watch);
    proxy.clear();
    let with_id = |object: &ProjectInvitation| in_phase(Phase::Invited)(object) && status(object).id.is_some();
    let invited = world.until("john", "invited", with_id).await;
    let since: Vec<_> = proxy.requests().split_off(before);
    assert!(since.iter().any(|request| request.is_list_of("projectinvitations")), "{since:#?}");
    world.until("mary", "without inviter", shows(Reason::InviterNotFound)).await;
    let left = [&invited, &mary].map(|object| status(object).id.unwrap());
    world
        .until_sim("cancelled", |sim| sim.invitations(&account.project).iter().all(|found| left.contains(&found.id)))
        .await;
    assert_eq!(world.sim.invitations(&account.project).len(), 2);
    world.until_logged("too old resource version").await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 3, "one for each");
}
