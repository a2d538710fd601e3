//! Wrong input, and what it gets.

use crate::harness::*;
use atlas_sim::{Credential, Deployment, Options, Simulator, TlsIdentity};
use invitation_operator::api::names::annotation;
use libtest_mimic::Trial;
use serde_json::json;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        without_the_secret_nothing_is_called_until_it_is_there,
        a_secret_with_wrong_keys_is_told_by_its_name_and_its_keys,
        a_trailing_newline_is_trimmed,
        a_wrong_api_key_costs_one_probe_and_not_one_per_invitation,
        a_wrong_service_account_costs_one_probe_and_not_one_per_invitation,
        an_address_that_is_not_on_the_access_list_is_told_with_the_address,
        a_key_without_the_role_is_asked_once_for_all_invitations,
        a_service_account_is_no_credential_for_ops_manager,
        a_rotated_secret_is_used_within_an_interval,
        a_rotated_secret_is_used_at_once_after_a_401,
        a_host_that_is_not_allowed_gets_no_request,
        an_unreachable_host_is_waited_for,
        a_project_that_does_not_exist_is_told_and_stops_nobody_else,
        a_project_of_the_other_product_is_told,
        a_role_that_the_api_refuses_is_told_and_tried_again_when_something_changes,
        an_address_that_the_api_refuses_is_told,
        a_role_outside_allow_is_denied_without_a_call,
        a_project_outside_allow_is_denied_without_a_call,
        a_domain_outside_allow_is_denied_without_a_call,
        what_allow_no_longer_permits_is_still_cancelled,
        an_inviter_that_comes_late_wakes_its_invitations,
        an_inviter_that_never_comes_stalls_its_invitations,
        a_cluster_inviter_is_not_served_by_a_namespaced_operator,
        an_inviter_that_is_asked_looks_at_once_whether_it_was_cured,
        ops_manager_behind_a_private_authority_is_trusted_by_its_bundle_only,
    ]
}

async fn without_the_secret_nothing_is_called_until_it_is_there() {
    let world = World::start().await;
    let project = world.plant_project(Product::Atlas, "payments");
    let key = world.sim.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]));
    world.inviter("atlas", "atlas", |_| {}).await;
    world.invite("jane", &project, JANE).await;
    let told = world.until_inviter("atlas", Reason::SecretNotFound).await;
    assert!(told.contains(&format!("{}/atlas", world.namespace)), "{told}");
    let waiting = world.until("jane", "waiting", ready("False", Reason::InviterNotReady)).await;
    assert!(is_true(&waiting, "Reconciling"));
    assert_eq!(status(&waiting).phase, Some(Phase::Pending));
    assert_eq!(world.sim.requests(), []);
    world.secret("atlas", &key).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    assert_eq!(world.mails(JANE), 1);
}

/// Name of a Secret, its content, and what must be told of it.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

async fn a_secret_with_wrong_keys_is_told_by_its_name_and_its_keys() {
    let world = World::start().await;
    let project = world.plant_project(Product::Atlas, "payments");
    let cases: &[Case] = &[
        ("empty", &[], &["publicApiKey", "privateApiKey", "clientId", "clientSecret"]),
        ("others", &[("username", "a"), ("password", "b")], &["publicApiKey", "clientId"]),
        ("half", &[("publicApiKey", "a")], &["privateApiKey"]),
        (
            "both",
            &[("publicApiKey", "a"), ("privateApiKey", "b"), ("clientId", "c"), ("clientSecret", "d")],
            &["both kinds", "publicApiKey", "clientId"],
        ),
    ];
    for (name, data, parts) in cases {
        world.raw_secret(name, data).await;
        world.inviter(name, name, |_| {}).await;
        world
            .invite_with(name, &project, &format!("{name}@example.com"), |spec| {
                spec.inviter_ref.name = (*name).to_owned();
            })
            .await;
        let told = world.until_inviter(name, Reason::SecretInvalid).await;
        for part in parts.iter().chain([name]) {
            assert!(told.contains(part), "{told} lacks {part}");
        }
        let object = world.until(name, "waiting", ready("False", Reason::InviterNotReady)).await;
        assert!(message(&object, Reason::InviterNotReady).contains("SecretInvalid"));
    }
    assert_eq!(world.sim.requests(), []);
}

