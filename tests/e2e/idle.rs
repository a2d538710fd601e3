//! What rests costs nothing by people: calls by projects, passes for what changes, writes for transitions.
//!
//! Counts what the simulator, the audit log and the operator's own metrics saw; time only passes, by looks that are awaited.

use crate::harness::*;
use jiff::Timestamp;
use libtest_mimic::Trial;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        an_idle_hour_costs_fourteen_calls_a_project_however_many_people,
        a_change_makes_passes_for_its_person_and_not_for_the_project,
        a_transition_costs_two_writes_and_one_event,
        a_project_that_stops_answering_is_told_by_objects_at_rest,
        a_claim_and_a_status_that_somebody_changed_are_put_right_at_once,
    ]
}

fn people(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("person-{number}")).collect()
}

/// All of them members, so that nobody's invitation is young, and at rest.
async fn at_rest(world: &World, project: &str, prefix: &str, count: usize) -> Vec<String> {
    let names: Vec<_> = people(count).iter().map(|name| format!("{prefix}-{name}")).collect();
    for name in &names {
        world.sim.seed_member(project, &format!("{name}@example.com"), &[READER]);
        world.invite(name, project, &format!("{name}@example.com")).await;
    }
    for name in &names {
        world.until(name, "a member", in_phase(Phase::Accepted)).await;
        world.until_event(name, Reason::Accepted).await;
    }
    names
}

/// Passes so far, whatever came of them.
async fn passes(world: &World) -> u64 {
    let (_, page) = world.operator.as_ref().unwrap().page("/metrics").await.unwrap();
    let lines = page.lines().filter(|line| line.starts_with("invitation_operator_passes_total{"));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
}

async fn an_idle_hour_costs_fourteen_calls_a_project_however_many_people() {
    let world = World::start().await;
    let (project, other) =
        (world.plant_project(Product::Atlas, "payments"), world.plant_project(Product::Atlas, "other"));
    let seed = CredentialSeed::service_account().grant(&project, ["GROUP_OWNER"]).grant(&other, ["GROUP_OWNER"]);
    let key = world.sim.seed_credential(seed);
    world.secret("atlas", &key).await;
    world.inviter("atlas", "atlas", |_| {}).await;
    at_rest(&world, &project, "many", 30).await;
    at_rest(&world, &other, "few", 1).await;
    world.looks(&other, 1).await;
    let writes = world.writes().await;
    world.sim.clear_requests();
    // An hour of five minutes each.
    world.looks(&project, 11).await;
    let calls: Vec<_> =
        world.sim.requests().into_iter().filter(|call| call.endpoint != Endpoint::CreateToken).collect();
    let count = |counts: &dyn Fn(&RequestRecord) -> bool| calls.iter().filter(|call| counts(call)).count();
    let at = |call: Option<&RequestRecord>| call.unwrap().at.parse::<Timestamp>().unwrap();
    let six_intervals = usize::try_from(at(calls.last()).duration_since(at(calls.first())).as_secs() / 9).unwrap();
    for project in [&project, &other] {
        let of = |endpoint| count(&|call| call.endpoint == endpoint && call.project.as_ref() == Some(project));
        let (lists, members) = (of(Endpoint::ListGroupInvites), of(Endpoint::ListGroupUsers));
        // Of 14 calls 12 are lists: members are read once in six intervals of 1.5 s, however late the looks are.
        assert!(lists >= 6 && members <= 2 + six_intervals, "{lists} lists, {members} of members");
    }
    let besides = count(&|call| !matches!(call.endpoint, Endpoint::ListGroupInvites | Endpoint::ListGroupUsers));
    // A slow machine may be late with a look, and the inviter then asks for itself.
    assert!(besides <= 2, "what is listed is not probed besides: {besides} calls");
    assert_eq!(world.writes().await, writes);
}

