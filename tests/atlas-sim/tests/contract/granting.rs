//! People who get access at once: contract §2.5, §2.6, §10.2, §10.3 and Ops Manager's bypass (§1.4).

use atlas_sim::{GrantReply, MailKind, MemberReply, Product};
use reqwest::StatusCode;

use crate::lab::{JANE, Lab, invitation};

// §2.5: a member of the organisation is granted access at once, without invitation; the answer has no id.
#[tokio::test]
async fn an_org_member_gets_access_without_an_invitation_in_every_shape() {
    for (reply, status, text_has) in [
        (GrantReply::NoContent, 204, ""),
        (GrantReply::EmptyBody, 200, ""),
        (GrantReply::EmptyObject, 200, "{}"),
        (GrantReply::WithoutId, 200, "groupName"),
    ] {
        let lab = Lab::atlas().await;
        lab.sim.configure(|behaviour| behaviour.granted_reply = reply);
        lab.sim.seed_org_member(&lab.org(), JANE, &[]);
        let got = lab.invite(JANE).await;
        assert_eq!(got.status.as_u16(), status, "{reply:?}");
        assert!(got.text.contains(text_has) && !got.text.contains("\"id\""), "{reply:?}");
        assert!(lab.invites().await.is_empty());
        assert_eq!(lab.sim.members(&lab.project)[0].username, JANE);
        assert_eq!(lab.sim.mails_to(JANE)[0].kind, MailKind::AccessGranted);
    }
}

// §2.6: an address in a verified domain is added directly.
#[tokio::test]
async fn a_federated_person_is_added_directly() {
    let lab = Lab::atlas().await;
    lab.sim.federate(&lab.org(), "Example.com");
    assert_eq!(lab.invite(JANE).await.status, StatusCode::NO_CONTENT);
    assert_eq!(lab.sim.members(&lab.project).len(), 1);
    assert!(lab.invite("john@other.example").await.status.is_success());
    assert_eq!(lab.invites().await.len(), 1);
}

// §2.6: re-adding a pending federated person activates them, in both generations.
#[tokio::test]
async fn a_pending_person_is_activated_once_their_domain_is_verified() {
    let lab = Lab::users().await;
    let (users, invites) = (lab.path("/users"), lab.path("/invites"));
    lab.post(&users, &invitation(JANE)).await.ok();
    lab.post(&invites, &invitation("john@example.com")).await.ok();
    lab.sim.federate(&lab.org(), "example.com");
    assert_eq!(lab.post(&users, &invitation(JANE)).await.ok()["orgMembershipStatus"], "ACTIVE");
    assert_eq!(lab.post(&invites, &invitation("john@example.com")).await.status, StatusCode::NO_CONTENT);
    assert!(lab.sim.invitations(&lab.project).is_empty());
    assert_eq!(lab.sim.members(&lab.project).len(), 2);
}

// §2.17: somebody who accepted and left still belongs to the organisation, so a new POST grants at once.
#[tokio::test]
async fn somebody_who_left_is_granted_access_again() {
    let lab = Lab::atlas().await;
    lab.invite(JANE).await.ok();
    assert!(lab.sim.accept(&lab.project, JANE) && lab.sim.leave(&lab.project, JANE));
    assert_eq!(lab.invite(JANE).await.status, StatusCode::NO_CONTENT);
    assert_eq!(lab.sim.members(&lab.project).len(), 1);
}

// §10.2, §10.3: somebody who is in the project already.
#[tokio::test]
async fn a_member_is_refused_or_granted_as_configured() {
    for (reply, status) in [(MemberReply::Conflict, 409), (MemberReply::BadRequest, 400), (MemberReply::Granted, 204)] {
        let lab = Lab::atlas().await;
        lab.sim.configure(|behaviour| behaviour.member_reply = reply);
        lab.sim.seed_member(&lab.project, JANE, &["GROUP_OWNER"]);
        let got = lab.invite(JANE).await;
        assert_eq!(got.status.as_u16(), status);
        if !got.status.is_success() {
            assert_eq!(got.code().1, "USER_ALREADY_IN_GROUP");
        }
        assert!(lab.sim.outbox().is_empty());
        assert_eq!(lab.sim.members(&lab.project)[0].roles, ["GROUP_OWNER"]);
    }
}

// §1.4: bypass mode adds an existing account at once; unknown addresses still get an invitation.
#[tokio::test]
async fn bypass_mode_adds_existing_accounts_only() {
    let lab = Lab::new(Product::OpsManager).await;
    lab.sim.seed_account(JANE);
    lab.sim.configure(|behaviour| behaviour.ops_manager_bypass = true);
    let got = lab.invite(JANE).await;
    assert_eq!((got.status, got.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(lab.sim.members(&lab.project).len(), 1);
    assert_eq!(lab.invite("new@example.com").await.status, StatusCode::CREATED);
}

// §1.4: turning bypass mode on invalidates pending invitations.
#[tokio::test]
async fn turning_bypass_mode_on_ends_pending_invitations() {
    let lab = Lab::new(Product::OpsManager).await;
    lab.invite(JANE).await.ok();
    lab.sim.configure(|behaviour| behaviour.ops_manager_bypass = true);
    assert!(lab.invites().await.is_empty());
}

// §1.4: without bypass mode an existing account is invited like anybody.
#[tokio::test]
async fn an_ops_manager_account_is_invited_without_bypass_mode() {
    let lab = Lab::new(Product::OpsManager).await;
    lab.sim.seed_account(JANE);
    assert_eq!(lab.invite(JANE).await.status, StatusCode::CREATED);
    assert!(lab.sim.members(&lab.project).is_empty());
}
