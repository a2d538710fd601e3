//! Seeded bugs: known mistakes, made in the wiring of the ports or in the settings.
//!
//! Each must be caught by the oracle. Production code has no switch for any of them: what is wrong here is what a port
//! does. Mistakes that only the code itself can make are patches, in `patches/`.

use crate::ports::{Api, Ports};
use crate::world::World;
use futures::FutureExt;
use futures::future::BoxFuture;
use invitation_operator::api::{InvitationClaim, InvitationClaimSpec, ProjectInvitation, ProjectInvitationStatus};
use invitation_operator::cloud::{Cancelled, Created, Fence, InvitesApi, Room};
use invitation_operator::controller::cache::Cache;
use invitation_operator::controller::clock::Clock;
use invitation_operator::controller::cluster::{Cluster, ClusterError, Notice, claim_object};
use invitation_operator::domain::attempt::AcknowledgedAttempt;
use invitation_operator::domain::failure::{Failure, FailureKind};
use invitation_operator::domain::remote::{Invitation, Member, ObjectId, Roles, Username};
use invitation_operator::domain::timings::Timings;
use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A known mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A retry layer below the call sends again when there is no answer.
    RetryLayer,
    /// The intent to send is kept in memory: the stored claim has no attempt.
    IntentInMemory,
    /// Nothing is waited for after a call without an answer.
    NoQuarantine,
    /// What should be read live comes from caches.
    CachedReads,
    /// A claim is replaced whatever its version.
    NoCompareAndSwap,
    /// Creating a claim that exists replaces it.
    CreateReplaces,
    /// A bare 404 is taken for an invitation that is gone.
    NotFoundMeansGone,
    /// No answer is taken for a no.
    UnknownMeansNo,
    /// The members are not looked at.
    MembersIgnored,
    /// One look without the person is enough.
    OneAbsenceIsEnough,
    /// Writes do not test the uid.
    NoUidTest,
    /// Times are measured by the wall clock.
    WallClock,
    /// Nothing is asked before the bytes go out.
    NoFence,
    /// What came of a call is recorded in the status alone.
    ResultOnlyInStatus,
    /// A write without an answer is taken for done.
    UnansweredMeansDone,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::RetryLayer,
        Self::IntentInMemory,
        Self::NoQuarantine,
        Self::CachedReads,
        Self::NoCompareAndSwap,
        Self::CreateReplaces,
        Self::NotFoundMeansGone,
        Self::UnknownMeansNo,
        Self::MembersIgnored,
        Self::OneAbsenceIsEnough,
        Self::NoUidTest,
        Self::WallClock,
        Self::NoFence,
        Self::ResultOnlyInStatus,
        Self::UnansweredMeansDone,
    ];
}

/// How ports are put together; anything but the default is a seeded bug.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wiring {
    /// The bug.
    pub bug: Option<Bug>,
}

/// Ports put together.
pub struct Wired {
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    ports: Ports,
    bug: Option<Bug>,
}

impl Wiring {
    fn has(self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Puts clock and cluster together.
    #[must_use]
    pub fn wire(self, ports: &Ports) -> Wired {
        let clock: Arc<dyn Clock> =
            if self.has(Bug::WallClock) { Arc::new(WallClock(ports.clone())) } else { Arc::new(ports.clone()) };
        Wired { clock, ports: ports.clone(), bug: self.bug }
    }

    /// Makes the mistakes that the world itself must allow.
    pub fn prepare(self, world: &World) {
        let mut state = world.state();
        state.kubernetes.careless.versions = self.has(Bug::NoCompareAndSwap);
        state.kubernetes.careless.creation = self.has(Bug::CreateReplaces);
        state.kubernetes.careless.uids = self.has(Bug::NoUidTest);
    }

    /// The times of the protocol.
    #[must_use]
    pub fn timings(self, timings: Timings) -> Timings {
        match self.bug {
            Some(Bug::NoQuarantine) => Timings { server_delay: Duration::ZERO, list_delay: Duration::ZERO, ..timings },
            Some(Bug::OneAbsenceIsEnough) => Timings { absence_gap: Duration::ZERO, ..timings },
            _ => timings,
        }
    }

    /// What is asked last before an e-mail.
    #[must_use]
    pub fn fence(self, fence: Arc<dyn Fence>, post_deadline: Duration) -> Arc<dyn Fence> {
        if self.has(Bug::NoFence) { Arc::new(Open(post_deadline)) } else { fence }
    }

    /// The API.
    #[must_use]
    pub fn api(self, api: Api) -> Arc<dyn InvitesApi> {
        match self.bug {
            Some(bug) => Arc::new(WrongApi { api, bug, lists: Mutex::default() }),
            None => Arc::new(api),
        }
    }
}

impl Wired {
    /// The cluster.
    #[must_use]
    pub fn cluster(
        &self,
        objects: &Arc<Cache<ProjectInvitation>>,
        claims: &Arc<Cache<InvitationClaim>>,
    ) -> Arc<dyn Cluster> {
        match self.bug {
            Some(bug) => Arc::new(WrongCluster {
                ports: self.ports.clone(),
                bug,
                objects: Arc::clone(objects),
                claims: Arc::clone(claims),
            }),
            None => Arc::new(self.ports.clone()),
        }
    }
}

/// Never closes.
struct Open(Duration);

impl Fence for Open {
    fn time_left(&self, _: Timestamp) -> Option<Duration> {
        Some(self.0)
    }
}

/// One clock for both.
struct WallClock(Ports);

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        Duration::try_from(self.0.now().duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
    }
}

