//! The pass: effects in their order, around the decisions of `domain`.
//!
//! Owns when Kubernetes and MongoDB are read and written. Must never decide what something means.

mod cache;
pub mod census;
pub mod clock;
pub mod cluster;
pub mod connection;
mod farewell;
mod gather;
mod inviter_pass;
mod inviter_run;
mod inviter_spec;
mod inviter_status;
mod kube_cluster;
mod memory;
mod merge;
mod namespaces;
pub mod observer;
mod pass;
mod perform;
mod queue;
mod roster;
mod run;
mod secrets;
pub mod settings;
mod wakes;
mod watch;

pub use run::{Ports, run};
