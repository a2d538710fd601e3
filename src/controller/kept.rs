//! What a cache keeps, and what it knows of each object without reading it.
//!
//! Owns the keys by which objects are found, and the few fields by which all of them are counted. Must never be all that
//! something is decided on: a hash says that an object is worth reading.

use crate::api::{InvitationClaim, Phase, ProjectInvitation};
use crate::domain::desired::{InviterName, inviter_name};
use crate::domain::remote::Username;
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};

/// A kind that can be kept in a [`Cache`](super::cache::Cache).
pub trait Kept:
    Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// What objects have in common.
    type Key: Hash + PartialEq;

    /// What is asked of all objects.
    type Brief: Clone + Send + Sync;

    /// All keys of the object.
    fn keys(&self) -> Vec<Self::Key>;

    /// Its few fields.
    fn brief(&self) -> Self::Brief;
}

/// Stands for an object and its uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity(u64);

impl Identity {
    /// Of the object of this name and uid.
    #[must_use]
    pub fn of(namespace: &str, name: &str, uid: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (namespace, name, uid).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// By what claims are found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Tie {
    /// The uid of the owner.
    Owner(String),
    /// The uid of the inviter.
    Inviter(String),
}

/// What is asked of all claims.
#[derive(Clone, Copy, Debug)]
pub struct ClaimBrief {
    /// Whose it is.
    pub owner: Option<Identity>,
    /// A call of it has no recorded answer.
    pub is_open: bool,
    /// It owes a cancellation.
    pub is_indebted: bool,
}

impl Kept for InvitationClaim {
    type Key = Tie;
    type Brief = ClaimBrief;

    fn keys(&self) -> Vec<Tie> {
        let owner = self.spec.owner.iter().map(|owner| Tie::Owner(owner.uid.clone()));
        owner.chain([Tie::Inviter(self.spec.inviter_ref.uid.clone())]).collect()
    }

    fn brief(&self) -> ClaimBrief {
        let owner = self.spec.owner.as_ref();
        ClaimBrief {
            owner: owner.map(|owner| Identity::of(&owner.namespace, &owner.name, &owner.uid)),
            is_open: self.spec.attempt.is_some(),
            is_indebted: self.spec.debt.is_some(),
        }
    }
}

/// By what invitations are found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// The inviter that they name.
    Through(InviterName),
    /// The inviter and the project that they name.
    In {
        /// The inviter.
        inviter: InviterName,
        /// The project.
        project: String,
    },
    /// The person and the project that they name.
    For {
        /// The project.
        project: String,
        /// The person.
        person: Username,
    },
}

/// What is asked of all invitations.
#[derive(Clone, Copy, Debug)]
pub struct InvitationBrief {
    /// Which it is.
    pub identity: Identity,
    /// The phase that it shows.
    pub phase: Option<Phase>,
}

impl Kept for ProjectInvitation {
    type Key = Wish;
    type Brief = InvitationBrief;

    fn keys(&self) -> Vec<Wish> {
        let (project, inviter) = (&self.spec.project_id, inviter_name(self));
        vec![
            Wish::Through(inviter.clone()),
            Wish::In { inviter, project: project.clone() },
            Wish::For { project: project.clone(), person: Username::new(&self.spec.username) },
        ]
    }

    fn brief(&self) -> InvitationBrief {
        let (namespace, uid) = (self.namespace().unwrap_or_default(), self.uid().unwrap_or_default());
        InvitationBrief {
            identity: Identity::of(&namespace, &self.name_any(), &uid),
            phase: self.status.as_ref().and_then(|status| status.phase),
        }
    }
}
