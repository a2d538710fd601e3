//! The main story: applied, invited, accepted or expired; one e-mail.

use crate::harness::*;
use libtest_mimic::Trial;
use tokio::time::Instant;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        an_atlas_invitation_by_a_service_account_is_sent_once_and_accepted,
        an_atlas_invitation_by_an_api_key_is_sent_once_and_accepted,
        a_cloud_manager_invitation_by_a_service_account_is_sent_once_and_accepted,
        a_cloud_manager_invitation_by_an_api_key_is_sent_once_and_accepted,
        an_ops_manager_invitation_by_an_api_key_is_sent_once_and_accepted,
        an_invitation_that_is_not_answered_expires,
        ready_when_accepted_is_ready_only_then_and_stalled_after_the_expiry,
        an_invitation_costs_five_calls_and_five_writes_and_the_claim_comes_first,
        an_idle_operator_writes_nothing,
        a_restart_writes_nothing,
        many_people_share_what_is_looked_at,
        an_address_keeps_its_case_where_the_api_keeps_it,
        a_person_whom_ops_manager_adds_at_once_is_accepted,
    ]
}

/// From apply to Accepted.
async fn told(product: Product, credential: CredentialSeed) {
    let world = World::start().await;
    let project = world.plant_project(product, "payments");
    let role = if product == Product::Atlas { "GROUP_OWNER" } else { "GROUP_USER_ADMIN" };
    let key = world.sim.seed_credential(credential.grant(&project, [role]));
    world.secret("key", &key).await;
    world.inviter("main", "key", |spec| spec.product = product).await;
    world
        .invite_with("jane", &project, "Jane.Doe@Example.com", |spec| {
            spec.inviter_ref.name = "main".to_owned();
            spec.roles = vec![WRITER.to_owned(), READER.to_owned()];
        })
        .await;

    let invited = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    let sent = world.sim.invitations(&project);
    assert_eq!(sent.len(), 1);
    let seen = status(&invited);
    assert_eq!(seen.id.as_ref(), Some(&sent[0].id));
    assert_eq!(seen.created_at.unwrap().0.to_string(), sent[0].created_at);
    assert_eq!(seen.expires_at.unwrap().0.to_string(), sent[0].expires_at);
    assert_eq!(seen.inviter_username.as_deref(), Some(key.id.as_str()));
    assert_eq!(seen.roles.unwrap(), [WRITER, READER]);
    assert_eq!(seen.mails_sent, Some(1));
    assert!(ready("True", Reason::Invited)(&invited));
    assert!(!is_true(&invited, "Accepted"));
    assert!(is_true(&invited, "RolesInSync"));
    assert!(condition(&invited, "Reconciling").is_none());
    assert!(condition(&invited, "Stalled").is_none());

    assert!(world.sim.accept(&project, JANE));
    let accepted = world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    let member = &world.sim.members(&project)[0];
    let seen = status(&accepted);
    assert!(seen.accepted_at.is_some());
    assert_eq!(seen.user_id.as_ref(), Some(&member.id));
    assert_eq!(seen.id.as_ref(), Some(&sent[0].id));
    assert!(ready("True", Reason::Accepted)(&accepted));
    assert!(is_true(&accepted, "Accepted"));
    assert_eq!(world.mails(JANE), 1);
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
}

async fn an_atlas_invitation_by_a_service_account_is_sent_once_and_accepted() {
    told(Product::Atlas, CredentialSeed::service_account()).await;
}

async fn an_atlas_invitation_by_an_api_key_is_sent_once_and_accepted() {
    told(Product::Atlas, CredentialSeed::api_key()).await;
}

async fn a_cloud_manager_invitation_by_a_service_account_is_sent_once_and_accepted() {
    told(Product::CloudManager, CredentialSeed::service_account()).await;
}

async fn a_cloud_manager_invitation_by_an_api_key_is_sent_once_and_accepted() {
    told(Product::CloudManager, CredentialSeed::api_key()).await;
}

async fn an_ops_manager_invitation_by_an_api_key_is_sent_once_and_accepted() {
    told(Product::OpsManager, CredentialSeed::api_key()).await;
}

async fn an_invitation_that_is_not_answered_expires() {
    let world = World::start().await;
    // Long enough to be seen before it is over.
    world.sim.configure(|behaviour| behaviour.invitation_life = Span::seconds(12));
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;
    let invited = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    let expired = world.until("jane", "expired", in_phase(Phase::Expired)).await;
    assert_eq!(status(&expired).id, status(&invited).id);
    assert!(ready("True", Reason::Expired)(&expired), "with readyWhen: Invited what the person does is no error");
    assert!(!is_true(&expired, "Accepted"));
    world.until_event("jane", Reason::Expired).await;
    world.looks(&account.project, 2).await;
    assert_eq!(world.mails(JANE), 1);
}

