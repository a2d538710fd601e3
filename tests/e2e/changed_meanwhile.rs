//! Claims that change while a call is out: what the call made is recorded or cancelled, and nobody is e-mailed again.

use crate::harness::*;
use kube::api::{DeleteParams, Patch, PatchParams};
use libtest_mimic::Trial;
use serde_json::{Value, json};

pub fn tests() -> Vec<Trial> {
    crate::tests![
        resolved_to_another_invitation_meanwhile_the_own_is_cancelled,
        a_claim_let_go_meanwhile_owes_the_cancellation_and_pays_it,
        a_claim_deleted_meanwhile_is_made_anew,
        a_claim_closed_as_lost_meanwhile_takes_the_invitation_all_the_same,
    ]
}

/// Jane's invitation is sent, and its answer on its way: the claim has an open attempt.
async fn in_flight() -> (World, Account, String) {
    // The answer is long enough on its way for what happens meanwhile, and the call waits for it.
    let world = Setup::default().flag("--post-deadline", "400s").start().await;
    let account = world.atlas().await;
    let fault = Fault::Latency { before: Span::ZERO, after: Span::seconds(10) };
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    world.until_sim("a mail", |sim| sim.outbox().len() == 1).await;
    let id = world.sim.invitations(&account.project)[0].id.clone();
    (world, account, id)
}

/// Somebody else changes the claim.
async fn change(world: &World, spec: Value) {
    let name = world.claim().await.name_any();
    let patch = Patch::Merge(json!({ "spec": spec }));
    let changed = world.claim_api().patch(&name, &PatchParams::default(), &patch).await.unwrap();
    assert!(changed.spec.surplus.is_empty());
}

async fn metric(world: &World, line: &str) -> bool {
    let operator = world.operator.as_ref().unwrap();
    wait::poll(async || operator.page("/metrics").await.is_some_and(|(_, page)| page.contains(line))).await
}

async fn resolved_to_another_invitation_meanwhile_the_own_is_cancelled() {
    let (world, account, own) = in_flight().await;
    let other = world.invite_by_hand(&account.project, JANE, READER).await;
    change(&world, json!({ "attempt": null, "invitation": { "id": other, "origin": "Adopted" } })).await;
    let pending = |sim: &atlas_sim::Simulator| {
        sim.invitations(&account.project).into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    world.until_sim("one invitation", |sim| pending(sim) == [other.clone()]).await;
    world.until_claims("nothing beside it", |claims| claims.iter().all(|claim| claim.spec.surplus.is_empty())).await;
    let invited = world.until("jane", "invited", ready("True", Reason::Adopted)).await;
    assert_eq!(status(&invited).id, Some(other));
    assert!(metric(&world, "\ninvitation_operator_compensations_total 1\n").await);
    let cancelled: Vec<_> = world.calls(Endpoint::DeleteGroupInvite);
    assert!(cancelled.iter().all(|call| call.path.ends_with(&own)), "no other is cancelled: {cancelled:#?}");
    // A second call may make sure: reads can lag behind what was sent, and only a cancellation tells that it is gone.
    assert_eq!(cancelled.iter().filter(|call| call.status == Some(204)).count(), 1, "{cancelled:#?}");
    world.looks(&account.project, 2).await;
    assert_eq!((pending(&world.sim).len(), world.mails(JANE)), (1, 0), "nobody was e-mailed after that");
}

async fn a_claim_let_go_meanwhile_owes_the_cancellation_and_pays_it() {
    let (world, account, _) = in_flight().await;
    world.patch("jane", json!({ "metadata": { "finalizers": null } })).await;
    world.delete("jane").await;
    change(&world, json!({ "owner": null, "attempt": null })).await;
    world.until_sim("cancelled", |sim| sim.invitations(&account.project).is_empty()).await;
    world.until_claims("settled", |claims| claims.iter().all(|claim| claim.spec.debt.is_none())).await;
    assert_eq!(world.claim().await.spec.mails.len(), 1, "the e-mail is remembered");
    assert_eq!(world.mails(JANE), 1);
}

async fn a_claim_deleted_meanwhile_is_made_anew() {
    let (world, account, own) = in_flight().await;
    let name = world.claim().await.name_any();
    world.claim_api().delete(&name, &DeleteParams::default()).await.unwrap();
    world
        .until_claims("the invitation", |claims| {
            claims.iter().any(|claim| claim.spec.invitation.as_ref().is_some_and(|recorded| recorded.id == own))
        })
        .await;
    let claim = world.claim().await.spec;
    assert_eq!((claim.mails.len(), claim.invitation.unwrap().origin), (1, Origin::Created));
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    world.looks(&account.project, 2).await;
    assert_eq!((world.calls(Endpoint::CreateGroupInvite).len(), world.mails(JANE)), (1, 1));
}

async fn a_claim_closed_as_lost_meanwhile_takes_the_invitation_all_the_same() {
    let (world, account, own) = in_flight().await;
    change(&world, json!({ "attempt": null, "lostAttempts": 1 })).await;
    let invited = world.until("jane", "invited", ready("True", Reason::Invited)).await;
    assert_eq!(status(&invited).id, Some(own));
    let claim = world.claim().await.spec;
    assert_eq!((claim.lost_attempts, claim.mails.len(), claim.invitation.unwrap().origin), (0, 1, Origin::Created));
    world.looks(&account.project, 2).await;
    assert_eq!((world.calls(Endpoint::CreateGroupInvite).len(), world.mails(JANE)), (1, 1));
}
