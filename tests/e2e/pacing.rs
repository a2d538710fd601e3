//! MongoDB takes ten invitations a minute from one address: nobody is refused, nobody is forgotten, nobody pushes in.
//!
//! The operator's minute and the simulator's are both divided by twenty, where a test does not say otherwise.

use crate::harness::*;
use jiff::{SignedDuration, Timestamp};
use kube::api::ListParams;
use libtest_mimic::Trial;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        thirty_people_are_invited_at_ten_a_minute_without_a_refusal,
        two_inviters_of_one_host_share_its_pace,
        a_namespace_with_many_does_not_delay_the_first_of_another,
        a_restart_goes_on_at_the_same_pace,
        who_is_there_already_does_not_wait_for_a_slot,
        who_is_invited_again_waits_for_a_slot_with_the_old_invitation_in_place,
        a_refusal_closes_the_host_for_all_its_inviters,
    ]
}

fn paced() -> Setup {
    Setup::default().flag("--invitations-per-minute", "10")
}

fn throttled(world: &World) {
    world.sim.configure(|behaviour| {
        behaviour.invitation_throttle = Some(10);
        behaviour.invitation_throttle_window = Span::seconds(3);
    });
}

/// One invitation in a minute that nothing divides: who waits, waits longer than a test.
fn nearly_closed() -> Setup {
    Setup::default().flag("--invitations-per-minute", "1").flag("--unsafe-timings", "1").flag("--handover-grace", "1ms")
}

fn refusals(world: &World) -> usize {
    let refused = |call: &RequestRecord| call.error_code.as_deref() == Some("INVITATIONS_RATE_LIMITED_IP");
    world.sim.requests().into_iter().filter(refused).count()
}

fn people(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("person-{number}")).collect()
}

async fn invite_all(world: &World, project: &str, people: &[String]) {
    for name in people {
        world.invite(name, project, &format!("{name}@example.com")).await;
    }
}

async fn until_all(world: &World, people: &[String], phase: Phase) {
    for name in people {
        world.until(name, "there", in_phase(phase)).await;
    }
}

/// What the operator tells of those who wait.
async fn waiting(world: &World) -> Option<String> {
    let (_, page) = world.operator.as_ref()?.page("/metrics").await?;
    let line = page.lines().find(|line| line.starts_with("invitation_operator_invitation_queue "))?;
    line.rsplit_once(' ').map(|(_, count)| count.to_owned())
}

async fn thirty_people_are_invited_at_ten_a_minute_without_a_refusal() {
    let mut world = paced().without_operator().start().await;
    throttled(&world);
    let account = world.atlas().await;
    let people = people(30);
    invite_all(&world, &account.project, &people).await;
    world.start_operator();
    let mut waiting = None;
    let found = wait::poll(async || {
        let objects = world.invitations().list(&ListParams::default()).await.unwrap();
        waiting = objects.items.into_iter().find(ready("False", Reason::WaitingForSlot));
        waiting.is_some()
    });
    assert!(found.await, "nobody waits");
    let waiting = waiting.unwrap();
    assert!(is_true(&waiting, "Reconciling"));
    assert!(message(&waiting, Reason::WaitingForSlot).contains("about a minute"), "{waiting:?}");
    until_all(&world, &people, Phase::Invited).await;
    assert_eq!((world.sim.outbox().len(), refusals(&world)), (30, 0));
    let told = world.writes().await.into_iter().filter(|write| write.resource == "projectinvitations/status").count();
    assert!(told <= 60, "waiting is told once, and then the invitation: {told} writes");
}

async fn two_inviters_of_one_host_share_its_pace() {
    let world = paced().start().await;
    throttled(&world);
    let account = world.atlas().await;
    let key = world.sim.seed_credential(CredentialSeed::api_key().grant(&account.project, ["GROUP_OWNER"]));
    world.secret("other", &key).await;
    world.inviter("other", "other", |_| {}).await;
    let people = people(20);
    for (number, name) in people.iter().enumerate() {
        let person = format!("{name}@example.com");
        let inviter = if number % 2 == 0 { "atlas" } else { "other" };
        world.invite_with(name, &account.project, &person, |spec| inviter.clone_into(&mut spec.inviter_ref.name)).await;
    }
    until_all(&world, &people, Phase::Invited).await;
    assert_eq!((world.sim.outbox().len(), refusals(&world)), (20, 0));
}

