//! What is left behind: claims without an owner, debts, and what passes to the next object.

use crate::harness::plane::{Between, shared};
use crate::harness::wait::LIMIT;
use crate::harness::*;
use control_plane::{Request, Rule, Trouble};
use kube::api::DeleteParams;
use libtest_mimic::Trial;
use serde_json::json;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        a_claim_whose_object_was_forced_away_is_finished_off,
        an_invitation_that_reads_do_not_show_yet_is_cancelled_all_the_same,
        a_debt_is_paid_when_the_credentials_return,
        a_rename_costs_no_mail_when_the_new_object_comes_first,
        a_rename_costs_no_mail_when_the_old_object_goes_first,
        a_rename_costs_no_mail_when_nobody_answers_about_the_new_object,
    ]
}

async fn a_claim_whose_object_was_forced_away_is_finished_off() {
    let mut world = World::start().await;
    let (account, object) = world.invited().await;
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

async fn an_invitation_that_reads_do_not_show_yet_is_cancelled_all_the_same() {
    let world = World::start().await;
    world.sim.configure(|behaviour| behaviour.list_lag = Span::millis(1800));
    let (account, object) = world.invited().await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty(), "left behind");
}

async fn a_debt_is_paid_when_the_credentials_return() {
    let mut world = World::start().await;
    let (account, object) = world.invited().await;
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

async fn a_rename_costs_no_mail_when_the_new_object_comes_first() {
    let world = World::start().await;
    let (account, object) = world.invited().await;
    world.invite("jane-doe", &account.project, JANE).await;
    world.until("jane-doe", "waiting", shows(Reason::DuplicateInvitee)).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    taken_over(&world, &account, &object).await;
}

async fn a_rename_costs_no_mail_when_the_old_object_goes_first() {
    // The moment that a deletion waits for the next object, long enough for a slow machine.
    let world = Setup::default().flag("--handover-grace", "200s").start().await;
    let (account, object) = world.invited().await;
    world.delete("jane").await;
    world.until("jane", "about to go", shows(Reason::Cancelling)).await;
    world.invite("jane-doe", &account.project, JANE).await;
    world.until_gone(&object).await;
    taken_over(&world, &account, &object).await;
}

async fn a_rename_costs_no_mail_when_nobody_answers_about_the_new_object() {
    let Between { proxy, operator_kubeconfig } = shared().await.between().await;
    let setup = Setup::default().flag("--kubeconfig", operator_kubeconfig.to_str().unwrap());
    // A deletion that has waited for so long no longer waits for an answer.
    let world = setup.flag("--release-after", "1h").start().await;
    let (account, object) = world.invited().await;
    world.invite("jane-doe", &account.project, JANE).await;
    world.until("jane-doe", "waiting", shows(Reason::DuplicateInvitee)).await;
    let asks = |request: &Request| request.method == "GET" && request.target.ends_with("/projectinvitations/jane-doe");
    let asked = move |requests: &[Request]| requests.iter().filter(|request| asks(request)).count();
    let before = asked(&proxy.requests());
    proxy.add(Rule::new(Trouble::CutBefore).on(asks));
    world.delete("jane").await;
    assert!(proxy.wait_until(LIMIT, move |requests| asked(requests) > before + 2).await);
    proxy.clear();
    world.until_gone(&object).await;
    taken_over(&world, &account, &object).await;
}

/// The other object has the very same invitation, and nobody was called to cancel it.
async fn taken_over(world: &World, account: &Account, object: &ProjectInvitation) {
    let next = world.until("jane-doe", "invited", in_phase(Phase::Invited)).await;
    assert_eq!(status(&next).id, status(object).id);
    assert_eq!(world.mails(JANE), 1);
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
    assert!(world.calls(Endpoint::DeleteGroupInvite).is_empty());
}
