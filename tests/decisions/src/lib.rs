//! The operator's kinds and decisions, compiled alone: the same files, without clock, client or runtime.
//!
//! Owns nothing. By it the model checker runs the real functions optimised, and a mutant of them costs seconds instead of
//! a build of the operator. Must never hold code of its own.

/// As in the operator's own crate.
pub use kinds as api;

#[path = "../../../src/domain/mod.rs"]
pub mod domain;
