//! What was seen, what it means: the design's table row by row.

use crate::harness::*;
use kube::api::DeleteParams;
use libtest_mimic::Trial;
use serde_json::json;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        a_member_is_accepted_without_a_mail,
        somebody_elses_invitation_is_adopted_and_given_the_roles_of_the_spec,
        somebody_elses_invitation_with_the_same_roles_is_adopted_under_same_roles_and_then_left_alone,
        somebody_elses_invitation_with_other_roles_is_left_alone_under_same_roles,
        somebody_elses_invitation_is_left_alone_under_never,
        roles_of_a_pending_invitation_are_changed_in_place,
        roles_that_the_api_refuses_for_a_pending_invitation_are_reported,
        an_invitation_that_vanishes_is_withdrawn_after_two_looks_and_not_sent_again,
        a_person_who_declines_is_withdrawn,
        a_member_who_leaves_is_withdrawn_and_not_invited_again,
        a_withdrawn_person_who_is_seen_again_is_followed_again,
        an_expired_invitation_that_is_still_listed_is_expired_by_the_clock,
        somebody_who_is_added_after_the_expiry_is_accepted,
        a_lost_ledger_holds_instead_of_mailing_again,
        a_lost_ledger_finds_what_is_still_pending_again,
        an_inviter_on_another_host_is_not_followed,
        an_object_that_moved_to_another_host_is_cancelled_where_it_was_sent,
        another_inviter_on_the_same_host_takes_over_without_a_mail,
        of_two_objects_for_one_person_one_owns_the_invitation,
        what_an_owner_keeps_goes_to_the_next_object_without_a_mail,
        what_an_owner_without_finalizer_leaves_goes_to_the_next_object_without_a_mail,
    ]
}

async fn a_member_is_accepted_without_a_mail() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.sim.seed_member(&account.project, JANE, &[WRITER]);
    world.invite("jane", &account.project, "Jane.Doe@example.com").await;
    let accepted = world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    assert!(ready("True", Reason::Accepted)(&accepted));
    assert_eq!(status(&accepted).roles.unwrap(), [WRITER], "a member's roles are reported, not changed");
    assert_eq!(condition(&accepted, "RolesInSync").unwrap().status, "False");
    assert_eq!(status(&accepted).mails_sent, Some(0));
    world.looks(&account.project, 2).await;
    assert_eq!(world.mutations(), []);
    assert_eq!(world.mails(JANE), 0);
}

async fn somebody_elses_invitation_is_adopted_and_given_the_roles_of_the_spec() {
    let world = World::start().await;
    let account = world.atlas().await;
    let id = world.invite_by_hand(&account.project, JANE, WRITER).await;
    let object = world.invite("jane", &account.project, JANE).await;
    let in_sync = |o: &ProjectInvitation| in_phase(Phase::Invited)(o) && is_true(o, "RolesInSync");
    let adopted = world.until("jane", "adopted with its roles", in_sync).await;
    assert_eq!(status(&adopted).id.as_ref(), Some(&id));
    assert_eq!(status(&adopted).mails_sent, Some(0));
    let invitation = &world.sim.invitations(&account.project)[0];
    assert_eq!((&invitation.id, &invitation.roles), (&id, &vec![READER.to_owned()]));
    let mutations: Vec<_> = world.mutations().into_iter().map(|call| call.endpoint).collect();
    assert_eq!(mutations, [Endpoint::UpdateGroupInviteById]);
    world.until_event("jane", Reason::Adopted).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty(), "under adoption: Any it is ours to cancel");
    assert_eq!(world.mails(JANE), 0);
}

async fn somebody_elses_invitation_with_the_same_roles_is_adopted_under_same_roles_and_then_left_alone() {
    let world = World::start().await;
    let account = world.atlas_with(|spec| spec.adoption = Adoption::SameRoles).await;
    world.invite_by_hand(&account.project, JANE, READER).await;
    let object = world.invite("jane", &account.project, JANE).await;
    world.until("jane", "adopted", ready("True", Reason::Adopted)).await;
    world.patch("jane", json!({ "spec": { "roles": [WRITER] } })).await;
    let object_now = world.until("jane", "not enforced", shows(Reason::RolesNotEnforced)).await;
    assert_eq!(condition(&object_now, "RolesInSync").unwrap().status, "False");
    world.delete("jane").await;
    world.until_gone(&object).await;
    world.until_event("jane", Reason::InvitationKept).await;
    assert_eq!(world.mutations(), []);
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
}

