//! The operator's ports over the world: Kubernetes, MongoDB, Secrets, clocks, chance.
//!
//! Each call crosses one boundary of the world. Must never answer what the world did not do.

use crate::bugs::Wiring;
use crate::cloud::Sent;
use crate::effect::{Effect, Fault};
use crate::world::{Caller, Late, OPERATOR_NAMESPACE, State, World, wall};
use futures::FutureExt;
use futures::future::BoxFuture;
use invitation_operator::api::{
    CaBundleRef, InvitationClaim, InvitationClaimSpec, ProjectInvitation, ProjectInvitationStatus, Reason,
};
use invitation_operator::cloud::connector::Connect;
use invitation_operator::cloud::http_api::Connection;
use invitation_operator::cloud::{Cancelled, Created, Fence, InvitesApi, Room};
use invitation_operator::controller::census::Census;
use invitation_operator::controller::chance::Chance;
use invitation_operator::controller::clock::Clock;
use invitation_operator::controller::cluster::{Cluster, ClusterError, Notice};
use invitation_operator::controller::inviter_spec::InviterSettings;
use invitation_operator::controller::observer::{ElectionNews, MailResult, Observer, PassOutcome};
use invitation_operator::controller::secrets::{Content, Secrets};
use invitation_operator::domain::attempt::AcknowledgedAttempt;
use invitation_operator::domain::bucket::{Backoff, Ending, Priority, Refusal, Told};
use invitation_operator::domain::failure::{Failure, FailureKind};
use invitation_operator::domain::finding::Finding;
use invitation_operator::domain::limits::{BucketKey, Buckets, EndpointSet};
use invitation_operator::domain::remote::{Invitation, Member, ObjectId, Roles, Username};
use jiff::Timestamp;
use kube::ResourceExt;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// No call takes longer.
const DEADLINE: Duration = Duration::from_secs(10);

/// All ports of one process in one of its lives.
#[derive(Clone)]
pub struct Ports {
    /// The world.
    pub world: Arc<World>,
    /// Whose ports they are.
    pub caller: Caller,
}

fn unanswered(_: Option<Fault>) -> ClusterError {
    ClusterError::Unanswered("none".to_owned())
}

fn unavailable(fault: Option<Fault>) -> Failure {
    let kind = match fault {
        Some(Fault::NotFound) => FailureKind::EndpointMissing,
        Some(Fault::Throttled) => FailureKind::RateLimited { retry_after: Some(Duration::from_secs(20)) },
        Some(Fault::Unclear) => FailureKind::Doubtful,
        _ => FailureKind::Unavailable { retry_after: None },
    };
    Failure { kind, message: "no answer".to_owned() }
}

/// Sending has a throttle of its own.
fn unsent(fault: Option<Fault>) -> Failure {
    match fault {
        Some(Fault::Throttled) => {
            Failure { kind: FailureKind::InvitationThrottled, message: "RATE_LIMITED_IP".to_owned() }
        }
        // A proxy's page says nothing of what became of the call.
        Some(Fault::NotFound) => Failure { kind: FailureKind::Doubtful, message: "404".to_owned() },
        other => unavailable(other),
    }
}

impl Ports {
    async fn read<T>(&self, effect: Effect, act: impl FnOnce(&mut State) -> T) -> Result<T, ClusterError> {
        self.world.cross(self.caller, effect, |state, _| Ok(act(state)), || None, unanswered, || Ok(DEADLINE)).await
    }

    async fn write<T>(
        &self,
        effect: Effect,
        what: impl Fn() -> String + Clone + Send + 'static,
        act: impl Fn(&mut State, Duration) -> Result<T, ClusterError> + Clone + Send + 'static,
    ) -> Result<T, ClusterError> {
        let world = Arc::clone(&self.world);
        let noted = move |state: &mut State, at: Duration| {
            let before = state.kubernetes.events();
            let result = act(state, at);
            if state.kubernetes.events() != before {
                state.changed(at, || format!("  {}", what()));
            }
            result
        };
        let later = noted.clone();
        let late = move || {
            let act: Box<dyn FnOnce(&mut State) + Send> = Box::new(move |state| {
                let at = world.at();
                // Nobody hears of it.
                let _ = later(state, at);
            });
            Some(Late::Other(act))
        };
        self.world.cross(self.caller, effect, noted, late, unanswered, || Ok(DEADLINE)).await
    }

    async fn call<T>(
        &self,
        effect: Effect,
        act: impl FnOnce(&mut State, Duration) -> Result<T, Failure>,
        late: impl FnOnce() -> Option<Late>,
    ) -> Result<T, Failure> {
        self.world.cross(self.caller, effect, act, late, unavailable, || Ok(DEADLINE)).await
    }
}