async fn a_namespace_with_many_does_not_delay_the_first_of_another() {
    let mut world = paced().without_operator().start().await;
    throttled(&world);
    let honest = world.beside(&[]).await;
    world.watch_also(&honest).await;
    let account = world.atlas().await;
    honest.secret("atlas", &account.key).await;
    honest.inviter("atlas", "atlas", |_| {}).await;
    invite_all(&world, &account.project, &people(200)).await;
    world.start_operator();
    world.until_sim("ten of the many", |sim| sim.outbox().len() >= 10).await;
    honest.invite("jane", &account.project, JANE).await;
    honest.until("jane", "waiting", |o| shows(Reason::WaitingForSlot)(o) || in_phase(Phase::Invited)(o)).await;
    let before = world.sim.outbox().len();
    honest.until("jane", "invited", in_phase(Phase::Invited)).await;
    let outbox = world.sim.outbox();
    let place = outbox.iter().position(|mail| mail.to == JANE).unwrap();
    // Ten may have been on their way, and one of the many has its turn first.
    assert!(place <= before + 11, "{place} mails before hers, {before} of them before she waited");
    assert_eq!(refusals(&world), 0);
}

async fn a_restart_goes_on_at_the_same_pace() {
    let mut world = paced().start().await;
    throttled(&world);
    let account = world.atlas().await;
    let people = people(30);
    invite_all(&world, &account.project, &people).await;
    for mails in [7, 17] {
        world.until_sim("some mails", |sim| sim.outbox().len() >= mails).await;
        world.restart_operator();
    }
    until_all(&world, &people, Phase::Invited).await;
    assert_eq!((world.sim.outbox().len(), refusals(&world)), (30, 0));
}

async fn who_is_there_already_does_not_wait_for_a_slot() {
    let world = nearly_closed().start().await;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.invite("john", &account.project, JOHN).await;
    world.until("john", "waiting", ready("False", Reason::WaitingForSlot)).await;
    let members = people(20);
    for name in &members {
        world.sim.seed_member(&account.project, &format!("{name}@example.com"), &[READER]);
    }
    world.invite_by_hand(&account.project, "pending@example.com", READER).await;
    // What was seen before they came need not serve for another five minutes.
    world.annotate("jane", invitation_operator::api::names::annotation::REQUESTED_AT, "now").await;
    world.until("jane", "looked at", |o| status(o).last_handled_reconcile_at.is_some()).await;
    invite_all(&world, &account.project, &members).await;
    world.invite("pending", &account.project, "pending@example.com").await;
    until_all(&world, &members, Phase::Accepted).await;
    world.until("pending", "adopted", ready("True", Reason::Adopted)).await;
    assert_eq!(world.mails(JOHN), 0);
    assert!(wait::poll(async || waiting(&world).await.as_deref() == Some("1")).await, "{:?}", waiting(&world).await);
    let john = world.until("john", "waiting", ready("False", Reason::WaitingForSlot)).await;
    world.delete("john").await;
    world.until_gone(&john).await;
    assert!(wait::poll(async || waiting(&world).await.as_deref() == Some("0")).await, "{:?}", waiting(&world).await);
}

async fn who_is_invited_again_waits_for_a_slot_with_the_old_invitation_in_place() {
    let world = nearly_closed().start().await;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    let first = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.annotate("jane", invitation_operator::api::names::annotation::RESEND, "one").await;
    let waiting = world.until("jane", "waiting", shows(Reason::WaitingForSlot)).await;
    assert_eq!((status(&waiting).phase, status(&waiting).id), (Some(Phase::Invited), status(&first).id));
    assert_eq!((world.sim.invitations(&account.project).len(), world.mails(JANE)), (1, 1));
}

async fn a_refusal_closes_the_host_for_all_its_inviters() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.secret("other", &account.key).await;
    world.inviter("other", "other", |_| {}).await;
    let refusal = Fault::Status {
        status: 400,
        code: Some("INVITATIONS_RATE_LIMITED_IP".to_owned()),
        detail: None,
        parameters: Vec::new(),
        retry_after: None,
        after_effect: false,
    };
    world.sim.add_fault(FaultRule::new(refusal).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "refused", ready("False", Reason::WaitingForSlot)).await;
    let by_other = |spec: &mut ProjectInvitationSpec| "other".clone_into(&mut spec.inviter_ref.name);
    world.invite_with("john", &account.project, JOHN, by_other).await;
    world.until("john", "invited", in_phase(Phase::Invited)).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    let calls = world.calls(Endpoint::CreateGroupInvite);
    let at = |number: usize| calls[number].at.parse::<Timestamp>().unwrap();
    assert_eq!((calls.len(), world.mails(JANE), world.mails(JOHN)), (3, 1, 1));
    assert!(at(1).duration_since(at(0)) >= SignedDuration::from_secs(3), "{:?}", at(1).duration_since(at(0)));
}
