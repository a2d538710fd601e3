//! MongoDB's APIs behind one trait in domain types.
//!
//! Owns everything that knows HTTP, JSON and error codes. Wire types never leave this module. Must never decide what an
//! answer means for an invitation, and must never send a request twice that may e-mail somebody.

mod admission;
pub mod base_url;
mod codes;
pub mod connection;
pub mod connector;
mod create;
pub mod credentials;
mod digest;
pub mod endpoint;
mod error;
pub mod http_api;
pub mod limits;
mod message;
pub mod oauth;
mod repeatable;
pub mod room;
mod roster;
mod tls;
mod transport;
mod wire;

pub use base_url::{BaseUrlError, default_base_url, parse_base_url};
pub use connection::Connection;
pub use credentials::{Credentials, CredentialsError};
pub use endpoint::Endpoint;
pub use http_api::HttpApi;
pub use limits::{CallClass, CallRecord, Calls, NoCalls};
pub use oauth::TokenCache;
pub use room::{Limits, Room};

use crate::domain::attempt::AcknowledgedAttempt;
use crate::domain::failure::Failure;
use crate::domain::remote::{Invitation, Member, ObjectId, Roles, Username};
use futures::future::BoxFuture;
use jiff::Timestamp;
use std::time::Duration;

/// What a create ended with, when it ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// The invitation, with its id.
    Invitation(Box<Invitation>),
    /// A 2xx without an id: the person may have been added at once. Never retried, always looked up.
    WithoutId,
}

/// What a cancel ended with, when it ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// The API cancelled it (204).
    Now,
    /// There is no such invitation any more (`INVALID_INVITATION_ID`).
    AlreadyGone,
}

/// Asked last before the bytes of a create go out.
pub trait Fence: Send + Sync {
    /// How long the call may take, or `None` when it must not begin: the attempt's deadline has passed, or too little
    /// of the lease is left.
    fn time_left(&self, attempt_deadline: Timestamp) -> Option<Duration>;
}

/// A product's invites API, with the credentials of one inviter.
///
/// # Guarantees
/// Every call ends within its total deadline. No call goes out that MongoDB's limits leave no room for, as far as this
/// process can tell: it waits a moment, and is then `HeldBack`. Redirects and links are never followed. Answers are size-limited.
/// [`InvitesApi::create`] writes at most one request that can act; all other calls are safe to repeat.
pub trait InvitesApi: Send + Sync {
    /// Proves that the credentials are accepted, without naming a project. A 404 is no failure.
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>>;

    /// The pending invitations of a project: all, or those of one person (server-side filter; callers still compare).
    fn list<'a>(
        &'a self,
        project: &'a ObjectId,
        username: Option<&'a Username>,
    ) -> BoxFuture<'a, Result<Vec<Invitation>, Failure>>;

    /// One pending invitation; `None` only for `INVALID_INVITATION_ID`.
    fn get<'a>(&'a self, project: &'a ObjectId, id: &'a ObjectId)
    -> BoxFuture<'a, Result<Option<Invitation>, Failure>>;

    /// Whether the fence would let a create begin now. Asked before an attempt is recorded, so that none is opened only to
    /// be closed again; the fence is asked once more, last thing before the bytes go out.
    fn may_create(&self, attempt_deadline: Timestamp) -> bool;

    /// Leave for one create under MongoDB's limits. Asked before an attempt is opened; what was opened never waits.
    ///
    /// # Errors
    /// `HeldBack`, where there is no room within a moment; or why there is no token.
    fn room<'a>(&'a self, project: &'a ObjectId) -> BoxFuture<'a, Result<Room, Failure>>;

    /// Sends one invitation: one e-mail. Attempt and room are consumed, whatever comes of it.
    ///
    /// # Errors
    /// A failure whose kind `is_definite_no` says that nothing was sent; any other leaves the outcome unknown.
    fn create<'a>(
        &'a self,
        attempt: AcknowledgedAttempt,
        room: Room,
        project: &'a ObjectId,
        username: &'a Username,
        roles: &'a Roles,
    ) -> BoxFuture<'a, Result<Created, Failure>>;

    /// Replaces the roles of a pending invitation; `id`, `createdAt` and `expiresAt` stay, nobody is e-mailed.
    fn update_roles<'a>(
        &'a self,
        project: &'a ObjectId,
        id: &'a ObjectId,
        roles: &'a Roles,
    ) -> BoxFuture<'a, Result<Invitation, Failure>>;

    /// Cancels a pending invitation.
    fn cancel<'a>(&'a self, project: &'a ObjectId, id: &'a ObjectId) -> BoxFuture<'a, Result<Cancelled, Failure>>;

    /// The members of a project, all pages.
    fn members<'a>(&'a self, project: &'a ObjectId) -> BoxFuture<'a, Result<Vec<Member>, Failure>>;
}