impl Cluster for Ports {
    fn invitation<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<ProjectInvitation>, ClusterError>> {
        self.read(Effect::ReadObject, |state| state.kubernetes.object(namespace, name).cloned()).boxed()
    }

    fn claim<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<InvitationClaim>, ClusterError>> {
        self.read(Effect::ReadClaim, |state| state.kubernetes.claim(name).cloned()).boxed()
    }

    fn claims_of<'a>(&'a self, owner_uid: &'a str) -> BoxFuture<'a, Result<Vec<InvitationClaim>, ClusterError>> {
        self.read(Effect::ListClaims, |state| state.kubernetes.claims_of(owner_uid)).boxed()
    }

    fn create_claim<'a>(
        &'a self,
        name: &'a str,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Result<InvitationClaim, ClusterError>> {
        let (name, spec) = (name.to_owned(), spec.clone());
        let told = told(&spec);
        self.write(
            Effect::CreateClaim,
            move || format!("claim created: {told}"),
            move |state, at| {
                let written = state.kubernetes.create_claim(&name, &spec, OPERATOR_NAMESPACE, wall(at))?;
                state.recorded(&spec, at);
                Ok(written)
            },
        )
        .boxed()
    }

    fn replace_claim<'a>(
        &'a self,
        seen: &'a InvitationClaim,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Result<InvitationClaim, ClusterError>> {
        let (seen, spec) = (seen.clone(), spec.clone());
        let told = told(&spec);
        self.write(
            Effect::ReplaceClaim,
            move || format!("claim replaced: {told}"),
            move |state, at| {
                let written = state.kubernetes.replace_claim(&seen, &spec)?;
                state.recorded(&spec, at);
                Ok(written)
            },
        )
        .boxed()
    }

    fn delete_claim<'a>(&'a self, seen: &'a InvitationClaim) -> BoxFuture<'a, Result<(), ClusterError>> {
        let seen = seen.clone();
        self.write(
            Effect::DeleteClaim,
            || "claim deleted".to_owned(),
            move |state, _| state.kubernetes.delete_claim(&seen),
        )
        .boxed()
    }

    fn add_finalizer<'a>(
        &'a self,
        object: &'a ProjectInvitation,
    ) -> BoxFuture<'a, Result<ProjectInvitation, ClusterError>> {
        let object = object.clone();
        let name = object.name_any();
        self.write(
            Effect::AddFinalizer,
            move || format!("finalizer added to {name}"),
            move |state, _| state.kubernetes.add_finalizer(&object),
        )
        .boxed()
    }

    fn remove_finalizer<'a>(&'a self, object: &'a ProjectInvitation) -> BoxFuture<'a, Result<(), ClusterError>> {
        let object = object.clone();
        let name = object.name_any();
        self.write(
            Effect::RemoveFinalizer,
            move || format!("finalizer removed from {name}"),
            move |state, _| state.kubernetes.remove_finalizer(&object),
        )
        .boxed()
    }

    fn write_status<'a>(
        &'a self,
        object: &'a ProjectInvitation,
        status: &'a ProjectInvitationStatus,
    ) -> BoxFuture<'a, Result<ProjectInvitation, ClusterError>> {
        let (object, status) = (object.clone(), status.clone());
        let name = object.name_any();
        let phase = status.phase;
        let reason = status.conditions.iter().map(|one| format!("{}:{}", one.type_, one.reason)).collect::<Vec<_>>();
        self.write(
            Effect::WriteStatus,
            move || format!("status of {name}: {phase:?} {}", reason.join(" ")),
            move |state, _| state.kubernetes.write_status(&object, &status),
        )
        .boxed()
    }

    fn publish<'a>(&'a self, object: &'a ProjectInvitation, notice: &'a Notice) -> BoxFuture<'a, ()> {
        async move {
            let _ = self
                .read(Effect::PublishEvent, |state| {
                    let at = self.world.at();
                    state.tell(at, || format!("  event on {}: {:?}", object.name_any(), notice.reason));
                })
                .await;
        }
        .boxed()
    }
}

/// A claim in a line, for the story.
fn told(claim: &InvitationClaimSpec) -> String {
    let mut told = claim.owner.as_ref().map_or("nobody's".to_owned(), |owner| format!("of {}", owner.uid));
    if claim.attempt.is_some() {
        told += " attempt";
    }
    if let Some(invitation) = &claim.invitation {
        let _ = write!(told, " invitation {}", invitation.id.trim_start_matches('0'));
    }
    if let Some(verdict) = &claim.verdict {
        let _ = write!(told, " {:?}", verdict.kind);
    }
    for (flag, name) in
        [(claim.cancelling, " cancelling"), (claim.debt.is_some(), " debt"), (claim.kept.is_some(), " kept")]
    {
        if flag {
            told += name;
        }
    }
    format!("{told} mails {} lost {}", claim.mails.len(), claim.lost_attempts)
}

