//! Service accounts: contract §5.2.

use std::time::Duration;

use atlas_sim::{AuthKind, Credential, CredentialSeed, Deployment, Options, Product};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::lab::{Got, JANE, Lab, got, invitation};

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
