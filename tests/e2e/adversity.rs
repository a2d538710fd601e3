//! What nobody should do, and somebody will: two operators, objects that come and go at once, forged status, changes in
//! the middle of things.

use crate::harness::operator::Operator;
use crate::harness::*;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use libtest_mimic::Trial;
use serde_json::json;
use std::time::Duration;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        two_operators_at_once_send_nobody_two_mails,
        an_operator_that_slept_through_its_call_sends_no_second_mail,
        objects_that_come_and_go_at_once_leave_nothing_unknown,
        many_objects_for_one_person_cost_one_mail,
        a_forged_status_cancels_nobody_elses_invitation,
        a_forged_status_sends_no_mail,
        a_forged_ledger_cancels_nobody_elses_invitation,
        roles_changed_while_the_outcome_is_unknown_are_changed_in_place_afterwards,
        suspended_while_the_outcome_is_unknown_it_is_still_resolved,
        an_inviter_lost_while_the_outcome_is_unknown_costs_no_second_mail,
        an_object_deleted_while_the_operator_is_down_is_cancelled_when_it_is_back,
        of_two_invitations_of_a_person_only_the_own_is_cancelled,
    ]
}

async fn two_operators_at_once_send_nobody_two_mails() {
    let world = World::start().await;
    let account = world.atlas().await;
    let second = world.another_operator();
    let ready = async |operator: &Operator| {
        wait::poll(async || operator.page("/readyz").await.is_some_and(|(code, _)| code == 200)).await
    };
    assert!(ready(world.operator.as_ref().unwrap()).await && ready(&second).await);
    world.sim.configure(|behaviour| behaviour.latency = Span::millis(30));
    let on_post = |fault: Fault, chance: f64| FaultRule::new(fault).on(Endpoint::CreateGroupInvite).probability(chance);
    world.sim.add_fault(on_post(Fault::ResetAfter, 0.2));
    world.sim.add_fault(on_post(Fault::ResetBefore, 0.1));
    let people: Vec<_> = (0..12).map(|number| format!("person-{number}")).collect();
    for name in &people {
        world.invite(name, &account.project, &format!("{name}@example.com")).await;
    }
    for name in &people {
        let settled = |o: &ProjectInvitation| in_phase(Phase::Invited)(o) || shows(Reason::OutcomeUnknown)(o);
        world.until(name, "settled", settled).await;
    }
    world.looks(&account.project, 4).await;
    for name in &people {
        assert!(world.mails(&format!("{name}@example.com")) <= 1);
        let object = world.invitations().get(name).await.unwrap();
        assert!(world.mails(&format!("{name}@example.com")) == 1 || shows(Reason::OutcomeUnknown)(&object));
    }
    drop(second);
}

async fn an_operator_that_slept_through_its_call_sends_no_second_mail() {
    let world = World::start().await;
    let account = world.atlas().await;
    let fault = Fault::Latency { before: Span::ZERO, after: Span::millis(500) };
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    world.until_sim("a mail", |sim| sim.outbox().len() == 1).await;
    // Frozen for longer than the whole quarantine, while another one does its work.
    let operator = world.operator.as_ref().unwrap();
    operator.freeze();
    let second = world.another_operator();
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    operator.thaw();
    world.looks(&account.project, 6).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    let claim = world.claim().await.spec;
    assert_eq!(claim.invitation.unwrap().id, world.sim.invitations(&account.project)[0].id);
    drop(second);
}

async fn objects_that_come_and_go_at_once_leave_nothing_unknown() {
    let mut world = World::start().await;
    // Created, deleted and created again: each may cost a mail, within the cap.
    world.mails_allowed = 3;
    let account = world.atlas().await;
    world.until_inviter("atlas", Reason::Ready).await;
    for round in 0..3 {
        for number in 0..8 {
            world.invite(&format!("person-{number}"), &account.project, &format!("person-{number}@example.com")).await;
        }
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..150))).await;
        world.invitations().delete_collection(&DeleteParams::default(), &ListParams::default()).await.unwrap();
        let empty = async || world.invitations().list(&ListParams::default()).await.unwrap().items.is_empty();
        assert!(wait::poll(empty).await, "round {round}: objects stay");
    }
    // The race of a finalizer with a deletion is Kubernetes' own: what it leaves is known to the ledger.
    let claims = world.claims().await;
    for invitation in world.sim.invitations(&account.project) {
        let known = claims.iter().any(|claim| {
            let recorded = claim.spec.invitation.as_ref().is_some_and(|recorded| recorded.id == invitation.id);
            recorded || (claim.spec.attempt.is_some() && claim.spec.key.username == invitation.username)
        });
        assert!(known, "nobody knows {invitation:?}");
    }
    for claim in &claims {
        let mails = world.mails(&claim.spec.key.username);
        assert!(claim.spec.mails.len() >= mails, "{mails} mails, and the ledger knows of {:?}", claim.spec.mails);
    }
}

