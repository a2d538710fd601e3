//! Deleting, suspending, observing, asking: an object's own life.

use crate::harness::*;
use invitation_operator::api::names::annotation;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, PostParams};
use kube::runtime::{conditions, wait::await_condition};
use libtest_mimic::Trial;
use serde_json::json;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        an_object_deleted_while_pending_is_cancelled_and_gone,
        an_object_deleted_after_the_acceptance_leaves_the_member_and_says_so,
        an_object_deleted_just_after_the_acceptance_leaves_the_member,
        deletion_keep_leaves_the_invitation,
        a_suspended_object_makes_no_call_and_leaves_its_invitation_when_deleted,
        a_suspended_object_goes_on_when_it_is_resumed,
        an_object_without_inviter_is_gone_at_once,
        a_refused_object_is_gone_at_once,
        the_release_annotation_lets_go_without_a_call,
        with_the_secret_gone_the_invitation_is_cancelled_with_the_credentials_last_read,
        with_the_inviter_gone_the_invitation_is_cancelled_with_the_credentials_last_read,
        an_inviter_that_is_created_anew_goes_on_with_what_was_sent,
        without_credentials_the_cancellation_says_how_to_go_on_and_is_owed_after_a_time,
        a_cancellation_that_fails_is_tried_again,
        a_cancellation_whose_answer_was_lost_is_done,
        an_invitation_that_was_cancelled_by_hand_lets_its_object_go,
        a_404_that_does_not_name_the_invitation_cancels_nothing,
        deleted_and_created_anew_under_the_same_name_it_is_another_wish,
        deleted_and_applied_again_and_again_it_does_not_exceed_the_cap,
        a_namespace_is_deleted_with_everything_in_it,
        under_observe_each_object_tells_its_plan_and_nothing_is_called,
        under_observe_a_deletion_leaves_the_invitation,
        asked_for_a_look_the_operator_looks_at_once,
    ]
}

async fn an_object_deleted_while_pending_is_cancelled_and_gone() {
    let world = World::start().await;
    let (account, object) = world.invited().await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty());
    world.until_event("jane", Reason::Cancelled).await;
    let calls: Vec<_> = world.mutations().into_iter().map(|call| call.endpoint).collect();
    assert_eq!(calls, [Endpoint::CreateGroupInvite, Endpoint::DeleteGroupInvite]);
    let claim = world.claim().await;
    assert!(claim.metadata.managed_fields.is_none(), "created and replaced without a record of who wrote which field");
    let claim = claim.spec;
    assert!(claim.owner.is_none() && claim.invitation.is_none() && !claim.cancelling);
    assert_eq!(claim.mails.len(), 1, "the claim outlives its object until the newest mail is a day old");
}

async fn an_object_deleted_after_the_acceptance_leaves_the_member_and_says_so() {
    let world = World::start().await;
    let (account, object) = world.invited().await;
    world.sim.accept(&account.project, JANE);
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    world.until_event("jane", Reason::AccessLeftBehind).await;
    assert_eq!(world.sim.members(&account.project).len(), 1);
    assert_eq!(world.mutations().len(), 1);
}

async fn an_object_deleted_just_after_the_acceptance_leaves_the_member() {
    let world = World::start().await;
    let account = world.atlas_with(|spec| spec.check_interval = "1h".to_owned()).await;
    world.invite("jane", &account.project, JANE).await;
    let object = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.sim.accept(&account.project, JANE);
    world.delete("jane").await;
    world.until_gone(&object).await;
    world.until_event("jane", Reason::AccessLeftBehind).await;
    assert_eq!(world.sim.members(&account.project).len(), 1);
    assert_eq!(world.mutations().len(), 1);
}

