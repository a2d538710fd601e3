//! Tokens of service accounts: one at a time, shared, renewed, dropped.

use crate::harness::*;
use crate::server::{Reply, Seen, Server};
use base64::Engine;
use invitation_operator::api::Product;
use invitation_operator::cloud::http_api::Shared;
use invitation_operator::cloud::{Created, HttpApi, InvitesApi, NoCalls, Room};
use invitation_operator::domain::failure::FailureKind;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const TOKEN: &str = "/api/oauth/token";

/// Gives numbered tokens of this life, and takes those that `takes` takes.
async fn issuer(life: u64, takes: impl Fn(usize) -> bool + Send + Sync + 'static) -> Server {
    let issued = AtomicUsize::new(0);
    Server::start(move |request| {
        if request.is("POST", TOKEN) {
            let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
            let body = json!({"access_token": format!("t{number}"), "expires_in": life, "token_type": "Bearer"});
            return Reply::json(200, &body);
        }
        match bearer(request) {
            Some(number) if !takes(number) => api_error(401, "EXPIRED"),
            None => api_error(401, "UNEXPECTED_ERROR"),
            Some(_) if request.method == "POST" => Reply::json(200, &invitation(ID, JANE)),
            Some(_) => Reply::json(200, &json!([])),
        }
    })
    .await
}

fn bearer(request: &Seen) -> Option<usize> {
    request.header("authorization")?.strip_prefix("Bearer t")?.parse().ok()
}

fn tokens(server: &Server) -> usize {
    server.seen().iter().filter(|one| one.is("POST", TOKEN)).count()
}

fn invites_sent(server: &Server) -> usize {
    server.seen().iter().filter(|one| one.is("POST", ATLAS_INVITES)).count()
}

fn account(server: &Server) -> Caller {
    connect(connection(Product::Atlas, &server.url(), service_account()), TestFence::open(10_000))
}

#[tokio::test]
async fn the_token_request_is_as_documented() {
    let server = issuer(3600, |_| true).await;
    account(&server).api.list(&project(), None).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 2, "no challenge is asked for");
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}"));
    assert_eq!(seen[0].header("authorization"), Some(format!("Basic {pair}").as_str()));
    assert_eq!(seen[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen[0].header("accept"), Some("application/json"));
    assert_eq!(seen[0].body, "grant_type=client_credentials");
    assert_eq!(seen[1].header("authorization"), Some("Bearer t1"));
}

