//! A connection that breaks at every interesting byte of a create: one request at most, and the right verdict.

use crate::harness::*;
use crate::server::{Reply, Server, Welcome};
use invitation_operator::api::Product;
use invitation_operator::cloud::{InvitesApi, Room};
use invitation_operator::domain::failure::FailureKind;

/// Creates at a server whose second connection, the one of the POST, behaves so. Returns the verdict.
async fn create_over(second: Welcome, reply: impl Fn() -> Reply + Send + Sync + 'static) -> FailureKind {
    let welcome = move |number| if number == 1 { second } else { Welcome::Serve };
    let server = Server::start_with(welcome, None, with_digest(move |_| reply())).await;
    let fence = TestFence::says(&[Some(5000), Some(400)]);
    let caller = connect(connection(Product::Atlas, &server.url(), api_key()), fence);
    let found = kind(caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await);
    assert!(server.count("POST") <= 1, "{second:?}");
    assert_eq!(server.connections(), 2, "{second:?}: one for the challenge, one for the request, no other");
    found
}

fn ok() -> Reply {
    Reply::json(200, &invitation(ID, JANE))
}

#[tokio::test]
async fn before_it_is_accepted_nothing_was_sent() {
    let server = Server::start(|_| Reply::Last(Box::new(challenge().with("Connection", "close")))).await;
    let failure = caller(Product::Atlas, &server)
        .api
        .create(attempt(), Room::unlimited(), &project(), &jane(), &roles())
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{}", failure.message);
    assert!(failure.kind.is_definite_no());
    assert_eq!((server.count("GET"), server.count("POST")), (1, 0));
}

#[tokio::test]
async fn after_it_was_accepted_the_outcome_is_unknown() {
    assert!(is_unavailable(create_over(Welcome::Slam, ok).await));
}

#[tokio::test]
async fn at_any_byte_of_the_request_the_outcome_is_unknown() {
    let server = Server::start(with_digest(|_| ok())).await;
    caller(Product::Atlas, &server)
        .api
        .create(attempt(), Room::unlimited(), &project(), &jane(), &roles())
        .await
        .unwrap();
    let post = server.seen().pop().unwrap();
    let (head, whole) = (post.head.len(), post.head.len() + 4 + post.body.len());
    for bytes in [1, 4, 20, head / 4, head / 2, head - 1, head + 3, head + 4, head + 5, whole - 20, whole - 1, whole] {
        assert!(is_unavailable(create_over(Welcome::SlamAfter(bytes), ok).await), "after {bytes} of {whole} bytes");
    }
}

#[tokio::test]
async fn after_the_whole_request_the_outcome_is_unknown() {
    assert!(is_unavailable(create_over(Welcome::Serve, || Reply::Then(Vec::new())).await));
}

#[tokio::test]
async fn at_any_byte_of_the_answer_before_its_end_the_outcome_is_unknown() {
    let body = invitation(ID, JANE).to_string();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    for bytes in [1, 9, 12, 15, 17, 30, 37, 38, 39, 100, answer.len() - 1] {
        let part = answer.as_bytes()[..bytes].to_vec();
        let found = create_over(Welcome::Serve, move || Reply::Then(part.clone())).await;
        assert!(is_unavailable(found), "after {bytes} bytes: {found:?}");
    }
}

#[tokio::test]
async fn in_a_chunked_answer_the_outcome_is_unknown() {
    for tail in ["", "5\r\n{\"id\"", "5\r\n{\"id\"\r\n", "zz\r\n"] {
        let part = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{tail}").into_bytes();
        let found = create_over(Welcome::Serve, move || Reply::Then(part.clone())).await;
        assert!(is_unavailable(found), "{tail:?}: {found:?}");
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_leaves_the_outcome_unknown_in_time() {
    for head in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"id\":"] {
        let found = create_over(Welcome::Serve, move || Reply::Hang(head.as_bytes().to_vec())).await;
        assert!(is_unavailable(found), "{head:?}: {found:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http_leaves_the_outcome_unknown() {
    for bytes in ["SSH-2.0-OpenSSH\r\n", "\0\0\0\0", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"] {
        let found = create_over(Welcome::Serve, move || Reply::Then(bytes.as_bytes().to_vec())).await;
        assert!(is_unavailable(found), "{bytes:?}: {found:?}");
    }
}

#[tokio::test]
async fn a_refusal_whose_body_breaks_off_is_no_definite_no() {
    for (status, expected) in [(400, FailureKind::Doubtful), (404, FailureKind::Doubtful), (403, FailureKind::Doubtful)]
    {
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Length: 500\r\n\r\n{{\"errorCode\":\"INVALID_ROLE_FOR_GROUP\"");
        let found = create_over(Welcome::Serve, move || Reply::Then(head.clone().into_bytes())).await;
        assert_eq!(found, expected, "{status}");
    }
}
