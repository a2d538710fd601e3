//! Passes over ports in memory, for tests: one namespace, one inviter that is ready, a clock that the test's runtime moves.
//!
//! Must never decide what a test shows: objects, claims and the API are its own.

#![allow(clippy::unwrap_used, clippy::unimplemented)]

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
use super::testing::{Server, shared};
use super::wakes::{WakeStreams, Wakes};
use crate::api::{
    AllowInviter, CaBundleRef, CredentialsSecretRef, Deletion, InvitationClaim, Inviter, InviterKind, InviterRef,
    InviterSpec, Product, ProjectInvitation, ProjectInvitationSpec, ReadyWhen,
};
use crate::cloud::connector::HttpConnector;
use crate::cloud::{Fence, InvitesApi, Limits, NoCalls};
use crate::domain::finding::Finding;
use crate::domain::pacer::Rate;
use crate::domain::testing;
use crate::domain::timings::Timings;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::runtime::watcher::Event;
use std::sync::Arc;
use std::time::Duration;

/// Who sees, guards and tells nothing.
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

/// An object for Jane, made first of all.
pub(super) fn jane() -> ProjectInvitation {
    let wish = testing::facts().desired;
    let spec = ProjectInvitationSpec {
        project_id: wish.project.as_str().to_owned(),
        username: "jane@example.com".to_owned(),
        roles: vec!["GROUP_READ_ONLY".to_owned()],
        inviter_ref: InviterRef { kind: InviterKind::Inviter, name: "atlas".to_owned() },
        suspend: false,
        ready_when: ReadyWhen::Invited,
        deletion: Deletion::default(),
    };
    let mut object = ProjectInvitation::new("jane", spec);
    object.metadata.namespace = Some("team-a".to_owned());
    object.metadata.uid = Some(wish.object.uid);
    object.metadata.generation = Some(1);
    object.metadata.resource_version = Some("1".to_owned());
    object
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

/// Passes whose caches show these objects and claims, and the queues that they wake.
pub(super) fn passes(
    server: &Arc<Server>,
    objects: &[ProjectInvitation],
    claims: &[InvitationClaim],
    api: Arc<dyn InvitesApi>,
) -> (Passes, WakeStreams) {
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
    let object_cache = Arc::new(Cache::default());
    for object in objects {
        object_cache.follow(Event::Apply(object.clone()));
    }
    let claim_cache = Arc::new(Cache::default());
    for claim in claims {
        claim_cache.follow(Event::Apply(claim.clone()));
    }
    let memory = Arc::new(Memory::default());
    let (wakes, streams) = Wakes::new(Arc::clone(&object_cache), Arc::clone(&memory));
    let wakes = Arc::new(wakes);
    let connections = Arc::new(Connections::default());
    let connection = Connection { facts: testing::facts().inviter, access: Access::Own, api };
    connections.ready(&InviterSettings::of_inviter(&inviter()), connection);
    let inviters = Arc::new(InviterPasses::new(
        Arc::new(Nobody),
        settings.clone(),
        Arc::new(HttpConnector::new(Arc::new(Nobody), Arc::new(NoCalls), Arc::new(Limits::default()))),
        Arc::clone(&connections),
        Arc::clone(&wakes),
        Arc::clone(&clock),
    ));
    let ports = PassPorts {
        cluster: shared(server),
        objects: object_cache,
        claims: claim_cache,
        namespaces: NamespaceView::new(settings.namespaces.clone(), None),
        connections,
        inviters,
        wakes,
        memory,
        clock,
        chance: Arc::new(SystemChance),
        observer: Arc::new(Nobody),
    };
    (Passes::new(ports, settings), streams)
}
