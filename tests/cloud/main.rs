//! MongoDB's APIs over real HTTP: what is written to the wire, what every answer means, and that an invitation is sent once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::doc_markdown)]
#![allow(clippy::clone_on_ref_ptr)]
#![allow(missing_docs, unreachable_pub)]

mod answers;
mod breaks;
mod create;
mod harness;
mod limits;
mod oauth;
mod pages;
mod privacy;
mod records;
mod requests;
mod server;
mod simulator;
mod tls;
