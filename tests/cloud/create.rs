//! The create: one POST behind the fence, and what every answer to it means.

use crate::harness::*;
use crate::server::{Reply, Server};
use invitation_operator::api::Product;
use invitation_operator::cloud::{Created, InvitesApi, Room};
use invitation_operator::domain::failure::{Failure, FailureKind};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

async fn create(caller: &Caller) -> Result<Created, Failure> {
    caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await
}

/// Creates at a server that answers the signed POST so; at most one POST may arrive.
async fn answered(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Result<Created, Failure> {
    let server = Server::start(with_digest(move |request| {
        assert_eq!(request.method, "POST");
        reply()
    }))
    .await;
    let result = create(&caller(Product::Atlas, &server)).await;
    assert_eq!(server.count("POST"), 1);
    result
}

#[tokio::test]
async fn a_success_with_an_id_is_the_invitation() {
    for status in [200, 201, 202] {
        let found = answered(move || Reply::json(status, &invitation(ID, "jane.doe+X@EXAMPLE.com"))).await;
        let Ok(Created::Invitation(found)) = found else { panic!("{found:?}") };
        assert_eq!(found.id, id());
    }
    let bare = answered(|| Reply::json(200, &json!({"id": ID}))).await;
    let Ok(Created::Invitation(bare)) = bare else { panic!("{bare:?}") };
    assert_eq!(bare.username, jane());
}

#[tokio::test]
async fn a_success_without_a_usable_id_is_looked_up_and_never_an_error() {
    for body in
        ["", "\r\n ", "{}", r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":42}"#, r#"{"id":"../x"}"#, r#"{"roles":[]}"#]
    {
        assert_eq!(
            answered(move || Reply::text(200, "application/json", body)).await,
            Ok(Created::WithoutId),
            "{body}"
        );
    }
    assert_eq!(answered(|| Reply::empty(204)).await, Ok(Created::WithoutId));
    assert_eq!(answered(|| Reply::empty(201)).await, Ok(Created::WithoutId));
}

#[tokio::test]
async fn a_success_that_cannot_be_read_is_unknown() {
    for body in ["<html>ok</html>", "null", "[]", "{\"id\":", "\"ok\"", "{\"errorCode\":\"X\"}", "{\"username\":7}"] {
        let found = answered(move || Reply::text(200, "text/html", body)).await;
        assert!(is_unavailable(kind(found)), "{body}");
    }
    let long = "x".repeat(1024 * 1024 + 1);
    assert!(is_unavailable(kind(answered(move || Reply::text(200, "text/plain", &long)).await)));
}

#[tokio::test]
async fn an_invitation_of_somebody_else_is_doubtful() {
    assert_eq!(kind(answered(|| Reply::json(200, &invitation(ID, "other@example.com"))).await), FailureKind::Doubtful);
    let elsewhere = || {
        let mut body = invitation(ID, JANE);
        body["groupId"] = json!("999999999999999999999999");
        Reply::json(200, &body)
    };
    assert_eq!(kind(answered(elsewhere).await), FailureKind::Doubtful);
}

#[tokio::test]
async fn the_apis_own_no_is_definite() {
    for (status, code, expected) in [
        (400, "INVALID_ROLE_FOR_GROUP", FailureKind::Refused),
        (400, "INVITATIONS_RATE_LIMITED_IP", FailureKind::InvitationThrottled),
        (401, "NOT_IN_GROUP", FailureKind::PermissionMissing),
        (401, "UNEXPECTED_ERROR", FailureKind::CredentialsRejected),
        (402, "ACCOUNT_SUSPENDED", FailureKind::Refused),
        (403, "IP_ADDRESS_NOT_ON_ACCESS_LIST", FailureKind::NotOnAccessList),
        (404, "GROUP_NOT_FOUND", FailureKind::ProjectNotFound),
        (404, "NOT_ATLAS_GROUP", FailureKind::WrongProduct),
        (405, "WRITES_NOT_ALLOWED_DURING_APP_UPGRADES", FailureKind::Maintenance),
        (422, "VALIDATION_ERROR", FailureKind::Refused),
        (429, "RATE_LIMITED", FailureKind::RateLimited { retry_after: None }),
    ] {
        let failure = answered(move || api_error(status, code)).await.unwrap_err();
        assert_eq!(failure.kind, expected, "{status} {code}");
        assert!(failure.kind.is_definite_no());
        assert!(failure.message.starts_with(&format!("API answered {status} {code}")), "{}", failure.message);
    }
}

#[tokio::test]
async fn everything_else_leaves_the_outcome_open() {
    for (status, code) in [
        (400, "DEFAULT_INVITATION_EXCEPTION"),
        (400, "SOMETHING_NEW"),
        (405, "METHOD_NOT_ALLOWED"),
        (408, "TIMEOUT"),
        (409, "USER_ALREADY_IN_GROUP"),
        (500, "UNEXPECTED_ERROR"),
        (502, "X"),
        (503, "X"),
        (504, "X"),
    ] {
        let found = kind(answered(move || api_error(status, code)).await);
        assert!(!found.is_definite_no(), "{status} {code}: {found:?}");
    }
    for status in [300, 302, 400, 403, 404, 405, 410, 413, 422, 429, 451, 500, 502, 520] {
        let found = kind(answered(move || Reply::text(status, "text/html", "<h1>No</h1>")).await);
        assert!(!found.is_definite_no(), "{status} html: {found:?}");
    }
}

#[tokio::test]
async fn the_fence_is_asked_after_the_challenge_with_the_attempts_deadline() {
    let server = Server::start(with_digest(|_| Reply::json(200, &invitation(ID, JANE)))).await;
    let caller = caller(Product::Atlas, &server);
    create(&caller).await.unwrap();
    let asked = caller.fence.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|deadline| deadline.to_string() == "2026-01-01T00:00:10Z"));
}