async fn ready_when_accepted_is_ready_only_then_and_stalled_after_the_expiry() {
    let world = World::start().await;
    let account = world.atlas().await;
    let accepted = |spec: &mut ProjectInvitationSpec| spec.ready_when = ReadyWhen::Accepted;
    world.invite_with("jane", &account.project, JANE, accepted).await;
    let invited = world.until("jane", "invited", in_phase(Phase::Invited)).await;
    assert!(ready("False", Reason::Invited)(&invited));
    assert!(is_true(&invited, "Reconciling"));
    assert!(condition(&invited, "Stalled").is_none());
    assert!(world.sim.accept(&account.project, JANE));
    world.until("jane", "ready", ready("True", Reason::Accepted)).await;

    world.sim.configure(|behaviour| behaviour.invitation_life = Span::seconds(4));
    world.invite_with("john", &account.project, JOHN, accepted).await;
    let expired = world.until("john", "expired", in_phase(Phase::Expired)).await;
    assert!(ready("False", Reason::Expired)(&expired));
    assert!(is_true(&expired, "Stalled"));
    assert!(condition(&expired, "Reconciling").is_none());
}

/// Awaits a write after the first so many: what it wrote can be read before the audit log has it.
async fn until_written(world: &World, before: usize, named: &str) {
    let is_named = |write: &audit::Write| format!("{} {}", write.verb, write.resource) == named;
    let written = wait::poll(async || world.writes().await.iter().skip(before).any(is_named));
    assert!(written.await, "no {named:?}");
}

async fn an_invitation_costs_five_calls_and_five_writes_and_the_claim_comes_first() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.until_event("atlas", Reason::Ready).await;
    until_written(&world, 0, "create events").await;
    let before = world.writes().await.len();
    let calls_before = world.sim.requests().len();
    world.invite("jane", &account.project, JANE).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    let post = world.calls(Endpoint::CreateGroupInvite).remove(0);
    let calls: Vec<_> = world.sim.requests()[calls_before..]
        .iter()
        .take_while(|request| request.number <= post.number)
        .map(|request| request.endpoint)
        .filter(|endpoint| *endpoint != Endpoint::GetSystemStatus)
        .collect();
    assert_eq!(calls, [Endpoint::ListGroupInvites, Endpoint::ListGroupUsers, Endpoint::CreateGroupInvite]);

    // The event comes last.
    world.until_event("jane", Reason::Invited).await;
    until_written(&world, before, "create events").await;
    let writes = world.writes().await.split_off(before);
    let named: Vec<_> = writes.iter().map(|write| format!("{} {}", write.verb, write.resource)).collect();
    assert!(writes.len() <= 5, "{named:?}");
    assert!(writes.iter().all(|write| write.code < 300), "{writes:?}");
    let (early, late): (Vec<_>, Vec<_>) = writes.iter().partition(|write| write.at < post.at);
    let mut early: Vec<_> = early.iter().map(|write| format!("{} {}", write.verb, write.resource)).collect();
    early.sort();
    assert_eq!(early, ["create invitationclaims", "patch projectinvitations"], "before the POST");
    let late: Vec<_> = late.iter().map(|write| format!("{} {}", write.verb, write.resource)).collect();
    assert_eq!(late, ["update invitationclaims", "patch projectinvitations/status", "create events"], "after the POST");
}

/// How often a project may have been looked at since then: every 300 ms, while its invitations are new.
fn intervals(since: Instant) -> usize {
    usize::try_from(since.elapsed().as_millis() / 300).unwrap() + 2
}

async fn an_idle_operator_writes_nothing() {
    let world = World::start().await;
    let account = world.atlas().await;
    for (name, person) in [("jane", JANE), ("john", JOHN)] {
        world.invite(name, &account.project, person).await;
    }
    assert!(world.sim.wait_until(Span::seconds(60), |sim| sim.outbox().len() == 2).await);
    world.sim.accept(&account.project, JOHN);
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    world.until("john", "accepted", in_phase(Phase::Accepted)).await;
    world.until_event("jane", Reason::Invited).await;
    world.until_event("john", Reason::Accepted).await;
    world.until_event("atlas", Reason::Ready).await;
    world.looks(&account.project, 1).await;
    let before = world.writes().await;
    let began = Instant::now();
    let calls = world.sim.requests().len();
    world.looks(&account.project, 5).await;
    let spent = world.sim.requests().len() - calls;
    let allowed = 3 * intervals(began);
    assert_eq!(world.writes().await, before);
    assert!(world.mutations().len() == 2, "{:?}", world.mutations());
    // Looking costs by projects, not by people: per interval one list, one page of members, one probe.
    assert!(spent <= allowed, "{spent} calls, and at most {allowed} in that time");
}

