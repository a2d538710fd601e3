//! What requests may contain: contract §0, §3, §4.3, §7.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::lab::{JANE, Lab, got};

async fn refused(body: Value) -> (u16, String) {
    let lab = Lab::atlas().await;
    let got = lab.post(&lab.path("/invites"), &body).await;
    assert!(lab.sim.outbox().is_empty());
    got.code()
}

fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

// §0, §4.3: exactly `roles` and `username`; never `id`, `groupId` or anything else.
#[tokio::test]
async fn attributes_only_the_server_sends_are_read_only() {
    for name in ["id", "groupId", "groupName", "createdAt", "expiresAt", "inviterUsername", "links"] {
        let body = json!({"roles": ["GROUP_OWNER"], "username": JANE, name: "x"});
        assert_eq!(refused(body).await, code(400, "ATTRIBUTE_READ_ONLY"), "{name}");
    }
}

// §4.3: unknown attributes are refused.
#[tokio::test]
async fn an_unknown_attribute_is_refused() {
    let body = json!({"roles": ["GROUP_OWNER"], "username": JANE, "teamIds": []});
    assert_eq!(refused(body).await, code(400, "INVALID_ATTRIBUTE"));
}

// §3.
#[tokio::test]
async fn a_missing_or_empty_attribute_is_refused() {
    assert_eq!(refused(json!({"roles": ["GROUP_OWNER"]})).await, code(400, "MISSING_ATTRIBUTE"));
    assert_eq!(refused(json!({"username": JANE})).await, code(400, "MISSING_ATTRIBUTE"));
    assert_eq!(refused(json!({"roles": [], "username": JANE})).await, code(400, "MISSING_ATTRIBUTE"));
}

// §3.
#[tokio::test]
async fn an_attribute_of_the_wrong_type_is_refused() {
    assert_eq!(refused(json!({"roles": "GROUP_OWNER", "username": JANE})).await, code(400, "INVALID_JSON_ATTRIBUTE"));
    assert_eq!(refused(json!({"roles": [1], "username": JANE})).await, code(400, "INVALID_JSON_ATTRIBUTE"));
    assert_eq!(refused(json!([])).await, code(400, "INVALID_JSON"));
}

// §3: MALFORMED_JSON; §1.4: "both are needed", a body and its Content-Type.
#[tokio::test]
async fn a_body_that_is_no_json_or_does_not_say_so_is_refused() {
    let lab = Lab::atlas().await;
    let path = lab.path("/invites");
    let url = format!("{}{path}", lab.sim.base_url());
    for (media, text, status) in
        [(lab.accept, "{\"roles\":", StatusCode::BAD_REQUEST), ("text/plain", "{}", StatusCode::UNSUPPORTED_MEDIA_TYPE)]
    {
        let first = got(lab.http.post(&url)).await.unwrap();
        let header = crate::lab::answer_challenge(&first, &lab.key, &reqwest::Method::POST, &path);
        let request = lab.http.post(&url).header("accept", lab.accept).header("content-type", media);
        let answer = got(request.header("authorization", header).body(text)).await.unwrap();
        assert_eq!(answer.status, status, "{media}");
    }
}

// §3: bad or forbidden address.
#[tokio::test]
async fn a_username_that_is_no_address_is_refused() {
    for username in ["jane", "jane@", "@example.com", "jane@example", "ja ne@example.com", "a@b@example..com"] {
        let body = json!({"roles": ["GROUP_OWNER"], "username": username});
        assert_eq!(refused(body).await, code(400, "INVALID_USERNAME"), "{username}");
    }
}

// §7: roles of another product, organisation roles and unknown names.
#[tokio::test]
async fn roles_are_checked_against_the_product() {
    for (role, wanted) in [
        ("GROUP_USER_ADMIN", "INVALID_ROLE_FOR_GROUP"),
        ("ORG_OWNER", "INVALID_ROLE_FOR_GROUP"),
        ("GROUP_NONSENSE", "INVALID_ENUM_VALUE"),
    ] {
        let body = json!({"roles": ["GROUP_OWNER", role], "username": JANE});
        assert_eq!(refused(body).await, code(400, wanted), "{role}");
    }
}

// §7, §10.16: legacy invites accept the roles that came in 2026.
#[tokio::test]
async fn the_newest_atlas_roles_are_accepted_and_repetitions_count_once() {
    let lab = Lab::atlas().await;
    let body = json!({"roles": ["GROUP_MODEL_OWNER", "GROUP_MODEL_OWNER"], "username": JANE});
    let created = lab.post(&lab.path("/invites"), &body).await.ok();
    assert_eq!(created["roles"], json!(["GROUP_MODEL_OWNER"]));
}

// §1.1 row 4: an update by id takes `roles` only.
#[tokio::test]
async fn an_update_by_id_refuses_a_username() {
    let lab = Lab::atlas().await;
    let id = lab.invite(JANE).await.ok()["id"].as_str().unwrap().to_owned();
    let body = json!({"roles": ["GROUP_OWNER"], "username": JANE});
    let got = lab.patch(&lab.path(&format!("/invites/{id}")), &body).await;
    assert_eq!(got.code(), code(400, "INVALID_ATTRIBUTE"));
}
