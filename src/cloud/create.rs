//! The one request that e-mails a person.
//!
//! Owns the order of its steps: everything that can fail without harm first (token, challenge, signature, a refusal of
//! another call), the fence last, then one request on a connection of its own. Only a 401 that is about the nonce says surely that nothing was done, and
//! allows one more leg behind the fence. Must never send because of a failure, a time-out or a lost answer.

use super::Created;
use super::digest::Challenge;
use super::endpoint::Endpoint;
use super::error::is_about_permission;
use super::http_api::{Auth, HttpApi, unreadable};
use super::limits::Tally;
use super::repeatable::{answered, no_usable_challenge, stale_challenge};
use super::transport::{Answer, Line, OBJECT_LIMIT, Outgoing, moment_after};
use super::wire::invitation::{InvitationAnswer, first_byte};
use crate::domain::attempt::AcknowledgedAttempt;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::remote::{ObjectId, Username};
use http::{HeaderValue, Method, StatusCode};
use secrecy::SecretString;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// The unsigned request; each leg takes a copy.
struct Letter {
    url: Url,
    content: Vec<u8>,
    attempt: AcknowledgedAttempt,
}

impl HttpApi {
    /// Sends the invitation `content` of `username`; see [`super::InvitesApi::create`].
    pub(super) async fn send_invitation(
        &self,
        tally: &mut Tally,
        attempt: AcknowledgedAttempt,
        project: &ObjectId,
        username: &Username,
        content: Vec<u8>,
    ) -> Result<Created, Failure> {
        tally.may_go()?;
        let letter = Letter { url: self.routes.invites(project), content, attempt };
        // What comes before the request has no longer than the request itself would have.
        let prelude = moment_after(self.time_left(&letter)?.min(self.call_deadline));
        let answer = match &self.auth {
            Auth::Digest { public_key, private_key } => {
                self.letter_with_digest(tally, &letter, prelude, public_key, private_key).await?
            }
            Auth::Bearer(tokens) => {
                let token =
                    tokens.current(&self.transport, self.calls.as_ref(), prelude).await.map_err(nothing_sent)?;
                let answer = self.leg(tally, &letter, Some(token.header.clone())).await?;
                if answer.status == StatusCode::UNAUTHORIZED && !is_about_permission(&answer) {
                    tokens.refused(&token).await;
                }
                answer
            }
        };
        if !answer.status.is_success() {
            return Err(self.refusal(Endpoint::CreateInvitation, &answer));
        }
        created(&answer, project, username)
    }

    async fn letter_with_digest(
        &self,
        tally: &mut Tally,
        letter: &Letter,
        prelude: Instant,
        public_key: &str,
        private_key: &SecretString,
    ) -> Result<Answer, Failure> {
        let sign = |challenge: &Challenge| {
            answered(challenge, public_key, private_key, &Method::POST, &letter.url).map_err(nothing_sent)
        };
        let read = self.unsigned_read(tally, &letter.url, OBJECT_LIMIT, prelude).await.map_err(nothing_sent)?;
        let authorization = if read.status == StatusCode::UNAUTHORIZED {
            Some(sign(&Challenge::strongest(&read.headers).ok_or_else(no_usable_challenge)?)?)
        } else if read.status.is_success() {
            None
        } else {
            return Err(nothing_sent(self.refusal(Endpoint::ListInvitations, &read)));
        };
        let answer = self.leg(tally, letter, authorization).await?;
        match stale_challenge(&answer) {
            None => Ok(answer),
            Some(fresh) => self.leg(tally, letter, Some(sign(&fresh)?)).await,
        }
    }

    /// One POST: built first, then the fence, then the bytes.
    async fn leg(
        &self,
        tally: &mut Tally,
        letter: &Letter,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, Failure> {
        let media_type = self.routes.media_type(Endpoint::CreateInvitation);
        let outgoing = Outgoing {
            method: Method::POST,
            url: letter.url.clone(),
            accept: media_type,
            authorization,
            content: Some((media_type, letter.content.clone())),
        };
        tally.may_go()?;
        let deadline = moment_after(self.time_left(letter)?);
        tally.sent();
        let answer = self.transport.exchange(Line::Single, outgoing, OBJECT_LIMIT, deadline).await?;
        tally.seen(&answer);
        Ok(answer)
    }

    fn time_left(&self, letter: &Letter) -> Result<Duration, Failure> {
        self.fence.time_left(letter.attempt.deadline()).ok_or_else(|| Failure {
            kind: FailureKind::Fenced,
            message: "the time for sending was over before anything was sent; nothing was sent".to_owned(),
        })
    }
}

/// A success: an invitation, or somebody who may have been added at once.
fn created(answer: &Answer, project: &ObjectId, username: &Username) -> Result<Created, Failure> {
    let body = answer.whole()?;
    if first_byte(body).is_none() {
        return Ok(Created::WithoutId);
    }
    let invitation = InvitationAnswer::read(body).map_err(unreadable)?;
    if !invitation.is_for(username) || !invitation.is_in(project) {
        let message = "the API reports an invitation of another person or project than was asked for";
        return Err(Failure { kind: FailureKind::Doubtful, message: message.to_owned() });
    }
    let Some(id) = invitation.id() else { return Ok(Created::WithoutId) };
    let invitation = invitation.into_invitation(Some(&id), Some(username)).map_err(unreadable)?;
    Ok(Created::Invitation(Box::new(invitation)))
}

/// A failure of what comes before the request: whatever it was, the request was not sent.
pub(super) fn nothing_sent(failure: Failure) -> Failure {
    if failure.kind.is_definite_no() {
        return failure;
    }
    Failure {
        kind: FailureKind::NotSent { retry_after: failure.kind.retry_after() },
        message: format!("{}; nothing was sent", failure.message),
    }
}
