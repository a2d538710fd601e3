//! What must hold before an attempt is opened, with a cache that lags and an API server that is slow.

#![allow(clippy::unwrap_used, clippy::unimplemented)]

use super::staging::{jane, passes};
use super::testing::Server;
use crate::api::names::FINALIZER;
use crate::api::{ProjectInvitation, Reason};
use crate::cloud::{Cancelled, Created, InvitesApi, Room};
use crate::domain::attempt::AcknowledgedAttempt;
use crate::domain::failure::Failure;
use crate::domain::ledger;
use crate::domain::remote::{Invitation, Member, ObjectId, Roles, Username};
use crate::domain::testing;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// MongoDB with nobody in it, behind a fence that stands open or not.
pub(super) struct Api {
    fence_open: bool,
    created: AtomicUsize,
}

impl Api {
    pub(super) fn new(fence_open: bool) -> Arc<Self> {
        Arc::new(Self { fence_open, created: AtomicUsize::new(0) })
    }
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
    fn room<'a>(&'a self, _: &'a ObjectId) -> BoxFuture<'a, Result<Room, Failure>> {
        async { Ok(Room::unlimited()) }.boxed()
    }
    fn create<'a>(
        &'a self,
        _: AcknowledgedAttempt,
        _: Room,
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

/// Makes passes over Jane's object, of which the cache knows this; returns what it shows then and how many calls mailed.
async fn passes_over(
    known: ProjectInvitation,
    server: &Arc<Server>,
    fence_open: bool,
    count: usize,
) -> (Option<Reason>, usize) {
    let api = Api::new(fence_open);
    // The cache of claims has seen nothing yet.
    let (passes, _streams) = passes(server, &[known], &[], Arc::<Api>::clone(&api));
    let reference = ObjectRef::from_obj(&jane());
    for _ in 0..count {
        passes.pass(&reference).await;
    }
    let shown = passes.objects.get(&reference).unwrap();
    let conditions = shown.status.clone().unwrap_or_default().conditions;
    let reasons = [Reason::Invited, Reason::InviterMoved, Reason::Inviting];
    let shown = reasons.into_iter().find(|reason| conditions.iter().any(|shown| shown.reason == reason.as_str()));
    (shown, api.created.load(Ordering::Relaxed))
}

/// One pass over an object that bears no trace of an operator.
async fn one_pass(server: &Arc<Server>, fence_open: bool) -> (Reason, usize) {
    let (shown, created) = passes_over(jane(), server, fence_open, 1).await;
    (shown.unwrap(), created)
}

fn server() -> Server {
    Server::silent_for(Duration::ZERO).with_object(jane())
}

/// Jane's object once an operator has acted on it.
fn acted_on() -> ProjectInvitation {
    let mut object = jane();
    object.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
    object.metadata.resource_version = Some("2".to_owned());
    object
}

/// Holds that object, and its claim at another host.
fn moved() -> Arc<Server> {
    let mut elsewhere = testing::facts();
    elsewhere.inviter.host = "cloud.mongodbgov.com".to_owned();
    let held = ledger::recorded(testing::claim(&elsewhere), &testing::invitation(), crate::api::Origin::Created);
    Arc::new(Server::silent_for(Duration::ZERO).with_object(acted_on()).with_claim(&held))
}

#[tokio::test(start_paused = true)]
async fn nobody_known_is_invited() {
    let server = Arc::new(server());
    assert_eq!(one_pass(&server, true).await, (Reason::Invited, 1));
    assert_eq!(server.all_claims().len(), 1);
    assert_eq!(server.questions(), 0, "an object without a trace has no claim");
}

#[tokio::test(start_paused = true)]
async fn a_claim_at_another_host_that_the_cache_does_not_know_forbids_the_mail() {
    let server = moved();
    assert_eq!(passes_over(acted_on(), &server, true, 1).await, (Some(Reason::InviterMoved), 0));
    assert_eq!(server.questions(), 1);
    assert_eq!(server.all_claims().len(), 1, "no attempt was opened");
}

#[tokio::test(start_paused = true)]
async fn traces_that_the_cache_does_not_know_begin_the_pass_again() {
    let server = moved();
    assert_eq!(passes_over(jane(), &server, true, 1).await, (None, 0));
    assert_eq!(server.all_claims().len(), 1, "no attempt was opened");
    let server = moved();
    assert_eq!(passes_over(jane(), &server, true, 2).await, (Some(Reason::InviterMoved), 0));
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