async fn a_restart_writes_nothing() {
    let mut world = World::start().await;
    let account = world.atlas().await;
    let project = account.project.as_str();
    let person = |name: &str| format!("{name}@example.com");
    let wrong = |spec: &mut ProjectInvitationSpec| spec.roles = vec!["GROUP_NO_SUCH_ROLE".to_owned()];
    let nobody = |spec: &mut ProjectInvitationSpec| spec.inviter_ref.name = "nobody".to_owned();
    world.sim.seed_member(project, &person("member"), &[READER]);
    world.invite_by_hand(project, &person("adopted"), READER).await;
    for name in ["invited", "member", "adopted", "withdrawn", "suspended", "expired"] {
        let life = if name == "expired" { Span::seconds(12) } else { Span::days(30) };
        world.sim.configure(|behaviour| behaviour.invitation_life = life);
        world.invite(name, project, &person(name)).await;
        world.until(name, "there", |o| matches!(status(o).phase, Some(Phase::Invited | Phase::Accepted))).await;
    }
    world.invite("duplicate", project, &person("invited")).await;
    world.invite_with("refused", project, &person("refused"), wrong).await;
    world.invite_with("nobody", project, &person("nobody"), nobody).await;
    world.patch("suspended", serde_json::json!({ "spec": { "suspend": true } })).await;
    world.sim.decline(project, &person("withdrawn"));
    let settled = [
        ("invited", Reason::Invited),
        ("member", Reason::Accepted),
        ("adopted", Reason::Adopted),
        ("withdrawn", Reason::Withdrawn),
        ("suspended", Reason::Suspended),
        ("expired", Reason::Expired),
        ("duplicate", Reason::DuplicateInvitee),
        ("refused", Reason::Refused),
        ("nobody", Reason::InviterNotFound),
    ];
    for (name, reason) in settled {
        world.until(name, reason.as_str(), shows(reason)).await;
        world.until_event(name, reason).await;
    }
    world.looks(project, 2).await;
    world.until_inviter("atlas", Reason::Ready).await;
    let before = world.writes().await;
    let objects = world.invitations().list(&kube::api::ListParams::default()).await.unwrap().items;
    world.restart_operator();
    world.looks(project, 4).await;
    let after = world.writes().await;
    let now = world.invitations().list(&kube::api::ListParams::default()).await.unwrap().items;
    for (then, now) in objects.iter().zip(&now) {
        assert_eq!(then.status, now.status, "{}", then.name_any());
    }
    assert_eq!(after[before.len()..], []);
}

async fn many_people_share_what_is_looked_at() {
    let world = World::start().await;
    let account = world.atlas().await;
    world.until_inviter("atlas", Reason::Ready).await;
    let people: Vec<_> = (0..40).map(|number| format!("person-{number}")).collect();
    let began = Instant::now();
    for name in &people {
        world.invite(name, &account.project, &format!("{name}@example.com")).await;
    }
    for name in &people {
        world.until(name, "invited", in_phase(Phase::Invited)).await;
        assert_eq!(world.mails(&format!("{name}@example.com")), 1);
    }
    let lists = world.calls(Endpoint::ListGroupInvites).len();
    let allowed = people.len() + intervals(began);
    assert!(lists <= allowed, "{lists} lists, and not {allowed}, for {} people", people.len());
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), people.len());
    let began = Instant::now();
    world.sim.clear_requests();
    world.looks(&account.project, 4).await;
    let lists = world.calls(Endpoint::ListGroupInvites).len();
    let allowed = intervals(began);
    assert!(lists <= allowed, "{lists} lists, and not {allowed}: looking costs by projects and not by people");
}

async fn an_address_keeps_its_case_where_the_api_keeps_it() {
    let world = World::start().await;
    world.sim.configure(|behaviour| behaviour.username_case = atlas_sim::UsernameCase::Keep);
    let account = world.atlas().await;
    world.invite("jane", &account.project, "Jane.Doe@Example.COM").await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
    assert_eq!(world.sim.invitations(&account.project)[0].username, "Jane.Doe@Example.COM", "sent as written");
    world.looks(&account.project, 3).await;
    assert!(ready("True", Reason::Invited)(&world.invitations().get("jane").await.unwrap()));
    world.sim.accept(&account.project, JANE);
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    assert_eq!(world.mails(JANE), 1);
}

async fn a_person_whom_ops_manager_adds_at_once_is_accepted() {
    let world = World::start().await;
    let project = world.plant_project(Product::OpsManager, "payments");
    world.sim.configure(|behaviour| behaviour.ops_manager_bypass = true);
    world.sim.seed_account(JANE);
    let key = world.sim.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_USER_ADMIN"]));
    world.secret("atlas", &key).await;
    world.inviter("atlas", "atlas", |spec| spec.product = Product::OpsManager).await;
    world.invite("jane", &project, JANE).await;
    let accepted = world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    assert_eq!(status(&accepted).id, None);
    assert_eq!(world.calls(Endpoint::CreateGroupInvite).len(), 1);
}
