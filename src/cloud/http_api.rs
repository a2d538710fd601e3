//! [`InvitesApi`] over HTTP, for Atlas, Cloud Manager and Ops Manager.
//!
//! Owns which request each call is and how a success is read. What the bytes do is in `transport`, who signs them in
//! `repeatable` and `create`, what a refusal means in `error`. Must never follow anything a server names, and never take
//! an answer that is not of the documented form for an empty one.

pub use super::connection::Connection;
use super::create;
use super::credentials::Credentials;
use super::endpoint::{Endpoint, Routes};
use super::error::{Context, classify};
use super::limits::{Calls, Tally};
use super::oauth::{TokenCache, TokenSource};
use super::repeatable::Repeatable;
use super::room::{Limits, Room};
use super::transport::{Answer, LIST_LIMIT, OBJECT_LIMIT, Transport, host_of, moment_after, unavailable};
use super::wire::Unreadable;
use super::wire::invitation::{CreateRequest, InvitationAnswer, UpdateRequest, first_byte, read_list};
use super::{Cancelled, Created, Fence, InvitesApi, base_url, roster};
use crate::api::Product;
use crate::domain::attempt::AcknowledgedAttempt;
use crate::domain::bucket::Priority;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::remote::{Invitation, Member, ObjectId, Roles, Username};
use futures::future::BoxFuture;
use http::StatusCode;
use jiff::Timestamp;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How requests are signed.
pub(super) enum Auth {
    /// A challenge for each request.
    Digest { public_key: String, private_key: SecretString },
    /// A token for many.
    Bearer(TokenSource),
}

/// What all connections of a process share.
#[derive(Clone, Default)]
pub struct Shared {
    /// One token per service account: MongoDB limits how many live at once.
    pub tokens: TokenCache,
    /// MongoDB counts calls by project, whoever makes them.
    pub limits: Arc<Limits>,
}

/// One inviter's calls. To be kept as long as its credentials: it holds connections and the token.
pub struct HttpApi {
    pub(super) routes: Routes,
    pub(super) transport: Transport,
    pub(super) auth: Auth,
    pub(super) call_deadline: Duration,
    pub(super) fence: Arc<dyn Fence>,
    pub(super) calls: Arc<dyn Calls>,
    pub(super) limits: Arc<Limits>,
    pub(super) host: String,
    pub(super) identity: String,
}

impl std::fmt::Debug for HttpApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpApi").field("product", &self.routes.product()).finish_non_exhaustive()
    }
}

impl HttpApi {
    /// Checks the connection and builds its clients; sends nothing. It shares nothing: see [`HttpApi::sharing`].
    ///
    /// # Errors
    /// `Unreachable` for an address that credentials may not be sent to, `TlsFailed` for a CA bundle that is none,
    /// `CredentialsRejected` for a service account at Ops Manager, which knows API keys only.
    pub fn new(connection: Connection, fence: Arc<dyn Fence>, calls: Arc<dyn Calls>) -> Result<Self, Failure> {
        Self::sharing(connection, fence, calls, &Shared::default())
    }

    /// The same, with what all connections of a process share.
    ///
    /// # Errors
    /// As [`HttpApi::new`].
    pub fn sharing(
        connection: Connection,
        fence: Arc<dyn Fence>,
        calls: Arc<dyn Calls>,
        shared: &Shared,
    ) -> Result<Self, Failure> {
        let Connection { product, base_url, credentials, ca_bundle_pem, call_deadline } = connection;
        let base = base_url::checked_base_url(&base_url)
            .map_err(|problem| Failure { kind: FailureKind::Unreachable, message: problem.to_string() })?;
        let transport = Transport::new(&base, ca_bundle_pem.as_deref())?;
        let (host, identity) = (host_of(&base), credentials.identity().to_owned());
        let limits = Arc::clone(&shared.limits);
        let routes = Routes::new(product, base);
        let auth = match (credentials, product) {
            (Credentials::ApiKey { public_key, private_key }, _) => Auth::Digest { public_key, private_key },
            (Credentials::ServiceAccount { .. }, Product::OpsManager) => {
                let message = "Ops Manager has no service accounts: put publicApiKey and privateApiKey into the Secret";
                return Err(Failure { kind: FailureKind::CredentialsRejected, message: message.to_owned() });
            }
            (Credentials::ServiceAccount { client_id, client_secret }, Product::Atlas | Product::CloudManager) => {
                let ca_bundle = ca_bundle_pem.as_deref();
                let (tokens, url) = (&shared.tokens, routes.token());
                Auth::Bearer(TokenSource::new(tokens, url, &client_id, &client_secret, ca_bundle, &limits)?)
            }
        };
        Ok(Self { routes, transport, auth, call_deadline, fence, calls, limits, host, identity })
    }

