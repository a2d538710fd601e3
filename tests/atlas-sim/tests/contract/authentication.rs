//! Digest: contract §5.1.

use std::time::Duration;

use atlas_sim::{AuthKind, ChallengeStyle, Credential};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::lab::{Got, JANE, Lab, answer_challenge, got, invitation};

fn stale(got: &Got) -> bool {
    assert_eq!(got.status, StatusCode::UNAUTHORIZED);
    got.header("www-authenticate").contains("stale=true")
}

async fn challenge(lab: &Lab, path: &str) -> Got {
    got(lab.request(Method::GET, path, None)).await.unwrap()
}

async fn repeat(lab: &Lab, path: &str, header: &str) -> Got {
    got(lab.request(Method::GET, path, None).header("authorization", header)).await.unwrap()
}

// §5.1: the recorded challenge: realm, empty domain, 32 base64 characters, MD5, qop, stale, in this order.
#[tokio::test]
async fn the_challenge_is_the_recorded_one() {
    let lab = Lab::atlas().await;
    let got = challenge(&lab, &lab.path("/invites")).await;
    assert_eq!(got.status, StatusCode::UNAUTHORIZED);
    let header = got.header("www-authenticate");
    let nonce = header.split('"').nth(5).unwrap();
    assert_eq!(nonce.len(), 32);
    assert_eq!(STANDARD.decode(nonce).unwrap().len(), 24);
    let wanted =
        format!(r#"Digest realm="MMS Public API", domain="", nonce="{nonce}", algorithm=MD5, qop="auth", stale=false"#);
    assert_eq!(header, wanted);
}

// §3, §5.1: the body of the first leg; it carries no RateLimit headers.
#[tokio::test]
async fn the_challenge_has_the_recorded_body_and_no_limits() {
    let lab = Lab::atlas().await;
    let got = challenge(&lab, &lab.path("/invites")).await;
    let body = got.json();
    assert_eq!(body["detail"], "You are not authorized for this resource.");
    assert_eq!((&body["error"], &body["reason"]), (&Value::from(401), &Value::from("Unauthorized")));
    assert_eq!(body["errorCode"], "UNEXPECTED_ERROR");
    assert!(body["parameters"].is_null() && body.get("parameters").is_some());
    assert_eq!(got.header("ratelimit-limit"), "");
}

// §5.1: authentication precedes execution; the challenged leg of a POST creates nothing, the log tells them apart.
#[tokio::test]
async fn the_first_leg_of_a_post_creates_nothing() {
    let lab = Lab::atlas().await;
    let body = invitation(JANE);
    got(lab.request(Method::POST, &lab.path("/invites"), Some(&body))).await.unwrap();
    assert!(lab.sim.outbox().is_empty());
    lab.invite(JANE).await.ok();
    assert_eq!(lab.sim.outbox().len(), 1);
    let legs: Vec<(bool, AuthKind)> = lab.sim.requests().iter().map(|r| (r.challenged, r.auth)).collect();
    assert_eq!(legs, [(true, AuthKind::Nothing), (true, AuthKind::Nothing), (false, AuthKind::Digest)]);
}

// §5.1: wrong credentials give a second 401 with stale=false.
#[tokio::test]
async fn wrong_credentials_are_refused_and_not_stale() {
    let lab = Lab::atlas().await;
    for key in [
        Credential { secret: "wrong".to_owned(), ..lab.key.clone() },
        Credential { id: "nobodyxx".to_owned(), ..lab.key.clone() },
    ] {
        let got = lab.send_as(&key, Method::GET, &lab.path("/invites"), None).await;
        assert!(!stale(&got));
    }
}

// §5.1: each nc once; a repetition is stale=false.
#[tokio::test]
async fn a_repeated_count_is_refused_and_not_stale() {
    let lab = Lab::atlas().await;
    let path = lab.path("/invites");
    let header = answer_challenge(&challenge(&lab, &path).await, &lab.key, &Method::GET, &path);
    assert_eq!(repeat(&lab, &path, &header).await.status, StatusCode::OK);
    assert!(!stale(&repeat(&lab, &path, &header).await));
}

// §5.1: a nonce may be used again with a higher nc.
#[tokio::test]
async fn a_nonce_serves_several_counts() {
    let lab = Lab::atlas().await;
    let path = lab.path("/invites");
    let first = challenge(&lab, &path).await;
    let mut prompt = digest_auth::parse(first.header("www-authenticate")).unwrap();
    for _ in 0..3 {
        let context = digest_auth::AuthContext::new(lab.key.id.as_str(), lab.key.secret.as_str(), path.as_str());
        let header = prompt.respond(&context).unwrap().to_header_string();
        assert_eq!(repeat(&lab, &path, &header).await.status, StatusCode::OK);
    }
}

// §5.1: 60 seconds; an expired or unknown nonce is stale=true.
#[tokio::test]
async fn an_old_or_unknown_nonce_is_stale() {
    let lab = Lab::atlas().await;
    let path = lab.path("/invites");
    let header = answer_challenge(&challenge(&lab, &path).await, &lab.key, &Method::GET, &path);
    lab.sim.advance_clock(Duration::from_secs(61));
    assert!(stale(&repeat(&lab, &path, &header).await));
    let header = answer_challenge(&challenge(&lab, &path).await, &lab.key, &Method::GET, &path);
    lab.sim.forget_nonces();
    assert!(stale(&repeat(&lab, &path, &header).await));
}

// §5.1: at most 1024 uses; a higher count is stale=true.
#[tokio::test]
async fn a_count_beyond_1024_is_stale() {
    let lab = Lab::atlas().await;
    let path = lab.path("/invites");
    let header = answer_challenge(&challenge(&lab, &path).await, &lab.key, &Method::GET, &path);
    let header = header.replace("nc=00000001", "nc=00000401");
    assert!(stale(&repeat(&lab, &path, &header).await));
}

// §5.1: `uri` is path with query, exactly as sent.
#[tokio::test]
async fn the_digest_covers_the_query() {
    let lab = Lab::atlas().await;
    let (path, query) = (lab.path("/invites"), lab.path("/invites?username=a%40example.com"));
    assert_eq!(lab.get(&query).await.status, StatusCode::OK);
    let header = answer_challenge(&challenge(&lab, &query).await, &lab.key, &Method::GET, &path);
    assert!(!stale(&repeat(&lab, &query, &header).await));
}

// §5.1: the method is part of it.
#[tokio::test]
async fn the_digest_covers_the_method() {
    let lab = Lab::atlas().await;
    let path = lab.path("/invites");
    let header = answer_challenge(&challenge(&lab, &path).await, &lab.key, &Method::DELETE, &path);
    assert!(!stale(&repeat(&lab, &path, &header).await));
}

// §5.1: newer Jetty servers add `charset=UTF-8`; the docs print `op="auth"`, and without `qop` RFC 2069 holds.
#[tokio::test]
async fn the_other_spellings_of_the_challenge_work() {
    let lab = Lab::atlas().await;
    let path = lab.path("/invites");
    for (style, text) in
        [(ChallengeStyle::Charset, "qop=\"auth\", charset=UTF-8, stale"), (ChallengeStyle::WithoutQop, " op=\"auth\"")]
    {
        lab.sim.configure(|behaviour| behaviour.challenge = style);
        let first = challenge(&lab, &path).await;
        assert!(first.header("www-authenticate").contains(text));
        let header = answer_challenge(&first, &lab.key, &Method::GET, &path);
        assert_eq!(header.contains("qop"), style == ChallengeStyle::Charset);
        assert_eq!(repeat(&lab, &path, &header).await.status, StatusCode::OK);
        assert_eq!(repeat(&lab, &path, &header).await.status, StatusCode::UNAUTHORIZED);
    }
}
