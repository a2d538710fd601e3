//! What a `ProjectInvitation` asks for, checked and in domain terms.
//!
//! Admission refuses most bad input with better messages; this is the last line for objects that were admitted by an
//! older schema, and it makes ids safe to put into a URL. Must never look at status.

use super::remote::{ObjectId, Roles, Username};
use crate::api::names::annotation;
use crate::api::{DeletionPolicy, InviterKind, InviterRef, Owner, ProjectInvitation, ReadyWhen, RecordedInviter};
use jiff::Timestamp;
use kube::ResourceExt;

/// A checked wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The object that wishes.
    pub object: Owner,
    /// Generation of its spec.
    pub generation: i64,
    /// The project.
    pub project: ObjectId,
    /// The person.
    pub username: Username,
    /// The roles.
    pub roles: Roles,
    /// The inviter to use.
    pub inviter: InviterName,
    /// What `Ready=True` means.
    pub ready_when: ReadyWhen,
    /// What deleting the object does to a pending invitation.
    pub deletion: DeletionPolicy,
    /// The later of the annotations that ask for a fresh look.
    pub requested_at: Option<String>,
    /// The annotation that asks for another invitation.
    pub resend: Option<String>,
}

/// Names an inviter in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InviterName {
    /// `Inviter` or `ClusterInviter`.
    pub kind: InviterKind,
    /// Namespace of an `Inviter`.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl From<&RecordedInviter> for InviterName {
    fn from(recorded: &RecordedInviter) -> Self {
        Self { kind: recorded.kind, namespace: recorded.namespace.clone(), name: recorded.name.clone() }
    }
}

impl std::fmt::Display for InviterName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.name)
    }
}

/// Where an object stands in its own life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It is to be reconciled.
    Live,
    /// No call but to resolve an open attempt.
    Suspended,
    /// It is being deleted.
    Deleting {
        /// Since when.
        since: Timestamp,
        /// A suspended object leaves its invitation as it is.
        suspended: bool,
    },
    /// It is being deleted, and its author wants it gone without a call.
    Released,
}

/// Reads the object's life.
#[must_use]
pub fn life(object: &ProjectInvitation) -> Life {
    let Some(since) = object.metadata.deletion_timestamp.as_ref() else {
        return if object.spec.suspend { Life::Suspended } else { Life::Live };
    };
    if object.annotations().get(annotation::RELEASE).is_some_and(|value| value == "true") {
        return Life::Released;
    }
    Life::Deleting { since: since.0, suspended: object.spec.suspend }
}

/// The later of the two annotations that ask for a fresh look.
#[must_use]
pub fn requested_at(object: &impl ResourceExt) -> Option<String> {
    let annotations = object.annotations();
    [annotation::REQUESTED_AT, annotation::FLUX_REQUESTED_AT]
        .into_iter()
        .filter_map(|name| annotations.get(name))
        .max()
        .cloned()
}

/// The object's identity; objects from the API server always have one.
#[must_use]
pub fn identity(object: &ProjectInvitation) -> Owner {
    Owner {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
    }
}

/// The inviter that the object names: an `Inviter` is in its own namespace.
#[must_use]
pub fn inviter_name(object: &ProjectInvitation) -> InviterName {
    let InviterRef { kind, name } = object.spec.inviter_ref.clone();
    let namespace = match kind {
        InviterKind::Inviter => Some(object.namespace().unwrap_or_default()),
        InviterKind::ClusterInviter => None,
    };
    InviterName { kind, namespace, name }
}

/// Checks the spec.
///
/// # Errors
/// Says which field is wrong and what to write instead.
pub fn validate(object: &ProjectInvitation) -> Result<Desired, String> {
    let spec = &object.spec;
    let project = ObjectId::parse(&spec.project_id).ok_or_else(|| {
        "spec.projectId must be 24 lower-case hexadecimal digits, such as 5f1d7c8e9a3b2c4d5e6f7a8b".to_owned()
    })?;
    if !is_address(&spec.username) {
        return Err("spec.username must be an ASCII e-mail address, such as jane.doe@example.com".to_owned());
    }
    if spec.roles.is_empty() {
        return Err("spec.roles must name at least one project role, such as GROUP_READ_ONLY".to_owned());
    }
    if let Some(role) = spec.roles.iter().find(|role| !is_role(role)) {
        return Err(format!("spec.roles: {role:?} is not a project role; write one such as GROUP_READ_ONLY"));
    }
    let object_id = identity(object);
    let inviter = inviter_name(object);
    Ok(Desired {
        object: object_id,
        generation: object.metadata.generation.unwrap_or_default(),
        project,
        username: Username::new(&spec.username),
        roles: spec.roles.iter().cloned().collect(),
        inviter,
        ready_when: spec.ready_when,
        // What is suspended is left as it is, whatever becomes of the object.
        deletion: if spec.suspend { DeletionPolicy::Keep } else { spec.deletion.invitation },
        requested_at: requested_at(object),
        resend: object.annotations().get(annotation::RESEND).filter(|token| !token.is_empty()).cloned(),
    })
}

fn is_role(role: &str) -> bool {
    role.strip_prefix("GROUP_").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    })
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    text.len() <= 254
        && !local.is_empty()
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&b))
        && domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_ascii_and_complete() {
        for good in ["jane.doe@example.com", "A+b_c'd@x-y.example.org", "j@a.b"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "jane",
            "jane@",
            "@example.com",
            "jane@localhost",
            "jane doe@example.com",
            "jané@example.com",
            "Jane <jane@example.com>",
            "a@b@example.com",
            "jane@-example.com",
            "jane@example..com",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn roles_are_project_roles() {
        assert!(is_role("GROUP_READ_ONLY"));
        for bad in ["", "GROUP_", "ORG_OWNER", "group_owner", "GROUP_OWNER ", "OWNER"] {
            assert!(!is_role(bad), "{bad}");
        }
    }
}
