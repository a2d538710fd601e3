//! What tests may see of invitations and members.
//!
//! Owns plain, product-independent views for the library and the control API. Must never be used to
//! answer the simulated wire.

use serde::{Deserialize, Serialize};

use super::World;

/// A pending invitation of either generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitationView {
    /// Invitation id, or the pending person's id in the users API.
    pub id: String,
    /// Project.
    pub project_id: String,
    /// Address.
    pub username: String,
    /// Project roles.
    pub roles: Vec<String>,
    /// When it was sent.
    pub created_at: String,
    /// When it ends.
    pub expires_at: String,
    /// Who sent it.
    pub inviter_username: String,
    /// Whether the 2025-02-19 users API made it.
    pub users_api: bool,
}

/// A member of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberView {
    /// Account id.
    pub id: String,
    /// Address.
    pub username: String,
    /// Project roles.
    pub roles: Vec<String>,
}

impl World {
    /// Open invitations of a project, in order of sending, whatever the list lag.
    pub(crate) fn invitation_views(&mut self, project: &str) -> Vec<InvitationView> {
        self.sweep();
        let now = self.clock.now();
        let Some(target) = self.projects.get(project) else {
            return Vec::new();
        };
        let legacy = target.invitations.iter().map(|i| InvitationView {
            id: i.id.clone(),
            project_id: project.to_owned(),
            username: i.username.clone(),
            roles: i.roles.clone(),
            created_at: i.created.to_string(),
            expires_at: i.expires.to_string(),
            inviter_username: i.inviter.clone(),
            users_api: false,
        });
        let pending = self
            .orgs
            .get(&target.org)
            .into_iter()
            .flat_map(|org| &org.pending)
            .filter(|p| !p.rejected && p.expires > now)
            .filter_map(|p| {
                Some(InvitationView {
                    id: p.id.clone(),
                    project_id: project.to_owned(),
                    username: p.username.clone(),
                    roles: p.groups.get(project)?.clone(),
                    created_at: p.created.to_string(),
                    expires_at: p.expires.to_string(),
                    inviter_username: p.inviter.clone(),
                    users_api: true,
                })
            });
        legacy.chain(pending).collect()
    }

    /// Members of a project.
    pub(crate) fn member_views(&self, project: &str) -> Vec<MemberView> {
        let Some(target) = self.projects.get(project) else {
            return Vec::new();
        };
        target
            .members
            .iter()
            .filter_map(|(key, roles)| {
                let account = self.accounts.get(key)?;
                Some(MemberView { id: account.id.clone(), username: account.username.clone(), roles: roles.clone() })
            })
            .collect()
    }
}
