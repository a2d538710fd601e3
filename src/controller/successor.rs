//! Finds the object that takes an invitation over when its owner is deleted.
//!
//! A rename, or a move between namespaces, is a deletion beside a creation: the person must not notice. Must never name an
//! object whose own credentials have not listed the project: nobody gets hold of a person in a project out of reach.

use super::cluster::ClusterError;
use super::connection::{Connection, Usable};
use super::kept::Wish;
use super::pass::Passes;
use super::roster::{Ask, Freshness};
use crate::api::{Mode, ProjectInvitation};
use crate::domain::desired::{Desired, Life, life, validate};
use crate::domain::facts::Successor;
use crate::domain::failure::Cure;
use crate::domain::policy;
use kube::ResourceExt;
use std::sync::Arc;

/// Whether somebody takes an invitation over.
pub(super) enum Succession {
    /// Nobody does.
    Nobody,
    /// This object.
    Found(Box<Successor>),
    /// It cannot be told now: an inviter's first check is not over, or somebody did not answer.
    Unsettled(ClusterError),
}

impl Passes {
    /// The oldest live object for the same person, project and host that may have the invitation.
    pub(super) async fn successor(&self, leaving: &Desired, host: &str) -> Succession {
        let wish = Wish::For { project: leaving.project.as_str().to_owned(), person: leaving.username.clone() };
        let mut candidates = self.objects.with(&wish);
        candidates.retain(|object| object.uid().as_ref() != Some(&leaving.object.uid) && life(object) == Life::Live);
        candidates.sort_by_key(|object| (object.creation_timestamp(), object.uid()));
        for candidate in candidates {
            let checking = validate(&candidate)
                .is_ok_and(|desired| matches!(self.connections.find(&desired.inviter), Usable::Checking));
            if checking {
                return Succession::Unsettled(ClusterError::Conflict);
            }
            match self.may_succeed(&candidate, host).await {
                Ok(None) => {}
                Ok(Some(successor)) => return Succession::Found(Box::new(successor)),
                // A failure that passes is no reason to invite somebody anew.
                Err(error) => return Succession::Unsettled(error),
            }
        }
        Succession::Nobody
    }

    async fn may_succeed(&self, candidate: &ProjectInvitation, host: &str) -> Result<Option<Successor>, ClusterError> {
        let usable = validate(candidate).ok().and_then(|desired| Some((self.usable_by(&desired)?, desired)));
        let Some((connection, desired)) = usable.filter(|(connection, _)| connection.facts.host == host) else {
            return Ok(None);
        };
        let interval = self.settings.timings.scaled(connection.facts.check_interval);
        let look = self.look(&connection, &desired.project, Freshness::Within(interval), Ask::Usual);
        if let Err(trouble) = look.await {
            return match trouble.failure.kind.cure() {
                Cure::Human => Ok(None),
                Cure::Time => Err(ClusterError::Unanswered(trouble.failure.message)),
            };
        }
        let owner = &desired.object;
        let live = self.cluster.invitation(&owner.namespace, &owner.name).await?;
        let still = live.is_some_and(|live| live.uid().as_ref() == Some(&owner.uid) && life(&live) == Life::Live);
        Ok(still.then(|| Successor {
            owner: desired.object,
            inviter: connection.facts.recorded.clone(),
            deletion: desired.deletion,
            resend: desired.resend,
        }))
    }

    fn usable_by(&self, desired: &Desired) -> Option<Arc<Connection>> {
        match self.connections.find(&desired.inviter) {
            Usable::Yes(connection)
                if connection.facts.mode == Mode::Enforce
                    && self.namespaces.may_use(&connection.access, &desired.object.namespace)
                    && policy::check(&connection.facts.allow, desired).is_ok() =>
            {
                Some(connection)
            }
            Usable::Yes(_) | Usable::No(_) | Usable::Checking | Usable::NotFound => None,
        }
    }
}
