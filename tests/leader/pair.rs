//! Two replicas, and how to tell them apart.

use crate::harness::operator::Operator;
use crate::harness::wait::poll;
use crate::harness::*;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::Api;

/// A world of replicas: divided by 5, a lease is 4 s, a call that mails 2 s, the quarantine 4 s.
pub async fn world() -> World {
    Setup::default()
        .flag("--leader-elect", "true")
        .flag("--unsafe-timings", "5")
        .flag("--post-deadline", "10s")
        .flag("--server-delay", "5s")
        .flag("--list-delay", "5s")
        .flag("--lease-duration", "20s")
        .without_operator()
        .start()
        .await
}

/// The same with a lease of a minute, where no end of one is waited for: a slow machine does not lose it.
pub async fn patient_world() -> World {
    let mut world = world().await;
    world.set_flag("--lease-duration", "300s");
    world
}

/// Two replicas, the first of which leads.
pub async fn pair(world: &World) -> (Operator, Operator) {
    let first = world.replica("first");
    leads(&first).await;
    let second = world.replica("second");
    stands_by(&second).await;
    (first, second)
}

pub async fn leads(replica: &Operator) {
    page_shows(replica, "/readyz", "ok\n").await;
    page_shows(replica, "/metrics", "\ninvitation_operator_leader 1\n").await;
}

pub async fn stands_by(replica: &Operator) {
    page_shows(replica, "/readyz", "ok (standby)\n").await;
    page_shows(replica, "/metrics", "\ninvitation_operator_leader 0\n").await;
}

/// Awaits a text on a page.
pub async fn page_shows(replica: &Operator, path: &str, text: &str) {
    let shown = poll(async || replica.page(path).await.is_some_and(|(_, page)| page.contains(text))).await;
    assert!(shown, "{path} does not show {text:?} but {:?}\nlog:\n{}", replica.page(path).await, replica.log());
}

/// Calls to MongoDB so far, of every kind.
pub async fn has_called(replica: &Operator) -> bool {
    replica.page("/metrics").await.unwrap().1.contains("\ninvitation_operator_api_calls_total{")
}

pub fn leases(world: &World) -> Api<Lease> {
    Api::namespaced(world.client.clone(), &world.operator_namespace)
}

pub async fn holder(world: &World) -> String {
    let lease = leases(world).get("invitation-operator").await.unwrap();
    lease.spec.unwrap().holder_identity.unwrap_or_default()
}

/// Invites a person, and awaits it.
pub async fn invited(world: &World, name: &str, account: &Account, person: &str) {
    world.invite(name, &account.project, person).await;
    world.until(name, "invited", in_phase(Phase::Invited)).await;
    assert_eq!(world.mails(person), 1);
}
