//! How the simulated service behaves where the real one is unknown, limited or configurable.
//!
//! Owns every switch a test may turn while the simulator runs; defaults are the contract's most
//! defensible assumptions (§10). Must never hold state.

use serde::{Deserialize, Serialize};

use crate::span::Span;

/// Switches of the simulated service. May be changed at any time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Behaviour {
    /// Life of an invitation, whole seconds (contract §2.1: 30 days).
    pub invitation_life: Span,
    /// How long an expired invitation is still listed and readable (§10.6: not at all).
    pub expired_listed_for: Span,
    /// How long a new invitation is missing from lists and reads (§10.21).
    pub list_lag: Span,
    /// Added to every call.
    pub latency: Span,
    /// Invitations per minute and source address (§2.16: 10), `None` for no throttle.
    pub invitation_throttle: Option<u32>,
    /// How long such a minute lasts: shorter where the rehearsed client's times are divided.
    pub invitation_throttle_window: Span,
    /// Token requests per minute, address and client (§6.2: 50), `None` for no limit.
    pub token_rate_limit: Option<u32>,
    /// Live access tokens per service account (§5.2: 100).
    pub token_limit: usize,
    /// Life of an access token (§5.2: one hour).
    pub token_life: Span,
    /// Requests per minute and project on Cloud Manager and Ops Manager (§6.2: 100).
    pub classic_rate_limit: Option<u32>,
    /// Whether Atlas token buckets refuse when empty (§6.1). Headers are sent in any case.
    pub atlas_rate_limit: bool,
    /// Size of an Atlas project's token buckets (§6.1: 1200 requests); may shrink under its clients.
    pub atlas_capacity: u32,
    /// How many of these requests come back in a minute (§6.1: 500).
    pub atlas_refill: u32,
    /// What a second legacy POST for a pending address does (§10.1).
    pub duplicate_invite: DuplicateInvite,
    /// Answer to a POST for somebody who is in the organisation, so that access is granted at once.
    pub granted_reply: GrantReply,
    /// Answer to a POST for somebody who is in the project already (§10.2, §10.3).
    pub member_reply: MemberReply,
    /// How the digest challenge is written (§5.1).
    pub challenge: ChallengeStyle,
    /// Status that goes with `INVALID_INVITATION_ID` (§2.3).
    pub gone_status: GoneStatus,
    /// What happens to the case of addresses (§10.8).
    pub username_case: UsernameCase,
    /// How the `username` query parameter selects (§10.9).
    pub username_filter: UsernameFilter,
    /// Ops Manager's "Bypass Invitation Mode" (§1.4).
    pub ops_manager_bypass: bool,
    /// Members and pending people per project (§2.15: 500).
    pub users_per_group: usize,
    /// Members and pending people per organisation (§2.15: 500).
    pub users_per_org: usize,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            invitation_life: Span::days(30),
            expired_listed_for: Span::ZERO,
            list_lag: Span::ZERO,
            latency: Span::ZERO,
            invitation_throttle: None,
            invitation_throttle_window: Span::seconds(60),
            token_rate_limit: None,
            token_limit: 100,
            token_life: Span::seconds(3600),
            classic_rate_limit: Some(100),
            atlas_rate_limit: true,
            atlas_capacity: 1200,
            atlas_refill: 500,
            duplicate_invite: DuplicateInvite::default(),
            granted_reply: GrantReply::default(),
            member_reply: MemberReply::default(),
            challenge: ChallengeStyle::default(),
            gone_status: GoneStatus::default(),
            username_case: UsernameCase::default(),
            username_filter: UsernameFilter::default(),
            ops_manager_bypass: false,
            users_per_group: 500,
            users_per_org: 500,
        }
    }
}

impl Behaviour {
    /// Everything the real service is known to limit, limited: what the binary starts with.
    #[must_use]
    pub fn strict() -> Self {
        Self { invitation_throttle: Some(10), token_rate_limit: Some(50), ..Self::default() }
    }
}

/// What a second legacy POST for a pending address does; both successes send a mail again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DuplicateInvite {
    /// A second invitation with an id of its own.
    #[default]
    Second,
    /// The existing invitation, unchanged.
    Existing,
    /// `409 USER_ALREADY_IN_GROUP`.
    Conflict,
    /// `400 USER_ALREADY_IN_GROUP`.
    BadRequest,
}

/// Success without an invitation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GrantReply {
    /// `204` without a body.
    #[default]
    NoContent,
    /// `200` (or `201` on Cloud Manager and Ops Manager) with an empty body.
    EmptyBody,
    /// The same with `{}`.
    EmptyObject,
    /// The same with every field of an invitation but `id`, `createdAt` and `expiresAt`.
    WithoutId,
}

/// Answer for somebody who is a member already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MemberReply {
    /// `409 USER_ALREADY_IN_GROUP`.
    #[default]
    Conflict,
    /// `400 USER_ALREADY_IN_GROUP`.
    BadRequest,
    /// Whatever `granted_reply` says; roles stay as they are.
    Granted,
}

/// HTTP status of `INVALID_INVITATION_ID`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GoneStatus {
    /// 404, as seen in the field.
    #[default]
    NotFound,
    /// 400, as the Atlas error table has it.
    BadRequest,
}

/// What the service does with the case of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UsernameCase {
    /// Stored and returned in lower case.
    #[default]
    Lower,
    /// Stored and returned as sent.
    Keep,
}

/// How the `username` filter of lists selects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UsernameFilter {
    /// The whole address, without regard to case.
    #[default]
    Exact,
    /// Addresses that begin with it.
    Prefix,
    /// The parameter is ignored.
    Ignored,
}

/// How the digest challenge is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChallengeStyle {
    /// As recorded from the real service.
    #[default]
    Recorded,
    /// With `charset=UTF-8`, as newer Jetty servers under Ops Manager may write it.
    Charset,
    /// With the documentation's `op="auth"`, hence without a `qop`: answers are RFC 2069 digests.
    WithoutQop,
}
