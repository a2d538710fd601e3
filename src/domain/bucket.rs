//! One bucket of MongoDB's rate limits, as far as a client can know it.
//!
//! MongoDB counts requests per project and endpoint set in a token bucket that all clients of the organization share. What
//! is left in it is reckoned here, never better than it can be: a request counts from the moment its answer was there,
//! because the server took its token no later than that, and what answers say of the bucket (`RateLimit-Limit`,
//! `RateLimit-Remaining`, `Retry-After`) is believed. Must never read a clock.

use std::time::Duration;

/// A bucket as it is published: so many requests at once, and from empty to full in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Requests in a full bucket, at least one.
    pub capacity: u32,
    /// From empty to full.
    pub fill: Duration,
}

impl Shape {
    /// One request comes back: rounded up, so that nothing comes back too early.
    fn interval(self) -> Duration {
        self.fill / self.capacity.max(1) + Duration::from_nanos(1)
    }
}

/// How a bucket fills whose refill nobody has told: Atlas's own, 500 of 1200 in a minute.
const USUAL_FILL: Duration = Duration::from_secs(144);
/// Most calls at once in one bucket. A limit that becomes lower than this while they are under way can refuse several.
const WIDEST: u32 = 16;
/// After so much silence nothing is known of the bucket any more: the next call goes alone.
const SILENCE: Duration = Duration::from_secs(10);
/// Other clients that were noticed are given room for so long.
const OTHERS: Duration = Duration::from_secs(600);
/// Of the refill, calls that find little left take one part in so many.
const SHARE: u32 = 4;
/// What calls that may wait leave to an invitation: the two requests that one costs under digest.
const FOR_AN_INVITATION: u32 = 2;
/// When to ask again for room that an answer makes.
const UNANSWERED: Duration = Duration::from_secs(2);
/// A bucket that nobody used for so long, and that has filled up, is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// The longest wait after refusals that named none.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// May wait: leaves room for an invitation and for other clients.
    Yields,
    /// Goes as long as anything is left: an invitation, whose look has waited already, or a token.
    First,
}

/// Why a call may not go now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Time makes room: not before this moment.
    Until(Duration),
    /// Calls under way make room when they are answered.
    ByAnswers,
}

/// Leave for one call.
#[derive(Debug)]
#[must_use = "what is not answered or returned is never given back"]
pub struct Grant {
    requests: u32,
    /// The number of the grant, if nothing else was under way when it was given.
    alone: Option<u64>,
}

/// What an answer told of the bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// `RateLimit-Limit`.
    pub limit: Option<u32>,
    /// `RateLimit-Remaining`.
    pub remaining: Option<u32>,
    /// The bucket as the body of a 429 has it.
    pub shape: Option<Shape>,
    /// Whether, and for how long, the server wants nothing more.
    pub refusal: Option<Refusal>,
}

/// An answer that asks for fewer calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 429, with its `Retry-After`; without one 10, 20, 40 … 300 s pass, each with up to a quarter more.
    TooMany(Option<Duration>),
    /// The server is unavailable, and said for how long.
    Unavailable(Duration),
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an answer.
    Answered(Told),
    /// Without one: nobody can tell whether its requests were counted.
    Lost,
}

/// The first wait after a refusal that named none, and its jitter in 0..1.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// Doubled each time.
    pub first: Duration,
    /// Spreads the wait.
    pub jitter: f64,
}

/// What is known of one bucket. Times are one process's monotonic ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    published: Option<Shape>,
    shape: Option<Shape>,
    /// When it will be full, if nothing more is taken: says how much is in it at any time.
    full_at: Duration,
    /// Requests granted and not answered.
    out: u32,
    /// What the server last said is left, less what was granted since: more than that is only believed to have come back.
    proven: Option<u32>,
    /// Calls under way.
    calls: u32,
    /// How many may be.
    window: u32,
    used_at: Duration,
    closed_until: Duration,
    refusals: u32,
    paced_until: Duration,
    others_until: Duration,
    promised_until: Duration,
    granted: u64,
}

