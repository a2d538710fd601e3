//! Kills, splits and races the operator: the real binary, a real control plane, the simulator with its faults on.
//!
//! What is right is told by the simulator's outbox and the API server's objects, never by the operator's own figures.

pub mod ground;
pub mod kills;
pub mod kind;
pub mod persist;
pub mod plane;
pub mod process;
pub mod race;
pub mod relay;
pub mod upstream;
