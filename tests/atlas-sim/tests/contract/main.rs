//! Contract tests of the simulator.
//!
//! Owns the proof that the simulator says what the real services were recorded or documented to
//! say; every test names the section of the wire contract it rests on. Must never use the
//! simulator's own code to decide what is right.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests fail by panicking

mod atlas_invites;
mod authentication;
mod bodies;
mod classic;
mod control;
mod faults;
mod granting;
mod lab;
mod limits;
mod oauth;
mod organisation;
mod permissions;
mod users_api;
mod versions;