impl Secrets for Ports {
    fn credentials<'a>(&'a self, _: &'a InviterSettings) -> BoxFuture<'a, Result<Content, Finding>> {
        async move {
            let version = match self.read(Effect::ReadSecret, |state| state.secret).await {
                Ok(Some(version)) => version.to_string(),
                Ok(None) => return Err(Finding::new(Reason::SecretNotFound, "the Secret does not exist: create it")),
                Err(error) => return Err(Finding::new(Reason::InviterNotReady, error.to_string())),
            };
            let data = [("publicApiKey", crate::world::IDENTITY), ("privateApiKey", "private")];
            let data = data.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec())).into();
            Ok(Content { data, version })
        }
        .boxed()
    }

    fn ca_bundle<'a>(&'a self, _: &'a str, from: &'a CaBundleRef) -> BoxFuture<'a, Result<(Vec<u8>, String), Finding>> {
        let finding = Finding::new(Reason::CaBundleInvalid, format!("there is no {}", from.name));
        futures::future::ready(Err(finding)).boxed()
    }
}

impl Clock for Ports {
    fn now(&self) -> Timestamp {
        let skew = self.world.state().processes[self.caller.process].skew;
        self.world.now() + skew
    }

    fn monotonic(&self) -> Duration {
        // Each process counts from a moment of its own.
        self.world.at() + Duration::from_secs(1000 * (1 + self.caller.process as u64))
    }
}

impl Chance for Ports {
    fn fraction(&self) -> f64 {
        self.world.state().plan.fraction()
    }

    fn unique(&self) -> u128 {
        self.world.state().plan.unique()
    }
}

impl Observer for Ports {
    fn pass_finished(&self, _: PassOutcome, _: Duration) {}
    fn mailed(&self, _: MailResult) {}
    fn watch_failed(&self, _: &'static str) {}
    fn unreadable(&self, _: &'static str) {}
    fn election(&self, _: &ElectionNews) {}
    fn cancellations_paused(&self, _: bool) {}
    fn compensated(&self) {}
    fn heartbeat(&self) {}
    fn census(&self, _: &Census) {}
}

/// Makes connections to the world's cloud.
pub struct Connector {
    /// The process.
    pub ports: Ports,
    /// Asked last before an e-mail.
    pub fence: Arc<dyn Fence>,
    /// How ports are put together.
    pub wiring: Wiring,
}

impl Connect for Connector {
    fn connect(&self, connection: Connection) -> Result<Arc<dyn InvitesApi>, Failure> {
        let identity = connection.credentials.identity().to_owned();
        Ok(self.wiring.api(Api::new(self.ports.clone(), Arc::clone(&self.fence), &identity)))
    }
}

/// The world's cloud, with credentials.
pub struct Api {
    ports: Ports,
    fence: Arc<dyn Fence>,
    identity: String,
    /// As the process knows them.
    limits: Mutex<Buckets>,
}

impl Api {
    /// With credentials that MongoDB names so.
    #[must_use]
    pub fn new(ports: Ports, fence: Arc<dyn Fence>, identity: &str) -> Self {
        Self { ports, fence, identity: identity.to_owned(), limits: Mutex::default() }
    }

    /// Counts a call under the limits; one that was refused closes them for as long as the answer says.
    fn counted<T>(&self, project: &ObjectId, result: Result<T, Failure>) -> Result<T, Failure> {
        let (now, key) = (self.ports.monotonic(), bucket(project));
        let mut limits = self.limits.lock().expect("no failure");
        let refusal = match &result {
            Err(Failure { kind: FailureKind::RateLimited { retry_after }, .. }) => Some(Refusal::TooMany(*retry_after)),
            _ => None,
        };
        if let Ok(grant) = limits.ask(&key, 1, Priority::First, now) {
            let told = Told { refusal, ..Told::default() };
            let backoff = Backoff { first: Duration::from_secs(10), jitter: self.ports.fraction() };
            limits.ended(&key, grant, 1, Ending::Answered(told), backoff, now);
        }
        result
    }

    /// The world's time.
    #[must_use]
    pub fn at(&self) -> Duration {
        self.ports.world.at()
    }

    /// Sends once, behind the fence.
    pub async fn send(
        &self,
        deadline: Timestamp,
        project: &ObjectId,
        username: &Username,
        roles: &Roles,
    ) -> Result<Created, Failure> {
        let send = |state: &mut State, at: Duration| {
            Ok(match state.send(&self.identity, project, username, roles, at)? {
                Sent::Invitation(invitation) => Created::Invitation(invitation),
                Sent::Member => Created::WithoutId,
            })
        };
        let late = || {
            Some(Late::Send {
                from: self.identity.clone(),
                project: project.clone(),
                username: username.clone(),
                roles: roles.clone(),
            })
        };
        let fenced = || Failure { kind: FailureKind::Fenced, message: "nothing was sent".to_owned() };
        let patience = || self.fence.time_left(deadline).ok_or_else(fenced);
        let world = &self.ports.world;
        world.cross(self.ports.caller, Effect::SendInvitation, send, late, unsent, patience).await
    }
}

fn bucket(project: &ObjectId) -> BucketKey {
    BucketKey { host: "cloud".to_owned(), set: EndpointSet::Projects, scope: project.as_str().to_owned() }
}

impl InvitesApi for Api {
    fn room<'a>(&'a self, project: &'a ObjectId) -> BoxFuture<'a, Result<Room, Failure>> {
        let (now, key) = (self.ports.monotonic(), bucket(project));
        let mut limits = self.limits.lock().expect("no failure");
        let room = match limits.ask(&key, 2, Priority::First, now) {
            Ok(grant) => {
                limits.returned(&key, grant);
                Ok(Room::unlimited())
            }
            Err(held) => {
                let retry_after = limits.promise(&key, held, 2, now).saturating_sub(now);
                Err(Failure { kind: FailureKind::HeldBack { retry_after }, message: "no room".to_owned() })
            }
        };
        futures::future::ready(room).boxed()
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        self.ports.call(Effect::Probe, |state, _| state.cloud.probe(), || None).boxed()
    }

    fn may_create(&self, attempt_deadline: Timestamp) -> bool {
        self.fence.time_left(attempt_deadline).is_some()
    }

    fn list<'a>(
        &'a self,
        project: &'a ObjectId,
        username: Option<&'a Username>,
    ) -> BoxFuture<'a, Result<Vec<Invitation>, Failure>> {
        let list = self.ports.call(
            Effect::ListInvitations,
            move |state, at| state.cloud.list(project, username, at, wall(at)),
            || None,
        );
        list.map(|listed| self.counted(project, listed)).boxed()
    }

