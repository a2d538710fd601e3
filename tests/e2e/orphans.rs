//! Invitations that nothing knows, and owners that vanish by the dozen: reported, and never silently cancelled.

use crate::harness::*;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use libtest_mimic::Trial;
use serde_json::json;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        an_invitation_that_the_ledger_lost_is_reported_until_it_is_gone,
        owners_that_vanish_by_the_dozen_pause_cancellations_until_the_lease_says_so,
        what_was_to_be_kept_is_kept_when_its_inviter_is_gone,
        what_was_to_be_kept_is_kept_when_it_is_released,
    ]
}

fn shown(inviter: &Inviter, type_: &str) -> Option<Condition> {
    inviter.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == type_).cloned()
}

/// The object is gone as if it had never been, and what it invited stays.
async fn forced_away(world: &World, object: &ProjectInvitation) {
    world.delete(&object.name_any()).await;
    world.patch(&object.name_any(), json!({ "metadata": { "finalizers": null } })).await;
    world.until_gone(object).await;
}

async fn metric(world: &World, line: &str) {
    let operator = world.operator.as_ref().unwrap();
    let shown = wait::poll(async || operator.page("/metrics").await.is_some_and(|(_, page)| page.contains(line)));
    assert!(shown.await, "no {line:?}");
}

async fn an_invitation_that_the_ledger_lost_is_reported_until_it_is_gone() {
    let mut world = World::start().await;
    let (account, jane) = world.invited().await;
    let lost = status(&jane).id.clone().unwrap();
    // John's keeps the project in sight; one is kept on purpose, one was sent by somebody else.
    world.invite("john", &account.project, JOHN).await;
    world.until("john", "invited", in_phase(Phase::Invited)).await;
    let keep = |spec: &mut ProjectInvitationSpec| spec.deletion.invitation = DeletionPolicy::Keep;
    world.invite_with("kept", &account.project, "kept@example.com", keep).await;
    let kept = world.until("kept", "invited", in_phase(Phase::Invited)).await;
    world.delete("kept").await;
    world.until_gone(&kept).await;
    let strange = world.invite_by_hand(&account.project, "stranger@example.com", READER).await;
    world.kill_operator();
    forced_away(&world, &jane).await;
    let ledger = world.claims().await;
    let hers = ledger.iter().find(|claim| claim.spec.key.username == JANE).unwrap();
    world.claim_api().delete(&hers.name_any(), &DeleteParams::default()).await.unwrap();
    world.start_operator();

    let told = |inviter: &Inviter| shown(inviter, "OrphansFound").is_some();
    let inviter = wait::object(world.inviters(), "atlas", "with an orphan", told).await;
    let condition = shown(&inviter, "OrphansFound").unwrap();
    assert_eq!((condition.status.as_str(), condition.reason.as_str()), ("True", Reason::OrphansFound.as_str()));
    assert!(condition.message.contains(&lost) && !condition.message.contains('@'), "{}", condition.message);
    for known in [status(&kept).id.as_ref().unwrap(), &strange] {
        assert!(!condition.message.contains(known), "{}", condition.message);
    }
    assert_eq!(shown(&inviter, "Ready").unwrap().status, "True");
    assert!(world.until_event("atlas", Reason::OrphansFound).await.contains(&lost));
    metric(&world, "\ninvitation_operator_orphans 1\n").await;
    world.looks(&account.project, 3).await;
    let again = world.inviters().get("atlas").await.unwrap();
    assert_eq!(again.metadata.resource_version, inviter.metadata.resource_version, "nothing flaps");
    assert_eq!(world.mutations(), [], "never cancelled");

    // An object that wants the person takes the invitation over.
    world.invite("jane", &account.project, JANE).await;
    let adopted = world.until("jane", "adopted", in_phase(Phase::Invited)).await;
    assert_eq!(status(&adopted).id, Some(lost));
    let gone = |inviter: &Inviter| shown(inviter, "OrphansFound").is_none();
    wait::object(world.inviters(), "atlas", "without an orphan", gone).await;
    assert_eq!(world.mails(JANE), 0, "nobody was e-mailed again");
}

async fn owners_that_vanish_by_the_dozen_pause_cancellations_until_the_lease_says_so() {
    let mut world = Setup::default().flag("--leader-elect", "true").flag("--post-deadline", "20s").start().await;
    let account = world.atlas().await;
    let names: Vec<_> = (0..14).map(|number| format!("person-{number}")).collect();
    for name in &names {
        world.invite(name, &account.project, &format!("{name}@example.com")).await;
    }
    for name in &names {
        world.until(name, "invited", in_phase(Phase::Invited)).await;
    }
    world.kill_operator();
    for name in &names {
        world.patch(name, json!({ "metadata": { "finalizers": null } })).await;
    }
    world.invitations().delete_collection(&DeleteParams::default(), &ListParams::default()).await.unwrap();
    world.start_operator();

    let told = |inviter: &Inviter| shown(inviter, "CancellationsPaused").is_some();
    let inviter = wait::object(world.inviters(), "atlas", "paused", told).await;
    assert_eq!(shown(&inviter, "Ready").unwrap().status, "True");
    let condition = shown(&inviter, "CancellationsPaused").unwrap();
    assert!(condition.message.contains("invitation-operator.io/resumeCancellations"), "{}", condition.message);
    world.until_event("atlas", Reason::CancellationsPaused).await;
    metric(&world, "\ninvitation_operator_cancellations_paused 1\n").await;
    world.until_sim("ten cancelled", |sim| sim.invitations(&account.project).len() <= 4).await;
    assert_eq!(world.sim.invitations(&account.project).len(), 4, "ten were cancelled, and then it was enough");

    let leases: Api<Lease> = Api::namespaced(world.client.clone(), &world.operator_namespace);
    let yes = json!({ "metadata": { "annotations": { "invitation-operator.io/resumeCancellations": "yes" } } });
    leases.patch("invitation-operator", &PatchParams::default(), &Patch::Merge(yes)).await.unwrap();
    world.until_sim("cancelled", |sim| sim.invitations(&account.project).is_empty()).await;
    let gone = |inviter: &Inviter| shown(inviter, "CancellationsPaused").is_none();
    wait::object(world.inviters(), "atlas", "not paused", gone).await;
    metric(&world, "\ninvitation_operator_cancellations_paused 0\n").await;
}

/// Jane's invitation is to stay when her object goes.
async fn to_be_kept(world: &World) -> (Account, ProjectInvitation) {
    let account = world.atlas().await;
    let keep = |spec: &mut ProjectInvitationSpec| spec.deletion.invitation = DeletionPolicy::Keep;
    world.invite_with("jane", &account.project, JANE, keep).await;
    let object = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    (account, object)
}

async fn what_was_to_be_kept_is_kept_when_its_inviter_is_gone() {
    // Nobody waits this long for what needs no call.
    let mut world = Setup::default().flag("--release-after", "48h").start().await;
    let (account, object) = to_be_kept(&world).await;
    world.kill_operator();
    world.inviters().delete("atlas", &DeleteParams::default()).await.unwrap();
    world.delete("jane").await;
    world.start_operator();
    world.until_gone(&object).await;
    let claim = world.claim().await.spec;
    assert!(claim.kept.is_some() && claim.debt.is_none(), "{claim:#?}");
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
}

async fn what_was_to_be_kept_is_kept_when_it_is_released() {
    let world = World::start().await;
    let (account, object) = to_be_kept(&world).await;
    world.annotate("jane", "invitation-operator.io/release", "true").await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    let claim = world.claim().await.spec;
    assert!(claim.kept.is_some() && claim.debt.is_none(), "{claim:#?}");
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
}
