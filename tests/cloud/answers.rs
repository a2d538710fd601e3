//! What answers to repeatable calls mean: nothing is concluded from what is not of the documented form.

use crate::harness::*;
use crate::server::{Reply, Server};
use invitation_operator::api::Product;
use invitation_operator::cloud::{Cancelled, InvitesApi, Room};
use invitation_operator::domain::failure::FailureKind;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// A server that demands a digest and then always answers this.
async fn always(reply: impl Fn() -> Reply + Send + Sync + 'static) -> (Server, Caller) {
    let server = Server::start(with_digest(move |_| reply())).await;
    let caller = caller(Product::Atlas, &server);
    (server, caller)
}

#[tokio::test]
async fn an_invitation_that_is_gone_is_none_to_a_get_and_done_to_a_cancel() {
    for status in [400, 404] {
        let (_server, caller) = always(move || api_error(status, "INVALID_INVITATION_ID")).await;
        assert_eq!(caller.api.get(&project(), &id()).await, Ok(None));
        assert_eq!(caller.api.cancel(&project(), &id()).await, Ok(Cancelled::AlreadyGone));
        assert_eq!(kind(caller.api.update_roles(&project(), &id(), &roles()).await), FailureKind::InvitationGone);
        assert_eq!(kind(caller.api.list(&project(), None).await), FailureKind::Doubtful);
    }
}

#[tokio::test]
async fn no_other_404_means_gone() {
    for code in ["GROUP_NOT_FOUND", "RESOURCE_NOT_FOUND", "UNEXPECTED_ERROR", "USER_NOT_FOUND"] {
        let (_server, caller) = always(move || api_error(404, code)).await;
        assert!(caller.api.get(&project(), &id()).await.is_err());
        assert!(caller.api.cancel(&project(), &id()).await.is_err());
    }
    let (_server, caller) = always(|| Reply::text(404, "text/html", "<h1>INVALID_INVITATION_ID</h1>")).await;
    assert_eq!(kind(caller.api.get(&project(), &id()).await), FailureKind::EndpointMissing);
    assert_eq!(kind(caller.api.cancel(&project(), &id()).await), FailureKind::EndpointMissing);
}

#[tokio::test]
async fn a_success_of_another_form_is_unavailable_and_never_an_empty_list() {
    for body in
        ["", "null", "{}", "<html>Sign in</html>", "[{}]", "[null]", "\"\"", "{\"results\":null}", "[{\"id\":1}]"]
    {
        let (_server, caller) = always(move || Reply::text(200, "text/html", body)).await;
        assert!(is_unavailable(kind(caller.api.list(&project(), None).await)), "list {body}");
        assert!(is_unavailable(kind(caller.api.members(&project()).await)), "members {body}");
        assert!(is_unavailable(kind(caller.api.update_roles(&project(), &id(), &roles()).await)), "update {body}");
        assert!(is_unavailable(kind(caller.api.get(&project(), &id()).await)), "get {body}");
    }
}

#[tokio::test]
async fn an_array_where_members_come_in_an_object_is_unavailable() {
    let (_server, caller) = always(|| Reply::json(200, &json!([]))).await;
    assert!(is_unavailable(kind(caller.api.members(&project()).await)));
}

#[tokio::test]
async fn a_page_of_a_proxy_cancels_nothing() {
    let (_server, caller) = always(|| Reply::text(200, "text/html", "<html>Sign in</html>")).await;
    assert!(is_unavailable(kind(caller.api.cancel(&project(), &id()).await)));
    let (_server, caller) = always(|| Reply::empty(200)).await;
    assert_eq!(caller.api.cancel(&project(), &id()).await, Ok(Cancelled::Now));
    let (_server, caller) = always(|| Reply::json(200, &json!({}))).await;
    assert_eq!(caller.api.cancel(&project(), &id()).await, Ok(Cancelled::Now));
}

#[tokio::test]
async fn an_answer_about_something_else_is_unavailable() {
    let other = "999999999999999999999999";
    let (_server, caller) = always(move || Reply::json(200, &invitation(other, JANE))).await;
    assert!(is_unavailable(kind(caller.api.get(&project(), &id()).await)));
    let (_server, caller) = always(move || {
        let mut elsewhere = invitation(ID, JANE);
        elsewhere["groupId"] = json!(other);
        Reply::json(200, &elsewhere)
    })
    .await;
    assert!(is_unavailable(kind(caller.api.get(&project(), &id()).await)));
}

#[tokio::test]
async fn a_list_in_results_is_read_too() {
    let (_server, caller) = always(|| Reply::json(200, &json!({"results": [invitation(ID, JANE)]}))).await;
    assert_eq!(caller.api.list(&project(), None).await.unwrap()[0].username, jane());
}

#[tokio::test]
async fn a_probe_counts_only_the_status_and_takes_a_404() {
    for reply in [
        || Reply::text(200, "text/html", "<html>"),
        || Reply::empty(404),
        || api_error(404, "RESOURCE_NOT_FOUND"),
        || Reply::empty(204),
    ] {
        let (_server, caller) = always(reply).await;
        assert_eq!(caller.api.probe().await, Ok(()));
    }
    let (_server, caller) = always(|| Reply::empty(503)).await;
    assert!(is_unavailable(kind(caller.api.probe().await)));
}

