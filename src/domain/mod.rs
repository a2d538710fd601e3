//! What the operator decides, as pure functions over values.
//!
//! Must never read a clock, hold a client or be async: time comes in as an argument, effects go out as values.

mod adoption;
pub mod attempt;
pub mod breaker;
pub mod bucket;
pub mod conclude;
pub mod decide;
pub mod deletion;
pub mod desired;
pub mod entry;
pub mod facts;
pub mod failure;
pub mod finding;
pub mod key;
pub mod lease;
pub mod ledger;
pub mod limits;
mod observe;
pub mod orphan;
pub mod pacer;
pub mod policy;
pub mod projection;
pub mod refusal;
pub mod remote;
mod resend;
mod resolve;
pub mod roster;
pub mod schedule;
pub mod standing;
pub mod step;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod timings;
pub mod traces;
pub mod turns;