async fn somebody_elses_invitation_with_other_roles_is_left_alone_under_same_roles() {
    let world = World::start().await;
    let account = world.atlas_with(|spec| spec.adoption = Adoption::SameRoles).await;
    let id = world.invite_by_hand(&account.project, JANE, WRITER).await;
    world.invite("jane", &account.project, JANE).await;
    let stalled = world.until("jane", "told", ready("False", Reason::InvitationExists)).await;
    assert!(is_true(&stalled, "Stalled"));
    assert!(message(&stalled, Reason::InvitationExists).contains(WRITER));
    world.looks(&account.project, 2).await;
    assert_eq!(world.mutations(), []);
    // Once it is gone, the wish is fulfilled.
    world.sim.cancel(&account.project, &id);
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    assert_eq!(world.mails(JANE), 1);
}

async fn somebody_elses_invitation_is_left_alone_under_never() {
    let world = World::start().await;
    let account = world.atlas_with(|spec| spec.adoption = Adoption::Never).await;
    world.invite_by_hand(&account.project, JANE, READER).await;
    let object = world.invite("jane", &account.project, JANE).await;
    world.until("jane", "told", ready("False", Reason::InvitationExists)).await;
    world.looks(&account.project, 2).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert_eq!(world.mutations(), []);
    assert_eq!(world.claims().await, []);
}

async fn roles_of_a_pending_invitation_are_changed_in_place() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    let before = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.patch("jane", json!({ "spec": { "roles": [WRITER, READER] } })).await;
    let after = world.until("jane", "changed", |o| status(o).roles.unwrap_or_default() == [WRITER, READER]).await;
    assert_eq!(status(&after).id, status(&before).id);
    assert!(is_true(&after, "RolesInSync"));
    assert!(ready("True", Reason::Invited)(&after));
    assert_eq!(world.sim.invitations(&account.project)[0].roles.len(), 2);
    world.until_event("jane", Reason::RolesUpdated).await;
    // Another order means the same.
    world.patch("jane", json!({ "spec": { "roles": [READER, WRITER] } })).await;
    world.until("jane", "seen", in_phase(Phase::Invited)).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.calls(Endpoint::UpdateGroupInviteById).len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn roles_that_the_api_refuses_for_a_pending_invitation_are_reported() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.patch("jane", json!({ "spec": { "roles": ["GROUP_NO_SUCH_ROLE"] } })).await;
    let refused = world.until("jane", "refused", ready("False", Reason::Refused)).await;
    assert_eq!(status(&refused).phase, Some(Phase::Invited), "the invitation stands");
    assert!(is_true(&refused, "Stalled"));
    world.looks(&account.project, 3).await;
    assert_eq!(world.calls(Endpoint::UpdateGroupInviteById).len(), 1, "not asked again and again");
    world.patch("jane", json!({ "spec": { "roles": [WRITER] } })).await;
    world.until("jane", "changed", |o| status(o).roles.unwrap_or_default() == [WRITER]).await;
    assert_eq!(world.mails(JANE), 1);
}

/// Awaits the phase Withdrawn; `vanish` makes the person absent.
async fn withdrawn_after_two_looks(world: &World, account: &Account, vanish: impl FnOnce()) -> ProjectInvitation {
    let before = world.calls(Endpoint::ListGroupUsers).len();
    vanish();
    let withdrawn = world.until("jane", "withdrawn", in_phase(Phase::Withdrawn)).await;
    let looks = world.calls(Endpoint::ListGroupUsers).iter().filter(|call| call.finished).count();
    assert!(looks - before >= 2, "one look is not enough");
    assert!(ready("True", Reason::Withdrawn)(&withdrawn));
    assert!(!is_true(&withdrawn, "Accepted"));
    world.until_event("jane", Reason::Withdrawn).await;
    world.looks(&account.project, 3).await;
    withdrawn
}

async fn an_invitation_that_vanishes_is_withdrawn_after_two_looks_and_not_sent_again() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    let invited = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    let id = status(&invited).id.unwrap();
    let withdrawn =
        withdrawn_after_two_looks(&world, &account, || assert!(world.sim.cancel(&account.project, &id))).await;
    assert_eq!(status(&withdrawn).id, Some(id), "what it was is still told");
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
}

async fn a_person_who_declines_is_withdrawn() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    withdrawn_after_two_looks(&world, &account, || assert!(world.sim.decline(&account.project, JANE))).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
}

