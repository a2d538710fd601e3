//! Legacy project invitations of Atlas: contract §1.1 and §2.

use std::time::Duration;

use atlas_sim::{DuplicateInvite, GoneStatus, MailKind, Span, UsernameCase, UsernameFilter};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::lab::{JANE, Lab, invitation};

// §1.1: "Recorded create answer: 200, Content-Type …;charset=utf-8, Deprecation, Sunset, Ratelimit-Limit: 1200,
// Ratelimit-Remaining: 1199, Server: mdbws, X-Java-Method, X-Mongodb-Service-Version".
#[tokio::test]
async fn a_creation_has_the_recorded_status_and_headers() {
    let lab = Lab::atlas().await;
    let got = lab.invite(JANE).await;
    assert_eq!(got.status, StatusCode::OK);
    assert_eq!(got.header("content-type"), "application/vnd.atlas.2023-01-01+json;charset=utf-8");
    assert_eq!(got.header("deprecation"), "Wed, 4 Oct 2023 00:00:00 GMT");
    assert_eq!(got.header("sunset"), "Thu, 1 Jul 2027 00:00:00 GMT");
    assert_eq!(got.header("ratelimit-limit"), "1200");
    assert_eq!(got.header("ratelimit-remaining"), "1199");
    assert_eq!(got.header("server"), "mdbws");
    assert_eq!(got.header("x-java-method"), "ApiGroupInvitationResource::createInvitations");
    assert!(got.header("x-mongodb-service-version").starts_with("gitHash="));
}

// §1.1: "body keys in alphabetical order", `links` absent, inviterUsername is the public key.
#[tokio::test]
async fn a_created_invitation_has_the_recorded_fields_in_alphabetical_order() {
    let lab = Lab::atlas().await;
    let got = lab.invite(JANE).await;
    let names = ["createdAt", "expiresAt", "groupId", "groupName", "id", "inviterUsername", "roles", "username"];
    let places: Vec<usize> = names.iter().map(|name| got.text.find(&format!("\"{name}\":")).unwrap()).collect();
    assert!(places.is_sorted());
    let body = got.json();
    assert_eq!(body.as_object().unwrap().len(), names.len());
    assert_eq!(body["inviterUsername"], lab.key.id.as_str());
    assert_eq!(body["groupName"], "payments");
    assert_eq!(body["groupId"], lab.project.as_str());
}