async fn deletion_keep_leaves_the_invitation() {
    let world = World::start().await;
    let account = world.atlas().await;
    let keep = |spec: &mut ProjectInvitationSpec| spec.deletion.invitation = DeletionPolicy::Keep;
    let object = world.invite_with("jane", &account.project, JANE, keep).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    world.until_event("jane", Reason::InvitationKept).await;
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
    let claim = world.claim().await.spec;
    assert!(claim.kept.is_some() && claim.owner.is_none() && claim.invitation.is_some());
    assert_eq!(world.mutations().len(), 1);
}

async fn a_suspended_object_makes_no_call_and_leaves_its_invitation_when_deleted() {
    let world = World::start().await;
    let (account, object) = world.invited().await;
    world.patch("jane", json!({ "spec": { "suspend": true } })).await;
    let suspended = world.until("jane", "suspended", ready("True", Reason::Suspended)).await;
    assert_eq!(status(&suspended).phase, Some(Phase::Invited));
    world.until_event("jane", Reason::Suspended).await;
    world.patch("jane", json!({ "spec": { "roles": [WRITER] } })).await;
    world.until("jane", "seen", ready("True", Reason::Suspended)).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    let note = world.until_event("jane", Reason::InvitationKept).await;
    assert!(note.contains("suspended"), "{note}");
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
    assert_eq!(world.mutations().len(), 1);
}

async fn a_suspended_object_goes_on_when_it_is_resumed() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.until_inviter("atlas", Reason::Ready).await;
    world.invite_with("jane", &account.project, JANE, |spec| spec.suspend = true).await;
    let suspended = world.until("jane", "suspended", ready("False", Reason::Suspended)).await;
    assert!(is_true(&suspended, "Stalled"), "it waits for whoever suspended it");
    assert_eq!(world.calls(Endpoint::ListGroupInvites).len(), 0, "no call is made");
    world.patch("jane", json!({ "spec": { "suspend": false } })).await;
    world.until("jane", "invited", ready("True", Reason::Invited)).await;
    // Accepted while suspended: seen when it is resumed.
    world.patch("jane", json!({ "spec": { "suspend": true } })).await;
    world.until("jane", "suspended", ready("True", Reason::Suspended)).await;
    world.sim.accept(&account.project, JANE);
    world.patch("jane", json!({ "spec": { "suspend": false } })).await;
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    assert_eq!(world.mails(JANE), 1);
}

async fn an_object_without_inviter_is_gone_at_once() {
    let world = World::start().await;
    let account = world.atlas().await;
    let nowhere = |spec: &mut ProjectInvitationSpec| spec.inviter_ref.name = "nowhere".to_owned();
    let object = world.invite_with("jane", &account.project, JANE, nowhere).await;
    let waiting = world.until("jane", "told", ready("False", Reason::InviterNotFound)).await;
    assert!(is_true(&waiting, "Reconciling"));
    assert!(waiting.finalizers().is_empty(), "there is nothing that a deletion would wait for");
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert_eq!(world.claims().await, []);
}

async fn a_refused_object_is_gone_at_once() {
    let world = World::start().await;
    let account = world.atlas().await;
    let wrong = |spec: &mut ProjectInvitationSpec| spec.roles = vec!["GROUP_NO_SUCH_ROLE".to_owned()];
    let object = world.invite_with("jane", &account.project, JANE, wrong).await;
    world.until("jane", "refused", ready("False", Reason::Refused)).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert_eq!(world.claims().await, [], "what mailed nobody leaves nothing");
    assert_eq!(world.calls(Endpoint::DeleteGroupInvite).len(), 0);
}

async fn the_release_annotation_lets_go_without_a_call() {
    // Only the annotation lets go.
    let world = Setup::default().flag("--release-after", "1h").start().await;
    let (account, object) = world.invited().await;
    world.sim.add_fault(FaultRule::new(Fault::status(500, "UNEXPECTED_ERROR")).project(&account.project));
    world.delete("jane").await;
    world.until("jane", "blocked", shows(Reason::CancelBlocked)).await;
    world.annotate("jane", annotation::RELEASE, "true").await;
    world.until_gone(&object).await;
    world.until_event("jane", Reason::Released).await;
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
    let claim = world.claim().await.spec;
    assert!(claim.debt.is_some() && claim.owner.is_none() && claim.invitation.is_some());
    // Owed, and paid when the API can be used again.
    world.sim.clear_faults();
    world.until_sim("cancelled", |sim| sim.invitations(&account.project).is_empty()).await;
}

