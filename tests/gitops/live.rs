//! The same on a real API server: objects that are applied, synced again, asked for something and taken away.

use crate::expected::{self, Circumstances};
use crate::harness::plane::shared;
use crate::harness::wait::poll;
use crate::harness::*;
use crate::judge::{self, Verdict};
use kube::api::{Api, ListParams, Patch, PatchParams};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Output, Stdio};

pub fn tests() -> Vec<Trial> {
    crate::tests![
        syncing_again_and_pruning_shows_no_difference,
        a_client_that_applies_sees_no_difference_either,
        live_objects_are_found_as_the_design_says,
        the_actions_of_argo_cd_do_what_they_say,
        kubectl_waits_for_what_the_readme_says,
        flux_sees_that_what_it_asked_for_was_done,
    ]
}

/// As Argo CD applies on the server's side.
const ARGO: [&str; 3] = ["--server-side", "--field-manager=argocd-controller", "--force-conflicts"];

fn manifest(world: &World, project: &str, name: &str, more: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "invitation-operator.io/v1alpha1",
        "kind": "ProjectInvitation",
        "metadata": { "name": name, "namespace": world.namespace, "labels": { "team": "payments" } },
        "spec": {
            "projectId": project,
            "username": format!("{name}@Example.com"),
            "roles": [WRITER, READER],
            "inviterRef": { "name": "atlas" },
        },
    });
    for (key, value) in more.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    object
}

async fn kubectl(arguments: &[&str], manifests: &[Value]) -> Output {
    let mut command = shared().await.control.kubectl();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = json!({ "apiVersion": "v1", "kind": "List", "items": manifests }).to_string();
    tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    })
    .await
    .unwrap()
}

async fn done(arguments: &[&str], manifests: &[Value]) -> String {
    let output = kubectl(arguments, manifests).await;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "kubectl {}: {said}", arguments.join(" "));
    said
}

/// Nothing differs, and applying changes nothing.
async fn in_sync(world: &World, flags: &[&str], manifests: &[Value]) {
    // A server-side diff that sees a difference ends with 1 and prints it.
    done(&[&["diff", "-f", "-"], flags].concat(), manifests).await;
    let before = versions(world).await;
    done(&[&["apply", "-f", "-"], flags].concat(), manifests).await;
    assert_eq!(versions(world).await, before, "syncing wrote something");
}

async fn versions(world: &World) -> Vec<(String, Option<String>, Option<i64>)> {
    let mut objects = world.invitations().list(&ListParams::default()).await.unwrap().items;
    objects.sort_by_key(ResourceExt::name_any);
    objects.iter().map(|object| (object.name_any(), object.resource_version(), object.metadata.generation)).collect()
}

async fn synced(flags: &[&str]) {
    let world = World::start().await;
    let account = world.atlas().await;
    let written_out = json!({
        "suspend": false, "readyWhen": "Accepted", "deletion": { "invitation": "Cancel" },
        "inviterRef": { "kind": "Inviter", "name": "atlas" },
    });
    let mut manifests = vec![
        manifest(&world, &account.project, "jane", &json!({})),
        manifest(&world, &account.project, "john", &written_out),
        manifest(&world, &account.project, "refused", &json!({ "roles": ["GROUP_NO_SUCH_ROLE"] })),
    ];
    done(&[&["apply", "-f", "-"], flags].concat(), &manifests).await;
    for name in ["jane", "john"] {
        world.until(name, "invited", in_phase(Phase::Invited)).await;
    }
    world.until("refused", "refused", shows(Reason::Refused)).await;
    world.until_event("refused", Reason::Refused).await;
    in_sync(&world, flags, &manifests).await;

    world.sim.accept(&account.project, "john@example.com");
    world.until("john", "accepted", in_phase(Phase::Accepted)).await;
    world.until_event("john", Reason::Accepted).await;
    in_sync(&world, flags, &manifests).await;
    owns_nothing_of_the_users(&world).await;

    // Pruned: gone, cancelled, and nothing else touched.
    let jane = world.invitations().get("jane").await.unwrap();
    manifests.remove(0);
    world.delete("jane").await;
    world.until_gone(&jane).await;
    assert!(world.sim.invitations(&account.project).is_empty(), "the pruned invitation is cancelled");
    in_sync(&world, flags, &manifests).await;
    assert_eq!(world.mails("jane@example.com") + world.mails("john@example.com"), 2);
}

