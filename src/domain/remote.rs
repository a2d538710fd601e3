//! What MongoDB reports, in the operator's own terms: ids, addresses, roles, invitations, members.
//!
//! Values here are valid by construction, because ids become parts of URL paths. Must never hold a wire field that no
//! decision reads.

use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fmt;

/// 24 lower-case hexadecimal digits, as all ids of MongoDB's APIs.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId([u8; 24]);

impl ObjectId {
    /// Accepts an id that can safely stand in a URL path; anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let valid = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        text.as_bytes().try_into().ok().filter(|_| valid).map(Self)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Digits are.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ObjectId").field(&self.as_str()).finish()
    }
}

/// An e-mail address: sent as written, compared without regard to ASCII case.
#[derive(Clone)]
pub struct Username {
    written: Box<str>,
    /// Where that is not how it is written.
    folded: Option<Box<str>>,
}

impl Username {
    /// Keeps the address as written.
    #[must_use]
    pub fn new(written: &str) -> Self {
        let has_capitals = written.bytes().any(|byte| byte.is_ascii_uppercase());
        Self { written: written.into(), folded: has_capitals.then(|| written.to_ascii_lowercase().into()) }
    }

    /// The address as its author wrote it.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// The address in lower case, for comparing and for keys.
    #[must_use]
    pub fn folded(&self) -> &str {
        self.folded.as_deref().unwrap_or(&self.written)
    }

    /// The part after the last `@`, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.folded().rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for Username {}

impl std::hash::Hash for Username {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}

/// Addresses are personal data: they never reach a log by way of `Debug`.
impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Username(…)")
    }
}

/// Roles have no order: compared as a set, printed in alphabetical order.
pub type Roles = BTreeSet<String>;

/// An invitation as MongoDB reports it. Every field but the id may be missing in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Id of the invitation.
    pub id: ObjectId,
    /// The person invited.
    pub username: Username,
    /// The roles it carries.
    pub roles: Roles,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it expires: 30 days later, in all products.
    pub expires_at: Option<Timestamp>,
    /// Who sent it: an address, the public part of an API key or a client id.
    pub inviter_username: Option<String>,
    /// The project that it is for.
    pub group_id: Option<ObjectId>,
    /// Name of that project.
    pub group_name: Option<String>,
}

/// A member of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Id of the person.
    pub user_id: Option<String>,
    /// The person's user name.
    pub username: Username,
    /// The person's address where the API reports it beside the user name (Cloud Manager, Ops Manager).
    pub email_address: Option<Username>,
    /// The roles in this project.
    pub roles: Roles,
}

impl Member {
    /// Whether this is the person: Cloud Manager and Ops Manager may report the address beside a user name that is none.
    #[must_use]
    pub fn is(&self, person: &Username) -> bool {
        self.username == *person || self.email_address.as_ref() == Some(person)
    }
}