async fn a_trailing_newline_is_trimmed() {
    let world = World::start().await;
    let project = world.plant_project(Product::Atlas, "payments");
    let key = world.sim.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]));
    let (public, private) = (format!("{}\n", key.id), format!("{}\r\n", key.secret));
    world.raw_secret("atlas", &[("publicApiKey", &public), ("privateApiKey", &private)]).await;
    world.inviter("atlas", "atlas", |_| {}).await;
    world.invite("jane", &project, JANE).await;
    let invited = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    assert_eq!(status(&invited).inviter_username, Some(key.id));
}

/// Five people wait for an inviter that is told `reason`; returns its message.
async fn all_wait_and_one_probe_is_made(world: &World, project: &str, key: &Credential, reason: Reason) -> String {
    world.secret("atlas", key).await;
    world.inviter("atlas", "atlas", |spec| spec.check_interval = "1h".to_owned()).await;
    for number in 0..5 {
        world.invite(&format!("p{number}"), project, &format!("p{number}@example.com")).await;
    }
    let told = world.until_inviter("atlas", reason).await;
    for number in 0..5 {
        let object = world.until(&format!("p{number}"), "waiting", ready("False", Reason::InviterNotReady)).await;
        assert!(message(&object, Reason::InviterNotReady).contains(reason.as_str()));
        assert!(is_true(&object, "Reconciling"));
    }
    // Asking for a look at an invitation is no reason to try the key again.
    world.annotate("p0", annotation::REQUESTED_AT, "now").await;
    world.until("p0", "asked", |o| status(o).last_handled_reconcile_at.is_some()).await;
    // At most a challenge, a signed request and its one repetition.
    assert!(world.sim.requests().len() <= 3, "{:#?}", world.sim.requests());
    assert_eq!(world.calls(Endpoint::ListGroupInvites), []);
    assert_eq!(world.mutations(), []);
    told
}

async fn a_wrong_api_key_costs_one_probe_and_not_one_per_invitation() {
    let world = World::start().await;
    let project = world.plant_project(Product::Atlas, "payments");
    let mut key = world.sim.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]));
    key.secret = "3f0c7b0e-0000-0000-0000-000000000000".to_owned();
    all_wait_and_one_probe_is_made(&world, &project, &key, Reason::CredentialsRejected).await;
}

async fn a_wrong_service_account_costs_one_probe_and_not_one_per_invitation() {
    let world = World::start().await;
    let project = world.plant_project(Product::Atlas, "payments");
    let mut key = world.sim.seed_credential(CredentialSeed::service_account().grant(&project, ["GROUP_OWNER"]));
    key.secret = "mdb_sa_sk_0000000000000000000000000000000000000000".to_owned();
    all_wait_and_one_probe_is_made(&world, &project, &key, Reason::CredentialsRejected).await;
}

async fn an_address_that_is_not_on_the_access_list_is_told_with_the_address() {
    let world = World::start().await;
    let project = world.plant_project(Product::Atlas, "payments");
    let seed = CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]).only_from(["203.0.113.0/24"]);
    let key = world.sim.seed_credential(seed);
    let told = all_wait_and_one_probe_is_made(&world, &project, &key, Reason::NotOnAccessList).await;
    assert!(told.contains("127.0.0.1"), "{told}");
}