async fn many_objects_for_one_person_cost_one_mail() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.until_inviter("atlas", Reason::Ready).await;
    let names: Vec<_> = (0..10).map(|number| format!("jane-{number}")).collect();
    let made = names.iter().map(|name| world.invite(name, &account.project, JANE));
    futures::future::join_all(made).await;
    let mut owners = 0;
    for name in &names {
        let told = |o: &ProjectInvitation| in_phase(Phase::Invited)(o) || shows(Reason::DuplicateInvitee)(o);
        let object = world.until(name, "told", told).await;
        owners += usize::from(in_phase(Phase::Invited)(&object));
    }
    assert_eq!(owners, 1);
    world.looks(&account.project, 3).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

/// Writes into the status of an object as somebody with too many rights would.
async fn forge(world: &World, name: &str, status: serde_json::Value) {
    let patch = Patch::Merge(json!({ "status": status }));
    world.invitations().patch_status(name, &PatchParams::default(), &patch).await.unwrap();
}

async fn a_forged_status_cancels_nobody_elses_invitation() {
    let world = World::start().await;
    let account = world.atlas().await;
    let victim = world.invite_by_hand(&account.project, JOHN, "GROUP_OWNER").await;
    let object = world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    forge(&world, "jane", json!({ "id": victim, "phase": "Invited", "roles": ["GROUP_OWNER"] })).await;
    world.patch("jane", json!({ "spec": { "roles": [WRITER] } })).await;
    world.until("jane", "changed", |o| status(o).roles.unwrap_or_default() == [WRITER]).await;
    forge(&world, "jane", json!({ "id": victim })).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    let left = world.sim.invitations(&account.project);
    assert_eq!(left.len(), 1);
    assert_eq!((&left[0].id, &left[0].roles), (&victim, &vec!["GROUP_OWNER".to_owned()]));
}

async fn a_forged_ledger_cancels_nobody_elses_invitation() {
    let mut world = World::start().await;
    let account = world.atlas().await;
    let victim = world.invite_by_hand(&account.project, JOHN, "GROUP_OWNER").await;
    let object = world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.kill_operator();
    let claim = world.claim().await.name_any();
    let patch = Patch::Merge(json!({ "spec": { "invitation": { "id": victim } } }));
    world.claim_api().patch(&claim, &PatchParams::default(), &patch).await.unwrap();
    world.delete("jane").await;
    world.start_operator();
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).iter().any(|invitation| invitation.id == victim));
}

async fn a_forged_status_sends_no_mail() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    forge(&world, "jane", json!({ "id": null, "phase": "Pending", "mailsSent": 0, "conditions": [] })).await;
    world.until("jane", "set right", ready("True", Reason::Invited)).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
}

/// Jane's invitation is sent and its answer lost; lists do not show it until the fault is removed.
async fn outcome_unknown() -> (World, Account, u64) {
    // A quarantine of 25 s: on a slow machine, too, it is not over before the fault is removed.
    let world = Setup::default().flag("--server-delay", "400s").start().await;
    let account = world.atlas().await;
    let hidden = world.sim.add_fault(FaultRule::new(Fault::EmptyList).on(Endpoint::ListGroupInvites));
    world.sim.add_fault(FaultRule::new(Fault::ResetAfter).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "looking", shows(Reason::Looking)).await;
    (world, account, hidden)
}

async fn roles_changed_while_the_outcome_is_unknown_are_changed_in_place_afterwards() {
    let (world, account, hidden) = outcome_unknown().await;
    world.patch("jane", json!({ "spec": { "roles": [WRITER] } })).await;
    world.sim.remove_fault(hidden);
    let in_sync = |o: &ProjectInvitation| in_phase(Phase::Invited)(o) && is_true(o, "RolesInSync");
    world.until("jane", "in sync", in_sync).await;
    assert_eq!(world.sim.invitations(&account.project)[0].roles, [WRITER]);
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn suspended_while_the_outcome_is_unknown_it_is_still_resolved() {
    let (world, _, hidden) = outcome_unknown().await;
    world.patch("jane", json!({ "spec": { "suspend": true } })).await;
    world.sim.remove_fault(hidden);
    let object = world.until("jane", "suspended", shows(Reason::Suspended)).await;
    assert_eq!(status(&object).phase, Some(Phase::Invited));
    assert!(world.claim().await.spec.attempt.is_none());
    assert_eq!(world.mails(JANE), 1);
}

async fn an_inviter_lost_while_the_outcome_is_unknown_costs_no_second_mail() {
    let (world, account, hidden) = outcome_unknown().await;
    world.secrets().delete("atlas", &DeleteParams::default()).await.unwrap();
    world.until("jane", "waiting", shows(Reason::InviterNotReady)).await;
    world.sim.remove_fault(hidden);
    world.secret("atlas", &account.key).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn an_object_deleted_while_the_operator_is_down_is_cancelled_when_it_is_back() {
    let mut world = World::start().await;
    let account = world.atlas().await;
    let object = world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.kill_operator();
    world.delete("jane").await;
    world.start_operator();
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty());
}

async fn of_two_invitations_of_a_person_only_the_own_is_cancelled() {
    let world = World::start().await;
    let account = world.atlas().await;
    let object = world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    let other = world.invite_by_hand(&account.project, JANE, WRITER).await;
    world.looks(&account.project, 3).await;
    assert_eq!(world.mutations(), [], "the own stands");
    world.delete("jane").await;
    world.until_gone(&object).await;
    let left = world.sim.invitations(&account.project);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].id, other);
}
