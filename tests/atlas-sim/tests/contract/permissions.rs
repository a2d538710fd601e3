//! Missing permissions are 401: contract §3, §7.

use atlas_sim::{CredentialSeed, Product, ProjectSeed};
use reqwest::{Method, StatusCode};

use crate::lab::{JANE, Lab, invitation};

// §3: NOT_IN_GROUP for a key that does not belong to the project.
#[tokio::test]
async fn a_stranger_is_not_in_the_group() {
    let lab = Lab::atlas().await;
    let key = lab.sim.seed_credential(CredentialSeed::api_key());
    let got = lab.send_as(&key, Method::GET, &lab.path("/invites"), None).await;
    assert_eq!(got.code(), (401, "NOT_IN_GROUP".to_owned()));
    assert_eq!(got.header("www-authenticate"), "");
}

// §1.1: Project Owner for every operation on legacy invitations.
#[tokio::test]
async fn legacy_invitations_need_a_project_owner() {
    let lab = Lab::atlas().await;
    let key = lab.sim.seed_credential(CredentialSeed::api_key().grant(&lab.project, ["GROUP_ACCESS_MANAGER"]));
    let got = lab.send_as(&key, Method::GET, &lab.path("/invites"), None).await;
    assert_eq!(got.code(), (401, "USER_CANNOT_ACCESS_GROUP".to_owned()));
    let body = invitation(JANE);
    let got = lab.send_as(&key, Method::POST, &lab.path("/invites"), Some(&body)).await;
    assert_eq!(got.status, StatusCode::UNAUTHORIZED);
    assert!(lab.sim.outbox().is_empty());
}

// §1.2: Project Read Only lists users; Project Access Manager changes them.
#[tokio::test]
async fn the_users_api_needs_less() {
    let lab = Lab::users().await;
    let reader = lab.sim.seed_credential(CredentialSeed::api_key().grant(&lab.project, ["GROUP_READ_ONLY"]));
    let manager = lab.sim.seed_credential(CredentialSeed::api_key().grant(&lab.project, ["GROUP_ACCESS_MANAGER"]));
    let (path, body) = (lab.path("/users"), invitation(JANE));
    assert_eq!(lab.send_as(&reader, Method::GET, &path, None).await.status, StatusCode::OK);
    assert_eq!(lab.send_as(&reader, Method::POST, &path, Some(&body)).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(lab.send_as(&manager, Method::POST, &path, Some(&body)).await.status, StatusCode::CREATED);
}

// §1.4: Project User Admin on Cloud Manager and Ops Manager.
#[tokio::test]
async fn classic_invitations_need_a_user_admin() {
    let lab = Lab::new(Product::CloudManager).await;
    let reader = lab.sim.seed_credential(CredentialSeed::api_key().grant(&lab.project, ["GROUP_READ_ONLY"]));
    let admin = lab.sim.seed_credential(CredentialSeed::api_key().grant(&lab.project, ["GROUP_USER_ADMIN"]));
    let path = lab.path("/invites");
    let got = lab.send_as(&reader, Method::GET, &path, None).await;
    assert_eq!(got.code(), (401, "NOT_GROUP_USER_ADMIN".to_owned()));
    assert_eq!(lab.send_as(&admin, Method::GET, &path, None).await.status, StatusCode::OK);
}

// §7: an organisation owner owns every project in it.
#[tokio::test]
async fn an_org_owner_owns_its_projects_only() {
    let lab = Lab::atlas().await;
    let owner = lab.sim.seed_credential(CredentialSeed::api_key().grant(&lab.org(), ["ORG_OWNER"]));
    assert_eq!(lab.send_as(&owner, Method::GET, &lab.path("/invites"), None).await.status, StatusCode::OK);
    let other = lab.sim.seed_project(ProjectSeed::atlas("other"));
    let path = format!("/api/atlas/v2/groups/{other}/invites");
    assert_eq!(lab.send_as(&owner, Method::GET, &path, None).await.code().1, "NOT_IN_GROUP");
}

// §1.3: Organization Owner for organisation invitations.
#[tokio::test]
async fn organisation_invitations_need_an_organisation_owner() {
    let lab = Lab::atlas().await;
    let key = lab.sim.seed_credential(CredentialSeed::api_key().grant(&lab.org(), ["ORG_MEMBER"]));
    let path = format!("/api/atlas/v2/orgs/{}/invites", lab.org());
    let got = lab.send_as(&key, Method::GET, &path, None).await;
    assert_eq!(got.code(), (401, "NOT_ORG_OWNER".to_owned()));
}
