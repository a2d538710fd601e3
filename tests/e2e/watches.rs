//! Watches that break, fall silent or lie: a proxy between the operator and the API server sees to that.
//!
//! What is waited for is what the operator asks next, never a time.

use crate::harness::plane::{Between, shared};
use crate::harness::wait::{LIMIT, poll};
use crate::harness::*;
use control_plane::{Proxy, Request, Rule, Trouble};
use kube::api::{DeleteParams, Patch, PatchParams};
use libtest_mimic::Trial;
use serde_json::json;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        a_connection_that_died_without_a_word_is_noticed_and_counted,
        a_watch_that_is_refused_as_too_old_is_begun_with_a_list,
        what_went_while_nobody_watched_is_known_after_the_next_list,
        what_was_made_anew_while_nobody_watched_is_another_object,
        what_was_made_anew_while_the_operator_was_down_takes_over_without_a_mail,
        what_was_made_anew_for_somebody_else_does_not_touch_what_the_old_one_sent_twice,
        a_watch_that_lags_behind_own_writes_changes_nothing,
        nothing_is_decided_before_the_first_lists_are_complete,
    ]
}

/// An operator behind a proxy.
struct Behind {
    world: World,
    proxy: Proxy,
}

async fn behind(setup: Setup) -> Behind {
    let Between { proxy, operator_kubeconfig } = shared().await.between().await;
    let world = setup.flag("--kubeconfig", operator_kubeconfig.to_str().unwrap()).start().await;
    Behind { world, proxy }
}

const INVITATIONS: &str = "projectinvitations";
const INVITERS: &str = "inviters";
const CLAIMS: &str = "invitationclaims";

fn watches(request: &Request) -> bool {
    request.is_watch()
}

/// What an API server answers that no longer has the version from which a watch is to begin.
fn too_old() -> Trouble {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "too old resource version: 1 (2)", "reason": "Expired", "code": 410,
    });
    Trouble::Answer { status: 410, body: body.to_string() }
}

impl Behind {
    async fn until_asked(&self, what: &str, holds: impl Fn(&[Request]) -> bool + Send) {
        let asked = self.proxy.wait_until(LIMIT, holds).await;
        assert!(asked, "the operator does not ask: {what}. Its last requests: {:#?}", {
            let mut requests = self.proxy.requests();
            requests.split_off(requests.len().saturating_sub(20))
        });
    }

    /// Until each of the kinds is watched.
    async fn watched(&self) {
        for kind in [INVITATIONS, INVITERS, CLAIMS] {
            self.until_asked("a watch", |all| {
                all.iter().any(|request| watches(request) && request.is_about(kind) && request.answered == Some(200))
            })
            .await;
        }
    }

    /// From now on the operator sees nothing.
    async fn blind(&self) {
        self.watched().await;
        self.proxy.add(Rule::new(Trouble::Hold).on(watches));
    }

    /// What the operator missed is history by now: it has to list, and then sees again.
    async fn sees_again_by_lists(&self) {
        let before = self.proxy.requests().len();
        self.proxy.clear();
        self.proxy.add(Rule::new(too_old()).on(move |request| watches(request) && request.number >= before));
        self.proxy.cut(watches);
        for kind in [INVITATIONS, INVITERS, CLAIMS] {
            self.until_asked("a new list", |all| {
                all.iter().skip(before).any(|request| request.is_list_of(kind) && request.answered == Some(200))
            })
            .await;
        }
        self.proxy.clear();
    }
}

impl World {
    /// Deletes an object although the operator has not let it go.
    async fn force_away(&self, name: &str) {
        let object = self.invitations().get(name).await.unwrap();
        let nothing = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
        self.delete(name).await;
        if self.invitations().get_opt(name).await.unwrap().is_some() {
            let _ = self.invitations().patch(name, &PatchParams::default(), &nothing).await;
        }
        self.until_gone(&object).await;
    }

    async fn until_page(&self, path: &str, part: &str) {
        let operator = self.operator.as_ref().unwrap();
        let shown = poll(async || operator.page(path).await.is_some_and(|(_, text)| text.contains(part)));
        assert!(shown.await, "{path} does not show {part:?} but {:?}", operator.page(path).await);
    }
}