#[tokio::test]
async fn wrong_credentials_are_found_by_every_call() {
    let server = Server::start(|_| challenge()).await;
    let caller = caller(Product::Atlas, &server);
    let api = &caller.api;
    assert_eq!(kind(api.probe().await), FailureKind::CredentialsRejected);
    assert_eq!(kind(api.list(&project(), None).await), FailureKind::CredentialsRejected);
    assert_eq!(kind(api.get(&project(), &id()).await), FailureKind::CredentialsRejected);
    assert_eq!(kind(api.members(&project()).await), FailureKind::CredentialsRejected);
    assert_eq!(kind(api.update_roles(&project(), &id(), &roles()).await), FailureKind::CredentialsRejected);
    assert_eq!(kind(api.cancel(&project(), &id()).await), FailureKind::CredentialsRejected);
    assert_eq!(server.seen().len(), 12, "two exchanges a call, and no more");
}

#[tokio::test]
async fn a_demand_that_no_key_can_meet_says_so() {
    for header in ["Bearer", "Negotiate", "Digest realm=\"x\", nonce=\"y\", algorithm=SHA-512-256"] {
        let server = Server::start(move |_| Reply::empty(401).with("WWW-Authenticate", header)).await;
        let failure = caller(Product::Atlas, &server).api.list(&project(), None).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::CredentialsRejected);
        assert!(failure.message.contains("digest"), "{}", failure.message);
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn redirects_are_never_followed() {
    let canary = Server::start(|_| Reply::json(200, &json!([]))).await;
    for status in [301, 302, 303, 307, 308] {
        let to = format!("{}{ATLAS_INVITES}", canary.url());
        let server = Server::start(move |_| Reply::empty(status).with("Location", &to)).await;
        let caller = caller(Product::Atlas, &server);
        assert_eq!(kind(caller.api.list(&project(), None).await), FailureKind::Doubtful);
        assert_eq!(kind(caller.api.cancel(&project(), &id()).await), FailureKind::Doubtful);
        assert!(
            kind(caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await).is_definite_no()
        );
        let to = format!("{}{ATLAS_INVITES}", canary.url());
        let signed = Server::start(with_digest(move |_| Reply::empty(status).with("Location", &to))).await;
        let caller = crate::harness::caller(Product::Atlas, &signed);
        let found = kind(caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await);
        assert_eq!(found, FailureKind::Doubtful, "{status}");
        assert_eq!(signed.count("POST"), 1);
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn objects_end_at_one_mebibyte_and_lists_at_sixteen() {
    let padded = |bytes: usize| format!("{{\"x\":\"{}\",{}", "y".repeat(bytes), &invitation(ID, JANE).to_string()[1..]);
    let (_server, caller) = always(move || Reply::text(200, "application/json", &padded(1024 * 1024))).await;
    assert!(is_unavailable(kind(caller.api.get(&project(), &id()).await)));
    let (_server, caller) = always(move || Reply::text(200, "application/json", &padded(1_000_000))).await;
    assert!(caller.api.get(&project(), &id()).await.unwrap().is_some());
    let list = move |bytes: usize| Reply::text(200, "application/json", &format!("[{}]", padded(bytes)));
    let (_server, caller) = always(move || list(2_000_000)).await;
    assert_eq!(caller.api.list(&project(), None).await.unwrap().len(), 1);
    let (_server, caller) = always(move || list(16 * 1024 * 1024)).await;
    assert!(is_unavailable(kind(caller.api.list(&project(), None).await)));
}

#[tokio::test]
async fn an_endless_answer_without_a_length_is_cut_off() {
    let flood = || {
        let chunk = format!("{:x}\r\n{}\r\n", 65536, " ".repeat(65536));
        Reply::Then(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(300)).into_bytes())
    };
    let (_server, caller) = always(flood).await;
    let failure = caller.api.list(&project(), None).await.unwrap_err();
    assert!(is_unavailable(failure.kind) && failure.message.contains("larger"), "{}", failure.message);
}

#[tokio::test]
async fn a_slow_answer_ends_with_the_calls_deadline() {
    for head in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n["] {
        let server = Server::start(with_digest(move |_| Reply::Drip(head.as_bytes().to_vec()))).await;
        let mut connection = connection(Product::Atlas, &server.url(), api_key());
        connection.call_deadline = Duration::from_millis(300);
        let caller = connect(connection, TestFence::open(1000));
        let started = Instant::now();
        assert!(is_unavailable(kind(caller.api.list(&project(), None).await)), "{head}");
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unavailable_and_not_asked_for_again() {
    let broken = || Reply::Then(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[]".to_vec());
    let (server, caller) = always(broken).await;
    assert!(is_unavailable(kind(caller.api.list(&project(), None).await)));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn nobody_listening_is_unreachable_with_a_stable_message() {
    let address = Server::start(|_| challenge()).await.address;
    tokio::task::yield_now().await;
    let listener = loop {
        // The port is free as soon as the server's task has ended.
        if let Ok(listener) = std::net::TcpListener::bind(address) {
            break listener;
        }
        tokio::task::yield_now().await;
    };
    drop(listener);
    let caller = connect(connection(Product::Atlas, &format!("http://{address}"), api_key()), TestFence::open(1000));
    let (one, two) = (caller.api.probe().await.unwrap_err(), caller.api.probe().await.unwrap_err());
    assert_eq!(one.kind, FailureKind::Unreachable);
    assert_eq!(one, two);
    assert!(one.message.contains(&address.to_string()) && one.message.contains("refused"), "{}", one.message);
}

#[tokio::test]
async fn a_wait_that_the_api_asks_for_comes_through() {
    let (_server, caller) = always(|| api_error(429, "RATE_LIMITED").with("Retry-After", "17")).await;
    let wait = Some(Duration::from_secs(17));
    assert_eq!(kind(caller.api.list(&project(), None).await), FailureKind::RateLimited { retry_after: wait });
    let (_server, caller) = always(|| Reply::empty(503).with("Retry-After", "17")).await;
    assert_eq!(kind(caller.api.members(&project()).await), FailureKind::Unavailable { retry_after: wait });
}