async fn with_the_secret_gone_the_invitation_is_cancelled_with_the_credentials_last_read() {
    let world = World::start().await;
    let (account, object) = world.invited().await;
    world.secrets().delete("atlas", &DeleteParams::default()).await.unwrap();
    world.until_inviter("atlas", Reason::SecretNotFound).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty());
    assert!(world.claim().await.spec.debt.is_none());
}

async fn with_the_inviter_gone_the_invitation_is_cancelled_with_the_credentials_last_read() {
    let world = World::start().await;
    let (account, object) = world.invited().await;
    world.secrets().delete("atlas", &DeleteParams::default()).await.unwrap();
    world.inviters().delete("atlas", &DeleteParams::default()).await.unwrap();
    let waiting = world.until("jane", "told", shows(Reason::InviterNotFound)).await;
    assert!(ready("True", Reason::Invited)(&waiting), "once invited, the wait for an inviter is no failure at once");
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty());
}

async fn an_inviter_that_is_created_anew_goes_on_with_what_was_sent() {
    let world = World::start().await;
    let (account, object) = world.invited().await;
    world.inviters().delete("atlas", &DeleteParams::default()).await.unwrap();
    world.until("jane", "told", shows(Reason::InviterNotFound)).await;
    let anew = world.inviter("atlas", "atlas", |_| {}).await;
    let uid = anew.uid().unwrap();
    world.until_claims("the new inviter", |claims| claims[0].spec.inviter_ref.uid == uid).await;
    assert!(ready("True", Reason::Invited)(&world.invitations().get("jane").await.unwrap()));
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty());
    assert_eq!(world.mails(JANE), 1);
}

async fn without_credentials_the_cancellation_says_how_to_go_on_and_is_owed_after_a_time() {
    // Time enough to say it, on a slow machine too.
    let mut world = Setup::default().flag("--release-after", "400s").start().await;
    let (account, object) = world.invited().await;
    world.secrets().delete("atlas", &DeleteParams::default()).await.unwrap();
    world.restart_operator();
    world.until_inviter("atlas", Reason::SecretNotFound).await;
    world.delete("jane").await;
    let blocked = world.until("jane", "blocked", shows(Reason::CancelBlocked)).await;
    let told = message(&blocked, Reason::CancelBlocked);
    assert!(told.contains("invitation-operator.io/release=true"), "{told}");
    assert!(told.contains("Secret"), "{told}");
    world.until_gone(&object).await;
    world.until_event("jane", Reason::Released).await;
    let claim = world.claim().await.spec;
    assert!(claim.owner.is_none() && claim.invitation.is_some());
    assert!(claim.debt.unwrap().reason.contains("Secret"));
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
    assert_eq!(world.mutations().len(), 1);
}

async fn a_cancellation_that_fails_is_tried_again() {
    let world = Setup::default().flag("--release-after", "1h").start().await;
    let (account, object) = world.invited().await;
    let failing = FaultRule::new(Fault::status(500, "UNEXPECTED_ERROR")).on(Endpoint::DeleteGroupInvite).times(2);
    world.sim.add_fault(failing);
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty());
    assert_eq!(world.calls(Endpoint::DeleteGroupInvite).len(), 3);
    assert!(world.claim().await.spec.debt.is_none());
}

async fn a_cancellation_whose_answer_was_lost_is_done() {
    let world = Setup::default().flag("--release-after", "1h").start().await;
    let (account, object) = world.invited().await;
    world.sim.add_fault(FaultRule::new(Fault::ResetAfter).on(Endpoint::DeleteGroupInvite).once());
    world.delete("jane").await;
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty());
    assert!(world.claim().await.spec.debt.is_none());
}