async fn a_connection_that_died_without_a_word_is_noticed_and_counted() {
    let here = behind(Setup::default().flag("--watch-renewal", "2s")).await;
    let (account, _) = here.world.invited().await;
    here.watched().await;
    // What is under way falls silent; the network is well again for whoever asks anew.
    let before = here.proxy.requests().len();
    here.proxy.add(Rule::new(Trouble::Hold).on(move |request| watches(request) && request.number < before));
    here.world.invite("john", &account.project, JOHN).await;
    here.world.until("john", "invited", in_phase(Phase::Invited)).await;
    for kind in ["ProjectInvitation", "Inviter", "InvitationClaim"] {
        here.world.until_page("/metrics", &format!(r#"invitation_operator_watch_errors_total{{kind="{kind}"}}"#)).await;
    }
    here.until_asked("no more than it needs", |all| {
        all.iter().take(before).filter(|request| watches(request)).all(|request| request.over)
    })
    .await;
}

async fn a_watch_that_is_refused_as_too_old_is_begun_with_a_list() {
    let here = behind(Setup::default()).await;
    let (account, _) = here.world.invited().await;
    here.watched().await;
    here.sees_again_by_lists().await;
    here.world.invite("john", &account.project, JOHN).await;
    here.world.until("john", "invited", in_phase(Phase::Invited)).await;
}

async fn what_went_while_nobody_watched_is_known_after_the_next_list() {
    let here = behind(Setup::default()).await;
    let world = &here.world;
    let (account, jane) = world.invited().await;
    world.inviter("other", "atlas", |_| {}).await;
    let through_other = |spec: &mut ProjectInvitationSpec| spec.inviter_ref.name = "other".to_owned();
    world.invite_with("john", &account.project, JOHN, through_other).await;
    world.until("john", "invited", in_phase(Phase::Invited)).await;
    here.blind().await;
    world.force_away("jane").await;
    world.inviters().delete("other", &DeleteParams::default()).await.unwrap();
    here.sees_again_by_lists().await;
    // The inviter is out of use, and what the vanished object sent is cancelled.
    world.until("john", "without inviter", shows(Reason::InviterNotFound)).await;
    let id = status(&jane).id.unwrap();
    world.until_sim("cancelled", |sim| sim.invitations(&account.project).iter().all(|left| left.id != id)).await;
    world.until_claims("settled", |claims| claims.iter().filter(|claim| claim.spec.owner.is_none()).count() == 1).await;
    world.until_page("/metrics", "invitation_operator_invitations{phase=\"Invited\"} 1\n").await;
}

async fn what_was_made_anew_while_nobody_watched_is_another_object() {
    let here = behind(Setup::default()).await;
    let world = &here.world;
    let account = world.atlas().await;
    // Both rest for longer than this test waits.
    world.invite_with("jane", &account.project, JANE, |spec| spec.roles = vec!["GROUP_NO_SUCH_ROLE".to_owned()]).await;
    world.until("jane", "refused", shows(Reason::Refused)).await;
    world.invite_with("john", &account.project, JOHN, |spec| spec.suspend = true).await;
    world.until("john", "suspended", shows(Reason::Suspended)).await;
    here.blind().await;
    for (name, person) in [("jane", JANE), ("john", JOHN)] {
        world.force_away(name).await;
        world.invite(name, &account.project, person).await;
    }
    here.sees_again_by_lists().await;
    for name in ["jane", "john"] {
        let anew = world.until(name, "invited", in_phase(Phase::Invited)).await;
        let claims = world.claims().await;
        let owns = |claim: &&InvitationClaim| claim.spec.owner.as_ref().map(|owner| &owner.uid) == anew.uid().as_ref();
        assert_eq!(claims.iter().filter(owns).count(), 1, "{claims:#?}");
    }
}

async fn what_was_made_anew_while_the_operator_was_down_takes_over_without_a_mail() {
    let mut world = World::start().await;
    let (account, before) = world.invited().await;
    world.kill_operator();
    world.force_away("jane").await;
    world.invite_with("jane", &account.project, JANE, |spec| spec.roles = vec![WRITER.to_owned()]).await;
    world.start_operator();
    let anew = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world
        .until("jane", "with its own roles", |object| status(object).roles.is_some_and(|roles| roles == [WRITER]))
        .await;
    assert_eq!(status(&anew).id, status(&before).id);
    assert_eq!(world.claim().await.spec.owner.unwrap().uid, anew.uid().unwrap());
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
}

async fn what_was_made_anew_for_somebody_else_does_not_touch_what_the_old_one_sent_twice() {
    let mut world = World::start().await;
    let (account, before) = world.invited().await;
    world.kill_operator();
    world.force_away("jane").await;
    world.invite("jane", &account.project, JOHN).await;
    world.start_operator();
    let anew = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    assert_ne!(status(&anew).id, status(&before).id);
    let id = status(&anew).id.unwrap();
    world.until_sim("one left", |sim| sim.invitations(&account.project).iter().all(|left| left.id == id)).await;
    world.until_claims("settled", |claims| claims.iter().filter(|claim| claim.spec.owner.is_none()).count() == 1).await;
    assert_eq!((world.mails(JANE), world.mails(JOHN)), (1, 1));
    assert_eq!(world.calls(Endpoint::DeleteGroupInvite).len(), 1);
}

async fn a_watch_that_lags_behind_own_writes_changes_nothing() {
    let here = behind(Setup::default()).await;
    let world = &here.world;
    let project = world.plant_project(Product::Atlas, "payments");
    let key = world.sim.seed_credential(CredentialSeed::service_account().grant(&project, ["GROUP_OWNER"]));
    world.secret("atlas", &key).await;
    world.invite("jane", &project, JANE).await;
    world.until("jane", "waiting", shows(Reason::InviterNotFound)).await;
    here.watched().await;
    // Of invitations and claims nothing new is seen from now on; lists at MongoDB lag too.
    world.sim.configure(|behaviour| behaviour.list_lag = Span::seconds(3));
    let lag = here.proxy.add(Rule::new(Trouble::Hold).on(|request| watches(request) && !request.is_about(INVITERS)));
    world.inviter("atlas", "atlas", |_| {}).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.looks(&project, 4).await;
    let asked = |method: &'static str, kind: &'static str| {
        let matches = move |request: &&Request| request.method == method && request.is_about(kind);
        here.proxy.requests().iter().filter(matches).count()
    };
    assert_eq!(asked("POST", CLAIMS), 1, "the own claim is known");
    let writes = world.writes().await.len();
    here.proxy.remove(lag);
    world.looks(&project, 3).await;
    assert_eq!(world.writes().await.len(), writes, "what was known already is no news");
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
}

async fn nothing_is_decided_before_the_first_lists_are_complete() {
    for kind in [CLAIMS, INVITERS, INVITATIONS] {
        let mut here = behind(Setup::default()).await;
        let (account, _) = here.world.invited().await;
        here.world.kill_operator();
        here.world.invite("john", &account.project, JOHN).await;
        here.world.delete("jane").await;
        let before = here.proxy.requests().len();
        here.world.sim.clear_requests();
        here.proxy.add(Rule::new(Trouble::HoldAnswer).on(move |request| request.is_list_of(kind)));
        here.world.start_operator();
        // Everything else that can be listed is listed, and watched.
        let others: Vec<_> = [CLAIMS, INVITERS, INVITATIONS].into_iter().take_while(|other| *other != kind).collect();
        here.until_asked("the list that is held", |all| {
            let now = &all[before..];
            now.iter().any(|request| request.is_list_of(kind) && request.held && request.answered == Some(200))
                && others.iter().all(|other| now.iter().any(|request| watches(request) && request.is_about(other)))
        })
        .await;
        here.world.until_page("/readyz", "reading the first lists").await;
        let asked = here.proxy.requests();
        let decided = |request: &Request| request.is_write() && !request.is_about(INVITERS);
        assert!(!asked[before..].iter().any(decided), "{kind}: {asked:#?}");
        assert!(
            here.world.sim.requests().iter().all(|call| call.project.is_none()),
            "{kind}: only credentials are tried"
        );
        assert!(asked.iter().all(|request| !request.target.contains("sendInitialEvents")), "only pages are asked for");
        here.proxy.clear();
        here.world.until("john", "invited", in_phase(Phase::Invited)).await;
        here.world.until_sim("cancelled", |sim| sim.invitations(&account.project).len() == 1).await;
    }
}
