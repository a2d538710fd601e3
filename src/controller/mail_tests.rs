//! What must hold before an attempt is opened, with a cache that lags and an API server that is slow.

#![allow(clippy::unwrap_used, clippy::panic, clippy::unimplemented)]

use super::cache::Cache;
use super::census::Census;
use super::chance::SystemChance;
use super::clock::{Clock, SystemClock};
use super::connection::{Connection, Connections};
use super::inviter_pass::InviterPasses;
use super::inviter_spec::{Access, InviterSettings};
use super::memory::Memory;
use super::namespaces::NamespaceView;
use super::observer::{ElectionNews, MailResult, Observer, PassOutcome};
use super::pass::{PassPorts, Passes};
use super::secrets::{Content, Secrets};
use super::settings::{ControllerSettings, Namespaces};
use super::testing::{Server, jane, shared};
use super::wakes::Wakes;
use crate::api::{AllowInviter, CaBundleRef, CredentialsSecretRef, Inviter, InviterSpec, Product, Reason};
use crate::cloud::connector::HttpConnector;
use crate::cloud::{Cancelled, Created, Fence, InvitesApi, NoCalls};
use crate::domain::attempt::AcknowledgedAttempt;
use crate::domain::facts::InviterFacts;
use crate::domain::failure::Failure;
use crate::domain::finding::Finding;
use crate::domain::ledger;
use crate::domain::pacer::Rate;
use crate::domain::remote::{Invitation, Member, ObjectId, Roles, Username};
use crate::domain::testing;
use crate::domain::timings::Timings;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::runtime::reflector::{ObjectRef, store};
use kube::runtime::watcher::Event;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// MongoDB with nobody in it, behind a fence that stands open or not.
struct Api {
    fence_open: bool,
    created: AtomicUsize,
}

impl InvitesApi for Api {
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        unimplemented!()
    }
    fn list<'a>(&'a self, _: &'a ObjectId, _: Option<&'a Username>) -> BoxFuture<'a, Result<Vec<Invitation>, Failure>> {
        async { Ok(Vec::new()) }.boxed()
    }
    fn get<'a>(&'a self, _: &'a ObjectId, _: &'a ObjectId) -> BoxFuture<'a, Result<Option<Invitation>, Failure>> {
        unimplemented!()
    }
    fn may_create(&self, _: Timestamp) -> bool {
        self.fence_open
    }
    fn create<'a>(
        &'a self,
        _: AcknowledgedAttempt,
        _: &'a ObjectId,
        _: &'a Username,
        _: &'a Roles,
    ) -> BoxFuture<'a, Result<Created, Failure>> {
        self.created.fetch_add(1, Ordering::Relaxed);
        async { Ok(Created::Invitation(Box::new(testing::invitation()))) }.boxed()
    }
    fn update_roles<'a>(
        &'a self,
        _: &'a ObjectId,
        _: &'a ObjectId,
        _: &'a Roles,
    ) -> BoxFuture<'a, Result<Invitation, Failure>> {
        unimplemented!()
    }
    fn cancel<'a>(&'a self, _: &'a ObjectId, _: &'a ObjectId) -> BoxFuture<'a, Result<Cancelled, Failure>> {
        unimplemented!()
    }
    fn members<'a>(&'a self, _: &'a ObjectId) -> BoxFuture<'a, Result<Vec<Member>, Failure>> {
        async { Ok(Vec::new()) }.boxed()
    }
}

struct Nobody;

impl Secrets for Nobody {
    fn credentials<'a>(&'a self, _: &'a InviterSettings) -> BoxFuture<'a, Result<Content, Finding>> {
        unimplemented!()
    }
    fn ca_bundle<'a>(&'a self, _: &'a str, _: &'a CaBundleRef) -> BoxFuture<'a, Result<(Vec<u8>, String), Finding>> {
        unimplemented!()
    }
}

