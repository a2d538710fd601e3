//! Cluster inviters: one key of the platform team, fenced by namespaces, projects, roles and domains.
//!
//! One operator and one simulator for all tests here: two operators would both reconcile everything.

use crate::harness::*;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use kube::runtime::{conditions, wait::await_condition};
use libtest_mimic::Trial;
use serde_json::json;
use tokio::sync::OnceCell;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        a_selected_namespace_invites_through_a_cluster_inviter,
        a_namespace_that_is_not_selected_is_denied_without_a_call_until_it_is,
        a_role_outside_a_cluster_inviters_allow_is_denied_without_a_call,
        a_project_outside_a_cluster_inviters_allow_is_denied_without_a_call,
        a_domain_outside_a_cluster_inviters_allow_is_denied_without_a_call,
        of_two_namespaces_one_owns_the_invitation_and_the_other_does_not_learn_which,
        what_one_namespace_keeps_goes_to_another_without_a_mail,
        an_inviter_serves_its_own_namespace_only,
        what_a_namespace_that_ends_cannot_cancel_is_owed_soon,
    ]
}

static SHARED: OnceCell<World> = OnceCell::const_new();

/// A namespace that cluster inviters select, unless the labels say otherwise.
async fn team(labels: &[(&str, &str)]) -> World {
    let shared = SHARED.get_or_init(|| async {
        let setup = Setup::default().flag("--watch-namespaces", "").flag("--release-after", "1h");
        setup.flag("--release-after-terminating", "60s").start().await
    });
    shared.await.beside(labels).await
}

const SELECTED: &[(&str, &str)] = &[("mongodb", "allowed")];

/// A project, and a cluster inviter of the namespace's name for it.
async fn through_cluster(world: &World, change: impl FnOnce(&mut ClusterInviterSpec)) -> String {
    let project = world.plant_project(Product::Atlas, &world.namespace);
    let key = world.sim.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]));
    world.operator_secret(&world.namespace, &key).await;
    world.cluster_inviter(&world.namespace, &world.namespace, change).await;
    project
}

fn by(name: &str) -> impl FnOnce(&mut ProjectInvitationSpec) {
    let name = name.to_owned();
    |spec| spec.inviter_ref = InviterRef { kind: InviterKind::ClusterInviter, name }
}

fn calls_about(world: &World, project: &str) -> usize {
    world.sim.requests().into_iter().filter(|call| call.project.as_deref() == Some(project)).count()
}

async fn a_selected_namespace_invites_through_a_cluster_inviter() {
    let world = team(SELECTED).await;
    let project = through_cluster(&world, |_| {}).await;
    let object = world.invite_with("jane", &project, JANE, by(&world.namespace)).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    world.sim.accept(&project, JANE);
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert_eq!(world.sim.members(&project).len(), 1);
}

async fn a_namespace_that_is_not_selected_is_denied_without_a_call_until_it_is() {
    let world = team(&[("mongodb", "no")]).await;
    let project = through_cluster(&world, |_| {}).await;
    world.invite_with("jane", &project, JANE, by(&world.namespace)).await;
    let denied = world.until("jane", "denied", ready("False", Reason::PolicyDenied)).await;
    assert!(is_true(&denied, "Stalled"));
    let told = message(&denied, Reason::PolicyDenied);
    assert!(told.contains("namespaces of ClusterInviter") && told.contains(&world.namespace), "{told}");
    assert_eq!(calls_about(&world, &project), 0);
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    let labels = Patch::Merge(json!({ "metadata": { "labels": { "mongodb": "allowed" } } }));
    namespaces.patch(&world.namespace, &PatchParams::default(), &labels).await.unwrap();
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
}

/// Jane is denied by `rule`.
async fn denied(change: impl FnOnce(&mut AllowClusterInviter), rule: &str) {
    let world = team(SELECTED).await;
    let project = through_cluster(&world, |spec| change(spec.allow.as_mut().unwrap())).await;
    world.invite_with("jane", &project, JANE, by(&world.namespace)).await;
    let denied = world.until("jane", "denied", ready("False", Reason::PolicyDenied)).await;
    assert!(is_true(&denied, "Stalled"));
    let told = message(&denied, Reason::PolicyDenied);
    assert!(told.contains(rule), "{told}");
    assert_eq!(calls_about(&world, &project), 0);
}

