//! Lost answers, lost requests and lost processes: nobody is e-mailed twice, and nothing stays unknown that can be found.

use crate::harness::*;
use atlas_sim::{DuplicateInvite, GrantReply, Leg};
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use std::time::Duration;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        an_invitation_whose_answer_was_lost_is_found_and_recorded,
        an_invitation_that_was_never_answered_is_found_and_recorded,
        an_invitation_behind_a_server_error_is_found_and_recorded,
        an_invitation_behind_a_proxys_page_is_found_and_recorded,
        an_invitation_behind_a_cut_answer_is_found_and_recorded,
        an_invitation_behind_an_empty_answer_is_found_and_recorded,
        an_invitation_that_acts_after_its_connection_broke_is_found_and_recorded,
        an_invitation_sent_by_an_api_key_whose_answer_was_lost_is_found_and_recorded,
        an_invitation_that_lists_show_late_is_found_and_recorded,
        an_invitation_that_lists_show_late_is_not_taken_for_withdrawn,
        an_invitation_that_never_arrived_is_sent_once_more_after_the_quarantine,
        an_invitation_that_was_refused_with_a_server_error_is_sent_once_more_after_the_quarantine,
        two_losses_in_a_row_hold_for_a_human,
        on_unknown_hold_waits_for_a_human_after_the_first_loss,
        a_person_who_is_added_at_once_is_accepted_however_the_api_says_so,
        a_success_that_leaves_no_trace_is_never_repeated,
        a_conflict_is_looked_up_and_adopted,
        killed_between_effect_and_answer_the_operator_finds_the_invitation_again,
        killed_at_the_call_and_deleted_meanwhile_the_invitation_is_found_and_cancelled,
        killed_before_the_effect_the_operator_finds_the_invitation_again,
        killed_before_the_request_the_operator_sends_it_after_its_own_quarantine,
        told_to_end_the_operator_finishes_and_records_the_call_in_flight,
        told_to_end_the_operator_does_not_wait_out_a_quarantine,
        an_object_deleted_during_the_call_is_resolved_first_and_then_cancelled,
        killed_again_and_again_the_operator_sends_nobody_two_mails,
    ]
}

/// Invites Jane with this fault on the call: found and recorded without a second call.
async fn found_in_spite_of(fault: Fault) {
    let world = World::start().await;
    let account = world.atlas().await;
    found(&world, &account, fault).await;
}

async fn found(world: &World, account: &Account, fault: Fault) {
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    let looking = world.until("jane", "looking", |o| shows(Reason::Looking)(o) || in_phase(Phase::Invited)(o)).await;
    if shows(Reason::Looking)(&looking) {
        assert!(is_true(&looking, "Reconciling"));
        assert!(!is_true(&looking, "Ready"));
    }
    let invited = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    assert_eq!(status(&invited).id.as_ref(), Some(&world.sim.invitations(&account.project)[0].id));
    assert!(ready("True", Reason::Invited)(&invited), "an own invitation, not an adopted one");
    let claim = world.claim().await.spec;
    assert!(claim.attempt.is_none());
    assert_eq!(claim.invitation.unwrap().origin, Origin::Created);
    assert_eq!(claim.mails.len(), 1);
    world.looks(&account.project, 2).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn an_invitation_whose_answer_was_lost_is_found_and_recorded() {
    found_in_spite_of(Fault::ResetAfter).await;
}

async fn an_invitation_that_was_never_answered_is_found_and_recorded() {
    found_in_spite_of(Fault::HangAfter).await;
}

async fn an_invitation_behind_a_server_error_is_found_and_recorded() {
    let fault = Fault::Status {
        status: 500,
        code: Some("UNEXPECTED_ERROR".to_owned()),
        detail: None,
        parameters: Vec::new(),
        retry_after: None,
        after_effect: true,
    };
    found_in_spite_of(fault).await;
}

async fn an_invitation_behind_a_proxys_page_is_found_and_recorded() {
    found_in_spite_of(Fault::Html { status: 403, after_effect: true }).await;
}

async fn an_invitation_behind_a_cut_answer_is_found_and_recorded() {
    found_in_spite_of(Fault::Truncate { keep: 20 }).await;
}

async fn an_invitation_behind_an_empty_answer_is_found_and_recorded() {
    found_in_spite_of(Fault::NoBody).await;
}

async fn an_invitation_that_acts_after_its_connection_broke_is_found_and_recorded() {
    found_in_spite_of(Fault::LateEffect { after: Span::millis(1500), hang: false }).await;
}

async fn an_invitation_sent_by_an_api_key_whose_answer_was_lost_is_found_and_recorded() {
    let world = World::start().await;
    let account = with_api_key(&world).await;
    found(&world, &account, Fault::ResetAfter).await;
}

async fn with_api_key(world: &World) -> Account {
    let project = world.plant_project(Product::Atlas, "payments");
    let key = world.sim.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]));
    world.secret("atlas", &key).await;
    world.inviter("atlas", "atlas", |_| {}).await;
    Account { project, key }
}

