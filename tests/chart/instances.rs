//! Two instances of the operator in one cluster.

use crate::harness::wait::poll;
use crate::harness::*;
use crate::release::{Release, chart, empty_plane, values};
use libtest_mimic::Trial;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        an_instance_keeps_away_from_namespaces_that_another_serves_until_that_one_is_gone,
        a_second_release_in_a_namespace_is_refused,
    ]
}

async fn an_instance_keeps_away_from_namespaces_that_another_serves_until_that_one_is_gone() {
    // Its lease lasts for 15 s, so that it is not taken for dead on a slow machine.
    let first = Setup::default().flag("--leader-elect", "true").flag("--lease-duration", "300s");
    let mut first = first.start().await;
    let (account, _) = first.invited().await;
    let both = first.namespace.clone();
    let host = format!("127.0.0.1:{}", first.sim.address().port());
    let second = Setup::default().flag("--leader-elect", "true").flag("--watch-namespaces", &both);
    let second = second.flag("--allowed-hosts", &host).start().await;
    let waiting = second.operator.as_ref().unwrap();
    let told = format!("another instance, in the namespace {}, serves {both}", first.operator_namespace);
    let refused =
        poll(async || waiting.page("/readyz").await.is_some_and(|(code, page)| code == 503 && page.contains(&told)));
    assert!(refused.await, "{:?}", waiting.page("/readyz").await);
    assert!(second.log().contains("waiting: another instance"), "{}", second.log());
    // Beside each other they may run: the third serves another namespace.
    let third = Setup::default().flag("--leader-elect", "true").start().await;
    third.invited().await;
    assert!(second.claims().await.is_empty(), "who waits does nothing");
    let mut ending = first.operator.take().unwrap();
    ending.terminate();
    assert_eq!(ending.ended().await.code(), Some(0));
    let ready = poll(async || waiting.page("/readyz").await.is_some_and(|(_, page)| page == "ok\n")).await;
    assert!(ready, "{:?}", waiting.page("/readyz").await);
    // It has a ledger of its own, finds the invitation at MongoDB, and mails nobody again.
    second.until_claims("the invitation", |claims| claims.iter().any(|claim| claim.spec.invitation.is_some())).await;
    first.looks(&account.project, 2).await;
    assert_eq!(first.mails(JANE), 1);
}

async fn a_second_release_in_a_namespace_is_refused() {
    let plane = empty_plane().await;
    let world = Setup::default().without_operator().start_on(&plane).await;
    let release = Release::of(&plane, &world);
    release.install(&chart(), &values(&world)).await.unwrap();
    let chart = chart();
    let arguments = ["install", "another", chart.to_str().unwrap(), "--namespace", &release.namespace, "--values", "-"];
    let refused = crate::release::helm(&plane, &arguments, &values(&world)).await.unwrap_err();
    assert!(refused.contains("the release invitation-operator is in the namespace"), "{refused}");
    assert!(refused.contains("install this one in a namespace of its own"), "{refused}");
    plane.control.stop().await.unwrap();
}