async fn a_change_makes_passes_for_its_person_and_not_for_the_project() {
    let world = World::start().await;
    let account = world.atlas().await;
    let names = at_rest(&world, &account.project, "many", 30).await;
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.until_event("jane", Reason::Invited).await;
    world.looks(&account.project, 3).await;
    let before = passes(&world).await;
    world.looks(&account.project, 4).await;
    assert!(world.sim.accept(&account.project, JANE));
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    world.looks(&account.project, 4).await;
    let made = passes(&world).await - before;
    assert!(made >= 1 && made < u64::try_from(names.len()).unwrap() / 2, "{made} passes for one change");
}

async fn a_transition_costs_two_writes_and_one_event() {
    let world = World::start().await;
    let (account, _) = world.invited().await;
    world.until_event("jane", Reason::Invited).await;
    world.invite("john", &account.project, JOHN).await;
    world.until("john", "invited", in_phase(Phase::Invited)).await;
    world.until_event("john", Reason::Invited).await;
    world.until_inviter("atlas", Reason::Ready).await;
    let costs = async |before: usize, what: &str| {
        world.looks(&account.project, 2).await;
        let writes = world.writes().await.split_off(before);
        let (events, others): (Vec<_>, Vec<_>) = writes.into_iter().partition(|write| write.resource == "events");
        assert!(events.len() == 1 && (1..=2).contains(&others.len()), "{what}: {events:?} {others:?}");
    };
    let before = world.writes().await.len();
    world.patch("jane", serde_json::json!({ "spec": { "roles": [WRITER] } })).await;
    world.until_event("jane", Reason::RolesUpdated).await;
    costs(before, "a change of roles").await;
    let before = world.writes().await.len();
    assert!(world.sim.accept(&account.project, JANE));
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    world.until_event("jane", Reason::Accepted).await;
    costs(before, "an acceptance").await;
    let before = world.writes().await.len();
    assert!(world.sim.decline(&account.project, JOHN));
    world.until("john", "withdrawn", in_phase(Phase::Withdrawn)).await;
    world.until_event("john", Reason::Withdrawn).await;
    costs(before, "a refusal by the person").await;
}

async fn a_project_that_stops_answering_is_told_by_objects_at_rest() {
    let world = World::start().await;
    let account = world.atlas().await;
    let names = at_rest(&world, &account.project, "many", 5).await;
    let silent = Fault::Status {
        status: 503,
        code: None,
        detail: None,
        parameters: Vec::new(),
        retry_after: None,
        after_effect: false,
    };
    world.sim.add_fault(FaultRule::new(silent).on(Endpoint::ListGroupInvites));
    for name in &names {
        let told = world.until(name, "told", shows(Reason::ApiUnavailable)).await;
        assert_eq!(status(&told).phase, Some(Phase::Accepted), "nothing is concluded from it");
    }
    world.sim.clear_faults();
    for name in &names {
        world.until(name, "well", ready("True", Reason::Accepted)).await;
    }
}

async fn a_claim_and_a_status_that_somebody_changed_are_put_right_at_once() {
    let world = World::start().await;
    let (_, before) = world.invited().await;
    world.until_event("jane", Reason::Invited).await;
    let forged = serde_json::json!({ "status": { "phase": "Expired", "id": null } });
    let params = kube::api::PatchParams::default();
    world.invitations().patch_status("jane", &params, &kube::api::Patch::Merge(&forged)).await.unwrap();
    world.until("jane", "shown as it is", |o| status(o).id == status(&before).id && in_phase(Phase::Invited)(o)).await;
    let claim = world.claim().await;
    world.claim_api().delete(&claim.name_any(), &kube::api::DeleteParams::default()).await.unwrap();
    world
        .until_claims("recorded anew", |claims| {
            let id = |claim: &InvitationClaim| claim.spec.invitation.as_ref().map(|invitation| invitation.id.clone());
            claims.iter().any(|anew| anew.uid() != claim.uid() && id(anew) == id(&claim))
        })
        .await;
    assert_eq!(world.mails(JANE), 1);
}
