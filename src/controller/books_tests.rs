//! Results that enter a ledger which fails, changes or is gone.

#![allow(clippy::unwrap_used, clippy::panic, clippy::unimplemented)]

use super::*;
use crate::api::{ProjectInvitation, ProjectInvitationStatus};
use crate::controller::clock::SystemClock;
use crate::controller::cluster::{Notice, claim_object};
use crate::controller::settings::Namespaces;
use crate::domain::ledger;
use crate::domain::testing;
use crate::domain::timings::Timings;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::Instant;

type Answer<T> = std::result::Result<T, ClusterError>;

/// One claim on a server that answers nothing before a moment.
struct Server {
    claim: Mutex<Option<InvitationClaim>>,
    silent_until: Instant,
}

impl Server {
    fn holding(spec: Option<InvitationClaimSpec>, silent_for: Duration) -> Arc<Self> {
        let claim = spec.map(|spec| version(claim_object(&claim_name(&spec.key), &spec), 1));
        Arc::new(Self { claim: Mutex::new(claim), silent_until: Instant::now() + silent_for })
    }

    fn answers(&self) -> Answer<()> {
        let silent = Instant::now() < self.silent_until;
        if silent { Err(ClusterError::Unanswered("down".to_owned())) } else { Ok(()) }
    }

    fn now_is(&self) -> Option<InvitationClaim> {
        self.claim.lock().unwrap().clone()
    }
}

fn version(mut claim: InvitationClaim, version: u32) -> InvitationClaim {
    claim.metadata.resource_version = Some(version.to_string());
    claim
}

impl Cluster for Server {
    fn claim<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Answer<Option<InvitationClaim>>> {
        async move { self.answers().map(|()| self.now_is()) }.boxed()
    }

    fn create_claim<'a>(
        &'a self,
        name: &'a str,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Answer<InvitationClaim>> {
        async move {
            self.answers()?;
            let mut claim = self.claim.lock().unwrap();
            if claim.is_some() {
                return Err(ClusterError::Conflict);
            }
            Ok(claim.insert(version(claim_object(name, spec), 9)).clone())
        }
        .boxed()
    }

    fn replace_claim<'a>(
        &'a self,
        seen: &'a InvitationClaim,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Answer<InvitationClaim>> {
        async move {
            self.answers()?;
            let mut claim = self.claim.lock().unwrap();
            match claim.as_mut() {
                Some(present) if present.metadata.resource_version == seen.metadata.resource_version => {
                    present.spec = spec.clone();
                    present.metadata.resource_version = Some("9".to_owned());
                    Ok(present.clone())
                }
                Some(_) => Err(ClusterError::Conflict),
                None => Err(ClusterError::Gone),
            }
        }
        .boxed()
    }

    fn delete_claim<'a>(&'a self, _: &'a InvitationClaim) -> BoxFuture<'a, Answer<()>> {
        unimplemented!()
    }
    fn invitation<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Answer<Option<ProjectInvitation>>> {
        unimplemented!()
    }
    fn claims_of<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Answer<Vec<InvitationClaim>>> {
        unimplemented!()
    }
    fn add_finalizer<'a>(&'a self, _: &'a ProjectInvitation) -> BoxFuture<'a, Answer<ProjectInvitation>> {
        unimplemented!()
    }
    fn remove_finalizer<'a>(&'a self, _: &'a ProjectInvitation) -> BoxFuture<'a, Answer<()>> {
        unimplemented!()
    }
    fn write_status<'a>(
        &'a self,
        _: &'a ProjectInvitation,
        _: &'a ProjectInvitationStatus,
    ) -> BoxFuture<'a, Answer<ProjectInvitation>> {
        unimplemented!()
    }
    fn publish<'a>(&'a self, _: &'a ProjectInvitation, _: &'a Notice) -> BoxFuture<'a, ()> {
        unimplemented!()
    }
}

fn open() -> InvitationClaimSpec {
    let facts = testing::facts();
    ledger::attempt_opened(testing::claim(&facts), &facts)
}

fn made() -> InvitationClaimSpec {
    ledger::recorded(open(), &testing::invitation(), crate::api::Origin::Created)
}

fn acknowledged() -> InvitationClaim {
    version(claim_object(&claim_name(&open().key), &open()), 1)
}

fn books(server: &Arc<Server>) -> Books {
    let (store, _) = kube::runtime::reflector::store();
    let settings = ControllerSettings {
        operator_namespace: "operator".to_owned(),
        namespaces: Namespaces::All,
        allowed_hosts: std::collections::BTreeSet::new(),
        max_mails_per_person: 3,
        timings: Timings::default(),
        call_deadline: Duration::from_secs(30),
        rate: crate::domain::pacer::Rate::Unlimited,
        concurrency: 1,
        watch_renewal: Duration::from_secs(50),
    };
    Books::new(Arc::<Server>::clone(server), Arc::new(Cache::over(store)), Arc::new(SystemClock), &settings)
}

#[tokio::test(start_paused = true)]
async fn a_result_is_written_at_once_when_the_server_answers() {
    let server = Server::holding(Some(open()), Duration::ZERO);
    let written = books(&server).write(acknowledged(), made()).await;
    assert_eq!(written, server.now_is());
    assert_eq!(server.now_is().unwrap().spec, made());
}

#[tokio::test(start_paused = true)]
async fn a_result_that_cannot_be_written_lets_its_pass_go_and_is_written_when_the_server_is_back() {
    let server = Server::holding(Some(open()), Duration::from_secs(24 * 3600));
    let books = books(&server);
    let begun = Instant::now();
    assert_eq!(books.write(acknowledged(), made()).await, None);
    assert_eq!(begun.elapsed(), PATIENCE, "in the time of this test");
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    assert_eq!(server.now_is().unwrap().spec, made());
}

#[tokio::test(start_paused = true)]
async fn who_is_told_to_end_writes_what_is_unwritten_as_far_as_the_grace_allows() {
    let server = Server::holding(Some(open()), Duration::from_secs(15));
    let first = books(&server);
    first.write(acknowledged(), made()).await;
    first.close(Duration::from_secs(20)).await;
    assert_eq!(server.now_is().unwrap().spec, made());
    let server = Server::holding(Some(open()), Duration::from_secs(60));
    let second = books(&server);
    second.write(acknowledged(), made()).await;
    second.close(Duration::from_secs(20)).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(server.now_is().unwrap().spec, open(), "after the end nothing is written; the attempt is the net");
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_changed_meanwhile_takes_the_result_as_it_then_can() {
    let mut other = made().invitation.unwrap();
    other.id = "64a0000000000000000000bb".to_owned();
    let server = Server::holding(Some(ledger::holding(open(), other.clone())), Duration::ZERO);
    server.claim.lock().unwrap().as_mut().unwrap().metadata.resource_version = Some("5".to_owned());
    let written = books(&server).write(acknowledged(), made()).await.unwrap();
    assert_eq!(written.spec.invitation, Some(other));
    assert_eq!(written.spec.surplus, [testing::invitation().id.as_str()]);
    assert_eq!(Some(written), server.now_is());
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_was_deleted_meanwhile_is_made_anew() {
    let server = Server::holding(None, Duration::ZERO);
    books(&server).write(acknowledged(), made()).await.unwrap();
    assert_eq!(server.now_is().unwrap().spec, made());
}
