//! What every end-to-end test stands on: a real control plane, a simulator, the real binary.
//!
//! Owns starting, ending and looking. Must never know a rule of the operator: what is right is said in the tests.

#![allow(dead_code, unused_imports)] // Two test targets share it, and neither uses all of it.

pub mod audit;
pub mod objects;
pub mod operator;
pub mod plane;
pub mod runner;
pub mod sight;
pub mod under;
pub mod used;
pub mod wait;
pub mod world;

pub use atlas_sim::{CredentialSeed, Endpoint, Fault, FaultRule, ProjectSeed, RequestRecord, Span};
pub use invitation_operator::api::*;
pub use kube::ResourceExt;
pub use objects::Account;
pub use sight::*;
pub use world::{Setup, World};

/// A role that all products have.
pub const READER: &str = "GROUP_READ_ONLY";
/// Another one.
pub const WRITER: &str = "GROUP_DATA_ACCESS_READ_WRITE";
/// A person.
pub const JANE: &str = "jane.doe@example.com";
/// Another person.
pub const JOHN: &str = "john.roe@example.com";