    pub(super) fn context(&self, endpoint: Endpoint) -> Context {
        Context { product: self.routes.product(), endpoint }
    }

    pub(super) fn refusal(&self, endpoint: Endpoint, answer: &Answer) -> Failure {
        classify(self.context(endpoint), answer)
    }

    pub(super) fn deadline(&self) -> Instant {
        moment_after(self.call_deadline)
    }

    async fn probe_call(&self, tally: &mut Tally) -> Result<(), Failure> {
        let call = Repeatable { url: self.routes.root(), content: None, limit: OBJECT_LIMIT };
        let answer = self.repeatable(tally, call, self.deadline()).await?;
        // Only the status says something: the body's shape is not relied on, and an older server has no such page.
        if answer.status.is_success() || answer.status == StatusCode::NOT_FOUND {
            return Ok(());
        }
        Err(self.refusal(Endpoint::Probe, &answer))
    }

    async fn list_call(
        &self,
        tally: &mut Tally,
        project: &ObjectId,
        username: Option<&Username>,
    ) -> Result<Vec<Invitation>, Failure> {
        let url =
            username.map_or_else(|| self.routes.invites(project), |username| self.routes.invites_of(project, username));
        let answer =
            self.repeatable(tally, Repeatable { url, content: None, limit: LIST_LIMIT }, self.deadline()).await?;
        if !answer.status.is_success() {
            return Err(self.refusal(Endpoint::ListInvitations, &answer));
        }
        read_list(answer.whole()?, project).map_err(unreadable)
    }

    async fn get_call(
        &self,
        tally: &mut Tally,
        project: &ObjectId,
        id: &ObjectId,
    ) -> Result<Option<Invitation>, Failure> {
        let call = Repeatable { url: self.routes.invite(project, id), content: None, limit: OBJECT_LIMIT };
        let answer = self.repeatable(tally, call, self.deadline()).await?;
        if answer.status.is_success() {
            return one(answer.whole()?, project, id).map(Some);
        }
        let refusal = self.refusal(Endpoint::GetInvitation, &answer);
        if refusal.kind == FailureKind::InvitationGone { Ok(None) } else { Err(refusal) }
    }

    async fn update_call(
        &self,
        tally: &mut Tally,
        project: &ObjectId,
        id: &ObjectId,
        roles: &Roles,
    ) -> Result<Invitation, Failure> {
        let content = Some(json(&UpdateRequest { roles })?);
        let call = Repeatable { url: self.routes.invite(project, id), content, limit: OBJECT_LIMIT };
        let answer = self.repeatable(tally, call, self.deadline()).await?;
        if !answer.status.is_success() {
            return Err(self.refusal(Endpoint::UpdateInvitation, &answer));
        }
        one(answer.whole()?, project, id)
    }

    async fn cancel_call(&self, tally: &mut Tally, project: &ObjectId, id: &ObjectId) -> Result<Cancelled, Failure> {
        let call = Repeatable { url: self.routes.invite(project, id), content: None, limit: OBJECT_LIMIT };
        let answer = self.repeatable(tally, call, self.deadline()).await?;
        if answer.status.is_success() {
            return cancelled(answer.whole()?);
        }
        let refusal = self.refusal(Endpoint::CancelInvitation, &answer);
        if refusal.kind == FailureKind::InvitationGone { Ok(Cancelled::AlreadyGone) } else { Err(refusal) }
    }
}