#[tokio::test]
async fn a_closed_fence_stops_everything_before_a_byte_is_sent() {
    let server = Server::start(with_digest(|_| Reply::json(200, &invitation(ID, JANE)))).await;
    let closed = connect(connection(Product::Atlas, &server.url(), api_key()), TestFence::says(&[None]));
    assert_eq!(kind(create(&closed).await), FailureKind::Fenced);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_fence_that_closes_during_the_challenge_stops_the_post() {
    let server = Server::start(with_digest(|_| Reply::json(200, &invitation(ID, JANE)))).await;
    let closing = connect(connection(Product::Atlas, &server.url(), api_key()), TestFence::says(&[Some(5000), None]));
    assert_eq!(kind(create(&closing).await), FailureKind::Fenced);
    assert_eq!((server.count("GET"), server.count("POST")), (1, 0));
}

#[tokio::test]
async fn a_stale_nonce_allows_one_more_leg_behind_the_fence() {
    let server = Server::start(|request| match request.header("authorization") {
        None => challenge(),
        Some(text) if text.contains("YmFyYmFy") => Reply::json(200, &invitation(ID, JANE)),
        Some(_) => stale_challenge(),
    })
    .await;
    let open = caller(Product::Atlas, &server);
    assert!(matches!(create(&open).await, Ok(Created::Invitation(_))));
    assert_eq!((server.count("GET"), server.count("POST")), (1, 2));
    assert_eq!(open.fence.asked.lock().unwrap().len(), 3);
    let closing = TestFence::says(&[Some(5000), Some(5000), None]);
    let closing = connect(connection(Product::Atlas, &server.url(), api_key()), closing);
    assert_eq!(kind(create(&closing).await), FailureKind::Fenced);
    assert_eq!(server.count("POST"), 3);
}

#[tokio::test]
async fn a_nonce_that_stays_stale_ends_after_two_legs() {
    let server = Server::start(|_| stale_challenge()).await;
    assert_eq!(kind(create(&caller(Product::Atlas, &server)).await), FailureKind::CredentialsRejected);
    assert_eq!(server.count("POST"), 2);
}

#[tokio::test]
async fn a_challenge_that_cannot_be_had_means_that_nothing_was_sent() {
    let wait = Some(Duration::from_secs(7));
    let cases: Vec<(Box<dyn Fn() -> Reply + Send + Sync>, FailureKind)> = vec![
        (Box::new(|| Reply::empty(503).with("Retry-After", "7")), FailureKind::NotSent { retry_after: wait }),
        (Box::new(|| Reply::Then(Vec::new())), FailureKind::NotSent { retry_after: None }),
        (Box::new(|| Reply::text(302, "text/html", "x")), FailureKind::NotSent { retry_after: None }),
        (Box::new(|| api_error(400, "SOMETHING_NEW")), FailureKind::NotSent { retry_after: None }),
        (Box::new(|| api_error(429, "RATE_LIMITED")), FailureKind::RateLimited { retry_after: None }),
        (Box::new(|| api_error(404, "GROUP_NOT_FOUND")), FailureKind::ProjectNotFound),
        (Box::new(|| Reply::empty(401)), FailureKind::CredentialsRejected),
    ];
    for (reply, expected) in cases {
        let server = Server::start(move |_| reply()).await;
        let failure = create(&caller(Product::Atlas, &server)).await.unwrap_err();
        assert_eq!(failure.kind, expected, "{}", failure.message);
        assert!(failure.kind.is_definite_no());
        assert_eq!(server.count("POST"), 0);
    }
}

#[tokio::test]
async fn a_challenge_takes_no_longer_than_the_request_might() {
    let server = Server::start(|_| Reply::Hang(Vec::new())).await;
    let caller = connect(connection(Product::Atlas, &server.url(), api_key()), TestFence::open(200));
    let started = Instant::now();
    assert_eq!(kind(create(&caller).await), FailureKind::NotSent { retry_after: None });
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn the_post_ends_when_the_fences_time_is_over() {
    for head in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"] {
        let server = Server::start(with_digest(move |_| Reply::Drip(head.as_bytes().to_vec()))).await;
        let fence = TestFence::says(&[Some(5000), Some(200)]);
        let caller = connect(connection(Product::Atlas, &server.url(), api_key()), fence);
        let started = Instant::now();
        assert!(is_unavailable(kind(create(&caller).await)));
        assert!(started.elapsed() < Duration::from_secs(3));
        assert_eq!(server.count("POST"), 1);
    }
}

#[tokio::test]
async fn each_invitation_has_a_connection_of_its_own() {
    let server = Server::start(with_digest(|_| Reply::json(200, &invitation(ID, JANE)))).await;
    let caller = Arc::new(caller(Product::Atlas, &server));
    for _ in 0..3 {
        create(&caller).await.unwrap();
    }
    let posts: Vec<_> =
        server.seen().into_iter().filter(|one| one.method == "POST").map(|one| one.connection).collect();
    let distinct: std::collections::BTreeSet<_> = posts.iter().collect();
    assert_eq!((posts.len(), distinct.len()), (3, 3));
}