impl Observer for Nobody {
    fn pass_finished(&self, _: PassOutcome, _: Duration) {}
    fn mailed(&self, _: MailResult) {}
    fn compensated(&self) {}
    fn watch_failed(&self, _: &'static str) {}
    fn unreadable(&self, _: &'static str) {}
    fn election(&self, _: &ElectionNews) {}
    fn cancellations_paused(&self, _: bool) {}
    fn heartbeat(&self) {}
    fn census(&self, _: &Census) {}
}

impl Fence for Nobody {
    fn time_left(&self, _: Timestamp) -> Option<Duration> {
        unimplemented!()
    }
}

/// Time as the test's runtime has it.
struct Paused(tokio::time::Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(1000) + self.0.elapsed()
    }
}

fn inviter() -> Inviter {
    let spec = InviterSpec {
        product: Product::Atlas,
        base_url: None,
        credentials_secret_ref: CredentialsSecretRef { name: "atlas".to_owned() },
        ca_bundle_ref: None,
        check_interval: "5m".to_owned(),
        mode: crate::api::Mode::Enforce,
        adoption: crate::api::Adoption::Any,
        on_unknown: crate::api::OnUnknown::Retry,
        allow: AllowInviter::default(),
    };
    let mut inviter = Inviter::new("atlas", spec);
    inviter.metadata.namespace = Some("team-a".to_owned());
    inviter.metadata.uid = Some("uid-i".to_owned());
    inviter
}

/// Makes one pass over Jane's object; returns what it shows then and how many calls mailed.
async fn one_pass(server: &Arc<Server>, fence_open: bool) -> (Reason, usize) {
    let settings = ControllerSettings {
        operator_namespace: "operator".to_owned(),
        namespaces: Namespaces::Only(["team-a".to_owned()].into()),
        allowed_hosts: ["cloud.mongodb.com".to_owned()].into(),
        max_mails_per_person: 3,
        timings: Timings::default(),
        call_deadline: Duration::from_secs(30),
        rate: Rate::Unlimited,
        concurrency: 1,
        watch_renewal: Duration::from_secs(50),
    };
    let clock: Arc<dyn Clock> = Arc::new(Paused(tokio::time::Instant::now()));
    let (objects, mut writer) = store();
    let objects = Arc::new(Cache::over(objects));
    objects.follow(&mut writer, &Event::Apply(jane()));
    // The cache of claims has seen nothing yet.
    let (claims, _) = store();
    let claims = Arc::new(Cache::over(claims));
    let (wakes, _streams) = Wakes::new(Arc::clone(&objects), Arc::new(Memory::default()));
    let wakes = Arc::new(wakes);
    let api = Arc::new(Api { fence_open, created: AtomicUsize::new(0) });
    let connections = Arc::new(Connections::default());
    let connection = Connection {
        facts: InviterFacts { ..testing::facts().inviter },
        access: Access::Own,
        api: Arc::<Api>::clone(&api),
    };
    connections.ready(&InviterSettings::of_inviter(&inviter()), connection);
    let inviters = Arc::new(InviterPasses::new(
        Arc::new(Nobody),
        settings.clone(),
        Arc::new(HttpConnector::new(Arc::new(Nobody), Arc::new(NoCalls))),
        Arc::clone(&connections),
        Arc::clone(&wakes),
        Arc::clone(&clock),
    ));
    let ports = PassPorts {
        cluster: shared(server),
        objects,
        claims,
        namespaces: NamespaceView::new(settings.namespaces.clone(), None),
        connections,
        inviters,
        wakes,
        memory: Arc::new(Memory::default()),
        clock,
        chance: Arc::new(SystemChance),
        observer: Arc::new(Nobody),
    };
    let passes = Passes::new(ports, settings);
    let reference = ObjectRef::from_obj(&jane());
    passes.pass(&reference).await;
    let shown = passes.objects.get(&reference).unwrap();
    let conditions = shown.status.clone().unwrap_or_default().conditions;
    let reasons = [Reason::Invited, Reason::InviterMoved, Reason::Inviting];
    let shown = reasons.into_iter().find(|reason| conditions.iter().any(|shown| shown.reason == reason.as_str()));
    (shown.unwrap(), api.created.load(Ordering::Relaxed))
}

fn server() -> Server {
    Server::silent_for(Duration::ZERO).with_object(jane())
}

#[tokio::test(start_paused = true)]
async fn nobody_known_is_invited() {
    let server = Arc::new(server());
    assert_eq!(one_pass(&server, true).await, (Reason::Invited, 1));
    assert_eq!(server.all_claims().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_claim_at_another_host_that_the_cache_does_not_know_forbids_the_mail() {
    let mut elsewhere = testing::facts();
    elsewhere.inviter.host = "cloud.mongodbgov.com".to_owned();
    let held = ledger::recorded(testing::claim(&elsewhere), &testing::invitation(), crate::api::Origin::Created);
    let server = Arc::new(server().with_claim(&held));
    assert_eq!(one_pass(&server, true).await, (Reason::InviterMoved, 0));
    assert_eq!(server.all_claims().len(), 1, "no attempt was opened");
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_opened_before_a_fence_that_is_closed() {
    let server = Arc::new(server());
    assert_eq!(one_pass(&server, false).await, (Reason::Inviting, 0));
    assert_eq!(server.all_claims(), []);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_opened_while_the_api_server_takes_half_of_its_time_for_a_read() {
    let server = Arc::new(server().slow(Duration::from_secs(5)));
    assert_eq!(one_pass(&server, true).await, (Reason::Inviting, 0));
    assert_eq!(server.all_claims(), []);
    let server = Arc::new(self::server().slow(Duration::from_secs(1)));
    assert_eq!(one_pass(&server, true).await, (Reason::Invited, 1));
}
