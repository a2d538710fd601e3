//! What must never be seen: credentials and tokens anywhere, addresses outside of their own objects.

use crate::harness::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use libtest_mimic::Trial;
use serde_json::json;
use std::collections::BTreeSet;

pub fn tests() -> Vec<Trial> {
    crate::tests![neither_credentials_nor_addresses_are_in_log_events_status_or_metrics, probes_tell_alive_and_ready,]
}

async fn neither_credentials_nor_addresses_are_in_log_events_status_or_metrics() {
    // Everything that the operator and its libraries can log.
    let mut world = Setup::default().flag("--log-level", "trace,invitation_operator=trace").start().await;
    let project = world.plant_project(Product::Atlas, "payments");
    let mut secrets = Vec::new();
    for (name, seed) in [("oauth", CredentialSeed::service_account()), ("digest", CredentialSeed::api_key())] {
        let key = world.sim.seed_credential(seed.grant(&project, ["GROUP_OWNER"]));
        world.secret(name, &key).await;
        world.inviter(name, name, |_| {}).await;
        secrets.push(STANDARD.encode(&key.secret));
        secrets.push(STANDARD.encode(format!("{}:{}", key.id, key.secret)));
        secrets.push(key.secret);
    }
    world.raw_secret("wrong", &[("publicApiKey", "canarypublic"), ("privateApiKey", "canary-private")]).await;
    world.inviter("wrong", "wrong", |_| {}).await;
    secrets.push("canary-private".to_owned());
    let through = |name: &'static str| move |spec: &mut ProjectInvitationSpec| spec.inviter_ref.name = name.to_owned();

    // A whole life, with everything that may go wrong in it.
    let people = ["Canary.One@example.com", "Canary.Two@example.com", "Canary.Three@example.com"];
    world.sim.add_fault(FaultRule::new(Fault::ResetAfter).on(Endpoint::CreateGroupInvite).once());
    world.invite_with("one", &project, people[0], through("oauth")).await;
    world.until("one", "invited", in_phase(Phase::Invited)).await;
    world.sim.add_fault(
        FaultRule::new(Fault::Status {
            status: 400,
            code: Some("INVALID_USERNAME".to_owned()),
            detail: Some(format!("{} is no user", people[1])),
            parameters: vec![json!(people[1])],
            retry_after: None,
            after_effect: false,
        })
        .on(Endpoint::CreateGroupInvite)
        .once(),
    );
    world.invite_with("two", &project, people[1], through("digest")).await;
    world.until("two", "refused", shows(Reason::Refused)).await;
    world.patch("two", json!({ "spec": { "roles": [WRITER] } })).await;
    world.until("two", "invited", in_phase(Phase::Invited)).await;
    world.invite_with("three", &project, people[2], through("wrong")).await;
    world.until("three", "waiting", shows(Reason::InviterNotReady)).await;
    world.invite_with("duplicate", &project, people[0], through("oauth")).await;
    world.until("duplicate", "told", shows(Reason::DuplicateInvitee)).await;
    world.patch("one", json!({ "spec": { "roles": [WRITER] } })).await;
    world.until("one", "in sync", |o| in_phase(Phase::Invited)(o) && is_true(o, "RolesInSync")).await;
    world.sim.accept(&project, "canary.one@example.com");
    let one = world.until("one", "accepted", in_phase(Phase::Accepted)).await;
    world.looks(&project, 1).await;
    world.delete("one").await;
    world.until_gone(&one).await;
    let two = world.invitations().get("two").await.unwrap();
    world.delete("two").await;
    world.until_gone(&two).await;

    let (code, metrics) = world.operator.as_ref().unwrap().page("/metrics").await.unwrap();
    assert_eq!(code, 200);
    let mut operator = world.operator.take().unwrap();
    operator.terminate();
    assert_eq!(operator.ended().await.code(), Some(0));
    let log = world.log();
    assert!(log.contains("TRACE"), "the log is as loud as it can be");
    let events: Api<Event> = Api::namespaced(world.client.clone(), &world.namespace);
    let events = serde_json::to_string(&events.list(&ListParams::default()).await.unwrap().items).unwrap();
    let inviters = serde_json::to_string(&world.inviters().list(&ListParams::default()).await.unwrap().items).unwrap();
    let objects =
        serde_json::to_string(&world.invitations().list(&ListParams::default()).await.unwrap().items).unwrap();
    let claims = serde_json::to_string(&world.claims().await).unwrap();

    // Tokens of the simulator begin so.
    secrets.push("sim.".to_owned());
    for secret in &secrets {
        for (place, text) in [
            ("log", &log),
            ("metrics", &metrics),
            ("events", &events),
            ("inviters", &inviters),
            ("objects", &objects),
            ("claims", &claims),
        ] {
            let found = text.lines().find(|line| line.contains(secret.as_str()));
            assert!(found.is_none(), "{place} shows {secret}: {}", found.unwrap());
        }
    }
    for (place, text) in [("log", &log), ("metrics", &metrics)] {
        let found = text.lines().find(|line| line.to_ascii_lowercase().contains("canary."));
        assert!(found.is_none(), "{place} shows an address: {}", found.unwrap());
    }
    assert_closed_labels(&metrics, &[&world.namespace, &world.operator_namespace, &project, "127.0.0.1", "oauth"]);
}

/// The labels are those that the operator is known to have, and their values are words of its own.
fn assert_closed_labels(metrics: &str, names: &[&str]) {
    let known: BTreeSet<_> =
        ["outcome", "endpoint", "class", "phase", "reason", "result", "kind", "le", "version"].into();
    let mut labels = BTreeSet::new();
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        assert!(names.iter().all(|name| !line.contains(name)), "{line}");
        let Some((_, rest)) = line.split_once('{') else { continue };
        let Some((inside, _)) = rest.split_once('}') else { continue };
        for pair in inside.split(',') {
            let (label, value) = pair.split_once('=').unwrap();
            labels.insert(label);
            let value = value.trim_matches('"');
            let own_word = value.chars().all(|c| c.is_ascii_alphanumeric() || "_.+".contains(c));
            assert!(own_word && value.len() <= 40, "{line}");
        }
    }
    assert!(labels.is_subset(&known), "{labels:?}");
    assert!(labels.len() >= 6, "{labels:?}");
}

async fn probes_tell_alive_and_ready() {
    let world = World::start().await;
    let operator = world.operator.as_ref().unwrap();
    let is_ready = async || operator.page("/readyz").await.is_some_and(|(code, _)| code == 200);
    assert!(wait::poll(is_ready).await, "never ready");
    assert_eq!(operator.page("/livez").await.unwrap().0, 200);
    let (_, metrics) = operator.page("/metrics").await.unwrap();
    assert!(metrics.contains("unsafe_timings 20"), "{metrics}");
}