async fn syncing_again_and_pruning_shows_no_difference() {
    synced(&ARGO).await;
}

async fn a_client_that_applies_sees_no_difference_either() {
    synced(&[]).await;
}

/// The operator's own field managers hold a finalizer and the status, and no field that a user writes.
async fn owns_nothing_of_the_users(world: &World) {
    for object in world.invitations().list(&ListParams::default()).await.unwrap().items {
        let mut seen = 0;
        for entry in object.metadata.managed_fields.unwrap_or_default() {
            if entry.manager.as_deref() != Some("invitation-operator") {
                continue;
            }
            seen += 1;
            let fields = entry.fields_v1.unwrap().0;
            if entry.subresource.as_deref() == Some("status") {
                assert_eq!(keys(&fields), ["f:status"]);
            } else {
                assert_eq!(keys(&fields), ["f:metadata"], "{fields}");
                assert_eq!(keys(&fields["f:metadata"]), ["f:finalizers"], "{fields}");
            }
        }
        assert!(seen > 0, "the operator wrote nothing to {:?}", object.metadata.name);
    }
}

fn keys(fields: &Value) -> Vec<&str> {
    fields.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn live_objects_are_found_as_the_design_says() {
    let world = World::start().await;
    let account = world.atlas().await;
    let project = account.project.as_str();
    world.until_inviter("atlas", Reason::Ready).await;
    world.raw_secret("empty", &[("nothing", "here")]).await;
    world.inviter("broken", "empty", |_| {}).await;
    world.sim.seed_member(project, "member@example.com", &[READER]);
    world.invite("invited", project, "invited@example.com").await;
    world.until("invited", "invited", in_phase(Phase::Invited)).await;
    world.invite("duplicate", project, "invited@example.com").await;
    world.invite("member", project, "member@example.com").await;
    let accepted = |spec: &mut ProjectInvitationSpec| spec.ready_when = ReadyWhen::Accepted;
    world.invite_with("waiting", project, "waiting@example.com", accepted).await;
    world.invite_with("left", project, "left@example.com", accepted).await;
    let invited_left = world.until("left", "invited", in_phase(Phase::Invited)).await;
    assert!(ready("False", Reason::Invited)(&invited_left));
    world.sim.decline(project, "left@example.com");
    world.invite_with("suspended", project, "suspended@example.com", |spec| spec.suspend = true).await;
    let wrong = |spec: &mut ProjectInvitationSpec| spec.roles = vec!["GROUP_NO_SUCH_ROLE".to_owned()];
    world.invite_with("refused", project, "refused@example.com", wrong).await;
    let nobody = |spec: &mut ProjectInvitationSpec| spec.inviter_ref.name = "nobody".to_owned();
    world.invite_with("nobody", project, "nobody@example.com", nobody).await;
    let broken = |spec: &mut ProjectInvitationSpec| spec.inviter_ref.name = "broken".to_owned();
    world.invite_with("broken", project, "broken@example.com", broken).await;

    let stands = |ready_when, overdue| Circumstances { ready_when, was_ready: false, overdue, deleting: false };
    let usual = stands(ReadyWhen::Invited, false);
    let on_acceptance = stands(ReadyWhen::Accepted, false);
    let mut wrong = String::new();
    for (name, reason, circumstances) in [
        ("invited", Reason::Invited, usual),
        ("duplicate", Reason::DuplicateInvitee, usual),
        ("member", Reason::Accepted, usual),
        ("waiting", Reason::Invited, on_acceptance),
        ("left", Reason::Withdrawn, on_acceptance),
        ("suspended", Reason::Suspended, usual),
        ("refused", Reason::Refused, usual),
        ("nobody", Reason::InviterNotFound, usual),
        ("broken", Reason::InviterNotReady, usual),
    ] {
        let object = world.until(name, reason.as_str(), shows(reason)).await;
        // The wait for an inviter turns red here after half a minute.
        let circumstances = Circumstances { overdue: is_true(&object, "Stalled"), ..circumstances };
        let (argo, kstatus) = judged(&object);
        if argo.status != expected::argo(reason, circumstances)
            || kstatus.status != expected::kstatus(reason, circumstances)
        {
            writeln!(wrong, "{name}: {argo:?}, {kstatus:?}").unwrap();
        }
        assert!(name == "suspended" || argo.message.starts_with(reason.as_str()), "{name}: {argo:?}");
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    for (name, reason) in [("atlas", Reason::Ready), ("broken", Reason::SecretInvalid)] {
        world.until_inviter(name, reason).await;
        let inviter = serde_json::to_value(world.inviters().get(name).await.unwrap()).unwrap();
        let argo = judge::health(std::slice::from_ref(&inviter)).remove(0);
        let kstatus = judge::kstatus(&[inviter]).remove(0);
        assert_eq!((argo.status.as_str(), kstatus.status.as_str()), expected::of_inviter(reason), "{name}");
    }
}

fn judged(object: &ProjectInvitation) -> (Verdict, Verdict) {
    let object = [serde_json::to_value(object).unwrap()];
    (judge::health(&object).remove(0), judge::kstatus(&object).remove(0))
}

/// Runs an action as Argo CD does: what the script changes becomes a patch.
async fn act(world: &World, action: &str) {
    let object = serde_json::to_value(world.invitations().get("jane").await.unwrap()).unwrap();
    let changed = judge::act(action, &object);
    let patch = json!({
        "metadata": { "annotations": changed["metadata"]["annotations"] },
        "spec": { "suspend": changed["spec"]["suspend"] },
    });
    world.invitations().patch("jane", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

async fn the_actions_of_argo_cd_do_what_they_say() {
    let mut world = World::start().await;
    world.mails_allowed = 2;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    let first = world.until("jane", "invited", in_phase(Phase::Invited)).await;

    act(&world, "resend").await;
    let again = |object: &ProjectInvitation| {
        ready("True", Reason::Invited)(object) && status(object).id.is_some() && status(object).id != status(&first).id
    };
    world.until("jane", "invited again", again).await;
    assert_eq!(world.mails(JANE), 2);

    act(&world, "suspend").await;
    let suspended = world.until("jane", "suspended", ready("True", Reason::Suspended)).await;
    assert_eq!(judged(&suspended).0.status, "Suspended");
    // Accepted while nobody looks; seen once it goes on.
    world.sim.accept(&account.project, JANE);
    act(&world, "resume").await;
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;

    act(&world, "refresh").await;
    let asked = world.invitations().get("jane").await.unwrap();
    let asked = asked.annotations()["invitation-operator.io/requestedAt"].clone();
    world.until("jane", "looked at", |object| status(object).last_handled_reconcile_at.as_ref() == Some(&asked)).await;
    assert_eq!(world.mails(JANE), 2);
}

async fn kubectl_waits_for_what_the_readme_says() {
    let world = World::start().await;
    let account = world.atlas().await;
    let namespace = format!("--namespace={}", world.namespace);
    let wait = async |object: &str, what: &str, seconds: u32| {
        let arguments = ["wait", object, &namespace, &format!("--for={what}"), &format!("--timeout={seconds}s")];
        kubectl(&arguments, &[]).await.status.success()
    };
    assert!(wait("inviter/atlas", "condition=Ready", 60).await);
    world.invite("jane", &account.project, JANE).await;
    assert!(wait("pinv/jane", "condition=Ready", 60).await, "pending is what was asked for");
    assert!(wait("pinv/jane", "jsonpath={.status.phase}=Invited", 60).await);
    assert!(!wait("pinv/jane", "condition=Accepted", 1).await, "nobody has accepted");
    assert!(world.sim.accept(&account.project, JANE));
    assert!(wait("pinv/jane", "condition=Accepted", 60).await);
}

async fn flux_sees_that_what_it_asked_for_was_done() {
    let world = World::start().await;
    let (account, _) = world.invited().await;
    // What `flux reconcile` does for its own kinds: a new value, and waiting until the status repeats it.
    let asked = "2026-11-01T12:00:00.123456789Z";
    world.sim.clear_requests();
    world.annotate("jane", "reconcile.fluxcd.io/requestedAt", asked).await;
    let handled = |at: &Option<String>| at.as_deref() == Some(asked);
    world.until("jane", "looked at", |object| handled(&status(object).last_handled_reconcile_at)).await;
    assert!(!world.calls(Endpoint::ListGroupInvites).is_empty(), "a fresh look at {}", account.project);

    let annotation = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": asked } } });
    world.patch_inviter("atlas", annotation).await;
    let inviters: Api<Inviter> = world.inviters();
    let looked = poll(async || {
        let inviter = inviters.get("atlas").await.unwrap();
        inviter.status.is_some_and(|status| handled(&status.last_handled_reconcile_at))
    });
    assert!(looked.await, "the inviter does not say that it was looked at");
}
