//! The log of requests.
//!
//! Owns what tests count: every request that reached the simulated service, challenged first legs
//! included. Must never hold a credential's secret, a token or a body.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// Records kept, so that a rehearsal may run for days.
const MOST: usize = 1_000_000;

/// How a request authenticated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AuthKind {
    /// Not at all.
    #[default]
    Nothing,
    /// HTTP digest.
    Digest,
    /// An OAuth access token.
    Bearer,
    /// HTTP basic, on the token endpoint.
    Basic,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// Number, from 1, in order of arrival.
    pub number: u64,
    /// Simulated time of arrival, RFC 3339.
    pub at: String,
    /// HTTP method.
    pub method: String,
    /// Path without query.
    pub path: String,
    /// Query, as sent.
    pub query: Option<String>,
    /// Operation.
    pub endpoint: Endpoint,
    /// Project of the path.
    pub project: Option<String>,
    /// Address in query or body, as sent.
    pub username: Option<String>,
    /// What the `Authorization` header was.
    pub auth: AuthKind,
    /// Public key or client id, once proven.
    pub credential: Option<String>,
    /// Answered with a challenge or refused for its credentials: no effect was possible.
    pub challenged: bool,
    /// Status; `None` while it is being worked on and when no answer was given.
    pub status: Option<u16>,
    /// Error code of the answer.
    pub error_code: Option<String>,
    /// Whether the answer (or the loss of it) is complete.
    pub finished: bool,
    /// Real milliseconds from arrival to answer.
    pub elapsed_ms: Option<u64>,
    /// Names of the faults that struck.
    pub faults: Vec<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
}

impl RequestRecord {
    /// Whether the request was one leg that could have an effect.
    #[must_use]
    pub fn acted(&self) -> bool {
        !self.challenged
    }
}

/// All requests so far.
#[derive(Debug, Default)]
pub(crate) struct Log {
    next: u64,
    pub(crate) records: Vec<RequestRecord>,
}

impl Log {
    /// The next number.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Adds a record; the oldest goes when there are too many.
    pub(crate) fn push(&mut self, record: RequestRecord) {
        if self.records.len() >= MOST {
            self.records.drain(..MOST / 2);
        }
        self.records.push(record);
    }

    /// Changes the record of a request, unless it was cleared meanwhile.
    pub(crate) fn update(&mut self, number: u64, change: impl FnOnce(&mut RequestRecord)) {
        if let Some(record) = self.records.iter_mut().rev().find(|r| r.number == number) {
            change(record);
        }
    }
}