/// An API with a mistake.
struct WrongApi {
    api: Api,
    bug: Bug,
    lists: Mutex<HashMap<ObjectId, (Duration, Vec<Invitation>)>>,
}

fn is_bare_404(failure: &Failure) -> bool {
    failure.kind == FailureKind::EndpointMissing
}

impl InvitesApi for WrongApi {
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        self.api.probe()
    }

    fn room<'a>(&'a self, project: &'a ObjectId) -> BoxFuture<'a, Result<Room, Failure>> {
        self.api.room(project)
    }

    fn may_create(&self, attempt_deadline: Timestamp) -> bool {
        self.api.may_create(attempt_deadline)
    }

    fn list<'a>(
        &'a self,
        project: &'a ObjectId,
        username: Option<&'a Username>,
    ) -> BoxFuture<'a, Result<Vec<Invitation>, Failure>> {
        async move {
            let at = self.api.at();
            if self.bug == Bug::CachedReads
                && let Some((read, list)) = self.lists.lock().expect("no failure").get(project)
                && at.saturating_sub(*read) < Duration::from_secs(600)
            {
                return Ok(list.clone());
            }
            let list = match self.api.list(project, username).await {
                Err(failure) if self.bug == Bug::NotFoundMeansGone && is_bare_404(&failure) => Vec::new(),
                list => list?,
            };
            self.lists.lock().expect("no failure").insert(project.clone(), (at, list.clone()));
            Ok(list)
        }
        .boxed()
    }

    fn get<'a>(
        &'a self,
        project: &'a ObjectId,
        id: &'a ObjectId,
    ) -> BoxFuture<'a, Result<Option<Invitation>, Failure>> {
        async move {
            match self.api.get(project, id).await {
                Err(failure) if self.bug == Bug::NotFoundMeansGone && is_bare_404(&failure) => Ok(None),
                found => found,
            }
        }
        .boxed()
    }

    fn create<'a>(
        &'a self,
        attempt: AcknowledgedAttempt,
        room: Room,
        project: &'a ObjectId,
        username: &'a Username,
        roles: &'a Roles,
    ) -> BoxFuture<'a, Result<Created, Failure>> {
        async move {
            let deadline = attempt.deadline();
            let sent = self.api.create(attempt, room, project, username, roles).await;
            match sent {
                Err(failure) if failure.kind.is_definite_no() => Err(failure),
                Err(_) if self.bug == Bug::RetryLayer => self.api.send(deadline, project, username, roles).await,
                Err(failure) if self.bug == Bug::UnknownMeansNo => {
                    Err(Failure { kind: FailureKind::NotSent { retry_after: None }, ..failure })
                }
                sent => sent,
            }
        }
        .boxed()
    }

    fn update_roles<'a>(
        &'a self,
        project: &'a ObjectId,
        id: &'a ObjectId,
        roles: &'a Roles,
    ) -> BoxFuture<'a, Result<Invitation, Failure>> {
        self.api.update_roles(project, id, roles)
    }

    fn cancel<'a>(&'a self, project: &'a ObjectId, id: &'a ObjectId) -> BoxFuture<'a, Result<Cancelled, Failure>> {
        async move {
            match self.api.cancel(project, id).await {
                Err(failure) if self.bug == Bug::NotFoundMeansGone && is_bare_404(&failure) => {
                    Ok(Cancelled::AlreadyGone)
                }
                cancelled => cancelled,
            }
        }
        .boxed()
    }

    fn members<'a>(&'a self, project: &'a ObjectId) -> BoxFuture<'a, Result<Vec<Member>, Failure>> {
        async move {
            match self.api.members(project).await {
                Ok(_) if self.bug == Bug::MembersIgnored => Ok(Vec::new()),
                Err(failure) if self.bug == Bug::NotFoundMeansGone && is_bare_404(&failure) => Ok(Vec::new()),
                members => members,
            }
        }
        .boxed()
    }
}

