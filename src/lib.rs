//! Kubernetes operator that reconciles invitations to MongoDB projects.
//!
//! Modules depend on each other in one direction: `api` ← `domain` ← `cloud` ← `controller` ← `runtime`.

pub mod api;
pub mod cloud;
pub mod controller;
pub mod domain;
pub mod runtime;
