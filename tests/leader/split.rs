//! A leader that does not know that it leads no more.

use crate::harness::wait::poll;
use crate::harness::*;
use crate::pair::*;
use atlas_sim::Leg;
use libtest_mimic::Trial;
use serde_json::json;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        a_frozen_leader_that_wakes_between_its_look_and_its_claim_sends_nothing,
        a_frozen_leader_that_wakes_between_its_claim_and_its_call_sends_nothing,
        a_frozen_leader_that_wakes_while_its_call_is_out_sends_nothing_more,
        a_call_in_flight_when_the_lease_is_taken_is_finished_and_recorded,
    ]
}

/// Reads take so long, but not so long that they are given up.
fn slow(endpoint: Endpoint) -> FaultRule {
    FaultRule::new(Fault::Latency { before: Span::millis(1500), after: Span::millis(0) }).on(endpoint)
}

async fn a_frozen_leader_that_wakes_between_its_look_and_its_claim_sends_nothing() {
    let world = world().await;
    let (first, second) = pair(&world).await;
    let account = world.atlas().await;
    invited(&world, "john", &account, JOHN).await;
    world.sim.add_fault(slow(Endpoint::ListGroupUsers).once());
    let before = world.sim.faults()[0].struck;
    world.invite("jane", &account.project, JANE).await;
    assert!(poll(async || world.sim.faults()[0].struck > before).await, "the first does not look");
    first.freeze();
    leads(&second).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    first.thaw();
    stands_by(&first).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.mails(JANE), 1);
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 2, "one for each person");
}

async fn a_frozen_leader_that_wakes_between_its_claim_and_its_call_sends_nothing() {
    let world = world().await;
    let (first, second) = pair(&world).await;
    // Under an API key the call is signed with the challenge of a read that comes after the claim.
    let project = world.plant_project(Product::Atlas, "payments");
    let key = world.sim.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]));
    world.secret("atlas", &key).await;
    world.inviter("atlas", "atlas", |_| {}).await;
    world.sim.add_fault(slow(Endpoint::ListGroupInvites).leg(Leg::Challenged));
    world.invite("jane", &project, JANE).await;
    let claimed = poll(async || world.claims().await.iter().any(|claim| claim.spec.attempt.is_some())).await;
    assert!(claimed, "the first does not open an attempt");
    first.freeze();
    assert_eq!(world.mails(JANE), 0, "frozen too late for this test");
    world.sim.clear_faults();
    leads(&second).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    first.thaw();
    page_shows(&first, "/metrics", "\ninvitation_operator_mails_total{result=\"refused\"} 1\n").await;
    stands_by(&first).await;
    world.looks(&project, 2).await;
    assert_eq!(world.mails(JANE), 1);
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1, "the first sent nothing");
    assert!(first.log().contains("leading no more"), "{}", first.log());
    page_shows(&second, "/metrics", "\ninvitation_operator_mails_total{result=\"sent\"} 1\n").await;
}

async fn a_frozen_leader_that_wakes_while_its_call_is_out_sends_nothing_more() {
    let world = world().await;
    let (first, second) = pair(&world).await;
    let account = world.atlas().await;
    world.sim.add_fault(
        FaultRule::new(Fault::Latency { before: Span::millis(0), after: Span::millis(1000) })
            .on(Endpoint::CreateGroupInvite)
            .once(),
    );
    world.invite("jane", &account.project, JANE).await;
    assert!(poll(async || world.mails(JANE) == 1).await);
    first.freeze();
    leads(&second).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    first.thaw();
    stands_by(&first).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert!(world.claim().await.spec.attempt.is_none());
}

async fn a_call_in_flight_when_the_lease_is_taken_is_finished_and_recorded() {
    let world = world().await;
    let first = world.replica("first");
    leads(&first).await;
    let account = world.atlas().await;
    world.sim.add_fault(
        FaultRule::new(Fault::Latency { before: Span::millis(0), after: Span::millis(1500) })
            .on(Endpoint::CreateGroupInvite)
            .once(),
    );
    world.invite("jane", &account.project, JANE).await;
    assert!(poll(async || world.mails(JANE) == 1).await);
    // Somebody else holds it from now on, and never renews it.
    let stolen = json!({ "spec": { "holderIdentity": "somebody", "leaseDurationSeconds": 25 } });
    let patch = kube::api::Patch::Merge(stolen);
    leases(&world).patch("invitation-operator", &kube::api::PatchParams::default(), &patch).await.unwrap();
    stands_by(&first).await;
    let recorded = poll(async || world.claims().await.iter().any(|claim| claim.spec.invitation.is_some())).await;
    assert!(recorded, "the result was dropped");
    assert_eq!(holder(&world).await, "somebody", "recorded while somebody else led");
    leads(&first).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    page_shows(&first, "/metrics", "\ninvitation_operator_leader_changes_total 3\n").await;
}
