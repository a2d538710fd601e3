//! Runs the operator's real passes in process: under every fault, in every order, against an outbox that counts e-mails.
//!
//! The passes, the sweep, the inviter's pass, the fence and the caches are the operator's own code; Kubernetes, MongoDB,
//! time, chance and the election are this crate's. Must never share a rule with the operator: what is right is said here
//! anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::wildcard_enum_match_arm,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    clippy::similar_names,
    reason = "a simulation that cannot go on says so by failing"
)]

pub mod action;
pub mod apiserver;
pub mod bugs;
pub mod catch;
pub mod cloud;
pub mod effect;
pub mod enumerate;
pub mod many;
pub mod oracle;
pub mod plan;
pub mod ports;
pub mod process;
pub mod run;
pub mod scenario;
pub mod seeds;
pub mod stage;
pub mod watcher;
pub mod world;