impl Bucket {
    /// Full, as far as anybody knows. `None` for a bucket of which nothing is published.
    #[must_use]
    pub fn new(published: Option<Shape>) -> Self {
        Self {
            published,
            shape: published,
            full_at: Duration::ZERO,
            out: 0,
            proven: None,
            calls: 0,
            window: 1,
            used_at: Duration::ZERO,
            closed_until: Duration::ZERO,
            refusals: 0,
            paced_until: Duration::ZERO,
            others_until: Duration::ZERO,
            promised_until: Duration::ZERO,
            granted: 0,
        }
    }

    /// A call of so many requests wants to go.
    ///
    /// # Errors
    /// When it may not.
    pub fn ask(&mut self, requests: u32, priority: Priority, now: Duration) -> Result<Grant, Held> {
        if now < self.closed_until {
            return Err(Held::Until(self.closed_until));
        }
        if self.calls == 0 && now.saturating_sub(self.used_at) > SILENCE {
            self.window = 1;
        }
        // What rests on belief goes alone.
        let believed = self.proven.is_some_and(|proven| proven < requests);
        if self.calls >= self.window || (believed && self.calls > 0) {
            return Err(Held::ByAnswers);
        }
        if let Some(shape) = self.shape {
            let spare = match priority {
                Priority::Yields => FOR_AN_INVITATION,
                Priority::First => 0,
            };
            let needed = requests.saturating_add(spare).min(shape.capacity);
            self.has(shape, needed, now)?;
            let left = self.level(shape, now).saturating_sub(self.out.saturating_add(requests));
            if left < self.reserve(shape, now) {
                if priority == Priority::Yields && now < self.paced_until {
                    return Err(Held::Until(self.paced_until));
                }
                self.paced_until = now + shape.interval() * requests.saturating_mul(SHARE);
            }
        }
        self.granted = self.granted.wrapping_add(1);
        let alone = (self.calls == 0).then_some(self.granted);
        self.proven = self.proven.map(|proven| proven.saturating_sub(requests));
        self.out = self.out.saturating_add(requests);
        self.calls = self.calls.saturating_add(1);
        Ok(Grant { requests, alone })
    }

    /// Whether nothing forbids a call that has leave to go now: a refusal since then does.
    ///
    /// # Errors
    /// When the refusal ends.
    pub fn is_open(&self, now: Duration) -> Result<(), Duration> {
        if now < self.closed_until { Err(self.closed_until) } else { Ok(()) }
    }

    /// A call that was granted was not made.
    #[expect(clippy::needless_pass_by_value, reason = "nobody gives a grant back twice")]
    pub fn returned(&mut self, grant: Grant) {
        let Grant { requests, alone: _ } = grant;
        self.ended(requests);
    }

    /// A call has ended, after so many requests.
    #[expect(clippy::needless_pass_by_value, reason = "nobody gives a grant back twice")]
    pub fn ended_with(&mut self, grant: Grant, requests: u32, ending: Ending, backoff: Backoff, now: Duration) {
        let Grant { requests: granted, alone } = grant;
        self.ended(granted);
        self.used_at = now;
        if let Some(shape) = self.shape {
            let full = self.full_at.max(now) + shape.interval() * requests;
            self.full_at = full.min(now + shape.interval() * shape.capacity);
        }
        let Ending::Answered(told) = ending else { return };
        let alone = alone == Some(self.granted);
        self.learn(told, alone, now);
        match told.refusal {
            None => {
                self.refusals = 0;
                self.window = self.window.saturating_add(1).min(WIDEST);
            }
            Some(refusal) => self.refused(refusal, backoff, now),
        }
    }

    /// Somebody gives up waiting for room and comes back later: when. Each gets a time of its own, so that they do not all
    /// come at once.
    pub fn promise(&mut self, held: Held, requests: u32, now: Duration) -> Duration {
        let earliest = match held {
            Held::Until(at) => at,
            Held::ByAnswers => now + UNANSWERED,
        };
        let interval = self.shape.map_or(Duration::ZERO, Shape::interval);
        let at = earliest.max(self.promised_until).min(earliest + LONGEST_BACKOFF);
        self.promised_until = at + interval * requests;
        at
    }