impl InvitesApi for HttpApi {
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            let mut tally = self.begin(Endpoint::Probe, None).await?;
            let result = self.probe_call(&mut tally).await;
            tally.finish(self.calls.as_ref(), result)
        })
    }

    fn list<'a>(
        &'a self,
        project: &'a ObjectId,
        username: Option<&'a Username>,
    ) -> BoxFuture<'a, Result<Vec<Invitation>, Failure>> {
        Box::pin(async move {
            let mut tally = self.begin(Endpoint::ListInvitations, Some(project)).await?;
            let result = self.list_call(&mut tally, project, username).await;
            tally.finish(self.calls.as_ref(), result)
        })
    }

    fn get<'a>(
        &'a self,
        project: &'a ObjectId,
        id: &'a ObjectId,
    ) -> BoxFuture<'a, Result<Option<Invitation>, Failure>> {
        Box::pin(async move {
            let mut tally = self.begin(Endpoint::GetInvitation, Some(project)).await?;
            let result = self.get_call(&mut tally, project, id).await;
            tally.finish(self.calls.as_ref(), result)
        })
    }

    fn may_create(&self, attempt_deadline: Timestamp) -> bool {
        self.fence.time_left(attempt_deadline).is_some()
    }

    fn room<'a>(&'a self, project: &'a ObjectId) -> BoxFuture<'a, Result<Room, Failure>> {
        Box::pin(async move {
            let endpoint = Endpoint::CreateInvitation;
            let room = self.enter(endpoint, Some(project), Priority::First).await;
            if room.is_err() { Tally::start(endpoint, Some(project)).finish(self.calls.as_ref(), room) } else { room }
        })
    }

    fn create<'a>(
        &'a self,
        attempt: AcknowledgedAttempt,
        room: Room,
        project: &'a ObjectId,
        username: &'a Username,
        roles: &'a Roles,
    ) -> BoxFuture<'a, Result<Created, Failure>> {
        Box::pin(async move {
            let mut tally = Tally::start(Endpoint::CreateInvitation, Some(project));
            tally.enter(room);
            let result = match json(&CreateRequest::new(username, roles)) {
                Ok(content) => self.send_invitation(&mut tally, attempt, project, username, content).await,
                Err(failure) => Err(create::nothing_sent(failure)),
            };
            tally.finish(self.calls.as_ref(), result)
        })
    }

    fn update_roles<'a>(
        &'a self,
        project: &'a ObjectId,
        id: &'a ObjectId,
        roles: &'a Roles,
    ) -> BoxFuture<'a, Result<Invitation, Failure>> {
        Box::pin(async move {
            let mut tally = self.begin(Endpoint::UpdateInvitation, Some(project)).await?;
            let result = self.update_call(&mut tally, project, id, roles).await;
            tally.finish(self.calls.as_ref(), result)
        })
    }

    fn cancel<'a>(&'a self, project: &'a ObjectId, id: &'a ObjectId) -> BoxFuture<'a, Result<Cancelled, Failure>> {
        Box::pin(async move {
            let mut tally = self.begin(Endpoint::CancelInvitation, Some(project)).await?;
            let result = self.cancel_call(&mut tally, project, id).await;
            tally.finish(self.calls.as_ref(), result)
        })
    }

    fn members<'a>(&'a self, project: &'a ObjectId) -> BoxFuture<'a, Result<Vec<Member>, Failure>> {
        Box::pin(async move {
            let mut tally = self.begin(Endpoint::ListMembers, Some(project)).await?;
            let result = roster::members(self, &mut tally, project).await;
            tally.finish(self.calls.as_ref(), result)
        })
    }
}

/// The one invitation that was asked for, or nothing that can be relied on.
fn one(body: &[u8], project: &ObjectId, id: &ObjectId) -> Result<Invitation, Failure> {
    let answer = InvitationAnswer::read(body).map_err(unreadable)?;
    if !answer.is_in(project) {
        return Err(unavailable("the answer is about another project than was asked for"));
    }
    let invitation = answer.into_invitation(Some(id), None).map_err(unreadable)?;
    if invitation.id != *id {
        return Err(unavailable("the answer is about another invitation than was asked for"));
    }
    Ok(invitation)
}

/// Nothing in the body is the usual answer; a page of a proxy with the status of a success cancels nothing.
fn cancelled(body: &[u8]) -> Result<Cancelled, Failure> {
    if first_byte(body).is_some() {
        InvitationAnswer::read(body).map_err(unreadable)?;
    }
    Ok(Cancelled::Now)
}

pub(super) fn unreadable(problem: Unreadable) -> Failure {
    unavailable(&format!("the answer cannot be relied on: {}", problem.0))
}

fn json<T: serde::Serialize>(body: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(body).map_err(|_| unavailable("the request could not be written"))
}
