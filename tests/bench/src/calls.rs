//! What the operator asks of MongoDB, from the simulator's log.

use atlas_sim::{Endpoint, Simulator};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Requests on the wire.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Calls {
    /// By operation, without digest challenges and tokens.
    pub(crate) by_operation: BTreeMap<String, u64>,
    /// All of those.
    pub(crate) total: u64,
    /// Those that invite.
    pub(crate) posts: u64,
    /// First legs of digest authentication, beside the total.
    pub(crate) challenges: u64,
    /// Requests for tokens, beside the total.
    pub(crate) tokens: u64,
    /// Answers 429, and 400 of the invitation throttle.
    pub(crate) throttled: u64,
}

impl Calls {
    /// All since the log was cleared.
    pub(crate) fn so_far(simulator: &Simulator) -> Self {
        let mut calls = Self::default();
        for request in simulator.requests() {
            let throttled = request.status == Some(429)
                || (request.endpoint == Endpoint::CreateGroupInvite && request.status == Some(400));
            calls.throttled += u64::from(throttled);
            if request.endpoint == Endpoint::CreateToken {
                calls.tokens += 1;
            } else if request.challenged {
                calls.challenges += 1;
            } else {
                *calls.by_operation.entry(format!("{:?}", request.endpoint)).or_default() += 1;
                calls.total += 1;
                calls.posts += u64::from(request.endpoint == Endpoint::CreateGroupInvite);
            }
        }
        calls
    }
}
