//! Cloud Manager and Ops Manager: contract §1.4.

use atlas_sim::Product;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::lab::{INVITES, JANE, Lab};

// §0, §1.4: 201, `application/json`, the same invitation shape, no deprecation.
#[tokio::test]
async fn a_creation_is_201_with_the_documented_body() {
    for product in [Product::CloudManager, Product::OpsManager] {
        let lab = Lab::new(product).await;
        let got = lab.invite(JANE).await;
        assert_eq!((got.status, got.header("content-type")), (StatusCode::CREATED, "application/json"));
        assert_eq!((got.header("sunset"), got.header("ratelimit-limit")), ("", ""));
        assert_eq!(got.header("strict-transport-security"), "max-age=300");
        let body = got.json();
        for field in ["createdAt", "expiresAt", "groupId", "groupName", "id", "inviterUsername", "roles", "username"] {
            assert!(!body[field].is_null(), "{field}");
        }
        assert!(body.get("links").is_none());
    }
}

// §1.4: list, get, both PATCHes, DELETE.
#[tokio::test]
async fn an_invitation_is_listed_read_changed_and_cancelled() {
    let lab = Lab::new(Product::OpsManager).await;
    let id = lab.invite(JANE).await.ok()["id"].as_str().unwrap().to_owned();
    let path = lab.path(&format!("/invites/{id}"));
    assert_eq!(lab.get(&lab.path("/invites/?username=jane.doe@example.com")).await.ok()[0]["id"], id.as_str());
    assert_eq!(lab.get(&path).await.ok()["username"], JANE);
    let body = lab.patch(&path, &json!({"roles": ["GROUP_USER_ADMIN"]})).await.ok();
    assert_eq!(body["roles"], json!(["GROUP_USER_ADMIN"]));
    let update = json!({"roles": ["GROUP_OWNER"], "username": JANE});
    assert_eq!(lab.patch(&lab.path("/invites"), &update).await.ok()["roles"], json!(["GROUP_OWNER"]));
    assert_eq!(lab.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(lab.get(&path).await.code(), (404, "INVALID_INVITATION_ID".to_owned()));
}

// §7: their nine roles, and none of Atlas.
#[tokio::test]
async fn atlas_roles_are_invalid_elsewhere() {
    let lab = Lab::new(Product::CloudManager).await;
    let body = json!({"roles": ["GROUP_CLUSTER_MANAGER"], "username": JANE});
    assert_eq!(lab.post(&lab.path("/invites"), &body).await.code(), (400, "INVALID_ROLE_FOR_GROUP".to_owned()));
}

// §1.4: members are paged, with `roles: [{groupId | orgId, roleName}]`; no `username` filter.
#[tokio::test]
async fn members_have_the_older_shape_and_no_filter() {
    let lab = Lab::new(Product::CloudManager).await;
    lab.invite(JANE).await.ok();
    assert_eq!(lab.get(&lab.path("/users")).await.ok()["totalCount"], 0);
    lab.sim.accept(&lab.project, JANE);
    lab.sim.seed_member(&lab.project, "john@example.com", &["GROUP_OWNER"]);
    let body = lab.get(&lab.path("/users?username=john@example.com&itemsPerPage=500")).await.ok();
    assert_eq!(body["totalCount"], 2);
    let jane = body["results"].as_array().unwrap().iter().find(|person| person["username"] == JANE).unwrap();
    assert_eq!(jane["emailAddress"], JANE);
    let roles = jane["roles"].as_array().unwrap();
    assert!(roles.contains(&json!({"groupId": lab.project, "roleName": "GROUP_READ_ONLY"})));
    assert!(roles.contains(&json!({"orgId": lab.org(), "roleName": "ORG_MEMBER"})));
}

// §1.4: users by id and name, PUT roles, DELETE.
#[tokio::test]
async fn a_member_is_read_changed_and_removed() {
    let lab = Lab::new(Product::OpsManager).await;
    lab.sim.seed_member(&lab.project, JANE, &["GROUP_OWNER"]);
    let person = lab.get(&lab.api(&format!("/users/byName/{JANE}"))).await.ok();
    let id = person["id"].as_str().unwrap();
    assert_eq!(lab.get(&lab.api(&format!("/users/{id}"))).await.ok(), person);
    let roles = json!({"groupRoles": ["GROUP_READ_ONLY"]});
    let path = lab.path(&format!("/users/{id}"));
    assert_eq!(lab.send(Method::PUT, &format!("{path}/roles"), Some(&roles)).await.ok(), roles);
    assert_eq!(lab.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(lab.delete(&path).await.code(), (404, "USER_NOT_IN_GROUP".to_owned()));
}

// §1.4: POST of existing accounts sends an invitation, and overwrites the roles of members.
#[tokio::test]
async fn existing_accounts_are_invited_by_id() {
    let lab = Lab::new(Product::OpsManager).await;
    let id = lab.sim.seed_account(JANE);
    let body = json!([{"id": id, "roles": [{"roleName": "GROUP_READ_ONLY"}]}]);
    assert_eq!(lab.post(&lab.path("/users"), &body).await.status, StatusCode::OK);
    assert_eq!(lab.invites().await.len(), 1);
    lab.sim.accept(&lab.project, JANE);
    let body = json!([{"id": id, "roles": [{"roleName": "GROUP_OWNER"}]}]);
    lab.post(&lab.path("/users"), &body).await.ok();
    assert_eq!(lab.sim.members(&lab.project)[0].roles, ["GROUP_OWNER"]);
}

// §8, §3: the wrong product's path is 404 ATLAS_GROUP / NOT_ATLAS_GROUP.
#[tokio::test]
async fn the_wrong_product_says_so() {
    let lab = Lab::new(Product::CloudManager).await;
    let atlas = Lab { accept: INVITES, ..lab };
    let got = atlas.get(&format!("/api/atlas/v2/groups/{}/invites", atlas.project)).await;
    assert_eq!(got.code(), (404, "NOT_ATLAS_GROUP".to_owned()));
    let lab = Lab::atlas().await;
    let got = lab.get(&format!("/api/public/v1.0/groups/{}/invites", lab.project)).await;
    assert_eq!(got.code(), (404, "ATLAS_GROUP".to_owned()));
}

// §1.6: the probe.
#[tokio::test]
async fn the_classic_probe_answers() {
    let lab = Lab::new(Product::OpsManager).await;
    let body = lab.get("/api/public/v1.0").await.ok();
    assert_eq!(body["throttling"], Value::from(false));
}
