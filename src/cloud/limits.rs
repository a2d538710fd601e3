//! What is learned beside an answer: limits, waits and end dates from headers, and what each call cost.
//!
//! Owns the reading of those headers and the record of a finished call. Must never hold a person, a credential or an
//! address: records feed metrics and pacing.

use super::endpoint::Endpoint;
use super::room::Room;
use super::transport::Answer;
use super::wire::problem::Problem;
use crate::domain::bucket::Shape;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::remote::ObjectId;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use std::time::Duration;
use tokio::time::Instant;

/// A wait that a server asks for is cut to this: a wrong header must not park an inviter for years.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Reads dates as MongoDB writes them: `Wed, 4 Oct 2023 00:00:00 GMT` has a one-digit day, which HTTP does not allow.
static DATES: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new().relaxed_weekday(true);

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallClass {
    /// As asked.
    Ok,
    /// With a failure.
    Failed(FailureKind),
}

impl CallClass {
    /// A closed label for metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed(kind) => kind.label(),
        }
    }
}

/// What a finished call cost and what its headers said. Headers are those of the last answer that had them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// Which call.
    pub endpoint: Endpoint,
    /// The project, where the call names one: for pacing, never for a metric's label.
    pub project: Option<ObjectId>,
    /// How it ended.
    pub class: CallClass,
    /// From its first request to its end, waiting for a token included.
    pub duration: Duration,
    /// HTTP requests sent, digest challenges and pages included; a token's request has its own record.
    pub exchanges: u32,
    /// `RateLimit-Limit`: size of the bucket, in requests.
    pub limit: Option<u64>,
    /// `RateLimit-Remaining`: requests left in the bucket.
    pub limit_remaining: Option<u64>,
    /// The bucket, as the body of a 429 describes it.
    pub bucket: Option<Shape>,
    /// How long it waited for room before that.
    pub waited: Duration,
    /// `Retry-After`, at most one hour.
    pub retry_after: Option<Duration>,
    /// `Deprecation`: since when the endpoint is deprecated.
    pub deprecated_since: Option<Timestamp>,
    /// `Sunset`: when the endpoint ends.
    pub sunset: Option<Timestamp>,
}

/// Hears of every finished call, in the task that made it: must return at once.
pub trait Calls: Send + Sync {
    /// Called once per call, whatever came of it; not when the call's future is dropped.
    fn finished(&self, record: &CallRecord);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCalls;

impl Calls for NoCalls {
    fn finished(&self, _record: &CallRecord) {}
}

/// A call under way: counts its exchanges and keeps what their headers said.
pub(super) struct Tally {
    started: Instant,
    record: CallRecord,
    room: Room,
}

impl Tally {
    pub(super) fn start(endpoint: Endpoint, project: Option<&ObjectId>) -> Self {
        let record = CallRecord {
            endpoint,
            project: project.cloned(),
            class: CallClass::Ok,
            duration: Duration::ZERO,
            exchanges: 0,
            limit: None,
            limit_remaining: None,
            bucket: None,
            waited: Duration::ZERO,
            retry_after: None,
            deprecated_since: None,
            sunset: None,
        };
        Self { started: Instant::now(), record, room: Room::unlimited() }
    }

    /// The call has leave to go, which it may have waited for.
    pub(super) fn enter(&mut self, room: Room) {
        self.record.waited = room.waited();
        self.started = Instant::now();
        self.room = room;
    }

    /// A page is there: what its headers said is told, and another one needs leave of its own.
    pub(super) fn leave(&mut self) {
        std::mem::take(&mut self.room).ended(&self.record);
    }

    /// Another page has leave to go.
    pub(super) fn next_page(&mut self, room: Room) {
        self.room = room;
    }

    /// Whether the call may still go.
    ///
    /// # Errors
    /// `NotSent`.
    pub(super) fn may_go(&self) -> Result<(), Failure> {
        self.room.is_open()
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        self.record.endpoint
    }

    /// One request goes out.
    pub(super) fn sent(&mut self) {
        self.record.exchanges = self.record.exchanges.saturating_add(1);
        self.room.sent();
    }

