//! What a rule says: which requests, and what becomes of them.
//!
//! Must never: do anything. Rules are judged here and carried out elsewhere.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One request, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Counts from 0 in the order of arrival.
    pub number: usize,
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// A rule holds it, or its answer, just now.
    pub held: bool,
    /// The API server's status code, once it has answered.
    pub answered: Option<u16>,
    /// Nothing more comes of it: all was handed on, or the connection broke.
    pub over: bool,
}

impl Request {
    /// Asks for a watch.
    #[must_use]
    pub fn is_watch(&self) -> bool {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        query.split('&').any(|part| part == "watch=true" || part == "watch=1")
    }

    /// Asks for a list.
    #[must_use]
    pub fn is_list_of(&self, resource: &str) -> bool {
        self.method == "GET" && !self.is_watch() && self.path().ends_with(&format!("/{resource}"))
    }

    /// Could change something: a question about one's own rights cannot.
    #[must_use]
    pub fn is_write(&self) -> bool {
        self.method != "GET" && !self.is_about("selfsubjectaccessreviews")
    }

    /// Is about a resource, such as `secrets`, or about one object or a part
    /// of it.
    #[must_use]
    pub fn is_about(&self, resource: &str) -> bool {
        self.path().split('/').any(|part| part == resource)
    }

    fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is handed on so late.
    Delay(Duration),
    /// Nothing gets through, and the connection stays open: as long as the
    /// rule stands, the request is not handed on, and of an answer that is
    /// under way already nothing more arrives. Then everything goes on.
    Hold,
    /// It is handed on, and as long as the rule stands nothing of the answer
    /// arrives: a watch is blind, a write has happened and nobody knows.
    HoldAnswer,
    /// It is not handed on; the connection breaks.
    CutBefore,
    /// It is handed on; in place of the answer the connection breaks.
    CutAfter,
    /// The proxy answers with this status and this JSON.
    Answer {
        /// Status code.
        status: u16,
        /// Body.
        body: String,
    },
}

/// Which rule it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(pub(super) u64);

/// Trouble for some requests.
#[derive(Clone)]
pub struct Rule {
    pub(super) trouble: Trouble,
    which: Arc<dyn Fn(&Request) -> bool + Send + Sync>,
    skip: usize,
    times: Option<usize>,
}

impl Rule {
    /// This trouble for every request.
    #[must_use]
    pub fn new(trouble: Trouble) -> Self {
        Self { trouble, which: Arc::new(|_| true), skip: 0, times: None }
    }

    /// Only for these.
    #[must_use]
    pub fn on(self, which: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        Self { which: Arc::new(which), ..self }
    }

    /// Not for the first so many of them.
    #[must_use]
    pub fn skip(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// For one of them, which must be yet to come.
    #[must_use]
    pub fn once(self) -> Self {
        Self { times: Some(1), ..self }
    }

    /// Whether the rule strikes a request that has just come; counts it if it
    /// fits.
    pub(super) fn strikes(&mut self, request: &Request) -> bool {
        if self.times == Some(0) || !(self.which)(request) {
            return false;
        }
        if let Some(left) = self.skip.checked_sub(1) {
            self.skip = left;
            return false;
        }
        self.times = self.times.map(|left| left.saturating_sub(1));
        true
    }

    /// Whether the rule stops the answer of a request that came before it.
    pub(super) fn stops(&self, request: &Request) -> bool {
        let holds = matches!(self.trouble, Trouble::Hold | Trouble::HoldAnswer);
        holds && self.times.is_none() && self.skip == 0 && (self.which)(request)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Rule")
            .field("trouble", &self.trouble)
            .field("skip", &self.skip)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}