async fn a_member_who_leaves_is_withdrawn_and_not_invited_again() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.sim.accept(&account.project, JANE);
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    let left = withdrawn_after_two_looks(&world, &account, || assert!(world.sim.leave(&account.project, JANE))).await;
    assert!(status(&left).accepted_at.is_some(), "when the person had accepted is still told");
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
}

async fn a_withdrawn_person_who_is_seen_again_is_followed_again() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    withdrawn_after_two_looks(&world, &account, || assert!(world.sim.decline(&account.project, JANE))).await;
    let id = world.invite_by_hand(&account.project, JANE, READER).await;
    let again = world.until("jane", "adopted", ready("True", Reason::Adopted)).await;
    assert_eq!((status(&again).phase, status(&again).id), (Some(Phase::Invited), Some(id)));
    world.sim.accept(&account.project, JANE);
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    withdrawn_after_two_looks(&world, &account, || assert!(world.sim.leave(&account.project, JANE))).await;
    world.sim.seed_member(&account.project, JANE, &[READER]);
    world.until("jane", "accepted again", in_phase(Phase::Accepted)).await;
    assert_eq!(world.mutations(), []);
}

async fn an_expired_invitation_that_is_still_listed_is_expired_by_the_clock() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.sim.configure(|behaviour| {
        behaviour.invitation_life = Span::seconds(3);
        behaviour.expired_listed_for = Span::days(1);
    });
    world.invite("jane", &account.project, JANE).await;
    let expired = world.until("jane", "expired", in_phase(Phase::Expired)).await;
    assert!(ready("True", Reason::Expired)(&expired));
    world.patch("jane", json!({ "spec": { "roles": [WRITER] } })).await;
    world.looks(&account.project, 3).await;
    let still = world.invitations().get("jane").await.unwrap();
    assert_eq!(status(&still).phase, Some(Phase::Expired));
    assert_eq!(world.mutations().len(), 1, "an expired invitation is neither sent again nor changed");
}

async fn somebody_who_is_added_after_the_expiry_is_accepted() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.sim.configure(|behaviour| behaviour.invitation_life = Span::seconds(3));
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "expired", in_phase(Phase::Expired)).await;
    world.sim.seed_member(&account.project, JANE, &[READER]);
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    assert_eq!(world.mails(JANE), 1);
}

/// Invites Jane and takes the operator's ledger away while the operator is down.
async fn without_ledger(world: &mut World, account: &Account, meanwhile: impl FnOnce(&World, &str)) {
    world.invite("jane", &account.project, JANE).await;
    let invited = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.kill_operator();
    meanwhile(world, &status(&invited).id.unwrap());
    let claim = world.claim().await.name_any();
    world.claim_api().delete(&claim, &DeleteParams::default()).await.unwrap();
    world.start_operator();
}

