//! What tests do to the simulated world: plant, and play the people in it.
//!
//! Owns the library's seeding and steering calls. Every one is one critical section.

use super::Simulator;
use crate::seed::{Credential, CredentialSeed, OrganizationSeed, ProjectSeed, Seed, Seeded};

#[allow(clippy::must_use_candidate)] // most calls act, and what they return may be ignored
impl Simulator {
    /// Plants a whole seed.
    pub fn seed(&self, seed: Seed) -> Seeded {
        self.change(|world| world.plant(seed))
    }

    /// Plants an organisation and returns its id.
    pub fn seed_organization(&self, seed: OrganizationSeed) -> String {
        self.change(|world| world.plant_organization(seed))
    }

    /// Plants a project and returns its id.
    pub fn seed_project(&self, seed: ProjectSeed) -> String {
        self.change(|world| world.plant_project(seed))
    }

    /// Plants a credential and returns it with its secret.
    pub fn seed_credential(&self, seed: CredentialSeed) -> Credential {
        self.change(|world| world.plant_credential(seed))
    }

    /// Creates an account that belongs to nothing, and returns its id.
    pub fn seed_account(&self, username: &str) -> String {
        self.change(|world| world.account(username).id)
    }

    /// Makes a person a member of an organisation.
    pub fn seed_org_member(&self, org: &str, username: &str, roles: &[&str]) {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        self.change(|world| world.join_org(org, username, &roles));
    }

    /// Makes a person a member of a project and its organisation.
    pub fn seed_member(&self, project: &str, username: &str, roles: &[&str]) {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        self.change(|world| world.join_project(project, username, &roles));
    }

    /// Verifies a domain for an organisation's identity provider.
    pub fn federate(&self, org: &str, domain: &str) {
        self.change(|world| {
            if let Some(org) = world.orgs.get_mut(org) {
                org.federated_domains.push(domain.to_owned());
            }
        });
    }

    /// The organisation of a project.
    #[must_use]
    pub fn org_of(&self, project: &str) -> Option<String> {
        self.look(|world| world.projects.get(project).map(|p| p.org.clone()))
    }

    /// Removes a project with everything in it.
    pub fn remove_project(&self, project: &str) -> bool {
        self.change(|world| world.projects.remove(project).is_some())
    }

    /// Removes a credential and its tokens.
    pub fn remove_credential(&self, id: &str) -> bool {
        self.change(|world| world.credentials.remove(id))
    }

    /// The person accepts their invitation; `false` when there is none. On Atlas all of the
    /// person's invitations in the same organisation are accepted with it (contract §2.5).
    pub fn accept(&self, project: &str, username: &str) -> bool {
        self.change(|world| world.accept(project, username))
    }

    /// The person declines; `false` when there is nothing to decline.
    pub fn decline(&self, project: &str, username: &str) -> bool {
        self.change(|world| world.decline(project, username))
    }

    /// The invitation's time runs out now; `false` when there is none.
    pub fn expire(&self, project: &str, username: &str) -> bool {
        self.change(|world| world.expire(project, username))
    }

    /// The person leaves the project, or is removed from it by hand.
    pub fn leave(&self, project: &str, username: &str) -> bool {
        self.change(|world| world.leave_project(project, username))
    }

    /// Somebody cancels the invitation by hand.
    pub fn cancel(&self, project: &str, id: &str) -> bool {
        self.change(|world| world.cancel_invitation(project, id))
    }
}
