//! Faults: what goes wrong, for whom and how often.
//!
//! Owns rules and their counting. Must never perform a fault; the server's pipeline does.

mod kind;
mod rule;

pub(crate) use self::{kind::Afterwards, rule::Faults, rule::Subject};
pub use self::{
    kind::Fault,
    rule::{ActiveFault, FaultRule, Leg},
};
