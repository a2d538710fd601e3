//! Versions, envelopes and the shape of errors: contract §4.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::lab::{JANE, Lab, USERS, answer_challenge, got};

async fn list_accepting(lab: &Lab, accept: &str) -> crate::lab::Got {
    let path = lab.path("/users");
    let url = format!("{}{path}", lab.sim.base_url());
    let first = got(lab.http.get(&url)).await.unwrap();
    let header = answer_challenge(&first, &lab.key, &Method::GET, &path);
    got(lab.http.get(&url).header("accept", accept).header("authorization", header)).await.unwrap()
}

// §4.3: no version in the request is 400 INVALID_VERSION_DATE.
#[tokio::test]
async fn a_missing_or_broken_version_is_refused() {
    let lab = Lab::atlas().await;
    for accept in [
        "application/json",
        "*/*",
        "application/vnd.atlas.2023-13-01+json",
        "application/vnd.atlas.2022-01-01+json",
        "application/vnd.atlas+json",
    ] {
        let got = list_accepting(&lab, accept).await;
        assert_eq!(got.code(), (400, "INVALID_VERSION_DATE".to_owned()), "{accept}");
        assert_eq!(got.header("content-type"), "application/json");
    }
}

// §4.3: a date between two versions resolves to the latest not after it.
#[tokio::test]
async fn a_date_between_two_versions_is_the_earlier_version() {
    let lab = Lab::atlas().await;
    for (asked, served) in [
        ("2023-01-01", "2023-01-01"),
        ("2024-05-30", "2023-01-01"),
        ("2025-02-19", "2025-02-19"),
        ("2026-01-01", "2025-02-19"),
    ] {
        let got = list_accepting(&lab, &format!("application/vnd.atlas.{asked}+json")).await;
        assert_eq!(got.header("content-type"), format!("application/vnd.atlas.{served}+json;charset=utf-8"));
    }
}

// §1.2: the first version of the users list is deprecated and shows the older member shape.
#[tokio::test]
async fn the_first_users_version_has_the_older_shape_and_a_sunset() {
    let lab = Lab::atlas().await;
    lab.sim.seed_member(&lab.project, JANE, &["GROUP_OWNER"]);
    let got = list_accepting(&lab, "application/vnd.atlas.2023-01-01+json").await;
    assert_eq!(got.header("sunset"), "Thu, 1 Jul 2027 00:00:00 GMT");
    let roles = &got.json()["results"][0]["roles"];
    assert!(roles.as_array().unwrap().contains(&json!({"groupId": lab.project, "roleName": "GROUP_OWNER"})));
    let newer = list_accepting(&lab, USERS).await;
    assert_eq!(newer.header("sunset"), "");
    assert_eq!(newer.json()["results"][0]["roles"], json!(["GROUP_OWNER"]));
}

// §4.1: the recorded GROUP_NOT_FOUND body, byte for byte, as `application/json`.
#[tokio::test]
async fn an_unknown_project_has_the_recorded_body() {
    let lab = Lab::atlas().await;
    let got = lab.get("/api/atlas/v2/groups/111111111111111111111111/invites").await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    assert_eq!(
        got.text,
        r#"{"detail":"No group with ID 111111111111111111111111 exists.","error":404,"errorCode":"GROUP_NOT_FOUND","parameters":["111111111111111111111111"],"reason":"Not Found"}"#
    );
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(got.header("x-error-code"), "GROUP_NOT_FOUND");
}

// §3: INVALID_GROUP_ID is 404; an unknown path is RESOURCE_NOT_FOUND.
#[tokio::test]
async fn a_malformed_project_id_and_an_unknown_path_are_404() {
    let lab = Lab::atlas().await;
    let got = lab.get("/api/atlas/v2/groups/payments/invites").await;
    assert_eq!(got.code(), (404, "INVALID_GROUP_ID".to_owned()));
    let got = lab.get(&lab.path("/invitations")).await;
    assert_eq!(got.code(), (404, "RESOURCE_NOT_FOUND".to_owned()));
    let got = lab.send(Method::PUT, &lab.path("/invites"), None).await;
    assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED);
}

// §4.2: a single object and a bare array go under `content`.
#[tokio::test]
async fn an_envelope_holds_status_and_content() {
    let lab = Lab::atlas().await;
    let body = lab.post(&lab.path("/invites?envelope=true"), &crate::lab::invitation(JANE)).await.ok();
    assert_eq!(body["status"], 200);
    assert_eq!(body["content"]["username"], JANE);
    let list = lab.get(&lab.path("/invites?envelope=true")).await.ok();
    assert_eq!(list["content"].as_array().unwrap().len(), 1);
}

// §4.2: in paged lists `status` is added beside.
#[tokio::test]
async fn an_enveloped_page_has_status_beside_its_results() {
    let lab = Lab::users().await;
    let body = lab.get(&lab.path("/users?envelope=true")).await.ok();
    assert_eq!((&body["status"], &body["results"]), (&json!(200), &json!([])));
}

// §1.5: `pretty`.
#[tokio::test]
async fn pretty_spreads_the_body_over_lines() {
    let lab = Lab::atlas().await;
    lab.invite(JANE).await.ok();
    let got = lab.get(&lab.path("/invites?pretty=true")).await;
    assert!(got.text.lines().count() > 8);
}

// §1.6, §1.3: the probes of a credential and of a project.
#[tokio::test]
async fn the_probes_answer() {
    let lab = Lab::atlas().await;
    let status = lab.get("/api/atlas/v2").await.ok();
    assert_eq!(status["apiKey"]["publicKey"], lab.key.id.as_str());
    let group = lab.get(&lab.path("")).await.ok();
    assert_eq!((&group["orgId"], &group["name"]), (&json!(lab.org()), &json!("payments")));
}
