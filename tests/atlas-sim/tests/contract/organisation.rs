//! The organisation level: contract §1.3, §1.1 row 7, §2.7.

use atlas_sim::ProjectSeed;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::lab::{JANE, Lab, USERS, invitation};

async fn org_invites(lab: &Lab) -> Vec<Value> {
    lab.get(&format!("/api/atlas/v2/orgs/{}/invites", lab.org())).await.ok().as_array().unwrap().clone()
}

// §2.7, §2.5: a project invitation implies one organisation invitation that carries its roles.
#[tokio::test]
async fn a_project_invitation_implies_an_org_invitation() {
    let lab = Lab::atlas().await;
    lab.invite(JANE).await.ok();
    let found = org_invites(&lab).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["groupRoleAssignments"], json!([{"groupId": lab.project, "roles": ["GROUP_READ_ONLY"]}]));
    assert_eq!((&found[0]["orgId"], &found[0]["roles"]), (&json!(lab.org()), &json!(["ORG_MEMBER"])));
    assert!(found[0].get("teamIds").is_some() && found[0].get("orgName").is_some());
    assert_eq!(lab.sim.outbox().len(), 1);
}

// §2.7, §10.17: deleting the project invitation leaves the organisation invitation, without the project's roles.
#[tokio::test]
async fn the_org_invitation_stays_when_the_project_invitation_goes() {
    let lab = Lab::atlas().await;
    let id = lab.invite(JANE).await.ok()["id"].as_str().unwrap().to_owned();
    lab.delete(&lab.path(&format!("/invites/{id}"))).await;
    let found = org_invites(&lab).await;
    assert_eq!((found.len(), &found[0]["groupRoleAssignments"]), (1, &json!([])));
    assert!(!lab.sim.accept(&lab.project, JANE));
}

// §2.5: one organisation invitation carries all project roles, so accepting takes them all.
#[tokio::test]
async fn accepting_takes_every_invitation_in_the_organisation() {
    let lab = Lab::atlas().await;
    let second = lab.sim.seed_project(ProjectSeed::atlas("second").in_org(&lab.org()));
    let elsewhere = lab.sim.seed_project(ProjectSeed::atlas("elsewhere"));
    lab.sim.seed_credential(
        atlas_sim::CredentialSeed::api_key().with_secret(&lab.key.id, &lab.key.secret).grant("*", ["GROUP_OWNER"]),
    );
    for project in [&lab.project, &second, &elsewhere] {
        lab.post(&format!("/api/atlas/v2/groups/{project}/invites"), &invitation(JANE)).await.ok();
    }
    lab.sim.accept(&lab.project, JANE);
    assert_eq!(lab.sim.members(&second).len(), 1);
    assert!(lab.sim.members(&elsewhere).is_empty());
    assert_eq!(lab.sim.invitations(&elsewhere).len(), 1);
}

// §1.1 row 7: 200 with an organisation invitation for strangers, 204 for members of the organisation.
#[tokio::test]
async fn access_invites_strangers_and_adds_members() {
    let lab = Lab { accept: "application/vnd.atlas.2023-02-01+json", ..Lab::atlas().await };
    let got = lab.post(&lab.path("/access"), &invitation(JANE)).await;
    assert_eq!(got.header("content-type"), "application/vnd.atlas.2023-02-01+json;charset=utf-8");
    let body = got.ok();
    assert_eq!(body["groupRoleAssignments"][0]["groupId"], lab.project.as_str());
    lab.sim.seed_org_member(&lab.org(), "john@example.com", &[]);
    let got = lab.post(&lab.path("/access"), &invitation("john@example.com")).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    assert_eq!(lab.sim.members(&lab.project).len(), 1);
    assert!(lab.sim.accept(&lab.project, JANE));
    assert_eq!(lab.sim.members(&lab.project).len(), 2);
}

// §1.3: organisation invitations can be made, read, changed and cancelled.
#[tokio::test]
async fn organisation_invitations_have_a_life_of_their_own() {
    let lab = Lab::atlas().await;
    let base = format!("/api/atlas/v2/orgs/{}/invites", lab.org());
    let body = json!({"roles": ["ORG_MEMBER"], "username": JANE});
    let created = lab.post(&base, &body).await.ok();
    let path = format!("{base}/{}", created["id"].as_str().unwrap());
    assert_eq!(lab.get(&path).await.ok(), created);
    let changed = lab.patch(&path, &json!({"roles": ["ORG_OWNER"]})).await.ok();
    assert_eq!(changed["roles"], json!(["ORG_OWNER"]));
    let wrong = json!({"roles": ["GROUP_OWNER"]});
    assert_eq!(lab.patch(&path, &wrong).await.code(), (400, "INVALID_ROLE_FOR_ORG".to_owned()));
    assert_eq!(lab.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(lab.get(&path).await.code().1, "INVALID_INVITATION_ID");
}

// §1.3: organisation users carry `roles: {orgRoles, groupRoleAssignments[{groupId, groupRoles}]}`.
#[tokio::test]
async fn organisation_users_carry_both_kinds_of_roles() {
    let lab = Lab { accept: USERS, ..Lab::atlas().await };
    lab.sim.seed_member(&lab.project, JANE, &["GROUP_OWNER"]);
    let base = format!("/api/atlas/v2/orgs/{}/users", lab.org());
    let body = json!({"roles": {"orgRoles": ["ORG_MEMBER"]}, "username": "john@example.com"});
    assert_eq!(lab.post(&base, &body).await.status, StatusCode::CREATED);
    assert_eq!(lab.post(&base, &body).await.status, StatusCode::CONFLICT);
    let page = lab.get(&format!("{base}?username={JANE}")).await.ok();
    let wanted = json!({"groupRoleAssignments": [{"groupId": lab.project, "groupRoles": ["GROUP_OWNER"]}], "orgRoles": ["ORG_MEMBER"]});
    assert_eq!((&page["totalCount"], &page["results"][0]["roles"]), (&json!(1), &wanted));
    let pending = lab.get(&format!("{base}?orgMembershipStatus=PENDING")).await.ok();
    let id = pending["results"][0]["id"].as_str().unwrap();
    assert_eq!(lab.delete(&format!("{base}/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(lab.get(&format!("{base}/{id}")).await.code(), (404, "USER_NOT_IN_ORG".to_owned()));
}

// §2.14: `byName` accepts lower case only.
#[tokio::test]
async fn accounts_are_found_by_lower_case_name_only() {
    let lab = Lab::atlas().await;
    lab.sim.seed_account(JANE);
    assert_eq!(lab.get(&lab.api(&format!("/users/byName/{JANE}"))).await.ok()["username"], JANE);
    let got = lab.get(&lab.api("/users/byName/Jane.Doe@example.com")).await;
    assert_eq!(got.code(), (404, "USERNAME_NOT_FOUND".to_owned()));
}
