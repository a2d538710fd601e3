//! Invitations on the wire: requests, single answers and lists.
//!
//! Owns what an answer must hold to be an invitation at all: an id that fits into a path, and a person. Must never turn
//! an answer of another shape into an empty list.

use super::{Link, Unreadable};
use crate::domain::remote::{Invitation, ObjectId, Roles, Username};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Body of a create: these two attributes and no other.
#[derive(Serialize)]
pub(in crate::cloud) struct CreateRequest<'a> {
    roles: &'a Roles,
    username: &'a str,
}

impl<'a> CreateRequest<'a> {
    pub(in crate::cloud) fn new(username: &'a Username, roles: &'a Roles) -> Self {
        Self { roles, username: username.as_written() }
    }
}

/// Body of an update by id: this attribute and no other.
#[derive(Serialize)]
pub(in crate::cloud) struct UpdateRequest<'a> {
    pub(in crate::cloud) roles: &'a Roles,
}

/// An invitation as answered.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cloud) struct InvitationAnswer {
    id: Option<Value>,
    username: Option<String>,
    roles: Option<Vec<String>>,
    created_at: Option<Value>,
    expires_at: Option<Value>,
    inviter_username: Option<String>,
    group_id: Option<String>,
    group_name: Option<String>,
    error_code: Option<Value>,
}

impl InvitationAnswer {
    /// One object; `null`, arrays and pages of a proxy are unreadable, and so is an error in a success's clothes.
    pub(in crate::cloud) fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let answer: Self = object(body)?;
        if answer.error_code.is_some() {
            return Err(Unreadable("the answer is an error with the status of a success"));
        }
        Ok(answer)
    }

    /// The id, if it is one.
    pub(in crate::cloud) fn id(&self) -> Option<ObjectId> {
        ObjectId::parse(self.id.as_ref()?.as_str()?)
    }

    /// Whether the answer names this person, or nobody.
    pub(in crate::cloud) fn is_for(&self, person: &Username) -> bool {
        self.username.as_deref().is_none_or(|name| Username::new(name) == *person)
    }

    /// Whether the answer names this project, or none.
    pub(in crate::cloud) fn is_in(&self, project: &ObjectId) -> bool {
        self.group_id.as_deref().is_none_or(|id| id == project.as_str())
    }

    /// The invitation. Where the answer leaves out what the caller knows, that is taken.
    pub(in crate::cloud) fn into_invitation(
        self,
        known_id: Option<&ObjectId>,
        known_person: Option<&Username>,
    ) -> Result<Invitation, Unreadable> {
        let id = match (self.id.is_some(), self.id(), known_id) {
            (true, Some(id), _) => id,
            (true, None, _) => return Err(Unreadable("an invitation has an id that is none")),
            (false, _, Some(known)) => known.clone(),
            (false, _, None) => return Err(Unreadable("an invitation has no id")),
        };
        let username = match (self.username.as_deref().filter(|name| !name.trim().is_empty()), known_person) {
            (Some(name), _) => Username::new(name),
            (None, Some(known)) => known.clone(),
            (None, None) => return Err(Unreadable("an invitation has no username")),
        };
        let group_id = match self.group_id.as_deref() {
            Some(text) => Some(ObjectId::parse(text).ok_or(Unreadable("an invitation has a groupId that is none"))?),
            None => None,
        };
        Ok(Invitation {
            id,
            username,
            roles: self.roles.unwrap_or_default().into_iter().collect(),
            created_at: self.created_at.as_ref().and_then(date),
            expires_at: self.expires_at.as_ref().and_then(date),
            inviter_username: self.inviter_username,
            group_id,
            group_name: self.group_name,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wrapped {
    results: Option<Vec<InvitationAnswer>>,
    total_count: Option<u64>,
    links: Option<Vec<Link>>,
}

/// The list of one project: a bare array, or the array in `results`. All of it, or an error.
pub(in crate::cloud) fn read_list(body: &[u8], project: &ObjectId) -> Result<Vec<Invitation>, Unreadable> {
    let not_a_list = Unreadable("the answer is no list of invitations");
    let answers = if first_byte(body) == Some(b'[') {
        serde_json::from_slice(body).map_err(|_| not_a_list)?
    } else {
        let wrapped: Wrapped = object(body).map_err(|_| not_a_list)?;
        let results = wrapped.results.ok_or(not_a_list)?;
        let has_next = wrapped.links.is_some_and(|links| links.iter().any(Link::is_next));
        let fewer = wrapped.total_count.is_some_and(|total| u64::try_from(results.len()).is_ok_and(|len| len < total));
        if has_next || fewer {
            return Err(Unreadable("the answer is only a part of the list of invitations"));
        }
        results
    };
    answers
        .into_iter()
        .map(|answer| answer.into_invitation(None, None))
        .filter(|one| one.as_ref().map_or(true, |one| one.group_id.as_ref().is_none_or(|id| id == project)))
        .collect()
}

/// Parses an object and nothing else: serde would read an array as a struct's fields in order.
pub(super) fn object<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Unreadable> {
    if first_byte(body) != Some(b'{') {
        return Err(Unreadable("the answer is no JSON object"));
    }
    serde_json::from_slice(body).map_err(|_| Unreadable("the answer is not of the documented form"))
}

pub(in crate::cloud) fn first_byte(body: &[u8]) -> Option<u8> {
    body.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// ISO 8601 with or without fraction and offset; without offset it is UTC. What cannot be read is unknown.
fn date(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?.trim();
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp()))
}

#[cfg(test)]
#[path = "invitation_tests.rs"]
mod tests;