async fn an_invitation_that_lists_show_late_is_found_and_recorded() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.sim.configure(|behaviour| behaviour.list_lag = Span::millis(1500));
    found(&world, &account, Fault::ResetAfter).await;
}

async fn an_invitation_that_lists_show_late_is_not_taken_for_withdrawn() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.sim.configure(|behaviour| behaviour.list_lag = Span::millis(1500));
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    for _ in 0..4 {
        world.looks(&account.project, 1).await;
        let now = world.invitations().get("jane").await.unwrap();
        assert!(ready("True", Reason::Invited)(&now), "{now:#?}");
    }
    assert_eq!(world.mails(JANE), 1);
}

/// Invites Jane with this fault, which keeps the first call from acting: one more is sent, after the quarantine.
async fn sent_once_more_in_spite_of(fault: Fault) {
    let world = World::start().await;
    let account = world.atlas().await;
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "looking", shows(Reason::Looking)).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    assert_eq!(world.mails(JANE), 1);
    let claim = world.claim().await.spec;
    assert_eq!((claim.mails.len(), claim.lost_attempts), (2, 0), "a lost attempt counts against the cap");
    assert_after_a_quarantine(&world, claim.mails[0].0);
}

/// Two calls, and before the second at least what the quarantine promises: 7 s from the record of the first.
fn assert_after_a_quarantine(world: &World, recorded: Timestamp) {
    let calls = world.calls(Endpoint::CreateGroupInvite);
    assert_eq!(calls.len(), 2);
    let apart = calls[1].at.parse::<Timestamp>().unwrap().duration_since(recorded);
    assert!(apart >= SignedDuration::from_secs(7), "{apart:?}");
}

async fn an_invitation_that_never_arrived_is_sent_once_more_after_the_quarantine() {
    sent_once_more_in_spite_of(Fault::ResetBefore).await;
}

async fn an_invitation_that_was_refused_with_a_server_error_is_sent_once_more_after_the_quarantine() {
    sent_once_more_in_spite_of(Fault::status(503, "SERVICE_UNAVAILABLE")).await;
}

async fn two_losses_in_a_row_hold_for_a_human() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.sim.add_fault(FaultRule::new(Fault::ResetBefore).on(Endpoint::CreateGroupInvite).times(2));
    world.invite("jane", &account.project, JANE).await;
    let held = world.until("jane", "unknown", shows(Reason::OutcomeUnknown)).await;
    assert!(is_true(&held, "Stalled"));
    world.looks(&account.project, 3).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 2);
    assert_eq!(world.mails(JANE), 0);
    // What is found later is taken all the same.
    world.invite_by_hand(&account.project, JANE, READER).await;
    world.until("jane", "adopted", ready("True", Reason::Adopted)).await;
    assert_eq!(world.mutations().len(), 0);
}

async fn on_unknown_hold_waits_for_a_human_after_the_first_loss() {
    let world = World::start().await;
    let account = world.atlas_with(|spec| spec.on_unknown = OnUnknown::Hold).await;
    world.sim.add_fault(FaultRule::new(Fault::ResetBefore).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    let held = world.until("jane", "unknown", shows(Reason::OutcomeUnknown)).await;
    assert!(ready("False", Reason::OutcomeUnknown)(&held));
    assert!(is_true(&held, "Stalled"));
    world.looks(&account.project, 3).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert_eq!(world.mails(JANE), 0);
}

async fn a_person_who_is_added_at_once_is_accepted_however_the_api_says_so() {
    let world = World::start().await;
    let account = world.atlas().await;
    let org = world.sim.org_of(&account.project).unwrap();
    let replies = [GrantReply::NoContent, GrantReply::EmptyBody, GrantReply::EmptyObject, GrantReply::WithoutId];
    for (number, reply) in replies.into_iter().enumerate() {
        let person = format!("colleague-{number}@example.com");
        world.sim.seed_org_member(&org, &person, &["ORG_MEMBER"]);
        world.sim.configure(|behaviour| behaviour.granted_reply = reply);
        let name = format!("colleague-{number}");
        world.invite(&name, &account.project, &person).await;
        let accepted = world.until(&name, "accepted", in_phase(Phase::Accepted)).await;
        assert!(status(&accepted).accepted_at.is_some());
        assert_eq!(status(&accepted).id, None);
        assert_eq!(world.mails(&person), 1);
    }
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 4);
}