async fn a_key_without_the_role_is_asked_once_for_all_invitations() {
    let world = World::start().await;
    let project = world.plant_project(Product::Atlas, "payments");
    let weak = CredentialSeed::api_key().grant(&project, ["GROUP_READ_ONLY"]);
    let key = world.sim.seed_credential(weak.clone());
    world.secret("atlas", &key).await;
    world.inviter("atlas", "atlas", |_| {}).await;
    for number in 0..5 {
        world.invite(&format!("p{number}"), &project, &format!("p{number}@example.com")).await;
    }
    for number in 0..5 {
        let object = world.until(&format!("p{number}"), "told", ready("False", Reason::PermissionMissing)).await;
        assert!(is_true(&object, "Stalled"));
        assert!(message(&object, Reason::PermissionMissing).contains("Project Owner"));
    }
    world.until_inviter("atlas", Reason::Ready).await;
    assert_eq!(world.calls(Endpoint::ListGroupInvites).len(), 1, "one question for all");
    // The cure is at MongoDB, where nobody tells the operator: it is asked to look.
    world.sim.remove_credential(&key.id);
    world
        .sim
        .seed_credential(CredentialSeed::api_key().with_secret(&key.id, &key.secret).grant(&project, ["GROUP_OWNER"]));
    world.annotate("p0", annotation::REQUESTED_AT, "now").await;
    world.until("p0", "invited", in_phase(Phase::Invited)).await;
}

async fn a_service_account_is_no_credential_for_ops_manager() {
    let world = World::start().await;
    let project = world.plant_project(Product::OpsManager, "payments");
    let key = world.sim.seed_credential(CredentialSeed::service_account().grant(&project, ["GROUP_OWNER"]));
    world.secret("atlas", &key).await;
    world.inviter("atlas", "atlas", |spec| spec.product = Product::OpsManager).await;
    let told = world.until_inviter("atlas", Reason::CredentialsRejected).await;
    assert!(told.contains("publicApiKey"), "{told}");
    assert_eq!(world.sim.requests(), []);
}

async fn a_rotated_secret_is_used_within_an_interval() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    let fresh = world.sim.seed_credential(CredentialSeed::service_account().grant(&account.project, ["GROUP_OWNER"]));
    world.secret("atlas", &fresh).await;
    let used = |sim: &Simulator| sim.requests().iter().any(|call| call.credential.as_ref() == Some(&fresh.id));
    world.until_sim("the new key", used).await;
    world.sim.remove_credential(&account.key.id);
    world.sim.accept(&account.project, JANE);
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    world.until_inviter("atlas", Reason::Ready).await;
}

async fn a_rotated_secret_is_used_at_once_after_a_401() {
    let world = World::start().await;
    let account = world.atlas_with(|spec| spec.check_interval = "1h".to_owned()).await;
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    let fresh = world.sim.seed_credential(CredentialSeed::service_account().grant(&account.project, ["GROUP_OWNER"]));
    world.secret("atlas", &fresh).await;
    world.sim.remove_credential(&account.key.id);
    world.sim.accept(&account.project, JANE);
    world.annotate("jane", annotation::REQUESTED_AT, "now").await;
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
}

async fn a_host_that_is_not_allowed_gets_no_request() {
    let world = World::start().await;
    let account = world.atlas().await;
    let canary = Simulator::start(Options::default()).await.unwrap();
    world.inviter("canary", "atlas", |spec| spec.base_url = Some(canary.base_url().to_owned())).await;
    world.invite_with("jane", &account.project, JANE, |spec| spec.inviter_ref.name = "canary".to_owned()).await;
    let told = world.until_inviter("canary", Reason::HostNotAllowed).await;
    assert!(told.contains(&canary.address().to_string()) && told.contains("--allowed-hosts"), "{told}");
    world.until("jane", "waiting", ready("False", Reason::InviterNotReady)).await;
    world.invite("john", &account.project, JOHN).await;
    world.until("john", "invited", in_phase(Phase::Invited)).await;
    assert_eq!(canary.requests(), []);
}

async fn an_unreachable_host_is_waited_for() {
    // Bound and never listening: it refuses, and nobody else can take it.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = closed.local_addr().unwrap().port();
    let world = Setup::default().flag("--allowed-hosts", &format!("127.0.0.1:{port}")).start().await;
    let project = world.plant_project(Product::Atlas, "payments");
    let key = world.sim.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]));
    world.secret("atlas", &key).await;
    world.inviter("atlas", "atlas", |spec| spec.base_url = Some(format!("http://127.0.0.1:{port}"))).await;
    world.invite("jane", &project, JANE).await;
    world.until_inviter("atlas", Reason::Unreachable).await;
    let waiting = world.until("jane", "waiting", ready("False", Reason::InviterNotReady)).await;
    assert!(is_true(&waiting, "Reconciling"));
    assert_eq!(world.claims().await, []);
}

