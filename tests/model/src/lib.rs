//! Checks every schedule of a small world in which the operator's real decisions run.
//!
//! `decide`, `look_need`, `conclude`, `project`, the ledger's transitions, `quarantine` and the permit to send are the
//! operator's own functions, called with real values. Around them stands a model of what `src/controller` does, one action
//! an effect, and of what it talks to: an API server that compares versions, caches that lag, a cloud that acts on a call
//! late or never and whose lists lag, people who apply and delete, crashes. The world is small: one person in one project,
//! two objects, one or two processes that both act at the same time, as if there were no election at all.
//!
//! Time is cut into ticks of 65 s, so that the real quarantine of 190 s ends after three: a call may act in the tick in
//! which it was sent and in the next one, and lists show what it did two ticks later at the latest. What the model leaves
//! to chance instead of deriving it allows more schedules than there are: how old a shared roster is, whether a second look
//! is due, when the sweep comes (it waits 180 s in truth), when a cache catches up.
//!
//! Must never decide what the operator's functions decide.

// A checker is a test: what it takes for granted about its own small world may end it.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::missing_panics_doc)]
// Almost every action leaves almost every state of a pass alone.
#![allow(clippy::wildcard_enum_match_arm)]
// What may happen in a world is a list of switches.
#![allow(clippy::struct_excessive_bools)]

pub mod action;
pub mod check;
pub mod claims;
mod clouds;
pub mod config;
mod effects;
pub mod facts;
pub mod graph;
mod passes;
pub mod report;
pub mod runs;
pub mod settled;
mod stage;
mod sweep;
mod time;
mod users;
pub mod world;
