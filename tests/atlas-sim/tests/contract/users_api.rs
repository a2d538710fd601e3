//! The 2025-02-19 users API: contract §1.2.

use atlas_sim::Span;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::lab::{INVITES, JANE, Lab, invitation};

async fn add(lab: &Lab, username: &str) -> Value {
    let got = lab.post(&lab.path("/users"), &invitation(username)).await;
    assert_eq!(got.status, StatusCode::CREATED);
    assert_eq!(got.header("content-type"), "application/vnd.atlas.2025-02-19+json;charset=utf-8");
    assert_eq!(got.header("sunset"), "");
    got.json()
}

async fn statuses(lab: &Lab, query: &str) -> Vec<String> {
    let body = lab.get(&lab.path(&format!("/users{query}"))).await.ok();
    let results = body["results"].as_array().unwrap();
    results.iter().map(|person| person["orgMembershipStatus"].as_str().unwrap().to_owned()).collect()
}

// §1.2: 201 and the PENDING fields; the id is minted at invitation time.
#[tokio::test]
async fn adding_a_stranger_makes_a_pending_person() {
    let lab = Lab::users().await;
    let body = add(&lab, JANE).await;
    let mut names: Vec<&String> = body.as_object().unwrap().keys().collect();
    names.sort();
    let wanted = [
        "id",
        "invitationCreatedAt",
        "invitationExpiresAt",
        "inviterUsername",
        "orgMembershipStatus",
        "roles",
        "username",
    ];
    assert_eq!(names, wanted);
    assert_eq!(body["orgMembershipStatus"], "PENDING");
    let created: jiff::Timestamp = body["invitationCreatedAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(i64::from_str_radix(&body["id"].as_str().unwrap()[..8], 16).unwrap(), created.as_second());
    assert_eq!(lab.sim.mails_to(JANE).len(), 1);
}

// §1.2: an ACTIVE organisation member gets access at once.
#[tokio::test]
async fn adding_an_org_member_makes_an_active_person() {
    let lab = Lab::users().await;
    lab.sim.seed_org_member(&lab.org(), JANE, &[]);
    let body = add(&lab, JANE).await;
    assert_eq!(body["orgMembershipStatus"], "ACTIVE");
    for field in ["country", "createdAt", "firstName", "id", "lastAuth", "lastName", "roles", "username"] {
        assert!(!body[field].is_null(), "{field}");
    }
    assert!(body["mobileNumber"].is_null() && body.get("mobileNumber").is_some());
}

// §1.2, §2.11: conflict if PENDING or ACTIVE in this project; no mail.
#[tokio::test]
async fn adding_somebody_twice_is_409() {
    let lab = Lab::users().await;
    add(&lab, JANE).await;
    let got = lab.post(&lab.path("/users"), &invitation(JANE)).await;
    assert_eq!(got.code(), (409, "USER_ALREADY_IN_GROUP".to_owned()));
    lab.sim.accept(&lab.project, JANE);
    assert_eq!(lab.post(&lab.path("/users"), &invitation(JANE)).await.status, StatusCode::CONFLICT);
    assert_eq!(lab.sim.mails_to(JANE).len(), 1);
}

// §0, §2.20: the two generations do not see each other's pending people.
#[tokio::test]
async fn the_generations_do_not_see_each_others_pending_people() {
    let users = Lab::users().await;
    users.post(&users.path("/invites"), &invitation(JANE)).await.ok();
    assert!(statuses(&users, "").await.is_empty());
    let john = add(&users, "john@example.com").await;
    let legacy = users.get(&users.path("/invites")).await.ok();
    assert_eq!(legacy.as_array().unwrap().len(), 1);
    assert_eq!(legacy[0]["username"], JANE);
    let got = users.get(&users.path(&format!("/invites/{}", john["id"].as_str().unwrap()))).await;
    assert_eq!(got.code().1, "INVALID_INVITATION_ID");
    let id = legacy[0]["id"].as_str().unwrap();
    assert_eq!(users.delete(&users.path(&format!("/users/{id}"))).await.status, StatusCode::NOT_FOUND);
}

// §10.4, §10.10: after legacy acceptance the person is ACTIVE, under the account's id.
#[tokio::test]
async fn a_legacy_invitation_accepted_is_an_active_user_with_another_id() {
    let lab = Lab::users().await;
    let account = lab.sim.seed_account(JANE);
    let id = lab.post(&lab.path("/invites"), &invitation(JANE)).await.ok()["id"].clone();
    lab.sim.accept(&lab.project, JANE);
    let body = lab.get(&lab.path("/users?username=jane.doe@example.com")).await.ok();
    assert_eq!((&body["totalCount"], &body["results"][0]["id"]), (&json!(1), &json!(account)));
    assert_ne!(body["results"][0]["id"], id);
}

// §1.2: default ACTIVE+PENDING; expired and rejected people only when asked for; null expiry when rejected.
#[tokio::test]
async fn expired_and_rejected_people_are_shown_on_request() {
    let lab = Lab::users().await;
    add(&lab, JANE).await;
    add(&lab, "john@example.com").await;
    lab.sim.expire(&lab.project, JANE);
    lab.sim.decline(&lab.project, "john@example.com");
    assert!(statuses(&lab, "").await.is_empty());
    assert_eq!(statuses(&lab, "?orgMembershipStatuses=INVITATION_EXPIRED").await, ["INVITATION_EXPIRED"]);
    let query = "?orgMembershipStatuses=INVITATION_EXPIRED&orgMembershipStatuses=INVITATION_REJECTED";
    assert_eq!(statuses(&lab, query).await.len(), 2);
    let body = lab.get(&lab.path("/users?orgMembershipStatus=INVITATION_REJECTED")).await.ok();
    assert!(body["results"][0]["invitationExpiresAt"].is_null());
}

// §1.2: an expired or rejected person with the same email is replaced.
#[tokio::test]
async fn an_expired_person_is_replaced_by_a_new_invitation() {
    let lab = Lab::users().await;
    let before = add(&lab, JANE).await;
    lab.sim.advance_clock(Span::days(31).duration());
    let after = add(&lab, JANE).await;
    assert_ne!(before["id"], after["id"]);
    assert_eq!(statuses(&lab, "?orgMembershipStatuses=INVITATION_EXPIRED").await.len(), 0);
}

// §1.2: the two status parameters cannot be combined; §3: INVALID_QUERY_PARAMETER.
#[tokio::test]
async fn status_parameters_are_checked() {
    let lab = Lab::users().await;
    let got = lab.get(&lab.path("/users?orgMembershipStatus=ACTIVE&orgMembershipStatuses=PENDING")).await;
    assert_eq!(got.code(), (400, "MUTUALLY_EXCLUSIVE_QUERY_PARAMETERS".to_owned()));
    for query in ["orgMembershipStatuses=GONE", "itemsPerPage=501", "itemsPerPage=0", "pageNum=0", "flattenTeams=x"] {
        let got = lab.get(&lab.path(&format!("/users?{query}"))).await;
        assert_eq!(got.code(), (400, "INVALID_QUERY_PARAMETER".to_owned()), "{query}");
    }
}

// §1.5: paging is 1-based; `includeCount=false` omits the count.
#[tokio::test]
async fn the_list_is_paged() {
    let lab = Lab::users().await;
    for number in 0..5 {
        lab.sim.seed_member(&lab.project, &format!("p{number}@example.com"), &["GROUP_OWNER"]);
    }
    let page = |number: usize| lab.path(&format!("/users?itemsPerPage=2&pageNum={number}"));
    let mut seen = Vec::new();
    for (number, size) in [(1, 2), (2, 2), (3, 1), (4, 0)] {
        let body = lab.get(&page(number)).await.ok();
        assert_eq!((body["results"].as_array().unwrap().len(), &body["totalCount"]), (size, &json!(5)));
        let next = body["links"].as_array().unwrap().iter().any(|link| link["rel"] == "next");
        assert_eq!(next, number < 3);
        seen.extend(body["results"].as_array().unwrap().iter().map(|p| p["username"].to_string()));
    }
    seen.dedup();
    assert_eq!(seen.len(), 5);
    let body = lab.get(&lab.path("/users?includeCount=false")).await.ok();
    assert!(body.get("totalCount").is_none());
}

// §1.1: recorded links pointed to localhost:8080: never follow them.
#[tokio::test]
async fn links_point_where_nobody_should_go() {
    let lab = Lab::users().await;
    let body = lab.get(&lab.path("/users")).await.ok();
    assert!(body["links"][0]["href"].as_str().unwrap().starts_with("http://localhost:8080/"));
}

// §1.2: addRole and removeRole; the last role cannot go.
#[tokio::test]
async fn roles_are_added_and_removed_one_by_one() {
    let lab = Lab::users().await;
    let id = add(&lab, JANE).await["id"].as_str().unwrap().to_owned();
    let role = json!({"groupRole": "GROUP_OWNER"});
    let body = lab.post(&lab.path(&format!("/users/{id}:addRole")), &role).await.ok();
    assert_eq!(body["roles"], json!(["GROUP_READ_ONLY", "GROUP_OWNER"]));
    let body = lab.post(&lab.path(&format!("/users/{id}:removeRole")), &role).await.ok();
    assert_eq!(body["roles"], json!(["GROUP_READ_ONLY"]));
    let last = json!({"groupRole": "GROUP_READ_ONLY"});
    let got = lab.post(&lab.path(&format!("/users/{id}:removeRole")), &last).await;
    assert_eq!(got.code(), (403, "CANNOT_REMOVE_ALL_USER_ROLES".to_owned()));
}

// §1.2: DELETE of 2025-02-19 removes PENDING people too, that of 2023-01-01 members only.
#[tokio::test]
async fn the_newer_version_removes_pending_people_and_the_older_does_not() {
    let lab = Lab::users().await;
    let id = add(&lab, JANE).await["id"].as_str().unwrap().to_owned();
    let path = lab.path(&format!("/users/{id}"));
    let older = Lab { accept: INVITES, ..lab };
    assert_eq!(older.delete(&path).await.code(), (404, "USER_NOT_IN_GROUP".to_owned()));
    let newer = Lab { accept: crate::lab::USERS, ..older };
    assert_eq!(newer.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert!(statuses(&newer, "").await.is_empty());
    assert_eq!(newer.get(&path).await.status, StatusCode::NOT_FOUND);
}

// §1.2: the deprecated PUT replaces the roles of a member.
#[tokio::test]
async fn the_deprecated_put_replaces_roles() {
    let lab = Lab::atlas().await;
    lab.sim.seed_member(&lab.project, JANE, &["GROUP_OWNER"]);
    let id = lab.sim.members(&lab.project)[0].id.clone();
    let body = json!({"groupRoles": ["GROUP_READ_ONLY"]});
    let path = lab.path(&format!("/users/{id}/roles"));
    let got = lab.send(reqwest::Method::PUT, &path, Some(&body)).await;
    assert_eq!(got.header("sunset"), "Thu, 1 Jul 2027 00:00:00 GMT");
    assert_eq!(got.ok(), body);
    assert_eq!(lab.sim.members(&lab.project)[0].roles, ["GROUP_READ_ONLY"]);
}

// §1.2: `includeOrgUsers` adds people with implicit access.
#[tokio::test]
async fn org_owners_are_listed_on_request() {
    let lab = Lab::users().await;
    lab.sim.seed_org_member(&lab.org(), JANE, &["ORG_OWNER"]);
    assert!(statuses(&lab, "").await.is_empty());
    assert_eq!(statuses(&lab, "?includeOrgUsers=true").await, ["ACTIVE"]);
}
