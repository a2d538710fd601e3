//! Another e-mail, because somebody asked for it: once per token, and never more than the cap.

use crate::harness::*;
use invitation_operator::api::names::annotation;
use kube::api::PostParams;
use libtest_mimic::Trial;
use serde_json::json;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        a_new_token_cancels_and_invites_again_once,
        a_token_that_was_there_from_the_start_sends_nothing,
        a_token_is_the_way_out_of_expired,
        a_token_is_the_way_out_of_withdrawn,
        a_token_for_a_member_sends_nothing,
        tokens_do_not_exceed_the_cap,
        killed_after_the_cancellation_the_operator_sends_the_one_that_was_asked_for,
        killed_during_the_second_call_the_operator_finds_it_again,
    ]
}

/// Jane is invited, and may be once more.
async fn invited() -> (World, Account, ProjectInvitation) {
    let mut world = World::start().await;
    world.mails_allowed = 2;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    let object = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    (world, account, object)
}

async fn until_sent_again(world: &World, before: &ProjectInvitation) -> ProjectInvitation {
    let id = status(before).id;
    let again =
        |o: &ProjectInvitation| ready("True", Reason::Invited)(o) && status(o).id.is_some() && status(o).id != id;
    world.until("jane", "invited again", again).await
}

async fn a_new_token_cancels_and_invites_again_once() {
    let (mut world, account, before) = invited().await;
    world.annotate("jane", annotation::RESEND, "one").await;
    let after = until_sent_again(&world, &before).await;
    assert_eq!(status(&after).mails_sent, Some(2));
    assert_eq!(status(&after).last_handled_resend.as_deref(), Some("one"));
    assert_eq!(world.sim.invitations(&account.project).len(), 1, "the first is cancelled");
    // Neither time, nor a restart, nor the end of the annotation sends another one.
    world.looks(&account.project, 2).await;
    world.restart_operator();
    world.looks(&account.project, 2).await;
    world.patch("jane", json!({ "metadata": { "annotations": { annotation::RESEND: null } } })).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.mails(JANE), 2);
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 2);
}

async fn a_token_that_was_there_from_the_start_sends_nothing() {
    let world = World::start().await;
    let account = world.atlas().await;
    let mut object = objects::invitation("jane", &account.project, JANE, |_| {});
    object.metadata.annotations = Some([(annotation::RESEND.to_owned(), "one".to_owned())].into());
    world.invitations().create(&PostParams::default(), &object).await.unwrap();
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.looks(&account.project, 3).await;
    assert_eq!(world.mails(JANE), 1);
}

async fn a_token_is_the_way_out_of_expired() {
    let mut world = World::start().await;
    world.mails_allowed = 2;
    let account = world.atlas().await;
    world.sim.configure(|behaviour| behaviour.invitation_life = Span::seconds(3));
    world.invite("jane", &account.project, JANE).await;
    let expired = world.until("jane", "expired", in_phase(Phase::Expired)).await;
    world.sim.configure(|behaviour| behaviour.invitation_life = Span::days(30));
    world.annotate("jane", annotation::RESEND, "one").await;
    until_sent_again(&world, &expired).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.mails(JANE), 2);
}

async fn a_token_is_the_way_out_of_withdrawn() {
    let (world, account, _) = invited().await;
    world.sim.decline(&account.project, JANE);
    let withdrawn = world.until("jane", "withdrawn", in_phase(Phase::Withdrawn)).await;
    world.annotate("jane", annotation::RESEND, "one").await;
    until_sent_again(&world, &withdrawn).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.mails(JANE), 2);
}

async fn a_token_for_a_member_sends_nothing() {
    let (world, account, _) = invited().await;
    world.sim.accept(&account.project, JANE);
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    world.annotate("jane", annotation::RESEND, "one").await;
    world.until("jane", "handled", |o| status(o).last_handled_resend.as_deref() == Some("one")).await;
    world.looks(&account.project, 2).await;
    assert!(in_phase(Phase::Accepted)(&world.invitations().get("jane").await.unwrap()));
    assert_eq!(world.mails(JANE), 1);
}

async fn tokens_do_not_exceed_the_cap() {
    let (mut world, account, first) = invited().await;
    world.mails_allowed = 3;
    world.annotate("jane", annotation::RESEND, "one").await;
    let second = until_sent_again(&world, &first).await;
    world.annotate("jane", annotation::RESEND, "two").await;
    let third = until_sent_again(&world, &second).await;
    world.annotate("jane", annotation::RESEND, "three").await;
    let capped = world.until("jane", "capped", shows(Reason::MailCapReached)).await;
    assert_eq!(status(&capped).id, status(&third).id);
    assert_eq!(world.sim.invitations(&account.project).len(), 1, "what stands is not cancelled for nothing");
    assert_eq!(world.mails(JANE), 3);
}

async fn killed_after_the_cancellation_the_operator_sends_the_one_that_was_asked_for() {
    let (mut world, account, before) = invited().await;
    let fault = Fault::Latency { before: Span::ZERO, after: Span::seconds(30) };
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::DeleteGroupInvite).once());
    world.annotate("jane", annotation::RESEND, "one").await;
    world.until_sim("the cancellation", |sim| sim.invitations(&account.project).is_empty()).await;
    world.restart_operator();
    until_sent_again(&world, &before).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.mails(JANE), 2);
}

async fn killed_during_the_second_call_the_operator_finds_it_again() {
    let (mut world, account, before) = invited().await;
    let fault = Fault::Latency { before: Span::ZERO, after: Span::seconds(30) };
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once());
    world.annotate("jane", annotation::RESEND, "one").await;
    world.until_sim("the second mail", |sim| sim.mails_to(JANE).len() == 2).await;
    world.restart_operator();
    until_sent_again(&world, &before).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.mails(JANE), 2);
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 2);
}