async fn an_invitation_that_was_cancelled_by_hand_lets_its_object_go() {
    let world = World::start().await;
    let (account, object) = world.invited().await;
    assert!(world.sim.cancel(&account.project, &status(&object).id.unwrap()));
    world.delete("jane").await;
    world.until_gone(&object).await;
    let claim = world.claim().await.spec;
    assert!(claim.debt.is_none() && claim.invitation.is_none());
}

async fn a_404_that_does_not_name_the_invitation_cancels_nothing() {
    let world = Setup::default().flag("--release-after", "1h").start().await;
    let (account, object) = world.invited().await;
    let fault = world
        .sim
        .add_fault(FaultRule::new(Fault::Html { status: 404, after_effect: false }).on(Endpoint::GetGroupInvite));
    world.delete("jane").await;
    world.until("jane", "blocked", shows(Reason::CancelBlocked)).await;
    world.looks(&account.project, 2).await;
    assert!(world.invitations().get_opt("jane").await.unwrap().is_some());
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
    world.sim.remove_fault(fault);
    world.until_gone(&object).await;
    assert!(world.sim.invitations(&account.project).is_empty());
}

async fn deleted_and_created_anew_under_the_same_name_it_is_another_wish() {
    let mut world = World::start().await;
    world.mails_allowed = 2;
    let (account, object) = world.invited().await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    world.invite("jane", &account.project, JANE).await;
    let anew = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    assert_ne!(anew.uid(), object.uid());
    assert_ne!(status(&anew).id, status(&object).id);
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
    assert_eq!(world.claim().await.spec.owner.unwrap().uid, anew.uid().unwrap());
    assert_eq!(status(&anew).mails_sent, Some(2));
    assert_eq!(world.mails(JANE), 2);
}

async fn deleted_and_applied_again_and_again_it_does_not_exceed_the_cap() {
    let mut world = World::start().await;
    world.mails_allowed = 3;
    let account = world.atlas().await;
    for round in 1..=4 {
        let object = world.invite(&format!("jane-{round}"), &account.project, JANE).await;
        let name = object.name_any();
        if round == 4 {
            let capped = world.until(&name, "capped", ready("False", Reason::MailCapReached)).await;
            assert!(is_true(&capped, "Reconciling"));
            assert!(condition(&capped, "Stalled").is_none());
        } else {
            world.until(&name, "invited", in_phase(Phase::Invited)).await;
        }
        world.delete(&name).await;
        world.until_gone(&object).await;
    }
    world.restart_operator();
    world.invite("jane-5", &account.project, JANE).await;
    world.until("jane-5", "capped", ready("False", Reason::MailCapReached)).await;
    world.annotate("jane-5", annotation::REQUESTED_AT, "now").await;
    let asked = world.until("jane-5", "asked", |o| status(o).last_handled_reconcile_at.is_some()).await;
    assert!(ready("False", Reason::MailCapReached)(&asked));
    assert_eq!(world.mails(JANE), 3);
}

async fn a_namespace_is_deleted_with_everything_in_it() {
    let world = World::start().await;
    let (account, _) = world.invited().await;
    world.invite("john", &account.project, JOHN).await;
    world.until("john", "invited", in_phase(Phase::Invited)).await;
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    let namespace = namespaces.get(&world.namespace).await.unwrap();
    namespaces.delete(&world.namespace, &DeleteParams::default()).await.unwrap();
    let uid = namespace.uid().unwrap();
    let gone = await_condition(namespaces, &world.namespace, conditions::is_deleted(&uid));
    tokio::time::timeout(crate::harness::wait::LIMIT, gone).await.expect("the namespace stays").unwrap();
    assert!(world.sim.invitations(&account.project).is_empty(), "cancelled");
    assert!(world.claims().await.iter().all(|claim| claim.spec.owner.is_none() && claim.spec.debt.is_none()));
}