    fn get<'a>(
        &'a self,
        project: &'a ObjectId,
        id: &'a ObjectId,
    ) -> BoxFuture<'a, Result<Option<Invitation>, Failure>> {
        self.ports
            .call(Effect::GetInvitation, move |state, at| state.cloud.get(project, id, at, wall(at)), || None)
            .boxed()
    }

    fn create<'a>(
        &'a self,
        attempt: AcknowledgedAttempt,
        _: Room,
        project: &'a ObjectId,
        username: &'a Username,
        roles: &'a Roles,
    ) -> BoxFuture<'a, Result<Created, Failure>> {
        // The attempt is consumed by this one call.
        self.send(attempt.deadline(), project, username, roles).boxed()
    }

    fn update_roles<'a>(
        &'a self,
        project: &'a ObjectId,
        id: &'a ObjectId,
        roles: &'a Roles,
    ) -> BoxFuture<'a, Result<Invitation, Failure>> {
        let act = move |state: &mut State, at: Duration| {
            let result = state.cloud.update_roles(project, id, roles, wall(at));
            state.changed(at, || "  roles changed".to_owned());
            result
        };
        let late = || {
            let (project, id, roles, world) =
                (project.clone(), id.clone(), roles.clone(), Arc::clone(&self.ports.world));
            let act: Box<dyn FnOnce(&mut State) + Send> = Box::new(move |state| {
                let at = world.at();
                let _ = state.cloud.update_roles(&project, &id, &roles, wall(at));
                state.changed(at, || "  roles changed late".to_owned());
            });
            Some(Late::Other(act))
        };
        self.ports.call(Effect::UpdateRoles, act, late).boxed()
    }

    fn cancel<'a>(&'a self, project: &'a ObjectId, id: &'a ObjectId) -> BoxFuture<'a, Result<Cancelled, Failure>> {
        let act = move |state: &mut State, at: Duration| state.cancel(project, id, at);
        let late = || {
            let (project, id, world) = (project.clone(), id.clone(), Arc::clone(&self.ports.world));
            let act: Box<dyn FnOnce(&mut State) + Send> = Box::new(move |state| {
                let at = world.at();
                let _ = state.cancel(&project, &id, at);
            });
            Some(Late::Other(act))
        };
        self.ports.call(Effect::CancelInvitation, act, late).boxed()
    }

    fn members<'a>(&'a self, project: &'a ObjectId) -> BoxFuture<'a, Result<Vec<Member>, Failure>> {
        let list = self.ports.call(Effect::ListMembers, move |state, _| state.cloud.members(project), || None);
        list.map(|listed| self.counted(project, listed)).boxed()
    }
}