async fn a_project_that_does_not_exist_is_told_and_stops_nobody_else() {
    let world = World::start().await;
    let account = world.atlas().await;
    let unseen = world.plant_project(Product::Atlas, "of-others");
    let nowhere = "5f1d7c8e9a3b2c4d5e6f7a8b";
    world.invite("nowhere", nowhere, JANE).await;
    world.invite("unseen", &unseen, JANE).await;
    world.invite("good", &account.project, JANE).await;
    let object = world.until("nowhere", "told", ready("False", Reason::ProjectNotFound)).await;
    assert!(is_true(&object, "Stalled"));
    assert_eq!(status(&object).phase, Some(Phase::Failed));
    assert!(message(&object, Reason::ProjectNotFound).contains("projectId"));
    let object = world.until("unseen", "told", ready("False", Reason::PermissionMissing)).await;
    assert!(is_true(&object, "Stalled"));
    world.until("good", "invited", ready("True", Reason::Invited)).await;
    world.until_inviter("atlas", Reason::Ready).await;
    world.looks(&account.project, 3).await;
    for project in [nowhere, &unseen] {
        let asked = world.sim.requests().into_iter().filter(|call| call.project.as_deref() == Some(project)).count();
        assert_eq!(asked, 1, "asked again only after an hour");
    }
    world.until_inviter("atlas", Reason::Ready).await;
    assert_eq!(world.sim.outbox().len(), 1);
}

async fn a_project_of_the_other_product_is_told() {
    let world = World::start().await;
    let atlas = world.plant_project(Product::Atlas, "in-atlas");
    let cloud = world.plant_project(Product::CloudManager, "in-cloud-manager");
    let seed = CredentialSeed::api_key().grant(&atlas, ["GROUP_OWNER"]).grant(&cloud, ["GROUP_OWNER"]);
    world.secret("key", &world.sim.seed_credential(seed)).await;
    world.inviter("atlas", "key", |_| {}).await;
    world.inviter("cloud", "key", |spec| spec.product = Product::CloudManager).await;
    for (name, project, cure) in [("atlas", &cloud, "CloudManager"), ("cloud", &atlas, "product: Atlas")] {
        world.invite_with(name, project, JANE, |spec| spec.inviter_ref.name = name.to_owned()).await;
        let object = world.until(name, "told", ready("False", Reason::WrongProduct)).await;
        assert!(is_true(&object, "Stalled"));
        assert_eq!(status(&object).phase, Some(Phase::Failed));
        let told = message(&object, Reason::WrongProduct);
        assert!(told.contains(cure), "{told}");
    }
    assert_eq!(world.mutations(), []);
}

async fn a_role_that_the_api_refuses_is_told_and_tried_again_when_something_changes() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.invite("good", &account.project, JOHN).await;
    world.until("good", "invited", in_phase(Phase::Invited)).await;
    let posts = || world.calls(Endpoint::CreateGroupInvite).len() - 1;
    let wrong = |spec: &mut ProjectInvitationSpec| spec.roles = vec!["GROUP_NO_SUCH_ROLE".to_owned()];
    world.invite_with("jane", &account.project, JANE, wrong).await;
    let object = world.until("jane", "refused", ready("False", Reason::Refused)).await;
    assert!(is_true(&object, "Stalled"));
    assert_eq!(status(&object).phase, Some(Phase::Failed));
    assert_eq!(status(&object).mails_sent, Some(0));
    let told = message(&object, Reason::Refused);
    assert!(told.contains("INVALID_ENUM_VALUE") && told.contains("GROUP_NO_SUCH_ROLE"), "{told}");
    world.looks(&account.project, 3).await;
    assert_eq!(posts(), 1, "not asked again for an hour");

    world.annotate("jane", annotation::REQUESTED_AT, "now").await;
    world.until_sim("asked again by annotation", |_| posts() == 2).await;
    world.patch_inviter("atlas", json!({ "spec": { "adoption": "SameRoles" } })).await;
    world.until_sim("asked again for a changed inviter", |_| posts() == 3).await;
    world.patch("jane", json!({ "spec": { "roles": [READER] } })).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    assert_eq!(posts(), 4);
    assert_eq!(world.mails(JANE), 1);
}

