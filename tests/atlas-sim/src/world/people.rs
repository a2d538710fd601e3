//! Accounts, members of organisations and of projects.
//!
//! Owns who is where and with which roles. Must never send mails or touch invitations.

use jiff::Timestamp;

use super::{Org, World};

/// An account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) created: Timestamp,
}

/// A member of an organisation.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrgMember {
    pub(crate) roles: Vec<String>,
}

impl Org {
    /// Whether the address lies in a verified domain of the identity provider (contract §2.6).
    pub(crate) fn federates(&self, username: &str) -> bool {
        username.rsplit_once('@').is_some_and(|(_, domain)| {
            self.federated_domains.iter().any(|verified| verified.eq_ignore_ascii_case(domain))
        })
    }
}

impl World {
    /// The account of an address, created when it does not exist.
    pub(crate) fn account(&mut self, username: &str) -> Account {
        let key = username.to_lowercase();
        if let Some(account) = self.accounts.get(&key) {
            return account.clone();
        }
        let created = self.clock.whole_second();
        let local = key.split('@').next().unwrap_or_default();
        let (first, last) = local.split_once('.').unwrap_or((local, "Doe"));
        let account = Account {
            id: self.mint.object_id(created),
            username: self.stored_username(username),
            first_name: capitalised(first),
            last_name: capitalised(last),
            created,
        };
        self.accounts.insert(key, account.clone());
        account
    }

    /// The account with an id.
    pub(crate) fn account_by_id(&self, id: &str) -> Option<&Account> {
        self.accounts.values().find(|account| account.id == id)
    }

    /// Makes a person a member of an organisation; existing roles stay.
    pub(crate) fn join_org(&mut self, org: &str, username: &str, roles: &[String]) {
        self.account(username);
        let Some(org) = self.orgs.get_mut(org) else {
            return;
        };
        let member = org.members.entry(username.to_lowercase()).or_default();
        union(&mut member.roles, roles);
        if member.roles.is_empty() {
            member.roles.push("ORG_MEMBER".to_owned());
        }
    }

    /// Makes a person a member of a project and of its organisation; existing roles stay.
    pub(crate) fn join_project(&mut self, project: &str, username: &str, roles: &[String]) {
        let Some(org) = self.projects.get(project).map(|p| p.org.clone()) else {
            return;
        };
        self.join_org(&org, username, &[]);
        if let Some(project) = self.projects.get_mut(project) {
            let held = project.members.entry(username.to_lowercase()).or_default();
            union(held, roles);
        }
    }

    /// Replaces the roles of a member.
    pub(crate) fn set_roles(&mut self, project: &str, username: &str, roles: Vec<String>) {
        if let Some(project) = self.projects.get_mut(project) {
            project.members.insert(username.to_lowercase(), roles);
        }
    }

    /// Takes a person out of a project; they stay in the organisation.
    pub(crate) fn leave_project(&mut self, project: &str, username: &str) -> bool {
        self.projects.get_mut(project).is_some_and(|p| p.members.remove(&username.to_lowercase()).is_some())
    }

    /// Takes a person out of an organisation and all of its projects.
    pub(crate) fn leave_org(&mut self, org: &str, username: &str) -> bool {
        let key = username.to_lowercase();
        for project in self.projects.values_mut().filter(|p| p.org == org) {
            project.members.remove(&key);
        }
        self.orgs.get_mut(org).is_some_and(|o| o.members.remove(&key).is_some())
    }

    /// Whether the person is a member of the project.
    pub(crate) fn is_member(&self, project: &str, username: &str) -> bool {
        self.projects.get(project).is_some_and(|p| p.members.contains_key(&username.to_lowercase()))
    }

    /// Whether the person is, or by federation at once becomes, a member of the organisation.
    pub(crate) fn belongs_to_org(&self, org: &str, username: &str) -> bool {
        self.orgs
            .get(org)
            .is_some_and(|org| org.members.contains_key(&username.to_lowercase()) || org.federates(username))
    }
}

/// Adds what is not there yet.
pub(crate) fn union(held: &mut Vec<String>, more: &[String]) {
    for role in more {
        if !held.contains(role) {
            held.push(role.clone());
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
