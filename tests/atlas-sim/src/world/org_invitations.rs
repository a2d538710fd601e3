//! Invitations to organisations, of both generations.
//!
//! Owns sending them, alone or with project roles. Must never touch legacy project invitations.

use std::collections::BTreeMap;

use super::{
    World,
    invitations::{OrgInvitation, Pending, Sender},
    outbox::MailKind,
    people::union,
};

impl World {
    /// Sends a legacy organisation invitation.
    pub(crate) fn send_org_invitation(
        &mut self,
        org: &str,
        username: &str,
        roles: Vec<String>,
        groups: BTreeMap<String, Vec<String>>,
        sender: &Sender,
    ) -> Option<OrgInvitation> {
        let times = self.times();
        let stored = self.stored_username(username);
        let project = groups.keys().next().cloned().unwrap_or_default();
        let target = self.orgs.get_mut(org)?;
        let existing = target.invitations.iter_mut().find(|i| i.username.eq_ignore_ascii_case(username));
        let invitation = if let Some(existing) = existing {
            existing.groups.extend(groups);
            union(&mut existing.roles, &roles);
            existing.clone()
        } else {
            let fresh = times.org_invitation(&mut self.mint, stored, roles, groups, sender);
            target.invitations.push(fresh.clone());
            fresh
        };
        self.mail(
            MailKind::OrganizationInvitation,
            &project,
            &invitation.username,
            Some(&invitation.id),
            sender.request,
        );
        Some(invitation)
    }

    /// Invites through the users API: amends a pending organisation invitation, else makes one.
    pub(crate) fn send_pending(
        &mut self,
        org: &str,
        username: &str,
        org_roles: &[String],
        groups: BTreeMap<String, Vec<String>>,
        sender: &Sender,
    ) -> Option<Pending> {
        let times = self.times();
        let now = self.clock.now();
        let stored = self.stored_username(username);
        let project = groups.keys().next().cloned().unwrap_or_default();
        let target = self.orgs.get_mut(org)?;
        // Expired and rejected people are replaced (contract §1.2).
        target.pending.retain(|p| !p.username.eq_ignore_ascii_case(username) || (!p.rejected && p.expires > now));
        let existing = target.pending.iter_mut().find(|p| p.username.eq_ignore_ascii_case(username));
        let pending = if let Some(existing) = existing {
            for (group, roles) in groups {
                union(existing.groups.entry(group).or_default(), &roles);
            }
            existing.clone()
        } else {
            let fresh = Pending {
                id: self.mint.object_id(times.created),
                username: stored,
                org_roles: if org_roles.is_empty() { vec!["ORG_MEMBER".to_owned()] } else { org_roles.to_vec() },
                created: times.created,
                expires: times.expires,
                inviter: sender.inviter.clone(),
                rejected: false,
                visible: times.visible,
                groups,
            };
            target.pending.push(fresh.clone());
            fresh
        };
        self.mail(MailKind::OrganizationInvitation, &project, &pending.username, Some(&pending.id), sender.request);
        Some(pending)
    }
}
