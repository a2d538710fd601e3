//! An API in trouble: the operator waits, mails nobody twice and concludes nothing wrong.

use crate::harness::*;
use atlas_sim::{Options, Simulator};
use invitation_operator::api::names::annotation;
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        too_many_calls_are_waited_for_as_long_as_the_api_asks,
        too_many_calls_without_a_time_are_waited_for,
        the_invitation_throttle_is_waited_for_and_counts_no_mail,
        maintenance_is_waited_for_and_counts_no_mail,
        what_lists_fail_to_show_is_not_gone,
        nothing_is_sent_before_a_project_could_be_looked_at,
        a_project_that_cannot_be_looked_at_makes_nobody_else_wait,
        many_objects_of_a_project_that_does_not_answer_make_nobody_else_wait,
        redirects_are_never_followed,
        answers_with_unknown_fields_are_understood,
        an_api_that_forgets_tokens_and_nonces_is_asked_again_without_a_second_mail,
        an_expired_token_is_renewed,
        a_token_that_is_revoked_just_before_the_call_costs_no_interval,
    ]
}

fn plain(status: u16, code: Option<&str>) -> Fault {
    Fault::Status {
        status,
        code: code.map(str::to_owned),
        detail: None,
        parameters: Vec::new(),
        retry_after: None,
        after_effect: false,
    }
}

/// Invites Jane with this fault on every call until it is seen: it is shown as `reason`, and counts no mail.
async fn waited_for(fault: Fault, reason: Reason) -> World {
    let world = World::start().await;
    let account = world.atlas().await;
    world.sim.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite));
    world.invite("jane", &account.project, JANE).await;
    let waiting = world.until("jane", "waiting", ready("False", reason)).await;
    assert!(is_true(&waiting, "Reconciling"));
    assert_eq!(status(&waiting).phase, Some(Phase::Pending));
    assert_eq!(status(&waiting).mails_sent, Some(0));
    world
}

