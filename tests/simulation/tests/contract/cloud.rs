//! What the operator's port to MongoDB promises, and what MongoDB does behind it.

use invitation_operator::api::InvitationClaim;
use invitation_operator::cloud::{Cancelled, Created, InvitesApi, Room};
use invitation_operator::domain::attempt::AcknowledgedAttempt;
use invitation_operator::domain::failure::{Failure, FailureKind};
use invitation_operator::domain::remote::{Invitation, ObjectId, Roles, Username};
use serde_json::json;

/// What happens to the next call that sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    LostReply,
    LostRequest,
    LateEffect,
    Unclear,
    Throttled,
}

/// The port, and what happens beside it.
pub(crate) trait Cloud {
    fn port(&self) -> &dyn InvitesApi;
    fn project(&self) -> ObjectId;
    /// How MongoDB names the sender.
    fn identity(&self) -> String;
    fn mails(&self) -> usize;
    async fn accept(&self);
    async fn decline(&self);
    async fn expire(&self);
    /// From now on new invitations hide from lists and reads for a while.
    async fn hide_new(&self);
    /// So long that nothing hides any more, and that whatever is late has arrived.
    async fn wait(&self);
    async fn mishap(&self, mishap: Mishap);
    /// A proxy answers 404 to everything.
    async fn lead_astray(&self);
    async fn revoke(&self);
    /// People belong to the organisation: access is granted at once.
    async fn grant_at_once(&self);
}

pub(crate) const JANE: &str = "Jane@Example.com";

fn jane() -> Username {
    Username::new(JANE)
}