/// A cluster with a mistake.
struct WrongCluster {
    ports: Ports,
    bug: Bug,
    objects: Arc<Cache<ProjectInvitation>>,
    claims: Arc<Cache<InvitationClaim>>,
}

impl WrongCluster {
    /// What is stored instead of the claim, if it is not the claim itself.
    fn stored(&self, spec: &InvitationClaimSpec) -> Option<InvitationClaimSpec> {
        let mut stored = spec.clone();
        match self.bug {
            Bug::IntentInMemory => stored.attempt = None,
            Bug::ResultOnlyInStatus => stored.invitation = None,
            _ => {}
        }
        (stored != *spec).then_some(stored)
    }

    fn believed(
        &self,
        written: Result<InvitationClaim, ClusterError>,
        spec: &InvitationClaimSpec,
        seen: Option<&InvitationClaim>,
    ) -> Result<InvitationClaim, ClusterError> {
        match written {
            Err(ClusterError::Unanswered(_)) if self.bug == Bug::UnansweredMeansDone => {
                let mut believed = claim_object("", spec);
                believed.metadata = seen.map_or_else(
                    || {
                        let mut meta = believed.metadata.clone();
                        meta.resource_version = Some("1".to_owned());
                        meta.name = Some(invitation_operator::domain::key::claim_name(&spec.key));
                        meta
                    },
                    |seen| seen.metadata.clone(),
                );
                Ok(believed)
            }
            written => written.map(|claim| InvitationClaim { spec: spec.clone(), ..claim }),
        }
    }
}

impl Cluster for WrongCluster {
    fn invitation<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<ProjectInvitation>, ClusterError>> {
        if self.bug == Bug::CachedReads {
            let reference = ObjectRef::new(name).within(namespace);
            let cached = self.objects.get(&reference).map(|object| object.as_ref().clone());
            return futures::future::ready(Ok(cached)).boxed();
        }
        self.ports.invitation(namespace, name)
    }

    fn claim<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<InvitationClaim>, ClusterError>> {
        if self.bug == Bug::CachedReads {
            let reference = ObjectRef::new(name).within(crate::world::OPERATOR_NAMESPACE);
            let cached = self.claims.get(&reference).map(|claim| claim.as_ref().clone());
            return futures::future::ready(Ok(cached)).boxed();
        }
        self.ports.claim(name)
    }

    fn claims_of<'a>(&'a self, owner_uid: &'a str) -> BoxFuture<'a, Result<Vec<InvitationClaim>, ClusterError>> {
        self.ports.claims_of(owner_uid)
    }

    fn create_claim<'a>(
        &'a self,
        name: &'a str,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Result<InvitationClaim, ClusterError>> {
        async move {
            let stored = self.stored(spec);
            let written = self.ports.create_claim(name, stored.as_ref().unwrap_or(spec)).await;
            self.believed(written, spec, None)
        }
        .boxed()
    }

    fn replace_claim<'a>(
        &'a self,
        seen: &'a InvitationClaim,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Result<InvitationClaim, ClusterError>> {
        async move {
            let stored = self.stored(spec);
            let written = self.ports.replace_claim(seen, stored.as_ref().unwrap_or(spec)).await;
            self.believed(written, spec, Some(seen))
        }
        .boxed()
    }

    fn delete_claim<'a>(&'a self, seen: &'a InvitationClaim) -> BoxFuture<'a, Result<(), ClusterError>> {
        self.ports.delete_claim(seen)
    }

    fn add_finalizer<'a>(
        &'a self,
        object: &'a ProjectInvitation,
    ) -> BoxFuture<'a, Result<ProjectInvitation, ClusterError>> {
        self.ports.add_finalizer(object)
    }

    fn remove_finalizer<'a>(&'a self, object: &'a ProjectInvitation) -> BoxFuture<'a, Result<(), ClusterError>> {
        self.ports.remove_finalizer(object)
    }

    fn write_status<'a>(
        &'a self,
        object: &'a ProjectInvitation,
        status: &'a ProjectInvitationStatus,
    ) -> BoxFuture<'a, Result<ProjectInvitation, ClusterError>> {
        self.ports.write_status(object, status)
    }

    fn publish<'a>(&'a self, object: &'a ProjectInvitation, notice: &'a Notice) -> BoxFuture<'a, ()> {
        self.ports.publish(object, notice)
    }
}