// §1.1, §2.1, §4.3: whole seconds, `Z`, exactly 30 days; the id's first four bytes are the creation time.
#[tokio::test]
async fn dates_are_whole_seconds_thirty_days_apart_and_the_id_holds_the_first() {
    let lab = Lab::atlas().await;
    let body = lab.invite(JANE).await.ok();
    let created: jiff::Timestamp = body["createdAt"].as_str().unwrap().parse().unwrap();
    let expires: jiff::Timestamp = body["expiresAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(expires.as_second() - created.as_second(), 30 * 86_400);
    assert_eq!(body["createdAt"].as_str().unwrap().len(), "2026-08-10T03:04:53Z".len());
    let id = body["id"].as_str().unwrap();
    assert_eq!(i64::from_str_radix(&id[..8], 16).unwrap(), created.as_second());
    assert_eq!(id.len(), 24);
}

// §1.1: bare array, `username` filter; §1.5: an empty list is 200 with `[]`.
#[tokio::test]
async fn the_list_is_a_bare_array_that_a_username_narrows() {
    let lab = Lab::atlas().await;
    assert_eq!(lab.get(&lab.path("/invites")).await.text, "[]");
    lab.invite(JANE).await.ok();
    lab.invite("john@example.com").await.ok();
    assert_eq!(lab.invites().await.len(), 2);
    let one = lab.get(&lab.path("/invites?username=Jane.Doe%40example.com")).await.ok();
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!(one[0]["username"], JANE);
}

// §10.9: whether the filter is exact or a prefix is unknown, so clients filter themselves.
#[tokio::test]
async fn the_username_filter_can_be_a_prefix_or_ignored() {
    let lab = Lab::atlas().await;
    lab.invite(JANE).await.ok();
    lab.invite("jane.doe@example.com.au").await.ok();
    let path = lab.path("/invites?username=jane.doe@example.com");
    assert_eq!(lab.get(&path).await.ok().as_array().unwrap().len(), 1);
    lab.sim.configure(|behaviour| behaviour.username_filter = UsernameFilter::Prefix);
    assert_eq!(lab.get(&path).await.ok().as_array().unwrap().len(), 2);
    lab.invite("other@example.com").await.ok();
    lab.sim.configure(|behaviour| behaviour.username_filter = UsernameFilter::Ignored);
    assert_eq!(lab.get(&path).await.ok().as_array().unwrap().len(), 3);
}

// §2.9: PATCH replaces roles; keeps `id`, `createdAt`, `expiresAt`; sends no mail.
#[tokio::test]
async fn an_update_replaces_the_roles_and_nothing_else() {
    let lab = Lab::atlas().await;
    let before = lab.invite(JANE).await.ok();
    lab.sim.advance_clock(Duration::from_secs(3600));
    let path = lab.path(&format!("/invites/{}", before["id"].as_str().unwrap()));
    let after = lab.patch(&path, &json!({"roles": ["GROUP_OWNER"]})).await.ok();
    assert_eq!(after["roles"], json!(["GROUP_OWNER"]));
    for field in ["id", "createdAt", "expiresAt", "username"] {
        assert_eq!(after[field], before[field]);
    }
    assert_eq!(lab.get(&path).await.ok(), after);
    assert_eq!(lab.sim.mails_to(JANE).len(), 1);
}

// §1.1 row 5: `username` picks the invitation, `roles` replace.
#[tokio::test]
async fn an_update_by_username_finds_the_invitation() {
    let lab = Lab::atlas().await;
    let before = lab.invite(JANE).await.ok();
    let body = json!({"roles": ["GROUP_OWNER"], "username": "JANE.DOE@example.com"});
    let after = lab.patch(&lab.path("/invites"), &body).await.ok();
    assert_eq!((&after["id"], &after["roles"]), (&before["id"], &json!(["GROUP_OWNER"])));
}

// §1.1 row 6: 204 without a body, but with a Content-Type header.
#[tokio::test]
async fn a_deletion_is_204_with_a_content_type_and_no_body() {
    let lab = Lab::atlas().await;
    let id = lab.invite(JANE).await.ok()["id"].as_str().unwrap().to_owned();
    let got = lab.delete(&lab.path(&format!("/invites/{id}"))).await;
    assert_eq!((got.status, got.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(got.header("content-type"), "application/vnd.atlas.2023-01-01+json;charset=utf-8");
    assert!(lab.invites().await.is_empty());
}

// §2.3: GET of a gone invitation is 404 INVALID_INVITATION_ID, "An invalid invitation ID … was specified."
#[tokio::test]
async fn a_gone_invitation_is_404_for_every_operation() {
    let lab = Lab::atlas().await;
    let id = lab.invite(JANE).await.ok()["id"].as_str().unwrap().to_owned();
    let path = lab.path(&format!("/invites/{id}"));
    lab.delete(&path).await;
    let got = lab.get(&path).await;
    assert_eq!(got.code(), (404, "INVALID_INVITATION_ID".to_owned()));
    assert_eq!(got.json()["detail"], format!("An invalid invitation ID {id} was specified."));
    assert_eq!(got.header("x-error-code"), "INVALID_INVITATION_ID");
    assert_eq!(lab.delete(&path).await.code().1, "INVALID_INVITATION_ID");
    let update = json!({"roles": ["GROUP_OWNER"]});
    assert_eq!(lab.patch(&path, &update).await.code().1, "INVALID_INVITATION_ID");
}

// §2.3, §10.7: the Atlas error table has the same code as 400.
#[tokio::test]
async fn a_gone_invitation_can_be_400() {
    let lab = Lab::atlas().await;
    lab.sim.configure(|behaviour| behaviour.gone_status = GoneStatus::BadRequest);
    let got = lab.delete(&lab.path("/invites/111111111111111111111111")).await;
    assert_eq!(got.code(), (400, "INVALID_INVITATION_ID".to_owned()));
}

// §2.2, §0: accepting deletes the invitation, and the person appears among the users.
#[tokio::test]
async fn acceptance_deletes_the_invitation_and_makes_a_member() {
    let lab = Lab::atlas().await;
    let id = lab.invite(JANE).await.ok()["id"].as_str().unwrap().to_owned();
    assert!(lab.sim.accept(&lab.project, JANE));
    assert!(lab.invites().await.is_empty());
    assert_eq!(lab.get(&lab.path(&format!("/invites/{id}"))).await.status, StatusCode::NOT_FOUND);
    let members = lab.sim.members(&lab.project);
    assert_eq!(members.len(), 1);
    assert_eq!(members[0].roles, ["GROUP_READ_ONLY"]);
    assert!(!lab.sim.accept(&lab.project, JANE));
}

// §10.20: a declined invitation disappears like a cancelled one.
#[tokio::test]
async fn a_declined_invitation_disappears() {
    let lab = Lab::atlas().await;
    lab.invite(JANE).await.ok();
    assert!(lab.sim.decline(&lab.project, JANE));
    assert!(lab.invites().await.is_empty());
    assert!(lab.sim.members(&lab.project).is_empty());
}

// §2.1, §2.4, §10.6: after 30 days it is neither listed nor readable.
#[tokio::test]
async fn an_invitation_vanishes_when_its_time_is_over() {
    let lab = Lab::atlas().await;
    let id = lab.invite(JANE).await.ok()["id"].as_str().unwrap().to_owned();
    lab.sim.advance_clock(Duration::from_secs(30 * 86_400 - 60));
    assert_eq!(lab.invites().await.len(), 1);
    lab.sim.advance_clock(Duration::from_secs(61));
    assert!(lab.invites().await.is_empty());
    let got = lab.get(&lab.path(&format!("/invites/{id}"))).await;
    assert_eq!(got.code(), (404, "INVALID_INVITATION_ID".to_owned()));
    assert!(!lab.sim.accept(&lab.project, JANE));
}

// §10.6: it may still be listed for a while.
#[tokio::test]
async fn an_expired_invitation_can_linger_but_not_be_accepted() {
    let lab = Lab::atlas().await;
    lab.sim.configure(|behaviour| behaviour.expired_listed_for = Span::days(1));
    lab.invite(JANE).await.ok();
    assert!(lab.sim.expire(&lab.project, JANE));
    assert_eq!(lab.invites().await.len(), 1);
    assert!(!lab.sim.accept(&lab.project, JANE));
    lab.sim.advance_clock(Span::days(2).duration());
    assert!(lab.invites().await.is_empty());
}

// §2.1 with a shorter life, for rehearsals.
#[tokio::test]
async fn the_life_of_invitations_can_be_set() {
    let lab = Lab::atlas().await;
    lab.sim.configure(|behaviour| behaviour.invitation_life = Span::seconds(45));
    let body = lab.invite(JANE).await.ok();
    let second = |field: &str| body[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(second("expiresAt") - second("createdAt"), 45);
}

// §2.12, §10.1: what a second POST does is not established, so every answer can be had, and each that mails counts.
#[tokio::test]
async fn a_second_post_follows_the_configured_mode_and_every_success_mails() {
    for (mode, status, rows, mails) in [
        (DuplicateInvite::Second, 200, 2, 2),
        (DuplicateInvite::Existing, 200, 1, 2),
        (DuplicateInvite::Conflict, 409, 1, 1),
        (DuplicateInvite::BadRequest, 400, 1, 1),
    ] {
        let lab = Lab::atlas().await;
        lab.sim.configure(|behaviour| behaviour.duplicate_invite = mode);
        lab.invite(JANE).await.ok();
        assert_eq!(lab.invite(JANE).await.status.as_u16(), status, "{mode:?}");
        assert_eq!(lab.invites().await.len(), rows, "{mode:?}");
        assert_eq!(lab.sim.mails_to(JANE).len(), mails, "{mode:?}");
    }
}

// §2.19: every POST sends an e-mail to a person.
#[tokio::test]
async fn a_mail_names_person_project_invitation_and_request() {
    let lab = Lab::atlas().await;
    let id = lab.invite(JANE).await.ok()["id"].as_str().unwrap().to_owned();
    let mails = lab.sim.outbox();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!((mail.to.as_str(), mail.project.as_str()), (JANE, lab.project.as_str()));
    assert_eq!((mail.kind, mail.invitation_id.as_deref()), (MailKind::ProjectInvitation, Some(id.as_str())));
    let record = lab.sim.requests().into_iter().find(|request| request.number == mail.request).unwrap();
    assert_eq!((record.method.as_str(), record.challenged), ("POST", false));
    lab.sim.clear_outbox();
    assert!(lab.sim.outbox().is_empty());
}

// §2.14, §10.8: lower-cased probably; the other way can be had.
#[tokio::test]
async fn addresses_are_lower_cased_unless_told_otherwise() {
    let lab = Lab::atlas().await;
    assert_eq!(lab.invite("Jane.Doe@Example.com").await.ok()["username"], JANE);
    lab.sim.configure(|behaviour| behaviour.username_case = UsernameCase::Keep);
    assert_eq!(lab.invite("John@Example.com").await.ok()["username"], "John@Example.com");
}

// §10.21: a new invitation may be missing from lists for a moment.
#[tokio::test]
async fn a_list_lag_hides_a_new_invitation_until_time_has_passed() {
    let lab = Lab::atlas().await;
    lab.sim.configure(|behaviour| behaviour.list_lag = Span::seconds(30));
    let id = lab.invite(JANE).await.ok()["id"].as_str().unwrap().to_owned();
    assert!(lab.invites().await.is_empty());
    let got = lab.get(&lab.path(&format!("/invites/{id}"))).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    lab.sim.advance_clock(Duration::from_secs(31));
    assert_eq!(lab.invites().await.len(), 1);
}

// §1.1 base path; the official client of the older API uses it.
#[tokio::test]
async fn the_unversioned_atlas_path_serves_older_clients() {
    let lab = Lab::atlas().await;
    let path = format!("/api/atlas/v1.0/groups/{}/invites", lab.project);
    let got = lab.send(Method::POST, &path, Some(&invitation(JANE))).await;
    assert_eq!((got.status, got.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(got.header("sunset"), "");
}
