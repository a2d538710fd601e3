//! What must hold before an attempt is opened, with a cache that lags and an API server that is slow.

#![allow(clippy::unwrap_used, clippy::unimplemented)]

use super::staging::{jane, passes};
use super::testing::Server;
use crate::api::Reason;
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

/// Makes one pass over Jane's object; returns what it shows then and how many calls mailed.
async fn one_pass(server: &Arc<Server>, fence_open: bool) -> (Reason, usize) {
    let api = Arc::new(Api { fence_open, created: AtomicUsize::new(0) });
    // The cache of claims has seen nothing yet.
    let (passes, _streams) = passes(server, &[jane()], &[], Arc::<Api>::clone(&api));
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
