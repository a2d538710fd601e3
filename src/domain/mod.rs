//! What the operator decides, as pure functions over values.
//!
//! Must never read a clock, hold a client or be async: time comes in as an argument, effects go out as values.

pub mod attempt;
pub mod failure;
pub mod remote;
pub mod timings;