#[tokio::test]
async fn many_calls_at_once_share_one_token() {
    let server = issuer(3600, |_| true).await;
    let caller = account(&server);
    let (project, person) = (project(), jane());
    let calls = (0..20).map(|_| caller.api.list(&project, Some(&person)));
    assert!(futures::future::join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!(tokens(&server), 1);
}

#[tokio::test]
async fn inviters_with_the_same_service_account_share_one_token_and_others_do_not() {
    let server = issuer(3600, |_| true).await;
    let shared = Shared::default();
    let open = |secret: &str| {
        let mut connection = connection(Product::Atlas, &server.url(), service_account());
        connection.credentials = invitation_operator::cloud::Credentials::ServiceAccount {
            client_id: CLIENT_ID.to_owned(),
            client_secret: secret.to_owned().into(),
        };
        HttpApi::sharing(connection, TestFence::open(1000), Arc::new(NoCalls), &shared).unwrap()
    };
    let (one, two, other) = (open(CLIENT_SECRET), open(CLIENT_SECRET), open("another"));
    one.list(&project(), None).await.unwrap();
    two.list(&project(), None).await.unwrap();
    assert_eq!(tokens(&server), 1);
    other.list(&project(), None).await.unwrap();
    assert_eq!(tokens(&server), 2);
}

#[tokio::test]
async fn a_token_is_renewed_at_two_thirds_of_its_life() {
    let server = issuer(3600, |_| true).await;
    let caller = account(&server);
    caller.api.list(&project(), None).await.unwrap();
    for (seconds, expected) in [(2390, 1), (20, 2), (2390, 2), (20, 3)] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
        caller.api.list(&project(), None).await.unwrap();
        assert_eq!(tokens(&server), expected, "after {seconds} s more");
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_serves_to_its_end() {
    let issued = AtomicUsize::new(0);
    let server =
        Server::start(move |request| match (request.is("POST", TOKEN), issued.fetch_add(1, Ordering::SeqCst)) {
            (true, 0) => Reply::json(200, &json!({"access_token": "t1", "expires_in": 3600})),
            (true, _) => Reply::empty(503),
            (false, _) => Reply::json(200, &json!([])),
        })
        .await;
    let caller = account(&server);
    caller.api.list(&project(), None).await.unwrap();
    for (seconds, works) in [(2500, true), (1000, true), (200, false)] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
        assert_eq!(caller.api.list(&project(), None).await.is_ok(), works, "after {seconds} s more");
    }
}

#[tokio::test]
async fn a_refused_token_is_dropped_and_the_read_repeated_once() {
    let server = issuer(3600, |number| number > 1).await;
    let caller = account(&server);
    assert_eq!(caller.api.list(&project(), None).await, Ok(vec![]));
    assert_eq!((tokens(&server), server.count("GET")), (2, 2));
    let never = issuer(3600, |_| false).await;
    assert_eq!(kind(account(&never).api.list(&project(), None).await), FailureKind::CredentialsRejected);
    assert_eq!((tokens(&never), never.count("GET")), (2, 2));
}

#[tokio::test]
async fn a_missing_permission_does_not_cost_a_token() {
    let server = Server::start(|request| {
        if request.is("POST", TOKEN) {
            return Reply::json(200, &json!({"access_token": "t1"}));
        }
        api_error(401, "NOT_IN_GROUP")
    })
    .await;
    let caller = account(&server);
    for _ in 0..3 {
        assert_eq!(kind(caller.api.list(&project(), None).await), FailureKind::PermissionMissing);
    }
    assert_eq!(
        kind(caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await),
        FailureKind::PermissionMissing
    );
    assert_eq!(tokens(&server), 1);
}

#[tokio::test]
async fn a_create_with_a_token_is_one_exchange() {
    let server = issuer(3600, |_| true).await;
    let caller = account(&server);
    assert!(matches!(
        caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await,
        Ok(Created::Invitation(_))
    ));
    assert_eq!((server.seen().len(), invites_sent(&server)), (2, 1));
    assert_eq!(server.seen()[1].header("connection"), Some("close"));
}

#[tokio::test]
async fn a_create_with_a_refused_token_is_a_definite_no_and_never_sent_again() {
    let server = issuer(3600, |number| number > 1).await;
    let caller = account(&server);
    let found = kind(caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await);
    assert_eq!(found, FailureKind::CredentialsRejected);
    assert!(found.is_definite_no());
    assert_eq!((tokens(&server), invites_sent(&server)), (1, 1));
    caller.api.list(&project(), None).await.unwrap();
    assert_eq!((tokens(&server), server.count("GET")), (2, 1), "the refused token was dropped, and not tried again");
}

#[tokio::test]
async fn a_fence_that_closes_while_a_token_is_fetched_stops_the_post() {
    let server = issuer(3600, |_| true).await;
    let fence = TestFence::says(&[Some(5000), None]);
    let caller = connect(connection(Product::Atlas, &server.url(), service_account()), fence);
    assert_eq!(
        kind(caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await),
        FailureKind::Fenced
    );
    assert_eq!((tokens(&server), invites_sent(&server)), (1, 0));
}

#[tokio::test]
async fn what_the_token_endpoint_says_is_understood_in_both_its_forms() {
    let limited =
        json!({"detail": "Resource /api/oauth/token is limited.", "errorCode": "RATE_LIMITED", "parameters": [1]});
    let no_list = json!({"error": "access_denied",
        "error_description": "IP access list validation failed for the service account."});
    let too_many = json!({"error": "access_denied", "error_description": "Access Token limit reached."});
    let rejected = FailureKind::CredentialsRejected;
    let wait = Some(Duration::from_secs(30));
    for (status, body, expected) in [
        (401, json!({"error": "invalid_client"}), rejected),
        (400, json!({"error": "invalid_grant"}), rejected),
        (400, json!({"error": "unsupported_grant_type"}), rejected),
        (403, no_list, FailureKind::NotOnAccessList),
        (403, too_many, FailureKind::RateLimited { retry_after: wait }),
        (404, json!(null), rejected),
        (429, limited, FailureKind::RateLimited { retry_after: wait }),
        (429, json!({"error": "rate_limited"}), FailureKind::RateLimited { retry_after: wait }),
        (500, json!({}), FailureKind::Unavailable { retry_after: wait }),
    ] {
        let server = Server::start(move |_| Reply::json(status, &body).with("Retry-After", "30")).await;
        let caller = account(&server);
        assert_eq!(kind(caller.api.probe().await), expected, "{status}");
        let created = kind(caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await);
        assert!(created.is_definite_no(), "{status}: {created:?}");
        // Who asks for fewer requests, or for time, gets them.
        let asks_for_time = !matches!(expected, FailureKind::CredentialsRejected | FailureKind::NotOnAccessList);
        assert_eq!(server.seen().len(), if asks_for_time { 1 } else { 2 }, "{status}");
    }
}

#[tokio::test]
async fn those_who_wait_for_a_token_that_cannot_be_had_fail_together() {
    let server = Server::start(|_| Reply::json(401, &json!({"error": "invalid_client"}))).await;
    let caller = account(&server);
    let calls = (0..10).map(|_| caller.api.probe());
    for found in futures::future::join_all(calls).await {
        assert_eq!(kind(found), FailureKind::CredentialsRejected);
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_without_a_usable_token_is_unavailable() {
    for body in
        [json!({}), json!(null), json!({"access_token": "a\nb"}), json!({"access_token": "a", "token_type": "mac"})]
    {
        let server = Server::start(move |_| Reply::json(200, &body)).await;
        assert!(is_unavailable(kind(account(&server).api.probe().await)));
    }
}

#[tokio::test]
async fn ops_manager_has_no_service_accounts_and_says_what_to_use() {
    let connection = connection(Product::OpsManager, "http://127.0.0.1:1", service_account());
    let failure = HttpApi::new(connection, TestFence::open(1), Arc::new(NoCalls)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::CredentialsRejected);
    assert!(failure.message.contains("publicApiKey") && failure.message.contains("privateApiKey"));
}
