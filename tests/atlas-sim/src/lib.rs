//! Simulator of the APIs that invite people to `MongoDB` projects.
//!
//! Owns a faithful, in-memory double of the Atlas Administration API (legacy invitations and the
//! 2025-02-19 users API), Cloud Manager and Ops Manager, with digest and OAuth authentication,
//! rate limits, mails and faults. It shares no code with the operator and must never depend on it:
//! a mistake made twice would be invisible.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use atlas_sim::{CredentialSeed, Options, ProjectSeed, Simulator};
//!
//! let sim = Simulator::start(Options::default()).await?;
//! let project = sim.seed_project(ProjectSeed::atlas("payments"));
//! let key = sim.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]));
//! // … point a client at `sim.base_url()` with `key.id` and `key.secret` …
//! sim.accept(&project, "jane@example.com");
//! assert_eq!(sim.mails_to("jane@example.com").len(), 1);
//! sim.stop().await;
//! # Ok(())
//! # }
//! ```

mod api_error;
mod atlas;
mod auth;
mod behaviour;
mod body;
mod classic;
mod clock;
mod control;
mod endpoint;
mod fault;
mod ids;
mod options;
mod roles;
mod seed;
mod server;
mod simulator;
mod span;
mod world;

pub use behaviour::{
    Behaviour, ChallengeStyle, DuplicateInvite, GoneStatus, GrantReply, MemberReply, UsernameCase, UsernameFilter,
};
pub use endpoint::Endpoint;
pub use fault::{ActiveFault, Fault, FaultRule, Leg};
pub use options::{Deployment, Options, TlsIdentity};
pub use roles::Product;
pub use seed::{
    AccountSeed, Credential, CredentialKind, CredentialSeed, MemberSeed, OrgMemberSeed, OrganizationSeed, ProjectSeed,
    Seed, Seeded,
};
pub use server::log::{AuthKind, RequestRecord};
pub use simulator::Simulator;
pub use span::Span;
pub use world::outbox::{Mail, MailKind};
pub use world::views::{InvitationView, MemberView};