async fn under_observe_each_object_tells_its_plan_and_nothing_is_called() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.invite("invited", &account.project, "invited@example.com").await;
    world.until("invited", "invited", in_phase(Phase::Invited)).await;
    world.patch_inviter("atlas", json!({ "spec": { "mode": "Observe" } })).await;
    world.until("invited", "observed", |o| status(o).plan == Some(Plan::None)).await;
    world.sim.clear_requests();
    let claims = world.claims().await;

    world.sim.seed_member(&account.project, "member@example.com", &[READER]);
    world.invite("nobody", &account.project, "nobody@example.com").await;
    world.invite("member", &account.project, "member@example.com").await;
    let adopted = world.invite_by_hand(&account.project, "adopted@example.com", READER).await;
    world.invite("adopted", &account.project, "adopted@example.com").await;
    world.patch("invited", json!({ "spec": { "roles": [WRITER] } })).await;
    for (name, plan) in
        [("nobody", Plan::Invite), ("adopted", Plan::Adopt), ("invited", Plan::UpdateRoles), ("member", Plan::None)]
    {
        let object = world.until(name, "planned", |o| status(o).plan == Some(plan)).await;
        assert!(ready("True", Reason::ObserveOnly)(&object), "{name}: {object:#?}");
        if name != "invited" {
            assert!(object.finalizers().is_empty());
        }
    }
    world.looks(&account.project, 3).await;
    assert_eq!(world.mutations(), []);
    assert_eq!(world.claims().await, claims, "nothing is recorded");

    // Enforced, all of it happens.
    world.patch_inviter("atlas", json!({ "spec": { "mode": "Enforce" } })).await;
    world.until("nobody", "invited", ready("True", Reason::Invited)).await;
    let object = world.until("adopted", "adopted", ready("True", Reason::Adopted)).await;
    assert_eq!(status(&object).id, Some(adopted));
    assert_eq!(status(&object).plan, None);
    world.until("member", "accepted", in_phase(Phase::Accepted)).await;
    world.until("invited", "in sync", |o| in_phase(Phase::Invited)(o) && is_true(o, "RolesInSync")).await;
    assert_eq!(world.mails("nobody@example.com"), 1);
}

async fn under_observe_a_deletion_leaves_the_invitation() {
    let world = World::start().await;
    let (account, object) = world.invited().await;
    world.patch_inviter("atlas", json!({ "spec": { "mode": "Observe" } })).await;
    world.until("jane", "observed", shows(Reason::ObserveOnly)).await;
    world.delete("jane").await;
    world.until_gone(&object).await;
    world.until_event("jane", Reason::InvitationKept).await;
    assert_eq!(world.sim.invitations(&account.project).len(), 1);
    assert_eq!(world.mutations().len(), 1);
}

async fn asked_for_a_look_the_operator_looks_at_once() {
    let world = World::start().await;
    // Without being asked it would look every three minutes.
    let account = world.atlas_with(|spec| spec.check_interval = "1h".to_owned()).await;
    for (name, person, annotation) in
        [("jane", JANE, annotation::REQUESTED_AT), ("john", JOHN, annotation::FLUX_REQUESTED_AT)]
    {
        let object = objects::invitation(name, &account.project, person, |_| {});
        world.invitations().create(&PostParams::default(), &object).await.unwrap();
        world.until(name, "invited", in_phase(Phase::Invited)).await;
        world.sim.accept(&account.project, person);
        world.annotate(name, annotation, "2026-11-01T12:00:00Z").await;
        let object = world.until(name, "accepted", in_phase(Phase::Accepted)).await;
        assert_eq!(status(&object).last_handled_reconcile_at.as_deref(), Some("2026-11-01T12:00:00Z"));
        assert_eq!(object.metadata.generation, Some(1));
    }
    assert_eq!(world.sim.outbox().len(), 2);
}
