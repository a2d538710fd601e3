//! The kinds of faults.
//!
//! Owns their parameters. Must never know which calls they strike.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::span::Span;

/// Something that goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Fault {
    /// Time passes before the effect, or between the effect and the answer.
    Latency {
        /// Before the effect.
        #[serde(default)]
        before: Span,
        /// After it.
        #[serde(default)]
        after: Span,
    },
    /// An error answer in `ApiError` shape.
    Status {
        /// HTTP status.
        status: u16,
        /// `errorCode`; without one, the oldest shape is sent, which has none.
        #[serde(default)]
        code: Option<String>,
        /// `detail`.
        #[serde(default)]
        detail: Option<String>,
        /// `parameters`.
        #[serde(default)]
        parameters: Vec<Value>,
        /// `Retry-After` in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
        /// Whether the call acts all the same.
        #[serde(default)]
        after_effect: bool,
    },
    /// An HTML page instead of an answer, as a proxy sends it.
    Html {
        /// HTTP status.
        status: u16,
        /// Whether the call acts all the same.
        #[serde(default)]
        after_effect: bool,
    },
    /// Any JSON instead of an answer: errors of OAuth, `badRequestDetail`, odd successes.
    Json {
        /// HTTP status.
        status: u16,
        /// The body.
        body: Value,
        /// Whether the call acts all the same.
        #[serde(default)]
        after_effect: bool,
    },
    /// The connection is reset and nothing happened.
    ResetBefore,
    /// The call acts, then the connection is reset.
    ResetAfter,
    /// No answer ever, and nothing happens.
    HangBefore,
    /// The call acts, but no answer ever comes.
    HangAfter,
    /// The caller loses the connection (or waits for ever); the call acts later.
    LateEffect {
        /// How much later.
        after: Span,
        /// Whether the caller waits in vain instead of seeing a reset.
        #[serde(default)]
        hang: bool,
    },
    /// The answer arrives in small pieces.
    Trickle {
        /// Bytes per piece.
        chunk: usize,
        /// Pause before each piece.
        every: Span,
    },
    /// The answer breaks off.
    Truncate {
        /// Bytes that still arrive.
        keep: usize,
    },
    /// So many blanks before the answer: valid JSON, too much of it.
    HugeBody {
        /// Bytes of padding.
        bytes: usize,
    },
    /// Lists are empty.
    EmptyList,
    /// What this call creates shows up in lists and reads only later.
    ListLag {
        /// How much later.
        lag: Span,
    },
    /// A redirect to somewhere else.
    Redirect {
        /// HTTP status.
        #[serde(default = "found")]
        status: u16,
        /// Where to.
        location: String,
    },
    /// Objects in the answer carry fields nobody knows.
    ExtraFields,
    /// Objects in the answer lack these fields.
    MissingFields {
        /// Names to leave out, at every depth.
        fields: Vec<String>,
    },
    /// The answer has its status and no body.
    NoBody,
}

/// What is left to do once the effect is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    Reset,
    Hang,
}

fn found() -> u16 {
    302
}

impl Fault {
    /// A 5xx or another plain error with a code.
    #[must_use]
    pub fn status(status: u16, code: &str) -> Self {
        Self::Status {
            status,
            code: Some(code.to_owned()),
            detail: None,
            parameters: Vec::new(),
            retry_after: None,
            after_effect: false,
        }
    }

    /// 429 `RATE_LIMITED`, with or without `Retry-After`.
    #[must_use]
    pub fn rate_limited(retry_after: Option<u64>) -> Self {
        Self::Status {
            status: 429,
            code: Some("RATE_LIMITED".to_owned()),
            detail: None,
            parameters: Vec::new(),
            retry_after,
            after_effect: false,
        }
    }

    /// 405 `WRITES_NOT_ALLOWED_DURING_APP_UPGRADES`.
    #[must_use]
    pub fn maintenance() -> Self {
        Self::status(405, "WRITES_NOT_ALLOWED_DURING_APP_UPGRADES")
    }

    /// Time that passes before the effect.
    #[must_use]
    pub fn latency(before: Span) -> Self {
        Self::Latency { before, after: Span::ZERO }
    }

    /// The name the request log and the control API use.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::Status { .. } => "status",
            Self::Html { .. } => "html",
            Self::Json { .. } => "json",
            Self::ResetBefore => "resetBefore",
            Self::ResetAfter => "resetAfter",
            Self::HangBefore => "hangBefore",
            Self::HangAfter => "hangAfter",
            Self::LateEffect { .. } => "lateEffect",
            Self::Trickle { .. } => "trickle",
            Self::Truncate { .. } => "truncate",
            Self::HugeBody { .. } => "hugeBody",
            Self::EmptyList => "emptyList",
            Self::ListLag { .. } => "listLag",
            Self::Redirect { .. } => "redirect",
            Self::ExtraFields => "extraFields",
            Self::MissingFields { .. } => "missingFields",
            Self::NoBody => "noBody",
        }
    }
}