async fn an_address_that_the_api_refuses_is_told() {
    let world = World::start().await;
    let account = world.atlas().await;
    let refusal = Fault::Status {
        status: 400,
        code: Some("INVALID_EMAIL_ADDRESS".to_owned()),
        detail: Some("The mailbox does not exist.".to_owned()),
        parameters: Vec::new(),
        retry_after: None,
        after_effect: false,
    };
    world.sim.add_fault(FaultRule::new(refusal).on(Endpoint::CreateGroupInvite));
    world.invite("jane", &account.project, JANE).await;
    let object = world.until("jane", "refused", ready("False", Reason::Refused)).await;
    assert!(is_true(&object, "Stalled"));
    let told = message(&object, Reason::Refused);
    assert!(told.contains("INVALID_EMAIL_ADDRESS") && told.contains("The mailbox does not exist"), "{told}");
    assert!(world.claim().await.spec.attempt.is_none());
}

/// Jane is denied, by a rule that the message names, and nothing goes over the network for her.
async fn denied(change: impl FnOnce(&mut AllowInviter), rule: &str) {
    let world = World::start().await;
    let account = world.atlas_with(|spec| change(&mut spec.allow)).await;
    world.invite("jane", &account.project, JANE).await;
    let object = world.until("jane", "denied", ready("False", Reason::PolicyDenied)).await;
    assert!(is_true(&object, "Stalled"));
    assert_eq!(status(&object).phase, Some(Phase::Pending));
    let told = message(&object, Reason::PolicyDenied);
    assert!(told.contains(rule), "{told}");
    let about_projects = || world.sim.requests().into_iter().filter(|call| call.project.is_some()).count();
    assert_eq!(about_projects(), 0);
    assert_eq!(world.claims().await, []);
    // Opened, it is done.
    world.patch_inviter("atlas", json!({ "spec": { "allow": null } })).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
}

async fn a_role_outside_allow_is_denied_without_a_call() {
    denied(|allow| allow.roles = Some(vec![WRITER.to_owned()]), "allow.roles").await;
}

async fn a_project_outside_allow_is_denied_without_a_call() {
    denied(|allow| allow.projects = Some(vec!["5f1d7c8e9a3b2c4d5e6f7a8b".to_owned()]), "allow.projects").await;
}

async fn a_domain_outside_allow_is_denied_without_a_call() {
    denied(|allow| allow.email_domains = Some(vec!["example.org".to_owned()]), "allow.emailDomains").await;
}

async fn what_allow_no_longer_permits_is_still_cancelled() {
    let world = World::start().await;
    let account = world.atlas().await;
    let object = world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.patch_inviter("atlas", json!({ "spec": { "allow": { "roles": [WRITER] } } })).await;
    world.until_inviter("atlas", Reason::Ready).await;
    world.patch("jane", json!({ "spec": { "roles": ["GROUP_OWNER"] } })).await;
    world.until("jane", "denied", ready("False", Reason::PolicyDenied)).await;
    assert_eq!(world.calls(Endpoint::UpdateGroupInviteById), []);
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty());
}

async fn an_inviter_that_comes_late_wakes_its_invitations() {
    let world = World::start().await;
    let project = world.plant_project(Product::Atlas, "payments");
    let key = world.sim.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]));
    world.invite("jane", &project, JANE).await;
    world.until("jane", "waiting", ready("False", Reason::InviterNotFound)).await;
    world.secret("atlas", &key).await;
    world.inviter("atlas", "atlas", |_| {}).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    assert_eq!(world.mails(JANE), 1);
}

async fn an_inviter_that_never_comes_stalls_its_invitations() {
    // The grace of ten minutes becomes a second.
    let world = Setup::default().flag("--unsafe-timings", "600").start().await;
    world.invite("jane", "5f1d7c8e9a3b2c4d5e6f7a8b", JANE).await;
    let stalled = world.until("jane", "stalled", |object| is_true(object, "Stalled")).await;
    assert!(ready("False", Reason::InviterNotFound)(&stalled));
    assert!(condition(&stalled, "Reconciling").is_none());
}