    /// Whether nothing would be lost by forgetting it.
    #[must_use]
    pub fn may_be_forgotten(&self, now: Duration) -> bool {
        let idle = now.saturating_sub(self.used_at) > FORGOTTEN && now.saturating_sub(self.promised_until) > FORGOTTEN;
        self.calls == 0 && idle && now >= self.closed_until && now >= self.full_at
    }

    fn ended(&mut self, requests: u32) {
        self.out = self.out.saturating_sub(requests);
        self.calls = self.calls.saturating_sub(1);
    }

    /// What is in it, requests under way included.
    fn level(&self, shape: Shape, now: Duration) -> u32 {
        let missing = self.full_at.saturating_sub(now).as_nanos();
        let interval = shape.interval().as_nanos().max(1);
        shape.capacity.saturating_sub(u32::try_from(missing.div_ceil(interval)).unwrap_or(u32::MAX))
    }

    fn has(&self, shape: Shape, needed: u32, now: Duration) -> Result<(), Held> {
        if self.level(shape, now) >= self.out.saturating_add(needed) {
            return Ok(());
        }
        match shape.capacity.checked_sub(self.out.saturating_add(needed)) {
            None => Err(Held::ByAnswers),
            Some(may_miss) => Err(Held::Until(self.full_at.saturating_sub(shape.interval() * may_miss).max(now))),
        }
    }

    /// What is left to other clients as long as anything else will do.
    fn reserve(&self, shape: Shape, now: Duration) -> u32 {
        if now < self.others_until { shape.capacity / SHARE } else { shape.capacity / 20 }
    }

    /// The level becomes so much.
    fn set_level(&mut self, shape: Shape, level: u32, now: Duration) {
        self.full_at = now + shape.interval() * shape.capacity.saturating_sub(level);
    }

    fn learn(&mut self, told: Told, alone: bool, now: Duration) {
        let by_limit = || {
            let limit = told.limit?.max(1);
            let news = self.shape.is_none_or(|shape| shape.capacity != limit);
            news.then(|| learned(self.published, limit))
        };
        if let Some(shape) = told.shape.filter(|shape| shape.capacity > 0).or_else(by_limit) {
            let level = self.shape.map_or(shape.capacity, |before| self.level(before, now)).min(shape.capacity);
            self.shape = Some(shape);
            self.set_level(shape, level, now);
        }
        let (Some(shape), Some(remaining)) = (self.shape, told.remaining) else { return };
        // Of others under way some may be counted in it and some not, and answers overtake each other: then it proves no more
        // than was proven before.
        let proven = remaining.saturating_sub(self.out);
        self.proven = Some(self.proven.filter(|_| !alone).map_or(proven, |before| before.min(proven)));
        let reckoned = self.level(shape, now);
        if remaining.saturating_add(self.out) < reckoned {
            self.others_until = now + OTHERS;
        }
        // Where others of this process were under way, it may have been true before they were counted.
        if alone || remaining < reckoned {
            self.set_level(shape, remaining, now);
        }
    }

    fn refused(&mut self, refusal: Refusal, backoff: Backoff, now: Duration) {
        let wait = match refusal {
            Refusal::TooMany(Some(wait)) | Refusal::Unavailable(wait) => wait,
            Refusal::TooMany(None) => {
                let wait = (backoff.first * (1 << self.refusals.min(5))).min(LONGEST_BACKOFF);
                wait + wait.mul_f64(backoff.jitter.clamp(0.0, 1.0) / 4.0)
            }
        };
        self.window = 1;
        self.closed_until = self.closed_until.max(now + wait);
        if let Refusal::TooMany(_) = refusal {
            self.refusals = self.refusals.saturating_add(1);
            // More was left by this reckoning: somebody else took it.
            self.others_until = now + OTHERS;
            self.proven = self.proven.and(Some(0));
            if let Some(shape) = self.shape {
                self.set_level(shape, 0, now);
            }
        }
    }
}

/// A limit other than the published one. How it fills is not told: never faster than what is published, and a smaller one
/// in the same time.
fn learned(published: Option<Shape>, limit: u32) -> Shape {
    match published {
        None => Shape { capacity: limit, fill: USUAL_FILL },
        Some(published) => Shape { capacity: limit, fill: published.fill.max(published.interval() * limit) },
    }
}
