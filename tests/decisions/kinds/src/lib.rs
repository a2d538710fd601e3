//! The operator's kinds, compiled alone: the same files. Their derived code takes the compiler longer than all decisions, and
//! a mutant of a decision need not wait for it. Must never hold code of its own.

#[path = "../../../../src/api/mod.rs"]
mod api;
pub use api::*;
