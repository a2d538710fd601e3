//! How far trouble reaches: one probe for all of an inviter, one question for all of a project, and nobody else waits.

use crate::harness::*;
use atlas_sim::{AuthKind, Simulator};
use libtest_mimic::Trial;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        two_hundred_objects_of_a_revoked_key_cost_one_probe_an_interval,
        who_may_look_and_not_invite_is_told_once_for_the_project,
        a_429_in_one_project_is_said_once_and_makes_nobody_else_wait,
        a_limit_that_is_lowered_underneath_is_kept,
    ]
}

fn person(name: &str) -> String {
    format!("{name}@example.com")
}

async fn invite_many(world: &World, project: &str, prefix: &str, count: usize) -> Vec<String> {
    let names: Vec<_> = (0..count).map(|number| format!("{prefix}-{number}")).collect();
    for name in &names {
        world.invite(name, project, &person(name)).await;
    }
    names
}

async fn until_all(world: &World, names: &[String], phase: Phase) {
    for name in names {
        world.until(name, "there", in_phase(phase)).await;
    }
}

fn refusals(world: &World) -> usize {
    world.sim.requests().into_iter().filter(|call| call.status == Some(429)).count()
}

async fn two_hundred_objects_of_a_revoked_key_cost_one_probe_an_interval() {
    let world = World::start().await;
    let projects: Vec<_> = (0..4).map(|n| world.plant_project(Product::Atlas, &format!("project-{n}"))).collect();
    let seed = |seed: CredentialSeed| projects.iter().fold(seed, |seed, project| seed.grant(project, ["GROUP_OWNER"]));
    let key = world.sim.seed_credential(seed(CredentialSeed::api_key()));
    world.secret("atlas", &key).await;
    world.inviter("atlas", "atlas", |spec| spec.check_interval = "1m".to_owned()).await;
    let mut names = Vec::new();
    for (number, project) in projects.iter().enumerate() {
        names.extend(invite_many(&world, project, &format!("p{number}"), 50).await);
    }
    until_all(&world, &names, Phase::Invited).await;
    world.sim.remove_credential(&key.id);
    world.until_inviter("atlas", Reason::CredentialsRejected).await;
    for name in &names {
        world.until(name, "told", shows(Reason::InviterNotReady)).await;
    }
    world.sim.clear_requests();
    let probes = |sim: &Simulator| {
        let probes = sim.requests().into_iter().filter(|call| call.endpoint == Endpoint::GetSystemStatus);
        probes.filter(|call| call.auth == AuthKind::Digest).count()
    };
    world.until_sim("three probes", |sim| probes(sim) >= 3).await;
    let requests = world.sim.requests();
    assert!(requests.iter().all(|call| call.endpoint == Endpoint::GetSystemStatus), "{requests:#?}");
    assert!(requests.len() <= 8, "a challenge and a signed request each: {}", requests.len());
    // The key is good again: one probe tells all.
    world.sim.seed_credential(seed(CredentialSeed::api_key().with_secret(&key.id, &key.secret)));
    world.until_inviter("atlas", Reason::Ready).await;
    for name in &names {
        world.until(name, "followed again", |o| !shows(Reason::InviterNotReady)(o)).await;
    }
}

async fn who_may_look_and_not_invite_is_told_once_for_the_project() {
    let world = World::start().await;
    let account = world.atlas().await;
    let other = world.plant_project(Product::Atlas, "other");
    let forbidden = Fault::status(401, "NOT_GROUP_USER_ADMIN");
    world.sim.add_fault(FaultRule::new(forbidden).on(Endpoint::CreateGroupInvite).project(&account.project));
    let elsewhere = CredentialSeed::service_account().grant(&other, ["GROUP_OWNER"]);
    world.secret("other", &world.sim.seed_credential(elsewhere)).await;
    world.inviter("other", "other", |_| {}).await;
    world.invite("first", &account.project, &person("first")).await;
    world.until("first", "told", ready("False", Reason::PermissionMissing)).await;
    let names = invite_many(&world, &account.project, "p", 20).await;
    for name in &names {
        let object = world.until(name, "told", ready("False", Reason::PermissionMissing)).await;
        assert!(is_true(&object, "Stalled"));
    }
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1, "one question for all");
    world.invite_with("jane", &other, JANE, |spec| spec.inviter_ref.name = "other".to_owned()).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.until_inviter("atlas", Reason::Ready).await;
    // The inviter's Secret changes: everybody may ask again.
    world.sim.clear_faults();
    let fresh = CredentialSeed::service_account().grant(&account.project, ["GROUP_OWNER"]);
    world.secret("atlas", &world.sim.seed_credential(fresh)).await;
    until_all(&world, &names, Phase::Invited).await;
}

async fn a_429_in_one_project_is_said_once_and_makes_nobody_else_wait() {
    let world = World::start().await;
    let (limited, other) =
        (world.plant_project(Product::Atlas, "limited"), world.plant_project(Product::Atlas, "other"));
    let seed = CredentialSeed::service_account().grant(&limited, ["GROUP_OWNER"]).grant(&other, ["GROUP_OWNER"]);
    world.secret("atlas", &world.sim.seed_credential(seed)).await;
    world.inviter("atlas", "atlas", |spec| spec.check_interval = "10m".to_owned()).await;
    world.until_inviter("atlas", Reason::Ready).await;
    let refusal = FaultRule::new(Fault::rate_limited(Some(30))).on(Endpoint::CreateGroupInvite).project(&limited);
    world.sim.add_fault(refusal.once());
    world.invite("first", &limited, &person("first")).await;
    world.until("first", "told", ready("False", Reason::RateLimited)).await;
    let asked =
        |sim: &Simulator| sim.requests().into_iter().filter(|call| call.project.as_ref() == Some(&limited)).count();
    let before = asked(&world.sim);
    let names = invite_many(&world, &limited, "p", 10).await;
    for name in &names {
        let object = world.until(name, "told", ready("False", Reason::RateLimited)).await;
        let told = message(&object, Reason::RateLimited);
        assert!(told.contains("about a minute after this was written"), "{told}");
        assert!(is_true(&object, "Reconciling"));
    }
    world.invite("elsewhere", &other, JANE).await;
    world.until("elsewhere", "invited", in_phase(Phase::Invited)).await;
    assert_eq!(asked(&world.sim), before, "nobody asks before the time is over");
    until_all(&world, &names, Phase::Invited).await;
    world.until("first", "invited", in_phase(Phase::Invited)).await;
    assert_eq!(refusals(&world), 1);
    let told = world.writes().await.into_iter().filter(|write| write.resource == "projectinvitations/status").count();
    assert!(told <= 2 * 12 + 2, "waiting is told once, and then the invitation: {told} writes");
}

async fn a_limit_that_is_lowered_underneath_is_kept() {
    let world = World::start().await;
    // A minute of the operator is three seconds.
    world.sim.configure(|behaviour| behaviour.atlas_rate_limit = true);
    let account = world.atlas_with(|spec| spec.check_interval = "1m".to_owned()).await;
    let names = invite_many(&world, &account.project, "before", 20).await;
    until_all(&world, &names, Phase::Invited).await;
    world.sim.configure(|behaviour| (behaviour.atlas_capacity, behaviour.atlas_refill) = (20, 20 * 9));
    let names = invite_many(&world, &account.project, "after", 60).await;
    until_all(&world, &names, Phase::Invited).await;
    assert!(refusals(&world) <= 1, "{} refusals", refusals(&world));
}