async fn a_lost_ledger_holds_instead_of_mailing_again() {
    let mut world = World::start().await;
    let account = world.atlas().await;
    let project = account.project.clone();
    without_ledger(&mut world, &account, |world, id| assert!(world.sim.cancel(&project, id))).await;
    let held = world.until("jane", "held", ready("False", Reason::ClaimMissing)).await;
    assert!(is_true(&held, "Stalled"));
    world.looks(&account.project, 3).await;
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn a_lost_ledger_finds_what_is_still_pending_again() {
    let mut world = World::start().await;
    let account = world.atlas_with(|spec| spec.adoption = Adoption::Never).await;
    without_ledger(&mut world, &account, |_, _| {}).await;
    world.until_claims("a claim", |claims| claims.iter().any(|claim| claim.spec.invitation.is_some())).await;
    world.looks(&account.project, 2).await;
    let object = world.invitations().get("jane").await.unwrap();
    assert_eq!(status(&object).phase, Some(Phase::Invited));
    assert!(is_true(&object, "Ready"));
    assert_eq!(world.mails(JANE), 1);
}

/// Jane is invited; then her object is pointed to an inviter on another host.
async fn moved(world: &World, account: &Account) -> ProjectInvitation {
    let port = world.sim.address().port();
    world.inviter("elsewhere", "atlas", |spec| spec.base_url = Some(format!("http://localhost:{port}"))).await;
    world.until_inviter("elsewhere", Reason::Ready).await;
    let object = world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.patch("jane", json!({ "spec": { "inviterRef": { "name": "elsewhere" } } })).await;
    world.until("jane", "told", ready("False", Reason::InviterMoved)).await;
    object
}

async fn an_inviter_on_another_host_is_not_followed() {
    let world = World::start().await;
    let account = world.atlas().await;
    moved(&world, &account).await;
    let stalled = world.invitations().get("jane").await.unwrap();
    assert!(is_true(&stalled, "Stalled"));
    assert_eq!(status(&stalled).phase, Some(Phase::Invited), "what was sent is still told");
    world.patch("jane", json!({ "spec": { "inviterRef": { "name": "atlas" } } })).await;
    world.until("jane", "invited again", ready("True", Reason::Invited)).await;
    assert_eq!(world.claims().await.len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn an_object_that_moved_to_another_host_is_cancelled_where_it_was_sent() {
    let world = World::start().await;
    let account = world.atlas().await;
    let object = moved(&world, &account).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    let claim = world.claim().await.spec;
    assert!(claim.owner.is_none(), "{claim:#?}");
    assert!(claim.debt.is_some() || world.sim.invitations(&account.project).is_empty(), "neither cancelled nor owed");
    assert!(world.sim.invitations(&account.project).is_empty());
}

async fn another_inviter_on_the_same_host_takes_over_without_a_mail() {
    let world = World::start().await;
    let account = world.atlas().await;
    let other = world.sim.seed_credential(CredentialSeed::api_key().grant(&account.project, ["GROUP_OWNER"]));
    world.secret("other", &other).await;
    let inviter = world.inviter("other", "other", |_| {}).await;
    let object = world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.patch("jane", json!({ "spec": { "inviterRef": { "name": "other" } } })).await;
    let uid = inviter.uid().unwrap();
    world.until_claims("the other inviter", |claims| claims[0].spec.inviter_ref.uid == uid).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    let cancelled = world.calls(Endpoint::DeleteGroupInvite);
    assert_eq!(cancelled.len(), 1);
    assert_eq!(cancelled[0].credential.as_ref(), Some(&other.id));
    assert_eq!(world.mails(JANE), 1);
}

async fn of_two_objects_for_one_person_one_owns_the_invitation() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.invite("first", &account.project, JANE).await;
    world.until("first", "invited", in_phase(Phase::Invited)).await;
    world.invite("second", &account.project, "JANE.Doe@Example.com").await;
    let second = world.until("second", "told", ready("False", Reason::DuplicateInvitee)).await;
    assert!(is_true(&second, "Stalled"));
    assert!(message(&second, Reason::DuplicateInvitee).contains("first"));
    assert_eq!(status(&second).id, None);
    world.looks(&account.project, 3).await;
    // Deleting the one that owns nothing changes nothing.
    world.delete("second").await;
    world.until_gone(&second).await;
    world.looks(&account.project, 2).await;
    assert!(ready("True", Reason::Invited)(&world.invitations().get("first").await.unwrap()));
    assert_eq!(world.mutations().len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn what_an_owner_keeps_goes_to_the_next_object_without_a_mail() {
    let world = World::start().await;
    let account = world.atlas().await;
    let keep = |spec: &mut ProjectInvitationSpec| spec.deletion.invitation = DeletionPolicy::Keep;
    let first = world.invite_with("first", &account.project, JANE, keep).await;
    let invited = world.until("first", "invited", in_phase(Phase::Invited)).await;
    world.invite("second", &account.project, JANE).await;
    world.until("second", "told", ready("False", Reason::DuplicateInvitee)).await;
    world.delete("first").await;
    world.until_gone(&first).await;
    let taken = world.until("second", "invited", ready("True", Reason::Invited)).await;
    assert_eq!(status(&taken).id, status(&invited).id);
    world.looks(&account.project, 2).await;
    assert_eq!(world.mutations().len(), 1);
    assert_eq!(world.mails(JANE), 1);
}

async fn what_an_owner_without_finalizer_leaves_goes_to_the_next_object_without_a_mail() {
    let mut world = World::start().await;
    let account = world.atlas().await;
    let first = world.invite("first", &account.project, JANE).await;
    let invited = world.until("first", "invited", in_phase(Phase::Invited)).await;
    world.invite("second", &account.project, JANE).await;
    world.until("second", "told", ready("False", Reason::DuplicateInvitee)).await;
    world.kill_operator();
    world.delete("first").await;
    world.patch("first", json!({ "metadata": { "finalizers": null } })).await;
    world.until_gone(&first).await;
    world.start_operator();
    let taken = world.until("second", "invited", ready("True", Reason::Invited)).await;
    assert_eq!(status(&taken).id, status(&invited).id);
    let owner = world.claim().await.spec.owner.unwrap();
    assert_eq!(owner.name, "second");
    world.looks(&account.project, 2).await;
    assert_eq!(world.mutations().len(), 1);
    assert_eq!(world.mails(JANE), 1);
}
