//! Planting seeds.
//!
//! Owns the way from a seed to state. Must never send a mail: what is seeded was always there.

use super::{Org, Project, World};
use crate::seed::{Credential, CredentialSeed, OrganizationSeed, ProjectSeed, Seed, Seeded};

impl World {
    /// Plants a whole seed.
    pub(crate) fn plant(&mut self, seed: Seed) -> Seeded {
        let mut seeded = Seeded::default();
        for organization in seed.organizations {
            seeded.organizations.push(self.plant_organization(organization));
        }
        for project in seed.projects {
            seeded.projects.push(self.plant_project(project));
        }
        for account in seed.accounts {
            self.account(&account.username);
        }
        for credential in seed.credentials {
            seeded.credentials.push(self.plant_credential(credential));
        }
        seeded
    }

    /// Plants an organisation and returns its id.
    pub(crate) fn plant_organization(&mut self, seed: OrganizationSeed) -> String {
        let id = seed.id.unwrap_or_else(|| self.fresh_id());
        let org = Org {
            id: id.clone(),
            name: seed.name.unwrap_or_else(|| id.clone()),
            federated_domains: seed.federated_domains,
            ..Org::default()
        };
        self.orgs.insert(id.clone(), org);
        for member in seed.members {
            self.join_org(&id, &member.username, &member.roles);
        }
        id
    }

    /// Plants a project, and an organisation where it names none or an unknown one.
    pub(crate) fn plant_project(&mut self, seed: ProjectSeed) -> String {
        let id = seed.id.unwrap_or_else(|| self.fresh_id());
        let org = seed.org_id.unwrap_or_else(|| self.fresh_id());
        if !self.orgs.contains_key(&org) {
            self.plant_organization(OrganizationSeed { id: Some(org.clone()), ..OrganizationSeed::default() });
        }
        let number = self.projects.len() + 1;
        let project = Project {
            id: id.clone(),
            name: seed.name.unwrap_or_else(|| format!("project-{number}")),
            org,
            product: seed.product,
            created: self.clock.whole_second(),
            invitations: Vec::new(),
            members: std::collections::BTreeMap::new(),
        };
        self.projects.insert(id.clone(), project);
        for member in seed.members {
            let roles = if member.roles.is_empty() { vec!["GROUP_READ_ONLY".to_owned()] } else { member.roles };
            self.join_project(&id, &member.username, &roles);
        }
        id
    }

    /// Plants a credential and returns it with its secret.
    pub(crate) fn plant_credential(&mut self, seed: CredentialSeed) -> Credential {
        let (id, secret) = self.fresh_secret(seed.kind);
        let credential =
            Credential { kind: seed.kind, id: seed.id.unwrap_or(id), secret: seed.secret.unwrap_or(secret) };
        let key_id = self.fresh_id();
        self.credentials.add(key_id, credential.clone(), seed.grants, seed.access_list);
        credential
    }

    fn fresh_id(&mut self) -> String {
        let now = self.clock.now();
        self.mint.object_id(now)
    }
}
