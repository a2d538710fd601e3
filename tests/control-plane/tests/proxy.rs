//! A proxy as its callers see it: it does to requests what its rules say, and
//! nothing else.
//!
//! Must never: sleep for a fixed time in place of waiting for a condition.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use control_plane::{ControlPlane, Options, Proxy, Request, Rule, Trouble};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// One plane, and a proxy of its own for each.
#[tokio::test]
async fn a_proxy_does_what_its_rules_say() {
    let lean = Options { with_controller_manager: false, ..Options::default() };
    let plane = ControlPlane::start(lean).await.unwrap();
    without_rules_everything_goes_through(&plane.proxy().await.unwrap()).await;
    what_is_held_goes_on_later(&plane.proxy().await.unwrap()).await;
    a_held_answer_hides_what_has_happened(&plane.proxy().await.unwrap()).await;
    a_cut_before_prevents_and_a_cut_after_hides(&plane.proxy().await.unwrap()).await;
    a_blind_watch_sees_later_what_it_missed(&plane.proxy().await.unwrap()).await;
    it_delays_and_answers_as_told(&plane.proxy().await.unwrap()).await;
    plane.stop().await.unwrap();
}

fn get(proxy: &Proxy, path: &str) -> reqwest::RequestBuilder {
    client().get(format!("{}{path}", proxy.url()))
}

fn client() -> Client {
    Client::builder().no_proxy().retry(reqwest::retry::never()).build().unwrap()
}

async fn make(proxy: &Proxy, name: &str) -> reqwest::Result<Response> {
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } });
    client().post(format!("{}{CONFIG_MAPS}", proxy.url())).json(&object).send().await
}

async fn exists(proxy: &Proxy, name: &str) -> bool {
    get(proxy, &format!("{CONFIG_MAPS}/{name}")).send().await.unwrap().status() == StatusCode::OK
}

async fn until(proxy: &Proxy, what: &str, holds: impl Fn(&[Request]) -> bool + Send) {
    assert!(proxy.wait_until(PATIENCE, holds).await, "not {what}: {:#?}", proxy.requests());
}

async fn without_rules_everything_goes_through(proxy: &Proxy) {
    assert_eq!(make(proxy, "plain").await.unwrap().status(), StatusCode::CREATED);
    assert!(exists(proxy, "plain").await);
    until(proxy, "both over", |requests| requests.len() == 2 && requests.iter().all(|request| request.over)).await;
    let requests = proxy.requests();
    assert_eq!((requests[0].method.as_str(), requests[0].target.as_str()), ("POST", CONFIG_MAPS));
    assert!(requests[0].is_write() && requests[0].is_about("configmaps") && !requests[0].is_about("secrets"));
    assert_eq!(requests.iter().map(|request| request.answered).collect::<Vec<_>>(), [Some(201), Some(200)]);
    // Rights are those of whom the client impersonates.
    let nobody = get(proxy, CONFIG_MAPS).header("Impersonate-User", "nobody").send().await.unwrap();
    assert_eq!(nobody.status(), StatusCode::FORBIDDEN);
}

async fn what_is_held_goes_on_later(proxy: &Proxy) {
    let rule = proxy.add(Rule::new(Trouble::Hold).on(Request::is_write).skip(1).once());
    make(proxy, "before").await.unwrap();
    let making = make(proxy, "held");
    let watching = async {
        until(proxy, "held", |requests| requests.iter().any(|request| request.held)).await;
        assert!(!exists(proxy, "held").await);
        proxy.remove(rule);
    };
    let (made, ()) = tokio::join!(making, watching);
    assert_eq!(made.unwrap().status(), StatusCode::CREATED);
    assert!(exists(proxy, "held").await);
}

async fn a_held_answer_hides_what_has_happened(proxy: &Proxy) {
    let rule = proxy.add(Rule::new(Trouble::HoldAnswer).on(Request::is_write));
    let making = make(proxy, "hidden");
    let watching = async {
        until(proxy, "held", |requests| requests.iter().any(|request| request.held)).await;
        assert_eq!(proxy.requests()[0].answered, Some(201));
        assert!(exists(proxy, "hidden").await);
        proxy.remove(rule);
    };
    let (made, ()) = tokio::join!(making, watching);
    assert_eq!(made.unwrap().status(), StatusCode::CREATED);
    // A client that gives up while it is held leaves nothing behind.
    proxy.add(Rule::new(Trouble::Hold).on(Request::is_write));
    let given_up = tokio::time::timeout(Duration::from_millis(200), make(proxy, "given-up")).await;
    assert!(given_up.is_err());
    until(proxy, "over", |requests| requests.iter().all(|request| request.over)).await;
    proxy.clear();
    assert!(!exists(proxy, "given-up").await);
}

async fn a_cut_before_prevents_and_a_cut_after_hides(proxy: &Proxy) {
    proxy.add(Rule::new(Trouble::CutBefore).on(Request::is_write).once());
    proxy.add(Rule::new(Trouble::CutAfter).on(Request::is_write).once());
    make(proxy, "prevented").await.unwrap_err();
    make(proxy, "done").await.unwrap_err();
    assert!(!exists(proxy, "prevented").await);
    assert!(exists(proxy, "done").await);
    assert_eq!(make(proxy, "prevented").await.unwrap().status(), StatusCode::CREATED);
}

async fn a_blind_watch_sees_later_what_it_missed(proxy: &Proxy) {
    let path = format!("{CONFIG_MAPS}?watch=true");
    let mut watch = get(proxy, &path).send().await.unwrap();
    assert!(proxy.requests()[0].is_watch());
    let mut seen = String::new();
    while !seen.contains("plain") {
        seen.push_str(&String::from_utf8_lossy(&watch.chunk().await.unwrap().unwrap()));
    }
    let rule = proxy.add(Rule::new(Trouble::Hold).on(Request::is_watch));
    make(proxy, "unseen").await.unwrap();
    until(proxy, "held", |requests| requests[0].held).await;
    proxy.remove(rule);
    while !seen.contains("unseen") {
        seen.push_str(&String::from_utf8_lossy(&watch.chunk().await.unwrap().unwrap()));
    }
    assert_eq!(proxy.cut(Request::is_watch), 1);
    while let Ok(chunk) = watch.chunk().await {
        assert!(chunk.is_some(), "a cut is no end");
    }
    until(proxy, "over", |requests| requests[0].over).await;
    assert_eq!(proxy.cut(Request::is_watch), 0);
}

async fn it_delays_and_answers_as_told(proxy: &Proxy) {
    let late = Duration::from_millis(300);
    proxy.add(Rule::new(Trouble::Delay(late)).once());
    let gone = json!({ "kind": "Status", "apiVersion": "v1", "code": 410 }).to_string();
    proxy.add(Rule::new(Trouble::Answer { status: 410, body: gone }));
    let begun = Instant::now();
    assert_eq!(get(proxy, CONFIG_MAPS).send().await.unwrap().status(), StatusCode::OK);
    assert!(begun.elapsed() >= late);
    let answer = get(proxy, CONFIG_MAPS).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::GONE);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], 410);
    until(proxy, "not handed on", |requests| requests[1].over && requests[1].answered.is_none()).await;
}