    /// Its answer is in.
    pub(super) fn seen(&mut self, answer: &Answer) {
        let (record, headers) = (&mut self.record, &answer.headers);
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            record.bucket = Problem::read(answer).bucket();
        }
        record.limit = number(headers, "ratelimit-limit").or(record.limit);
        record.limit_remaining = number(headers, "ratelimit-remaining").or(record.limit_remaining);
        record.retry_after = retry_after(headers).or(record.retry_after);
        record.deprecated_since = date(headers, "deprecation").or(record.deprecated_since);
        record.sunset = date(headers, "sunset").or(record.sunset);
    }

    /// Reports the call, and hands its result on.
    pub(super) fn finish<T>(mut self, calls: &dyn Calls, result: Result<T, Failure>) -> Result<T, Failure> {
        self.record.class = result.as_ref().map_or_else(|failure| CallClass::Failed(failure.kind), |_| CallClass::Ok);
        self.record.duration = self.started.elapsed();
        self.room.ended(&self.record);
        calls.finished(&self.record);
        result
    }
}

/// `Retry-After`: seconds, or a date, which is measured from the answer's own `Date`: no trust in two clocks. A date that
/// has passed is zero. At most one hour.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = text(headers, "retry-after")?;
    let wait = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let until = DATES.parse_timestamp(text).ok()?;
        Duration::try_from(until.duration_since(date(headers, "date")?)).unwrap_or(Duration::ZERO)
    };
    Some(wait.min(LONGEST_WAIT))
}

/// A wait found in a body instead, under the same bound.
pub(super) fn bounded_wait(seconds: u64) -> Duration {
    Duration::from_secs(seconds).min(LONGEST_WAIT)
}

/// A date as HTTP has them, or as `@` and seconds (RFC 9745).
fn date(headers: &HeaderMap, name: &str) -> Option<Timestamp> {
    let text = text(headers, name)?;
    match text.strip_prefix('@') {
        Some(seconds) => Timestamp::from_second(seconds.parse().ok()?).ok(),
        None => DATES.parse_timestamp(text).ok(),
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        let mut map = HeaderMap::new();
        map.insert(name, HeaderValue::from_static(value));
        map
    }

    #[test]
    fn a_wait_is_read_in_seconds_and_as_a_date_and_never_exceeds_an_hour() {
        for (value, expected) in [
            ("17", Some(17)),
            (" 0 ", Some(0)),
            ("999999999", Some(3600)),
            ("Wed, 4 Oct 2023 00:00:00 GMT", Some(0)),
            ("Mon, 10 Aug 2026 03:05:03 GMT", Some(10)),
            ("Fri, 31 Dec 2100 23:59:59 GMT", Some(3600)),
            ("soon", None),
            ("-5", None),
            ("", None),
        ] {
            let mut map = headers("retry-after", value);
            map.insert("date", HeaderValue::from_static("Mon, 10 Aug 2026 03:04:53 GMT"));
            assert_eq!(retry_after(&map), expected.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&headers("retry-after", "Wed, 4 Oct 2023 00:00:00 GMT")), None, "measured from nothing");
    }

    #[test]
    fn end_dates_are_read_as_mongodb_writes_them() {
        let sunset = |value| date(&headers("sunset", value), "sunset").map(|at| at.to_string());
        assert_eq!(sunset("Thu, 1 Jul 2027 00:00:00 GMT").unwrap(), "2027-07-01T00:00:00Z");
        assert_eq!(sunset("Thu, 01 Jul 2027 00:00:00 GMT").unwrap(), "2027-07-01T00:00:00Z");
        assert_eq!(sunset("@1814400000").unwrap(), "2027-07-01T00:00:00Z");
        assert_eq!(sunset("never"), None);
    }

    #[test]
    fn labels_are_distinct() {
        let labels: std::collections::BTreeSet<_> = Endpoint::ALL.iter().map(|one| one.label()).collect();
        assert_eq!(labels.len(), Endpoint::ALL.len());
        assert_eq!(CallClass::Ok.label(), "ok");
        assert_eq!(CallClass::Failed(FailureKind::Refused).label(), "refused");
    }
}
