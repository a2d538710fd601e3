//! Claims whose owner is gone: who has the invitation, and when it is cancelled.

#![allow(clippy::unwrap_used, clippy::unimplemented)]

use super::*;
use crate::api::Origin;
use crate::cloud::{Cancelled, Created, InvitesApi, Room};
use crate::controller::clock::SystemClock;
use crate::controller::staging::{jane, passes};
use crate::controller::testing::Server;
use crate::domain::attempt::AcknowledgedAttempt;
use crate::domain::failure::Failure;
use crate::domain::ledger;
use crate::domain::remote::{Invitation, Member};
use crate::domain::testing;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::atomic::{AtomicUsize, Ordering};

/// MongoDB with Jane's invitation, until it is cancelled.
#[derive(Default)]
struct Api {
    cancelled: AtomicUsize,
}

impl Api {
    fn pending(&self) -> Vec<Invitation> {
        if self.cancelled.load(Ordering::Relaxed) == 0 { vec![testing::invitation()] } else { Vec::new() }
    }
}

impl InvitesApi for Api {
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        unimplemented!()
    }
    fn list<'a>(&'a self, _: &'a ObjectId, _: Option<&'a Username>) -> BoxFuture<'a, Result<Vec<Invitation>, Failure>> {
        async { Ok(self.pending()) }.boxed()
    }
    fn get<'a>(&'a self, _: &'a ObjectId, _: &'a ObjectId) -> BoxFuture<'a, Result<Option<Invitation>, Failure>> {
        async { Ok(self.pending().pop()) }.boxed()
    }
    fn may_create(&self, _: Timestamp) -> bool {
        unimplemented!()
    }
    fn room<'a>(&'a self, _: &'a ObjectId) -> BoxFuture<'a, Result<Room, Failure>> {
        unimplemented!()
    }
    fn create<'a>(
        &'a self,
        _: AcknowledgedAttempt,
        _: Room,
        _: &'a ObjectId,
        _: &'a Username,
        _: &'a Roles,
    ) -> BoxFuture<'a, Result<Created, Failure>> {
        unimplemented!()
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
        self.cancelled.fetch_add(1, Ordering::Relaxed);
        async { Ok(Cancelled::Now) }.boxed()
    }
    fn members<'a>(&'a self, _: &'a ObjectId) -> BoxFuture<'a, Result<Vec<Member>, Failure>> {
        async { Ok(Vec::new()) }.boxed()
    }
}

/// The claim of an object that was forced away, with the invitation that it sent.
fn left_behind() -> InvitationClaimSpec {
    let gone = Owner { namespace: "team-a".to_owned(), name: "gone".to_owned(), uid: "uid-gone".to_owned() };
    let claim = ledger::recorded(testing::claim(&testing::facts()), &testing::invitation(), Origin::Created);
    InvitationClaimSpec { owner: Some(gone), ..claim }
}

/// Sweeps until the owner has been gone for longer than the grace; returns who owns the claim then, how many calls
/// cancelled, and how many objects were woken.
async fn swept(objects: &[ProjectInvitation]) -> (Option<String>, usize, usize) {
    let server = Server::silent_for(Duration::ZERO).with_claim(&left_behind());
    let server = Arc::new(objects.iter().cloned().fold(server, Server::with_object));
    let api = Arc::new(Api::default());
    let (passes, mut streams) = passes(&server, objects, &server.all_claims(), Arc::<Api>::clone(&api));
    let seat = Seat::unopposed(Arc::new(SystemClock));
    let mut sweep = Sweep::default();
    for _ in 0..5 {
        sweep.all(&passes, &seat).await;
        tokio::time::advance(EVERY).await;
    }
    let owner = server.claim_of(&left_behind()).and_then(|claim| Some(claim.spec.owner?.uid));
    let woken = std::iter::from_fn(|| streams.invitations.try_recv().ok()).count();
    (owner, api.cancelled.load(Ordering::Relaxed), woken)
}

#[tokio::test(start_paused = true)]
async fn what_nobody_wants_any_more_is_cancelled() {
    assert_eq!(swept(&[]).await, (None, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_live_object_that_wants_the_person_has_the_invitation_though_it_never_said_so() {
    // Its passes have not come so far: it waits for nothing yet.
    assert_eq!(swept(&[jane()]).await, (Some("uid-1".to_owned()), 0, 1));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_goes_itself_has_nothing() {
    let mut leaving = jane();
    leaving.metadata.deletion_timestamp = Some(ledger::whole_second(testing::now()));
    assert_eq!(swept(&[leaving]).await, (None, 1, 0));
    let mut other = jane();
    other.spec.username = "john@example.com".to_owned();
    assert_eq!(swept(&[other]).await, (None, 1, 0));
}