async fn a_success_that_leaves_no_trace_is_never_repeated() {
    let world = World::start().await;
    let account = world.atlas().await;
    let fault = Fault::Status {
        status: 200,
        code: None,
        detail: None,
        parameters: Vec::new(),
        retry_after: None,
        after_effect: false,
    };
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "unknown", shows(Reason::OutcomeUnknown)).await;
    world.looks(&account.project, 3).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
}

async fn a_conflict_is_looked_up_and_adopted() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.until_inviter("atlas", Reason::Ready).await;
    world.sim.configure(|behaviour| behaviour.duplicate_invite = DuplicateInvite::Conflict);
    let id = world.invite_by_hand(&account.project, JANE, READER).await;
    // The look before the call misses what is there.
    world.sim.add_fault(FaultRule::new(Fault::EmptyList).on(Endpoint::ListGroupInvites).once());
    world.invite("jane", &account.project, JANE).await;
    let found = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    assert_eq!(status(&found).id, Some(id));
    assert_eq!(world.calls(Endpoint::CreateGroupInvite)[0].status, Some(409));
    world.looks(&account.project, 2).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert_eq!(world.mails(JANE), 0);
}

async fn killed_between_effect_and_answer_the_operator_finds_the_invitation_again() {
    // The call waits for its answer until it is killed.
    let mut world = Setup::default().flag("--post-deadline", "400s").start().await;
    let account = world.atlas().await;
    let fault = Fault::Latency { before: Span::ZERO, after: Span::seconds(30) };
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    world.until_sim("a mail", |sim| sim.outbox().len() == 1).await;
    world.kill_operator();
    let claim = world.claim().await.spec;
    assert!(claim.attempt.is_some() && claim.invitation.is_none());
    world.start_operator();
    let invited = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    assert_eq!(status(&invited).id.as_ref(), Some(&world.sim.invitations(&account.project)[0].id));
    assert!(ready("True", Reason::Invited)(&invited));
    world.looks(&account.project, 2).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn killed_at_the_call_and_deleted_meanwhile_the_invitation_is_found_and_cancelled() {
    let mut world = World::start().await;
    let account = world.atlas().await;
    let fault = Fault::Latency { before: Span::ZERO, after: Span::seconds(30) };
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once());
    let object = world.invite("jane", &account.project, JANE).await;
    world.until_sim("a mail", |sim| sim.outbox().len() == 1).await;
    world.kill_operator();
    world.delete("jane").await;
    world.start_operator();
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty());
    assert_eq!(world.claim().await.spec.mails.len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn killed_before_the_effect_the_operator_finds_the_invitation_again() {
    let mut world = World::start().await;
    let account = world.atlas().await;
    let fault = Fault::latency(Span::millis(2500));
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    world.until_sim("a call", |sim| sim.requests().iter().any(|r| r.endpoint == Endpoint::CreateGroupInvite)).await;
    world.restart_operator();
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn killed_before_the_request_the_operator_sends_it_after_its_own_quarantine() {
    // The first operator waits for the challenge until it is killed; the second has the usual times.
    let setup = Setup::default().flag("--post-deadline", "400s").flag("--call-deadline", "20s");
    let mut world = setup.start().await;
    let account = with_api_key(&world).await;
    world.until_inviter("atlas", Reason::Ready).await;
    // An API key needs a challenge before the call; the look before it needed the first one.
    let fault = FaultRule::new(Fault::latency(Span::seconds(30))).on(Endpoint::ListGroupInvites).leg(Leg::Challenged);
    let fault = world.sim.add_fault(fault.skip(1));
    world.invite("jane", &account.project, JANE).await;
    world.until_claims("an attempt", |claims| claims.iter().any(|claim| claim.spec.attempt.is_some())).await;
    world.kill_operator();
    world.sim.remove_fault(fault);
    let started = world.claim().await.spec.attempt.unwrap().started_at.0;
    world.set_flag("--post-deadline", "60s");
    world.set_flag("--call-deadline", "5s");
    world.start_operator();
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    let calls = world.calls(Endpoint::CreateGroupInvite);
    assert_eq!(calls.len(), 1);
    let waited = calls[0].at.parse::<Timestamp>().unwrap().duration_since(started);
    assert!(waited >= SignedDuration::from_secs(7), "{waited:?}");
    assert_eq!(world.mails(JANE), 1);
}

async fn told_to_end_the_operator_finishes_and_records_the_call_in_flight() {
    let mut world = Setup::default().flag("--post-deadline", "400s").start().await;
    let account = world.atlas().await;
    let fault = Fault::Latency { before: Span::ZERO, after: Span::millis(1500) };
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    world.until_sim("a mail", |sim| sim.outbox().len() == 1).await;
    let mut operator = world.operator.take().unwrap();
    operator.terminate();
    let ended = operator.ended().await;
    assert_eq!(ended.code(), Some(0), "{}", world.log());
    let claim = world.claim().await.spec;
    assert!(claim.attempt.is_none());
    let id = claim.invitation.unwrap().id;
    let object = world.invitations().get("jane").await.unwrap();
    assert_eq!(status(&object).id, Some(id));
    assert_eq!(status(&object).phase, Some(Phase::Invited));
    world.start_operator();
    world.looks(&account.project, 2).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn told_to_end_the_operator_does_not_wait_out_a_quarantine() {
    // A quarantine of an hour.
    let mut world = Setup::default().flag("--server-delay", "20h").start().await;
    let account = world.atlas().await;
    world.sim.add_fault(FaultRule::new(Fault::ResetBefore).on(Endpoint::CreateGroupInvite).once());
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "looking", shows(Reason::Looking)).await;
    let mut operator = world.operator.take().unwrap();
    operator.terminate();
    assert_eq!(operator.ended().await.code(), Some(0));
    assert!(world.claim().await.spec.attempt.is_some(), "what is open stays open");
}

async fn an_object_deleted_during_the_call_is_resolved_first_and_then_cancelled() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.sim.add_fault(FaultRule::new(Fault::HangAfter).on(Endpoint::CreateGroupInvite).once());
    let object = world.invite("jane", &account.project, JANE).await;
    world.until_sim("a mail", |sim| sim.outbox().len() == 1).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty(), "cancelled");
    let claim = world.claim().await.spec;
    assert!(claim.owner.is_none() && claim.attempt.is_none() && claim.invitation.is_none() && claim.debt.is_none());
    assert_eq!(claim.mails.len(), 1, "the e-mail is remembered");
}

