//! Invitations of both generations.
//!
//! Owns their life: sent, changed, cancelled, expired. The two generations never see each other's
//! pending people (contract §0, §2.20). Must never decide HTTP statuses.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{World, outbox::MailKind};
use crate::{clock::after, ids::Mint};

/// A legacy project invitation.
#[derive(Clone, Debug)]
pub(crate) struct Invitation {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) roles: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) inviter: String,
    /// Reads and lists do not show it before this moment (contract §10.21).
    pub(crate) visible: Timestamp,
}

/// A legacy organisation invitation.
#[derive(Clone, Debug)]
pub(crate) struct OrgInvitation {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) roles: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) inviter: String,
    /// Project roles it carries, by project id.
    pub(crate) groups: BTreeMap<String, Vec<String>>,
    pub(crate) team_ids: Vec<String>,
}

/// Somebody invited through the 2025-02-19 users API.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) org_roles: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) inviter: String,
    pub(crate) rejected: bool,
    pub(crate) visible: Timestamp,
    /// Project roles it carries, by project id.
    pub(crate) groups: BTreeMap<String, Vec<String>>,
}

/// Who asks, and which request it was: what a mail and an invitation remember.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) inviter: String,
    pub(crate) request: u64,
}

impl World {
    /// Drops legacy invitations whose time is over. Called before every effect and view; looks at
    /// them only when one may have ended since the last time.
    pub(crate) fn sweep(&mut self) {
        let now = self.clock.now();
        if now < self.next_expiry {
            return;
        }
        let grace = self.behaviour.expired_listed_for.duration();
        let mut next = Timestamp::MAX;
        let mut lives = |expires: Timestamp| {
            let lives = after(expires, grace) > now;
            if lives {
                next = next.min(expires);
            }
            lives
        };
        for project in self.projects.values_mut() {
            project.invitations.retain(|invitation| lives(invitation.expires));
        }
        for org in self.orgs.values_mut() {
            org.invitations.retain(|invitation| lives(invitation.expires));
        }
        self.next_expiry = next;
    }

    /// Sends a legacy project invitation, and the organisation invitation it implies (§2.7).
    pub(crate) fn send_invitation(
        &mut self,
        project: &str,
        username: &str,
        roles: Vec<String>,
        sender: &Sender,
    ) -> Option<Invitation> {
        let times = self.times();
        let invitation = Invitation {
            id: self.mint.object_id(times.created),
            username: self.stored_username(username),
            roles,
            created: times.created,
            expires: times.expires,
            inviter: sender.inviter.clone(),
            visible: times.visible,
        };
        let target = self.projects.get_mut(project)?;
        target.invitations.push(invitation.clone());
        let org = target.org.clone();
        let groups = BTreeMap::from([(project.to_owned(), invitation.roles.clone())]);
        self.imply_org_invitation(&org, username, groups, sender);
        self.mail(MailKind::ProjectInvitation, project, &invitation.username, Some(&invitation.id), sender.request);
        Some(invitation)
    }

    fn imply_org_invitation(
        &mut self,
        org: &str,
        username: &str,
        groups: BTreeMap<String, Vec<String>>,
        sender: &Sender,
    ) {
        if self.belongs_to_org(org, username) {
            return;
        }
        let times = self.times();
        let stored = self.stored_username(username);
        let Some(org) = self.orgs.get_mut(org) else {
            return;
        };
        if let Some(existing) = org.invitations.iter_mut().find(|i| i.username.eq_ignore_ascii_case(username)) {
            existing.groups.extend(groups);
            return;
        }
        org.invitations.push(times.org_invitation(
            &mut self.mint,
            stored,
            vec!["ORG_MEMBER".to_owned()],
            groups,
            sender,
        ));
    }

    /// Deletes a legacy project invitation. The organisation invitation stays, without this
    /// project's roles (contract §2.7, §10.17).
    pub(crate) fn cancel_invitation(&mut self, project: &str, id: &str) -> bool {
        let Some(target) = self.projects.get_mut(project) else {
            return false;
        };
        let Some(position) = target.invitations.iter().position(|i| i.id == id) else {
            return false;
        };
        let gone = target.invitations.remove(position);
        let others = target.invitations.iter().any(|i| i.username.eq_ignore_ascii_case(&gone.username));
        let org = target.org.clone();
        if !others && let Some(org) = self.orgs.get_mut(&org) {
            for invitation in &mut org.invitations {
                if invitation.username.eq_ignore_ascii_case(&gone.username) {
                    invitation.groups.remove(project);
                }
            }
        }
        true
    }

    /// Keeps the implied organisation invitation's project roles as the project invitation has them.
    pub(crate) fn carry_roles(&mut self, org: &str, project: &str, username: &str, to: &[String]) {
        let invitations = self.orgs.get_mut(org).map(|org| &mut org.invitations);
        for invitation in invitations.into_iter().flatten() {
            if invitation.username.eq_ignore_ascii_case(username)
                && let Some(roles) = invitation.groups.get_mut(project)
            {
                *roles = to.to_vec();
            }
        }
    }

    pub(super) fn times(&mut self) -> Times {
        let created = self.clock.whole_second();
        let expires = after(created, self.behaviour.invitation_life.duration());
        self.next_expiry = self.next_expiry.min(expires);
        Times {
            created,
            expires,
            visible: if self.behaviour.list_lag.duration().is_zero() {
                created
            } else {
                after(self.clock.now(), self.behaviour.list_lag.duration())
            },
        }
    }
}

/// The three moments of a new invitation.
pub(super) struct Times {
    pub(super) created: Timestamp,
    pub(super) expires: Timestamp,
    pub(super) visible: Timestamp,
}

impl Times {
    pub(super) fn org_invitation(
        &self,
        mint: &mut Mint,
        username: String,
        roles: Vec<String>,
        groups: BTreeMap<String, Vec<String>>,
        sender: &Sender,
    ) -> OrgInvitation {
        OrgInvitation {
            id: mint.object_id(self.created),
            username,
            roles,
            created: self.created,
            expires: self.expires,
            inviter: sender.inviter.clone(),
            groups,
            team_ids: Vec::new(),
        }
    }
}
