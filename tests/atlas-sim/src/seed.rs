//! What may be put into a simulator before a test or a rehearsal.
//!
//! Owns the shapes of the seed file, the control API and the library's `seed_*` calls. Must never
//! hold behaviour: planting is done by the world.

use serde::{Deserialize, Serialize};

use crate::roles::Product;

/// A whole seed file. Everything is optional; order of planting is as the fields stand.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// Organisations with their members.
    pub organizations: Vec<OrganizationSeed>,
    /// Projects; a project without `orgId` gets an organisation of its own.
    pub projects: Vec<ProjectSeed>,
    /// Accounts that exist but belong to nothing.
    pub accounts: Vec<AccountSeed>,
    /// API keys and service accounts.
    pub credentials: Vec<CredentialSeed>,
}

/// What a seed became.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seeded {
    /// Ids of the organisations, in seed order.
    pub organizations: Vec<String>,
    /// Ids of the projects, in seed order.
    pub projects: Vec<String>,
    /// The credentials with their secrets, in seed order.
    pub credentials: Vec<Credential>,
}

/// An organisation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationSeed {
    /// Id to use instead of a fresh one.
    pub id: Option<String>,
    /// Name; the id when absent.
    pub name: Option<String>,
    /// People in it.
    pub members: Vec<OrgMemberSeed>,
    /// Verified domains of its identity provider (contract §2.6).
    pub federated_domains: Vec<String>,
}

/// A person in an organisation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct OrgMemberSeed {
    /// Address.
    pub username: String,
    /// Organisation roles; `ORG_MEMBER` when empty.
    pub roles: Vec<String>,
}

/// A project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectSeed {
    /// Id to use instead of a fresh one.
    pub id: Option<String>,
    /// Name; `project-<n>` when absent.
    pub name: Option<String>,
    /// Organisation; one of its own when absent.
    pub org_id: Option<String>,
    /// Product.
    pub product: Product,
    /// People in it.
    pub members: Vec<MemberSeed>,
}

impl ProjectSeed {
    /// A project of a product.
    #[must_use]
    pub fn new(product: Product, name: &str) -> Self {
        Self { name: Some(name.to_owned()), product, ..Self::default() }
    }

    /// An Atlas project.
    #[must_use]
    pub fn atlas(name: &str) -> Self {
        Self::new(Product::Atlas, name)
    }

    /// Puts the project into an organisation that exists.
    #[must_use]
    pub fn in_org(mut self, org: &str) -> Self {
        self.org_id = Some(org.to_owned());
        self
    }

    /// Adds a member.
    #[must_use]
    pub fn member<const N: usize>(mut self, username: &str, roles: [&str; N]) -> Self {
        self.members.push(MemberSeed { username: username.to_owned(), roles: roles.map(str::to_owned).to_vec() });
        self
    }
}

/// A person in a project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct MemberSeed {
    /// Address.
    pub username: String,
    /// Project roles; `GROUP_READ_ONLY` when empty.
    pub roles: Vec<String>,
}

/// An account that belongs to nothing yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountSeed {
    /// Address.
    pub username: String,
}

/// The two kinds of credentials (contract §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CredentialKind {
    /// API key, HTTP digest.
    #[default]
    ApiKey,
    /// Service account, OAuth 2.0 client credentials.
    ServiceAccount,
}

/// A credential and what it may do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialSeed {
    /// API key or service account.
    pub kind: CredentialKind,
    /// Public key or client id; a fresh one when absent.
    pub id: Option<String>,
    /// Private key or client secret; a fresh one when absent.
    pub secret: Option<String>,
    /// Project roles (or organisation roles) by project (or organisation) id. `"*"` stands for all.
    pub grants: std::collections::BTreeMap<String, Vec<String>>,
    /// Addresses and CIDR blocks it may be used from; absent for anywhere.
    pub access_list: Option<Vec<String>>,
}

impl CredentialSeed {
    /// An API key without grants.
    #[must_use]
    pub fn api_key() -> Self {
        Self::default()
    }

    /// A service account without grants.
    #[must_use]
    pub fn service_account() -> Self {
        Self { kind: CredentialKind::ServiceAccount, ..Self::default() }
    }

    /// Adds roles in a project or an organisation, or in all with `"*"`.
    #[must_use]
    pub fn grant<const N: usize>(mut self, target: &str, roles: [&str; N]) -> Self {
        self.grants.insert(target.to_owned(), roles.map(str::to_owned).to_vec());
        self
    }

    /// Uses this id and secret instead of fresh ones.
    #[must_use]
    pub fn with_secret(mut self, id: &str, secret: &str) -> Self {
        self.id = Some(id.to_owned());
        self.secret = Some(secret.to_owned());
        self
    }

    /// Restricts use to these addresses and CIDR blocks.
    #[must_use]
    pub fn only_from<const N: usize>(mut self, addresses: [&str; N]) -> Self {
        self.access_list = Some(addresses.map(str::to_owned).to_vec());
        self
    }
}

/// A credential as a client needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// API key or service account.
    pub kind: CredentialKind,
    /// Public key or client id.
    pub id: String,
    /// Private key or client secret.
    pub secret: String,
}
