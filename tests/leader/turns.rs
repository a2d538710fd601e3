//! One leads at a time, and the other takes over.

use crate::harness::wait::poll;
use crate::harness::*;
use crate::pair::*;
use libtest_mimic::Trial;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        one_of_two_replicas_acts_and_the_other_stands_by,
        a_leader_that_is_told_to_end_hands_over,
        a_leader_that_is_killed_is_succeeded_after_its_lease,
        a_call_in_flight_is_finished_and_recorded_before_the_lease_is_given_back,
        a_leader_that_is_told_to_end_waits_for_no_look,
        a_lease_that_is_deleted_is_made_anew_by_its_leader,
        a_replica_that_stands_by_ends_at_once_and_takes_nothing_along,
    ]
}

async fn one_of_two_replicas_acts_and_the_other_stands_by() {
    let world = patient_world().await;
    let (first, second) = pair(&world).await;
    let account = world.atlas().await;
    invited(&world, "jane", &account, JANE).await;
    world.looks(&account.project, 2).await;
    assert!(has_called(&first).await);
    assert!(!has_called(&second).await, "who stands by makes no call");
    page_shows(&second, "/livez", "ok\n").await;
    page_shows(&second, "/metrics", "\ninvitation_operator_leader_changes_total 0\n").await;
    page_shows(&first, "/metrics", "\ninvitation_operator_leader_changes_total 1\n").await;
}

async fn a_leader_that_is_told_to_end_hands_over() {
    let world = patient_world().await;
    let (mut first, second) = pair(&world).await;
    let account = world.atlas().await;
    invited(&world, "jane", &account, JANE).await;
    first.terminate();
    assert_eq!(first.ended().await.code(), Some(0));
    assert!(first.log().contains("lease given back"), "{}", first.log());
    leads(&second).await;
    invited(&world, "john", &account, JOHN).await;
    assert_eq!(world.mails(JANE), 1);
    let lease = leases(&world).get("invitation-operator").await.unwrap().spec.unwrap();
    assert_eq!(lease.lease_transitions, Some(1));
}

async fn a_leader_that_is_killed_is_succeeded_after_its_lease() {
    let world = world().await;
    let (first, second) = pair(&world).await;
    let account = world.atlas().await;
    invited(&world, "jane", &account, JANE).await;
    first.kill();
    leads(&second).await;
    invited(&world, "john", &account, JOHN).await;
    assert_eq!(world.mails(JANE), 1);
}

async fn a_call_in_flight_is_finished_and_recorded_before_the_lease_is_given_back() {
    let world = patient_world().await;
    let (mut first, second) = pair(&world).await;
    let account = world.atlas().await;
    world.sim.add_fault(
        FaultRule::new(Fault::Latency { before: Span::millis(0), after: Span::millis(1500) })
            .on(Endpoint::CreateGroupInvite)
            .once(),
    );
    world.invite("jane", &account.project, JANE).await;
    assert!(poll(async || world.mails(JANE) == 1).await);
    let before = holder(&world).await;
    first.terminate();
    assert!(poll(async || holder(&world).await != before).await);
    let recorded = world.claim().await.spec;
    assert!(recorded.invitation.is_some() && recorded.attempt.is_none(), "{recorded:#?}");
    assert_eq!(first.ended().await.code(), Some(0));
    leads(&second).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert!(world.claim().await.spec.attempt.is_none());
}

async fn a_leader_that_is_told_to_end_waits_for_no_look() {
    let mut world = patient_world().await;
    world.set_flag("--call-deadline", "600s");
    let (mut first, second) = pair(&world).await;
    let account = world.atlas().await;
    invited(&world, "john", &account, JOHN).await;
    let slow = Fault::Latency { before: Span::seconds(300), after: Span::millis(0) };
    world.sim.add_fault(FaultRule::new(slow).on(Endpoint::ListGroupInvites).once());
    world.invite("jane", &account.project, JANE).await;
    // No other look: the one that the fault has struck.
    world.until_sim("a look that hangs", |sim| sim.faults().iter().all(|fault| fault.struck == 1)).await;
    first.terminate();
    assert_eq!(first.ended().await.code(), Some(0));
    assert!(first.log().contains("lease given back"), "{}", first.log());
    leads(&second).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    assert_eq!((world.mails(JANE), world.mails(JOHN)), (1, 1));
}

async fn a_lease_that_is_deleted_is_made_anew_by_its_leader() {
    let world = patient_world().await;
    let (first, second) = pair(&world).await;
    let before = holder(&world).await;
    leases(&world).delete("invitation-operator", &kube::api::DeleteParams::default()).await.unwrap();
    let again = poll(async || leases(&world).get_opt("invitation-operator").await.unwrap().is_some()).await;
    assert!(again);
    assert_eq!(holder(&world).await, before);
    leads(&first).await;
    stands_by(&second).await;
}

async fn a_replica_that_stands_by_ends_at_once_and_takes_nothing_along() {
    let world = patient_world().await;
    let (first, mut second) = pair(&world).await;
    second.terminate();
    assert_eq!(second.ended().await.code(), Some(0));
    leads(&first).await;
    let account = world.atlas().await;
    invited(&world, "jane", &account, JANE).await;
}