async fn a_role_outside_a_cluster_inviters_allow_is_denied_without_a_call() {
    denied(|allow| allow.roles = Some(vec![WRITER.to_owned()]), "allow.roles").await;
}

async fn a_project_outside_a_cluster_inviters_allow_is_denied_without_a_call() {
    denied(|allow| allow.projects = Some(vec!["5f1d7c8e9a3b2c4d5e6f7a8b".to_owned()]), "allow.projects").await;
}

async fn a_domain_outside_a_cluster_inviters_allow_is_denied_without_a_call() {
    denied(|allow| allow.email_domains = Some(vec!["example.org".to_owned()]), "allow.emailDomains").await;
}

async fn of_two_namespaces_one_owns_the_invitation_and_the_other_does_not_learn_which() {
    let world = team(SELECTED).await;
    let other = team(SELECTED).await;
    let project = through_cluster(&world, |_| {}).await;
    world.invite_with("jane", &project, JANE, by(&world.namespace)).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    other.invite_with("copy", &project, JANE, by(&world.namespace)).await;
    let told = other.until("copy", "told", ready("False", Reason::DuplicateInvitee)).await;
    let text = message(&told, Reason::DuplicateInvitee);
    assert!(!text.contains(&world.namespace) && !text.contains("jane"), "{text}");
    world.looks(&project, 2).await;
    assert_eq!(world.sim.invitations(&project).len(), 1);
}

async fn what_one_namespace_keeps_goes_to_another_without_a_mail() {
    let world = team(SELECTED).await;
    let other = team(SELECTED).await;
    let project = through_cluster(&world, |_| {}).await;
    let name = world.namespace.clone();
    let keep = |spec: &mut ProjectInvitationSpec| {
        by(&name)(spec);
        spec.deletion.invitation = DeletionPolicy::Keep;
    };
    let object = world.invite_with("jane", &project, JANE, keep).await;
    let first = world.until("jane", "invited", ready("True", Reason::Invited)).await;
    other.invite_with("jane", &project, JANE, by(&world.namespace)).await;
    other.until("jane", "told", ready("False", Reason::DuplicateInvitee)).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    let second = other.until("jane", "invited", ready("True", Reason::Invited)).await;
    assert_eq!(status(&first).id, status(&second).id);
    // The end of the test counts the e-mails.
}

async fn an_inviter_serves_its_own_namespace_only() {
    let world = team(SELECTED).await;
    let other = team(SELECTED).await;
    let account = world.atlas().await;
    world.until_inviter("atlas", Reason::Ready).await;
    other.invite("jane", &account.project, JANE).await;
    other.until("jane", "told", ready("False", Reason::InviterNotFound)).await;
    assert_eq!(calls_about(&world, &account.project), 0);
}

async fn what_a_namespace_that_ends_cannot_cancel_is_owed_soon() {
    let world = team(SELECTED).await;
    let project = through_cluster(&world, |_| {}).await;
    world.invite_with("jane", &project, JANE, by(&world.namespace)).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    world.sim.add_fault(FaultRule::new(Fault::status(500, "UNEXPECTED_ERROR")).project(&project));
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    let uid = namespaces.get(&world.namespace).await.unwrap().uid().unwrap();
    namespaces.delete(&world.namespace, &DeleteParams::default()).await.unwrap();
    let gone = await_condition(namespaces, &world.namespace, conditions::is_deleted(&uid));
    tokio::time::timeout(wait::LIMIT, gone).await.expect("the namespace stays").unwrap();
    let claims = world.claims().await;
    let claim = claims.iter().find(|claim| claim.spec.key.project_id == project).unwrap();
    assert!(claim.spec.debt.is_some() && claim.spec.owner.is_none(), "{claim:#?}");
}
