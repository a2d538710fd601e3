//! Credentials, tokens and addresses are in no log, no `Debug` and no message that is not the person's own.

use crate::harness::*;
use crate::server::{Reply, Server};
use invitation_operator::api::Product;
use invitation_operator::cloud::{HttpApi, InvitesApi, NoCalls, Room};
use serde_json::json;
use std::io::Write;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn leaks(text: &str) -> Vec<&'static str> {
    let secrets = [PRIVATE_KEY, CLIENT_SECRET, JANE, "Jane.Doe", "Jane.Doe%2Bx", "t0k3n-c4n4ry", "Basic ", "response="];
    secrets.into_iter().filter(|secret| text.contains(secret)).collect()
}

#[tokio::test]
async fn nothing_is_in_a_log_even_at_its_most_talkative() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let server = Server::start(|request| match (request.target.as_str(), request.header("authorization")) {
        ("/api/oauth/token", _) => Reply::json(200, &json!({"access_token": "t0k3n-c4n4ry"})),
        (_, None) => challenge(),
        _ => Reply::json(
            400,
            &json!({"error": 400, "errorCode": "INVALID_ATTRIBUTE", "detail": format!("{JANE} is bad")}),
        ),
    })
    .await;
    for credentials in [api_key(), service_account()] {
        let caller = connect(connection(Product::Atlas, &server.url(), credentials), TestFence::open(5000));
        caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await.unwrap_err();
        caller.api.list(&project(), Some(&jane())).await.unwrap_err();
        caller.api.members(&project()).await.unwrap_err();
    }
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("bug of the operator"), "the log was listened to: {text}");
    assert_eq!(leaks(&text), Vec::<&str>::new(), "{text}");
}

#[tokio::test]
async fn nothing_is_in_debug() {
    for credentials in [api_key(), service_account()] {
        let mut connection = connection(Product::Atlas, "http://127.0.0.1:1", credentials.clone());
        let shown = format!("{credentials:?} {connection:?}");
        assert_eq!(leaks(&shown), Vec::<&str>::new(), "{shown}");
        let api = HttpApi::new(connection.clone(), TestFence::open(1), Arc::new(NoCalls)).unwrap();
        assert_eq!(leaks(&format!("{api:?}")), Vec::<&str>::new());
        connection.base_url = format!("https://u:{PRIVATE_KEY}@example.com").parse().unwrap();
        assert_eq!(leaks(&format!("{connection:?}")), Vec::<&str>::new());
        let refused = HttpApi::new(connection, TestFence::open(1), Arc::new(NoCalls)).unwrap_err();
        assert_eq!(leaks(&format!("{refused:?}")), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn nothing_is_in_the_message_of_a_broken_connection() {
    let server = Server::start(|_| Reply::Then(Vec::new())).await;
    let caller = caller(Product::Atlas, &server);
    let broken = caller.api.list(&project(), Some(&jane())).await.unwrap_err();
    assert_eq!(leaks(&format!("{broken:?}")), Vec::<&str>::new());
    let records = format!("{:?}", caller.records.all());
    assert_eq!(leaks(&records), Vec::<&str>::new());
}

#[tokio::test]
async fn addresses_that_credentials_may_not_go_to_are_refused_before_anything_is_sent() {
    let canary = Server::start(|_| challenge()).await;
    let port = canary.address.port();
    for base in [
        format!("http://example.com:{port}"),
        format!("http://user@127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}/?x"),
        format!("https://169.254.169.254:{port}"),
        format!("ftp://127.0.0.1:{port}"),
    ] {
        assert!(
            HttpApi::new(connection(Product::Atlas, &base, api_key()), TestFence::open(1), Arc::new(NoCalls)).is_err()
        );
    }
    assert_eq!(canary.connections(), 0);
}
