//! What people do outside the API: accept, decline, leave, let it expire.
//!
//! Owns those transitions. Must never be reachable from the simulated wire, only from tests and the
//! control API.

use std::collections::BTreeMap;

use super::World;
use crate::roles::Product;

impl World {
    /// The person accepts. On Atlas an invitation is one to the organisation that carries all of its
    /// project roles (contract §2.5), so all of the person's invitations in that organisation are
    /// accepted; elsewhere only this project's. Returns whether there was anything to accept.
    pub(crate) fn accept(&mut self, project: &str, username: &str) -> bool {
        self.sweep();
        let now = self.clock.now();
        let Some((org, product)) = self.scope(project) else {
            return false;
        };
        let granted = self.open_grants(project, &org, product, username, now);
        if !granted.contains_key(project) {
            return false;
        }
        for (group, roles) in granted {
            self.join_project(&group, username, &roles);
            self.forget_invitations(&group, username);
        }
        if let Some(org) = self.orgs.get_mut(&org) {
            org.invitations.retain(|i| !i.username.eq_ignore_ascii_case(username));
            org.pending.retain(|p| !p.username.eq_ignore_ascii_case(username));
        }
        true
    }

    /// The person declines: legacy invitations vanish, users-API ones become rejected (§10.20).
    pub(crate) fn decline(&mut self, project: &str, username: &str) -> bool {
        self.sweep();
        let Some((org, product)) = self.scope(project) else {
            return false;
        };
        let mut found = self.forget_invitations(project, username);
        if let Some(org) = self.orgs.get_mut(&org) {
            for pending in &mut org.pending {
                if pending.username.eq_ignore_ascii_case(username) && pending.groups.contains_key(project) {
                    pending.rejected = true;
                    found = true;
                }
            }
            if product == Product::Atlas && found {
                org.invitations.retain(|i| !i.username.eq_ignore_ascii_case(username));
            }
        }
        found
    }

    /// The invitation's time runs out now.
    pub(crate) fn expire(&mut self, project: &str, username: &str) -> bool {
        let now = self.clock.whole_second();
        let Some((org, _)) = self.scope(project) else {
            return false;
        };
        self.next_expiry = now;
        let mut found = false;
        if let Some(project) = self.projects.get_mut(project) {
            for invitation in &mut project.invitations {
                if invitation.username.eq_ignore_ascii_case(username) {
                    invitation.expires = now;
                    found = true;
                }
            }
        }
        if let Some(org) = self.orgs.get_mut(&org) {
            for pending in &mut org.pending {
                if pending.username.eq_ignore_ascii_case(username) {
                    pending.expires = now;
                    found = true;
                }
            }
            for invitation in &mut org.invitations {
                if found && invitation.username.eq_ignore_ascii_case(username) {
                    invitation.expires = now;
                }
            }
        }
        found
    }

    /// Drops the person's legacy invitations to a project.
    pub(crate) fn forget_invitations(&mut self, project: &str, username: &str) -> bool {
        self.projects.get_mut(project).is_some_and(|project| {
            let before = project.invitations.len();
            project.invitations.retain(|i| !i.username.eq_ignore_ascii_case(username));
            project.invitations.len() < before
        })
    }

    /// Turns Ops Manager's bypass mode on or off; on invalidates pending invitations (§1.4).
    pub(crate) fn set_bypass(&mut self, on: bool) {
        if on && !self.behaviour.ops_manager_bypass {
            for project in self.projects.values_mut() {
                if project.product == Product::OpsManager {
                    project.invitations.clear();
                }
            }
        }
        self.behaviour.ops_manager_bypass = on;
    }

    fn scope(&self, project: &str) -> Option<(String, Product)> {
        let project = self.projects.get(project)?;
        Some((project.org.clone(), project.product))
    }

    fn open_grants(
        &self,
        project: &str,
        org: &str,
        product: Product,
        username: &str,
        now: jiff::Timestamp,
    ) -> BTreeMap<String, Vec<String>> {
        let mut grants: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut add = |group: &str, roles: &[String]| {
            super::people::union(grants.entry(group.to_owned()).or_default(), roles);
        };
        let in_scope = |id: &str, of: &str| match product {
            Product::Atlas => of == org,
            Product::CloudManager | Product::OpsManager => id == project,
        };
        for target in self.projects.values().filter(|p| in_scope(&p.id, &p.org)) {
            for invitation in &target.invitations {
                if invitation.username.eq_ignore_ascii_case(username) && invitation.expires > now {
                    add(&target.id, &invitation.roles);
                }
            }
        }
        let Some(org) = self.orgs.get(org) else {
            return grants;
        };
        for pending in &org.pending {
            if pending.username.eq_ignore_ascii_case(username) && !pending.rejected && pending.expires > now {
                for (group, roles) in &pending.groups {
                    add(group, roles);
                }
            }
        }
        // Project roles of `/access`, which live in the organisation invitation only.
        for invitation in &org.invitations {
            if invitation.username.eq_ignore_ascii_case(username) && invitation.expires > now {
                for (group, roles) in
                    invitation.groups.iter().filter(|(id, _)| product == Product::Atlas || id.as_str() == project)
                {
                    add(group, roles);
                }
            }
        }
        grants
    }
}
