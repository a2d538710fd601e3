//! The pass: effects in their order, around the decisions of `domain`.
//!
//! Owns when Kubernetes and MongoDB are read and written. Must never decide what something means.

mod agenda;
mod asking;
pub mod books;
pub mod cache;
pub mod census;
pub mod chance;
pub mod circuits;
pub mod clock;
pub mod cluster;
pub mod connection;
pub mod departures;
mod entitled;
pub mod farewell;
pub mod fence;
pub mod gather;
#[cfg(test)]
mod gone_tests;
pub mod inviter_pass;
pub mod inviter_run;
pub mod inviter_spec;
pub mod inviter_status;
mod keeper;
pub mod kept;
pub mod kube_cluster;
pub mod kube_error;
pub mod leader;
pub mod leadership;
pub mod lean;
pub mod lease_api;
mod lookout;
#[cfg(test)]
mod mail_tests;
pub mod memory;
pub mod merge;
pub mod namespaces;
mod notices;
pub mod observer;
mod owned;
mod packed;
pub mod pass;
pub mod passes;
pub mod perform;
mod places;
pub mod queue;
pub mod remarks;
pub mod roster;
pub mod run;
mod scan;
pub mod secrets;
pub mod settings;
mod shelf;
mod show;
pub mod slots;
#[cfg(test)]
mod staging;
mod successor;
pub mod sweep;
pub mod takeover;
mod tasks;
#[cfg(test)]
pub(crate) mod testing;
mod waiting;
pub mod wakes;
pub mod watch;

pub use leader::Candidacy;
pub use run::{Ports, run};