/// The fault is over, and she is invited by the next call.
async fn then_invited(world: &World) {
    world.sim.clear_faults();
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    let calls = world.calls(Endpoint::CreateGroupInvite);
    assert!(calls.len() >= 2, "{calls:#?}");
    assert_eq!(calls.iter().filter(|call| call.status == Some(200)).count(), 1, "{calls:#?}");
    assert_eq!(world.claim().await.spec.mails.len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn too_many_calls_are_waited_for_as_long_as_the_api_asks() {
    let world = waited_for(Fault::rate_limited(Some(3)), Reason::RateLimited).await;
    then_invited(&world).await;
    let calls = world.calls(Endpoint::CreateGroupInvite);
    let at: Vec<_> = calls.iter().map(|call| call.at.parse::<Timestamp>().unwrap()).collect();
    assert!(at.windows(2).all(|two| two[1].duration_since(two[0]) >= SignedDuration::from_secs(3)), "{at:?}");
}

async fn too_many_calls_without_a_time_are_waited_for() {
    then_invited(&waited_for(Fault::rate_limited(None), Reason::RateLimited).await).await;
}

async fn the_invitation_throttle_is_waited_for_and_counts_no_mail() {
    let world = waited_for(plain(400, Some("INVITATIONS_RATE_LIMITED_IP")), Reason::WaitingForSlot).await;
    world.until_claims("no attempt", |claims| claims.iter().all(|claim| claim.spec.attempt.is_none())).await;
    assert_eq!(world.mails(JANE), 0);
    then_invited(&world).await;
}

async fn maintenance_is_waited_for_and_counts_no_mail() {
    then_invited(&waited_for(Fault::maintenance(), Reason::ApiUnavailable).await).await;
}

/// Everything that a list may say or not say without meaning that a project is empty.
fn failing_lists() -> Vec<(&'static str, Fault)> {
    vec![
        ("server-error", plain(500, Some("UNEXPECTED_ERROR"))),
        ("maintenance", Fault::maintenance()),
        ("too-many", Fault::rate_limited(None)),
        ("proxy-page", Fault::Html { status: 200, after_effect: false }),
        ("proxy-404", Fault::Html { status: 404, after_effect: false }),
        ("bare-404", plain(404, None)),
        ("other-404", plain(404, Some("RESOURCE_NOT_FOUND"))),
        ("gone-404", plain(404, Some("INVALID_INVITATION_ID"))),
        ("bare-401", plain(403, Some("SOMETHING_NEW"))),
        ("no-body", Fault::NoBody),
        ("cut", Fault::Truncate { keep: 1 }),
        ("reset", Fault::ResetBefore),
        ("hang", Fault::HangBefore),
        ("redirect", Fault::Redirect { status: 302, location: "/".to_owned() }),
    ]
}

/// A world with a project per failing list, all seen by one key.
async fn with_projects(names: &[&str]) -> (World, Vec<String>) {
    let world = Setup::default().flag("--call-deadline", "1s").start().await;
    let projects: Vec<_> = names.iter().map(|name| world.plant_project(Product::Atlas, name)).collect();
    let mut seed = CredentialSeed::service_account();
    for project in &projects {
        seed = seed.grant(project, ["GROUP_OWNER"]);
    }
    world.secret("atlas", &world.sim.seed_credential(seed)).await;
    world.inviter("atlas", "atlas", |_| {}).await;
    (world, projects)
}

fn person(name: &str) -> String {
    format!("{name}@example.com")
}

async fn what_lists_fail_to_show_is_not_gone() {
    let faults = failing_lists();
    let names: Vec<_> = faults.iter().map(|(name, _)| *name).collect();
    let (world, projects) = with_projects(&names).await;
    for (name, project) in names.iter().zip(&projects) {
        world.invite(name, project, &person(name)).await;
    }
    for name in &names {
        world.until(name, "invited", in_phase(Phase::Invited)).await;
    }
    for (number, ((_, fault), project)) in faults.into_iter().zip(&projects).enumerate() {
        let endpoint = if number % 2 == 0 { Endpoint::ListGroupInvites } else { Endpoint::ListGroupUsers };
        world.sim.add_fault(FaultRule::new(fault).on(endpoint).project(project));
    }
    // Asking again and again makes more looks than patience would.
    for round in 0..4 {
        for name in &names {
            let value = format!("2026-11-01T12:00:0{round}Z");
            world.annotate(name, annotation::REQUESTED_AT, &value).await;
            let handled = |o: &ProjectInvitation| status(o).last_handled_reconcile_at.as_ref() == Some(&value);
            world.until(name, "asked", handled).await;
        }
    }
    for name in &names {
        let object = world.invitations().get(name).await.unwrap();
        assert_eq!(status(&object).phase, Some(Phase::Invited), "{name}: {object:#?}");
    }
    assert!(world.sim.faults().iter().all(|fault| fault.struck >= 2), "{:#?}", world.sim.faults());
    for claim in world.claims().await {
        assert!(claim.spec.verdict.is_none() && claim.spec.invitation.is_some(), "{claim:#?}");
    }
    world.until_inviter("atlas", Reason::Ready).await;
    world.sim.clear_faults();
    for (name, project) in names.iter().zip(&projects) {
        world.sim.accept(project, &person(name));
        world.annotate(name, annotation::REQUESTED_AT, "2026-11-01T13:00:00Z").await;
    }
    for name in &names {
        world.until(name, "accepted", in_phase(Phase::Accepted)).await;
        assert_eq!(world.mails(&person(name)), 1);
    }
}

async fn nothing_is_sent_before_a_project_could_be_looked_at() {
    let faults = failing_lists();
    let names: Vec<_> = faults.iter().map(|(name, _)| *name).collect();
    let (world, projects) = with_projects(&names).await;
    for (number, ((_, fault), project)) in faults.into_iter().zip(&projects).enumerate() {
        let endpoint = if number % 2 == 0 { Endpoint::ListGroupUsers } else { Endpoint::ListGroupInvites };
        world.sim.add_fault(FaultRule::new(fault).on(endpoint).project(project));
    }
    for (name, project) in names.iter().zip(&projects) {
        world.invite(name, project, &person(name)).await;
    }
    for name in &names {
        let object = world.until(name, "told", |o| condition(o, "Ready").is_some()).await;
        assert!(!is_true(&object, "Ready"), "{object:#?}");
        assert!(is_true(&object, "Reconciling") || is_true(&object, "Stalled"), "{object:#?}");
    }
    assert_eq!(world.mutations(), []);
    assert_eq!(world.claims().await, []);
    world.sim.clear_faults();
    for name in &names {
        world.annotate(name, annotation::REQUESTED_AT, "now").await;
    }
    for name in &names {
        world.until(name, "invited", ready("True", Reason::Invited)).await;
        assert_eq!(world.mails(&person(name)), 1);
    }
}

async fn a_project_that_cannot_be_looked_at_makes_nobody_else_wait() {
    let (world, projects) = with_projects(&["bad", "good"]).await;
    world.sim.add_fault(FaultRule::new(Fault::HangBefore).on(Endpoint::ListGroupInvites).project(&projects[0]));
    world.invite("bad", &projects[0], JANE).await;
    world.until("bad", "told", ready("False", Reason::ApiUnavailable)).await;
    world.invite("good", &projects[1], JANE).await;
    world.until("good", "invited", ready("True", Reason::Invited)).await;
    world.until_inviter("atlas", Reason::Ready).await;
}

async fn many_objects_of_a_project_that_does_not_answer_make_nobody_else_wait() {
    let world = Setup::default().flag("--call-deadline", "600s").start().await;
    let bad = world.plant_project(Product::Atlas, "bad");
    let good = world.plant_project(Product::Atlas, "good");
    let seed = CredentialSeed::service_account().grant(&bad, ["GROUP_OWNER"]).grant(&good, ["GROUP_OWNER"]);
    world.secret("atlas", &world.sim.seed_credential(seed)).await;
    world.inviter("atlas", "atlas", |_| {}).await;
    world.until_inviter("atlas", Reason::Ready).await;
    world.sim.add_fault(FaultRule::new(Fault::HangBefore).on(Endpoint::ListGroupInvites).project(&bad));
    for number in 0..30 {
        world.invite(&format!("bad-{number}"), &bad, &format!("bad-{number}@example.com")).await;
    }
    world.until_sim("a question", |sim| sim.requests().iter().any(|call| call.project.as_ref() == Some(&bad))).await;
    world.invite("good", &good, JANE).await;
    world.until("good", "invited", ready("True", Reason::Invited)).await;
    let asked = world.sim.requests().into_iter().filter(|call| call.project.as_ref() == Some(&bad)).count();
    assert_eq!(asked, 1, "the first question is still without an answer");
}

async fn redirects_are_never_followed() {
    let canary = Simulator::start(Options::default()).await.unwrap();
    let world = World::start().await;
    let account = world.atlas().await;
    world.until_inviter("atlas", Reason::Ready).await;
    let away = |status| Fault::Redirect { status, location: format!("{}/api/atlas/v2", canary.base_url()) };
    world.sim.add_fault(FaultRule::new(away(302)).on(Endpoint::ListGroupInvites).once());
    world.sim.add_fault(FaultRule::new(away(308)).on(Endpoint::CreateGroupInvite).once());
    world.sim.add_fault(FaultRule::new(away(307)).on(Endpoint::GetSystemStatus).once());
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    // What is listed is not probed besides, unless somebody asks.
    let asking = serde_json::json!({ "metadata": { "annotations": { annotation::REQUESTED_AT: "now" } } });
    world.patch_inviter("atlas", asking).await;
    world.until_sim("probed", |sim| sim.faults().iter().all(|fault| fault.struck == 1)).await;
    world.until_inviter("atlas", Reason::Ready).await;
    assert!(world.sim.faults().iter().all(|fault| fault.struck == 1), "{:#?}", world.sim.faults());
    assert_eq!(canary.requests(), []);
    assert_eq!(world.mails(JANE), 1);
}

async fn answers_with_unknown_fields_are_understood() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.sim.add_fault(FaultRule::new(Fault::ExtraFields));
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    world.sim.accept(&account.project, JANE);
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
}

async fn an_api_that_forgets_tokens_and_nonces_is_asked_again_without_a_second_mail() {
    let world = World::start().await;
    let project = world.plant_project(Product::Atlas, "payments");
    for (name, seed) in [("oauth", CredentialSeed::service_account()), ("digest", CredentialSeed::api_key())] {
        world.secret(name, &world.sim.seed_credential(seed.grant(&project, ["GROUP_OWNER"]))).await;
        world.inviter(name, name, |_| {}).await;
        world.until_inviter(name, Reason::Ready).await;
        world.sim.forget_tokens();
        world.sim.forget_nonces();
        world.invite_with(name, &project, &person(name), |spec| spec.inviter_ref.name = name.to_owned()).await;
        world.until(name, "invited", ready("True", Reason::Invited)).await;
        world.sim.forget_tokens();
        world.sim.forget_nonces();
        world.sim.accept(&project, &person(name));
        world.until(name, "accepted", in_phase(Phase::Accepted)).await;
        world.until_inviter(name, Reason::Ready).await;
        assert_eq!(world.mails(&person(name)), 1);
    }
}

async fn an_expired_token_is_renewed() {
    let world = World::start().await;
    world.sim.configure(|behaviour| behaviour.token_life = Span::seconds(9));
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    world
        .until_sim("three tokens", |sim| {
            sim.requests().iter().filter(|call| call.endpoint == Endpoint::CreateToken).count() >= 3
        })
        .await;
    world.sim.accept(&account.project, JANE);
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    let refused = world.sim.requests().into_iter().filter(|call| call.status == Some(401)).count();
    assert_eq!(refused, 0, "renewed before it ends");
}

async fn a_token_that_is_revoked_just_before_the_call_costs_no_interval() {
    let world = World::start().await;
    // An interval of three minutes: longer than a test waits.
    let account = world.atlas_with(|spec| spec.check_interval = "1h".to_owned()).await;
    world.until_inviter("atlas", Reason::Ready).await;
    let slow = Fault::Latency { before: Span::ZERO, after: Span::millis(2500) };
    world.sim.add_fault(FaultRule::new(slow).on(Endpoint::ListGroupUsers).once());
    world.invite("jane", &account.project, JANE).await;
    // Both lists were let in with the token that is then forgotten.
    world
        .until_sim("a look", |sim| {
            let let_in =
                |endpoint| sim.requests().iter().any(|call| call.endpoint == endpoint && call.credential.is_some());
            let_in(Endpoint::ListGroupInvites) && let_in(Endpoint::ListGroupUsers)
        })
        .await;
    world.sim.forget_tokens();
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    let calls = world.sim.requests().into_iter().filter(|call| call.endpoint == Endpoint::CreateGroupInvite);
    let statuses: Vec<_> = calls.map(|call| call.status).collect();
    assert_eq!(statuses, [Some(401), Some(200)]);
    assert_eq!(world.claim().await.spec.mails.len(), 1);
    assert_eq!(world.mails(JANE), 1);
}