async fn a_cluster_inviter_is_not_served_by_a_namespaced_operator() {
    let world = World::start().await;
    let cluster = |spec: &mut ProjectInvitationSpec| spec.inviter_ref.kind = InviterKind::ClusterInviter;
    world.invite_with("jane", "5f1d7c8e9a3b2c4d5e6f7a8b", JANE, cluster).await;
    let told = world.until("jane", "told", ready("False", Reason::InviterNotFound)).await;
    assert!(message(&told, Reason::InviterNotFound).contains("not served"));
}

async fn an_inviter_that_is_asked_looks_at_once_whether_it_was_cured() {
    let world = World::start().await;
    let project = world.plant_project(Product::Atlas, "payments");
    let seed = CredentialSeed::service_account().grant(&project, ["GROUP_OWNER"]);
    let key = world.sim.seed_credential(seed.clone().only_from(["203.0.113.7"]));
    all_wait_and_one_probe_is_made(&world, &project, &key, Reason::NotOnAccessList).await;
    world.sim.remove_credential(&key.id);
    world.sim.seed_credential(seed.with_secret(&key.id, &key.secret));
    let asked = json!({ "metadata": { "annotations": { annotation::REQUESTED_AT: "now" } } });
    world.patch_inviter("atlas", asked).await;
    world.until_inviter("atlas", Reason::Ready).await;
    let inviter = world.inviters().get("atlas").await.unwrap();
    assert_eq!(inviter.status.unwrap().last_handled_reconcile_at.as_deref(), Some("now"));
    for number in 0..5 {
        world.until(&format!("p{number}"), "invited", in_phase(Phase::Invited)).await;
    }
}

async fn ops_manager_behind_a_private_authority_is_trusted_by_its_bundle_only() {
    let authority = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let identity =
        TlsIdentity { certificate_pem: authority.cert.pem(), key_pem: authority.signing_key.serialize_pem() };
    let options = Options { deployment: Deployment::OpsManager, tls: Some(identity), ..Options::default() };
    let ops = Simulator::start(options).await.unwrap();
    let world = Setup::default().flag("--allowed-hosts", &ops.address().to_string()).start().await;
    let project = ops.seed_project(ProjectSeed::new(atlas_sim::Product::OpsManager, "payments"));
    let key = ops.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_USER_ADMIN"]));
    world.secret("ops", &key).await;
    let bundle = |kind, name: &str| CaBundleRef { kind, name: name.to_owned(), key: "ca.crt".to_owned() };
    let inviter = async |name: &str, bundle: Option<CaBundleRef>| {
        world
            .inviter(name, "ops", |spec| {
                spec.product = Product::OpsManager;
                spec.base_url = Some(ops.base_url().to_owned());
                spec.ca_bundle_ref = bundle;
            })
            .await
    };
    inviter("untrusted", None).await;
    inviter("missing", Some(bundle(CaBundleSource::ConfigMap, "nowhere"))).await;
    world.raw_secret("empty", &[("ca.crt", "no certificate")]).await;
    inviter("empty", Some(bundle(CaBundleSource::Secret, "empty"))).await;
    world.raw_secret("bundle", &[("ca.crt", &authority.cert.pem())]).await;
    inviter("trusted", Some(bundle(CaBundleSource::Secret, "bundle"))).await;
    world.until_inviter("untrusted", Reason::TlsFailed).await;
    world.until_inviter("empty", Reason::CaBundleInvalid).await;
    let told = world.until_inviter("missing", Reason::CaBundleInvalid).await;
    assert!(told.contains("ConfigMap") && told.contains("nowhere"), "{told}");
    world.until_inviter("trusted", Reason::Ready).await;
    world.invite_with("jane", &project, JANE, |spec| spec.inviter_ref.name = "trusted".to_owned()).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    assert_eq!(ops.mails_to(JANE).len(), 1);
}
