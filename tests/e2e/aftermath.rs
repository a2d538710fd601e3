//! What happens after: invitations sent again by annotation, claims without an owner, debts.

use crate::harness::*;
use invitation_operator::api::names::annotation;
use kube::api::{DeleteParams, PostParams};
use libtest_mimic::Trial;
use serde_json::json;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        a_resend_cancels_and_sends_once_per_token,
        a_resend_is_the_way_out_of_an_expired_invitation,
        a_token_that_was_there_from_the_start_sends_nothing_more,
        a_resend_does_not_exceed_the_cap,
        a_resend_that_is_killed_in_the_middle_sends_one_mail_more,
        a_claim_whose_object_was_forced_away_is_finished_off,
        a_debt_is_paid_when_the_credentials_return,
    ]
}

async fn invited(world: &World) -> (Account, ProjectInvitation) {
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    let object = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    (account, object)
}

fn id(object: &ProjectInvitation) -> Option<String> {
    status(object).id
}

async fn a_resend_cancels_and_sends_once_per_token() {
    let mut world = World::start().await;
    world.mails_allowed = 2;
    let (account, object) = invited(&world).await;
    world.annotate("jane", annotation::RESEND, "once").await;
    let again = world.until("jane", "invited anew", |seen| id(seen).is_some() && id(seen) != id(&object)).await;
    assert_eq!(status(&again).last_handled_resend.as_deref(), Some("once"));
    assert_eq!(world.mails(JANE), 2);
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
    world.looks(&account.project, 3).await;
    assert_eq!(world.mails(JANE), 2, "a token is acted on once");
}

async fn a_resend_is_the_way_out_of_an_expired_invitation() {
    let mut world = World::start().await;
    world.mails_allowed = 2;
    world.sim.configure(|behaviour| behaviour.invitation_life = Span::seconds(2));
    let (_, object) = invited(&world).await;
    world.until("jane", "expired", in_phase(Phase::Expired)).await;
    world.sim.configure(|behaviour| behaviour.invitation_life = Span::days(30));
    world.annotate("jane", annotation::RESEND, "again").await;
    let again = world.until("jane", "invited anew", in_phase(Phase::Invited)).await;
    assert_ne!(id(&again), id(&object));
    assert_eq!(world.mails(JANE), 2);
}

async fn a_token_that_was_there_from_the_start_sends_nothing_more() {
    let world = World::start().await;
    let account = world.atlas().await;
    let mut object = objects::invitation("jane", &account.project, JANE, |_| {});
    object.metadata.annotations = Some([(annotation::RESEND.to_owned(), "old".to_owned())].into());
    world.invitations().create(&PostParams::default(), &object).await.unwrap();
    let object = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    assert_eq!(status(&object).last_handled_resend.as_deref(), Some("old"));
    world.looks(&account.project, 3).await;
    assert_eq!(world.mails(JANE), 1);
}

async fn a_resend_does_not_exceed_the_cap() {
    let mut world = World::start().await;
    world.mails_allowed = 3;
    let (account, _) = invited(&world).await;
    for (token, mails) in [("a", 2), ("b", 3)] {
        world.annotate("jane", annotation::RESEND, token).await;
        let handled = |seen: &ProjectInvitation| status(seen).last_handled_resend.as_deref() == Some(token);
        world.until("jane", "handled", handled).await;
        assert_eq!(world.mails(JANE), mails);
    }
    world.annotate("jane", annotation::RESEND, "c").await;
    world.until("jane", "capped", shows(Reason::MailCapReached)).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.mails(JANE), 3);
    assert_eq!(world.sim.invitations(&account.project).len(), 1, "what is pending stays while the cap holds");
}

async fn a_resend_that_is_killed_in_the_middle_sends_one_mail_more() {
    let mut world = World::start().await;
    world.mails_allowed = 2;
    let (account, _) = invited(&world).await;
    world.sim.add_fault(FaultRule::new(Fault::HangAfter).on(Endpoint::DeleteGroupInvite).once());
    world.annotate("jane", annotation::RESEND, "again").await;
    world.until_sim("cancelled", |sim| sim.invitations(&account.project).is_empty()).await;
    world.kill_operator();
    world.start_operator();
    let handled = |seen: &ProjectInvitation| status(seen).last_handled_resend.as_deref() == Some("again");
    world.until("jane", "handled", handled).await;
    assert_eq!(world.mails(JANE), 2);
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
}

async fn a_claim_whose_object_was_forced_away_is_finished_off() {
    let mut world = World::start().await;
    let (account, object) = invited(&world).await;
    world.kill_operator();
    world.delete("jane").await;
    world.patch("jane", json!({ "metadata": { "finalizers": null } })).await;
    world.until_gone(&object).await;
    world.start_operator();
    world.until_sim("cancelled", |sim| sim.invitations(&account.project).is_empty()).await;
    world
        .until_claims("without owner and invitation", |claims| {
            claims.iter().all(|claim| claim.spec.owner.is_none() && claim.spec.invitation.is_none())
        })
        .await;
}

async fn a_debt_is_paid_when_the_credentials_return() {
    let mut world = World::start().await;
    let (account, object) = invited(&world).await;
    world.secrets().delete("atlas", &DeleteParams::default()).await.unwrap();
    world.restart_operator();
    world.until_inviter("atlas", Reason::SecretNotFound).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert!(world.claim().await.spec.debt.is_some());
    world.secret("atlas", &account.key).await;
    world.until_sim("cancelled", |sim| sim.invitations(&account.project).is_empty()).await;
    world.until_claims("without a debt", |claims| claims.iter().all(|claim| claim.spec.debt.is_none())).await;
}
