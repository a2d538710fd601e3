//! Digest and OAuth: contract §5.

use std::time::Duration;

use atlas_sim::{AuthKind, Credential, CredentialSeed, Deployment, Options, Product};
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

async fn token(lab: &Lab, id: &str, secret: &str, body: &'static str) -> Got {
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let request = lab
        .http
        .post(format!("{}/api/oauth/token", lab.sim.base_url()))
        .header("authorization", basic)
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded");
    got(request.body(body)).await.unwrap()
}

const GRANT: &str = "grant_type=client_credentials";

fn robot(lab: &Lab) -> Credential {
    lab.sim.seed_credential(CredentialSeed::service_account().grant(&lab.project, ["GROUP_OWNER"]))
}

async fn bearer(lab: &Lab, token: &str) -> Got {
    let request = lab.request(Method::GET, &lab.path("/invites"), None);
    got(request.header("authorization", format!("Bearer {token}"))).await.unwrap()
}

// §5.2: `{"access_token":"…","expires_in":3600,"token_type":"Bearer"}`; shapes of id and secret.
#[tokio::test]
async fn a_service_account_gets_a_token_and_uses_it() {
    let lab = Lab::atlas().await;
    let robot = robot(&lab);
    assert!(robot.id.starts_with("mdb_sa_id_") && robot.secret.starts_with("mdb_sa"));
    let body = token(&lab, &robot.id, &robot.secret, GRANT).await.ok();
    assert_eq!((&body["expires_in"], &body["token_type"]), (&Value::from(3600), &Value::from("Bearer")));
    assert_eq!(body.as_object().unwrap().len(), 3);
    assert_eq!(bearer(&lab, body["access_token"].as_str().unwrap()).await.status, StatusCode::OK);
    assert_eq!(lab.sim.requests().last().unwrap().auth, AuthKind::Bearer);
}

// §10.19: `inviterUsername` of a service account is its client id.
#[tokio::test]
async fn an_invitation_by_a_service_account_names_its_client_id() {
    let lab = Lab::atlas().await;
    let robot = robot(&lab);
    let body = token(&lab, &robot.id, &robot.secret, GRANT).await.ok();
    let request = lab.request(Method::POST, &lab.path("/invites"), Some(&invitation(JANE)));
    let created = got(request.bearer_auth(body["access_token"].as_str().unwrap())).await.unwrap().ok();
    assert_eq!(created["inviterUsername"], robot.id.as_str());
}

// §5.2: the Go SDK percent-encodes id and secret before Basic (RFC 6749).
#[tokio::test]
async fn percent_encoded_credentials_are_understood() {
    let lab = Lab::atlas().await;
    lab.sim.seed_credential(CredentialSeed::service_account().with_secret("mdb_sa_id_x", "mdb_sa/s+k"));
    let got = token(&lab, "mdb%5Fsa_id_x", "mdb_sa%2Fs%2Bk", GRANT).await;
    assert_eq!(got.status, StatusCode::OK);
}

// §5.2: errors have a *string* in `error` (§4.1).
#[tokio::test]
async fn token_errors_are_those_of_oauth() {
    let lab = Lab::atlas().await;
    let robot = robot(&lab);
    let got = token(&lab, &robot.id, "wrong", GRANT).await;
    assert_eq!((got.status.as_u16(), &got.json()["error"]), (401, &Value::from("invalid_client")));
    let got = token(&lab, &robot.id, &robot.secret, "grant_type=password").await;
    assert_eq!((got.status.as_u16(), &got.json()["error"]), (400, &Value::from("unsupported_grant_type")));
    let got = token(&lab, &robot.id, &robot.secret, "").await;
    assert_eq!((got.status.as_u16(), &got.json()["error"]), (400, &Value::from("invalid_request")));
}

// §5.2: one hour; an expired or unknown token is 401.
#[tokio::test]
async fn a_token_lives_an_hour() {
    let lab = Lab::atlas().await;
    let robot = robot(&lab);
    let body = token(&lab, &robot.id, &robot.secret, GRANT).await.ok();
    let text = body["access_token"].as_str().unwrap();
    lab.sim.advance_clock(Duration::from_secs(3590));
    assert_eq!(bearer(&lab, text).await.status, StatusCode::OK);
    lab.sim.advance_clock(Duration::from_secs(11));
    assert_eq!(bearer(&lab, text).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(bearer(&lab, "sim.unknown").await.status, StatusCode::UNAUTHORIZED);
}

// §5.2: 100 active tokens, then 403 access_denied.
#[tokio::test]
async fn the_hundred_and_first_live_token_is_denied() {
    let lab = Lab::atlas().await;
    let robot = robot(&lab);
    for _ in 0..100 {
        token(&lab, &robot.id, &robot.secret, GRANT).await.ok();
    }
    let got = token(&lab, &robot.id, &robot.secret, GRANT).await;
    assert_eq!((got.status.as_u16(), &got.json()["error"]), (403, &Value::from("access_denied")));
    lab.sim.advance_clock(Duration::from_secs(3601));
    token(&lab, &robot.id, &robot.secret, GRANT).await.ok();
}

// §5.2: revoking is 200 with an empty body, and the token is dead.
#[tokio::test]
async fn a_revoked_token_is_dead() {
    let lab = Lab::atlas().await;
    let robot = robot(&lab);
    let body = token(&lab, &robot.id, &robot.secret, GRANT).await.ok();
    let text = body["access_token"].as_str().unwrap();
    let request = lab
        .http
        .post(format!("{}/api/oauth/revoke", lab.sim.base_url()))
        .basic_auth(&robot.id, Some(&robot.secret))
        .form(&[("token", text), ("token_type_hint", "access_token")]);
    let answer = got(request).await.unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""));
    assert_eq!(bearer(&lab, text).await.status, StatusCode::UNAUTHORIZED);
}

// §5.2, §3: the access list is checked when the credential is used, not on issue; the address is a parameter.
#[tokio::test]
async fn an_address_off_the_access_list_is_403_on_use() {
    let lab = Lab::atlas().await;
    let seed = CredentialSeed::service_account().grant(&lab.project, ["GROUP_OWNER"]).only_from(["10.0.0.0/8"]);
    let robot = lab.sim.seed_credential(seed);
    let body = token(&lab, &robot.id, &robot.secret, GRANT).await.ok();
    let answer = bearer(&lab, body["access_token"].as_str().unwrap()).await;
    assert_eq!(answer.code(), (403, "IP_ADDRESS_NOT_ON_ACCESS_LIST".to_owned()));
    assert_eq!(answer.json()["parameters"], serde_json::json!(["127.0.0.1"]));
    let seed = CredentialSeed::api_key().grant(&lab.project, ["GROUP_OWNER"]).only_from(["127.0.0.0/8"]);
    let key = lab.sim.seed_credential(seed);
    let answer = lab.send_as(&key, Method::GET, &lab.path("/invites"), None).await;
    assert_eq!(answer.status, StatusCode::OK);
}

// §5: no OAuth for Ops Manager.
#[tokio::test]
async fn an_ops_manager_has_neither_tokens_nor_atlas_paths() {
    let options = Options { deployment: Deployment::OpsManager, ..Options::default() };
    let lab = Lab::with(Product::OpsManager, options).await;
    assert_eq!(token(&lab, "mdb_sa_id_x", "y", GRANT).await.status, StatusCode::NOT_FOUND);
    assert_eq!(lab.get("/api/atlas/v2").await.status, StatusCode::NOT_FOUND);
    assert_eq!(lab.get("/api/public/v1.0").await.status, StatusCode::OK);
}
