//! What the operator decides, as pure functions over values.
//!
//! Must never read a clock, hold a client or be async: time comes in as an argument, effects go out as values.

pub mod attempt;
pub mod conclude;
pub mod decide;
mod deletion;
pub mod desired;
pub mod facts;
pub mod failure;
pub mod key;
pub mod ledger;
pub mod policy;
pub mod projection;
pub mod remote;
pub mod schedule;
pub mod standing;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod timings;