fn roles(names: &[&str]) -> Roles {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn reader() -> Roles {
    roles(&["GROUP_READ_ONLY"])
}

fn attempt() -> AcknowledgedAttempt {
    let claim: InvitationClaim = serde_json::from_value(json!({
        "apiVersion": "invitation-operator.io/v1alpha1",
        "kind": "InvitationClaim",
        "metadata": {"name": "a", "resourceVersion": "1"},
        "spec": {
            "key": {"product": "Atlas", "api": "Invites", "host": "h", "projectId": "p", "username": "jane"},
            "inviterRef": {"kind": "Inviter", "name": "i", "uid": "u"},
            "attempt": {"nonce": "n", "startedAt": "2026-01-01T00:00:00Z", "deadline": "2099-01-01T00:00:10Z"}
        }
    }))
    .unwrap();
    AcknowledgedAttempt::in_claim(&claim, "n").unwrap()
}

async fn send(side: &impl Cloud) -> Result<Created, Failure> {
    side.port().create(attempt(), Room::unlimited(), &side.project(), &jane(), &reader()).await
}

async fn sent(side: &impl Cloud) -> Invitation {
    match send(side).await {
        Ok(Created::Invitation(invitation)) => *invitation,
        other => panic!("not sent: {other:?}"),
    }
}

async fn listed(side: &impl Cloud) -> Vec<ObjectId> {
    let list = side.port().list(&side.project(), None).await.unwrap();
    list.into_iter().map(|invitation| invitation.id).collect()
}

async fn got(side: &impl Cloud, id: &ObjectId) -> Option<Invitation> {
    side.port().get(&side.project(), id).await.unwrap()
}

async fn is_member(side: &impl Cloud) -> bool {
    side.port().members(&side.project()).await.unwrap().iter().any(|member| member.is(&jane()))
}

async fn cancel(side: &impl Cloud, id: &ObjectId) -> Result<Cancelled, Failure> {
    side.port().cancel(&side.project(), id).await
}

fn kind<T: std::fmt::Debug>(result: Result<T, Failure>) -> FailureKind {
    result.unwrap_err().kind
}

fn is_unknown(result: Result<Created, Failure>) -> bool {
    matches!(kind(result), FailureKind::Unavailable { .. })
}

pub(crate) async fn a_success_is_one_mail_and_one_invitation(side: &impl Cloud) {
    side.port().probe().await.unwrap();
    assert!(listed(side).await.is_empty());
    let invitation = sent(side).await;
    assert_eq!(side.mails(), 1);
    assert_eq!((&invitation.username, &invitation.roles), (&jane(), &reader()));
    assert_eq!(invitation.inviter_username, Some(side.identity()));
    assert_eq!(invitation.group_id, Some(side.project()));
    let life = invitation.expires_at.unwrap().duration_since(invitation.created_at.unwrap());
    assert_eq!(life.as_hours(), 30 * 24);
    assert_eq!(listed(side).await, std::slice::from_ref(&invitation.id));
    assert_eq!(side.port().list(&side.project(), Some(&jane())).await.unwrap().len(), 1);
    let other = Username::new("john@example.com");
    assert!(side.port().list(&side.project(), Some(&other)).await.unwrap().is_empty());
    assert_eq!(got(side, &invitation.id).await.map(|found| found.id), Some(invitation.id));
    assert!(!is_member(side).await);
}

pub(crate) async fn a_second_call_mails_again(side: &impl Cloud) {
    let (first, second) = (sent(side).await, sent(side).await);
    assert_eq!(side.mails(), 2);
    assert_ne!(first.id, second.id);
    assert_eq!(listed(side).await.len(), 2);
}

pub(crate) async fn roles_change_in_place(side: &impl Cloud) {
    let before = sent(side).await;
    let more = roles(&["GROUP_READ_ONLY", "GROUP_OWNER"]);
    let after = side.port().update_roles(&side.project(), &before.id, &more).await.unwrap();
    assert_eq!((&after.id, &after.roles, after.expires_at), (&before.id, &more, before.expires_at));
    assert_eq!(side.mails(), 1);
    side.decline().await;
    let gone = side.port().update_roles(&side.project(), &before.id, &reader()).await;
    assert_eq!(kind(gone), FailureKind::InvitationGone);
}

pub(crate) async fn a_cancelled_invitation_is_gone(side: &impl Cloud) {
    let invitation = sent(side).await;
    assert_eq!(cancel(side, &invitation.id).await, Ok(Cancelled::Now));
    assert_eq!(cancel(side, &invitation.id).await, Ok(Cancelled::AlreadyGone));
    assert_eq!(got(side, &invitation.id).await, None);
    assert!(listed(side).await.is_empty());
    assert_eq!(side.mails(), 1);
}

pub(crate) async fn who_accepts_is_a_member(side: &impl Cloud) {
    let invitation = sent(side).await;
    side.accept().await;
    assert!(is_member(side).await && listed(side).await.is_empty());
    assert_eq!(got(side, &invitation.id).await, None);
    assert_eq!(cancel(side, &invitation.id).await, Ok(Cancelled::AlreadyGone));
    assert_eq!(kind(send(side).await), FailureKind::AlreadyThere);
    assert_eq!(side.mails(), 1, "a member is not mailed");
}

pub(crate) async fn who_declines_is_gone(side: &impl Cloud) {
    let invitation = sent(side).await;
    side.decline().await;
    assert!(!is_member(side).await && listed(side).await.is_empty());
    assert_eq!(got(side, &invitation.id).await, None);
}

pub(crate) async fn what_has_expired_is_gone(side: &impl Cloud) {
    let invitation = sent(side).await;
    side.expire().await;
    assert!(listed(side).await.is_empty());
    assert_eq!(got(side, &invitation.id).await, None);
    assert_eq!(cancel(side, &invitation.id).await, Ok(Cancelled::AlreadyGone));
}

pub(crate) async fn a_new_invitation_may_hide_and_is_cancelled_all_the_same(side: &impl Cloud) {
    side.hide_new().await;
    let first = sent(side).await;
    assert!(listed(side).await.is_empty());
    assert_eq!(got(side, &first.id).await, None);
    assert_eq!(cancel(side, &first.id).await, Ok(Cancelled::Now));
    let second = sent(side).await;
    side.wait().await;
    assert_eq!(listed(side).await, std::slice::from_ref(&second.id));
    assert!(got(side, &second.id).await.is_some());
}

pub(crate) async fn a_lost_reply_is_unknown_and_mailed(side: &impl Cloud) {
    side.mishap(Mishap::LostReply).await;
    assert!(is_unknown(send(side).await));
    assert_eq!((side.mails(), listed(side).await.len()), (1, 1));
}

pub(crate) async fn a_lost_request_is_unknown_and_did_not_mail(side: &impl Cloud) {
    side.mishap(Mishap::LostRequest).await;
    assert!(is_unknown(send(side).await));
    side.wait().await;
    assert_eq!((side.mails(), listed(side).await.len()), (0, 0));
}

pub(crate) async fn a_late_call_mails_after_its_caller_gave_up(side: &impl Cloud) {
    side.mishap(Mishap::LateEffect).await;
    assert!(is_unknown(send(side).await));
    assert_eq!(side.mails(), 0);
    side.wait().await;
    assert_eq!((side.mails(), listed(side).await.len()), (1, 1));
}

pub(crate) async fn an_unclear_answer_is_not_a_no(side: &impl Cloud) {
    side.mishap(Mishap::Unclear).await;
    assert_eq!(kind(send(side).await), FailureKind::Doubtful);
    assert_eq!((side.mails(), listed(side).await.len()), (1, 1));
}

pub(crate) async fn a_throttled_call_did_not_mail(side: &impl Cloud) {
    side.mishap(Mishap::Throttled).await;
    assert_eq!(kind(send(side).await), FailureKind::InvitationThrottled);
    assert_eq!((side.mails(), listed(side).await.len()), (0, 0));
}

pub(crate) async fn a_bare_404_says_nothing_of_invitations(side: &impl Cloud) {
    let invitation = sent(side).await;
    side.lead_astray().await;
    let (port, project) = (side.port(), side.project());
    let missing = FailureKind::EndpointMissing;
    assert_eq!(kind(port.list(&project, None).await), missing);
    assert_eq!(kind(port.members(&project).await), missing);
    assert_eq!(kind(port.get(&project, &invitation.id).await), missing);
    assert_eq!(kind(cancel(side, &invitation.id).await), missing);
    assert_eq!(kind(send(side).await), FailureKind::Doubtful, "of a call that sends it says nothing at all");
    assert_eq!(side.mails(), 1);
}

pub(crate) async fn refused_credentials_are_refused_everywhere(side: &impl Cloud) {
    let invitation = sent(side).await;
    side.revoke().await;
    let (port, project) = (side.port(), side.project());
    let refused = FailureKind::CredentialsRejected;
    assert_eq!(kind(port.probe().await), refused);
    assert_eq!(kind(port.list(&project, None).await), refused);
    assert_eq!(kind(port.members(&project).await), refused);
    assert_eq!(kind(port.get(&project, &invitation.id).await), refused);
    assert_eq!(kind(port.update_roles(&project, &invitation.id, &reader()).await), refused);
    assert_eq!(kind(cancel(side, &invitation.id).await), refused);
    assert_eq!(kind(send(side).await), refused);
    assert_eq!(side.mails(), 1);
}

pub(crate) async fn who_is_granted_access_has_no_invitation(side: &impl Cloud) {
    side.grant_at_once().await;
    assert_eq!(send(side).await, Ok(Created::WithoutId));
    assert!(is_member(side).await && listed(side).await.is_empty());
    assert_eq!(side.mails(), 1);
}