async fn killed_again_and_again_the_operator_sends_nobody_two_mails() {
    let mut world = World::start().await;
    let account = world.atlas().await;
    let on_post = |fault: Fault, chance: f64| FaultRule::new(fault).on(Endpoint::CreateGroupInvite).probability(chance);
    world.sim.add_fault(on_post(Fault::ResetAfter, 0.2));
    world.sim.add_fault(on_post(Fault::ResetBefore, 0.1));
    world.sim.add_fault(on_post(Fault::Latency { before: Span::millis(200), after: Span::millis(300) }, 0.6));
    world.sim.configure(|behaviour| behaviour.list_lag = Span::millis(500));
    let people: Vec<String> = (0..12).map(|number| format!("person-{number}@example.com")).collect();
    for (number, person) in people.iter().enumerate() {
        world.invite(&format!("person-{number}"), &account.project, person).await;
    }
    for _ in 0..8 {
        let seen = world.sim.requests().len() + rand::random_range(1..30);
        world.until_sim("more requests", |sim| sim.requests().len() >= seen).await;
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..300))).await;
        world.restart_operator();
    }
    world.sim.clear_faults();
    for (number, person) in people.iter().enumerate() {
        let settled =
            |object: &ProjectInvitation| in_phase(Phase::Invited)(object) || shows(Reason::OutcomeUnknown)(object);
        let object = world.until(&format!("person-{number}"), "settled", settled).await;
        if in_phase(Phase::Invited)(&object) {
            assert_eq!(world.mails(person), 1);
        } else {
            assert_eq!(world.mails(person), 0, "what cannot be found was not sent");
        }
    }
}
