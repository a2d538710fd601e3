//! What is told about finished calls.

use crate::harness::*;
use crate::server::{Reply, Server};
use invitation_operator::api::Product;
use invitation_operator::cloud::{CallClass, Endpoint, InvitesApi, Room};
use invitation_operator::domain::failure::FailureKind;
use serde_json::json;
use std::time::Duration;

fn atlas(reply: Reply) -> Reply {
    reply
        .with("RateLimit-Limit", "1200")
        .with("RateLimit-Remaining", "1199")
        .with("Deprecation", "Wed, 4 Oct 2023 00:00:00 GMT")
        .with("Sunset", "Thu, 1 Jul 2027 00:00:00 GMT")
}

#[tokio::test]
async fn a_call_is_told_once_with_its_exchanges_and_headers() {
    let server = Server::start(with_digest(|_| atlas(Reply::json(200, &json!([]))))).await;
    let caller = caller(Product::Atlas, &server);
    caller.api.list(&project(), None).await.unwrap();
    let records = caller.records.all();
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!((record.endpoint, record.class, record.exchanges), (Endpoint::ListInvitations, CallClass::Ok, 2));
    assert_eq!(record.endpoint.method(), "GET");
    assert_eq!(record.project, Some(project()));
    assert_eq!((record.limit, record.limit_remaining), (Some(1200), Some(1199)));
    assert_eq!(record.deprecated_since.unwrap().to_string(), "2023-10-04T00:00:00Z");
    assert_eq!(record.sunset.unwrap().to_string(), "2027-07-01T00:00:00Z");
    assert!(record.duration > Duration::ZERO);
}

#[tokio::test]
async fn a_failed_call_is_told_with_its_kind_and_wait() {
    let server = Server::start(with_digest(|_| api_error(429, "RATE_LIMITED").with("Retry-After", "5"))).await;
    let caller = caller(Product::Atlas, &server);
    caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await.unwrap_err();
    let record = caller.records.all().remove(0);
    let wait = Some(Duration::from_secs(5));
    assert_eq!(record.class, CallClass::Failed(FailureKind::RateLimited { retry_after: wait }));
    assert_eq!((record.class.label(), record.endpoint.label()), ("rate_limited", "create_invitation"));
    assert_eq!((record.retry_after, record.exchanges), (wait, 2));
}

#[tokio::test]
async fn every_call_has_its_own_endpoint_and_a_token_its_own_record() {
    let server = Server::start(|request| match request.target.as_str() {
        "/api/oauth/token" => Reply::json(200, &json!({"access_token": "t"})),
        _ => Reply::empty(500),
    })
    .await;
    let caller = connect(connection(Product::Atlas, &server.url(), service_account()), TestFence::open(10_000));
    let api = &caller.api;
    api.probe().await.unwrap_err();
    api.list(&project(), None).await.unwrap_err();
    api.get(&project(), &id()).await.unwrap_err();
    api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await.unwrap_err();
    api.update_roles(&project(), &id(), &roles()).await.unwrap_err();
    api.cancel(&project(), &id()).await.unwrap_err();
    api.members(&project()).await.unwrap_err();
    let told: Vec<_> = caller.records.all().iter().map(|record| (record.endpoint, record.exchanges)).collect();
    let expected = [
        Endpoint::Token,
        Endpoint::Probe,
        Endpoint::ListInvitations,
        Endpoint::GetInvitation,
        Endpoint::CreateInvitation,
        Endpoint::UpdateInvitation,
        Endpoint::CancelInvitation,
        Endpoint::ListMembers,
    ];
    assert_eq!(told, expected.map(|endpoint| (endpoint, 1)));
}
