//! Buckets, whatever happens: never more is sent than the server's own bucket admits, whenever it counts a request.

use super::pacing::seconds;
use crate::domain::bucket::{Backoff, Bucket, Ending, Grant, Priority, Refusal, Shape, Told};
use proptest::prelude::*;
use std::time::Duration;

/// The server's bucket, to the nanosecond.
struct Server {
    shape: Shape,
    full_at: Duration,
    refused: usize,
}

impl Server {
    fn interval(&self) -> Duration {
        self.shape.fill / self.shape.capacity
    }

    fn left(&self, now: Duration) -> u32 {
        let missing = self.full_at.saturating_sub(now).as_nanos().div_ceil(self.interval().as_nanos());
        self.shape.capacity.saturating_sub(u32::try_from(missing).unwrap())
    }

    /// Another shape from now on, with no more in it than fits.
    fn becomes(&mut self, shape: Shape, now: Duration) {
        let left = self.left(now).min(shape.capacity);
        self.shape = shape;
        self.full_at = now + self.interval() * (shape.capacity - left);
    }

    fn take(&mut self, headers: bool, now: Duration) -> Told {
        if self.left(now) == 0 {
            self.refused += 1;
            let wait = seconds(self.interval().as_secs() + 1);
            let shape = headers.then_some(self.shape);
            return Told { shape, refusal: Some(Refusal::TooMany(Some(wait))), ..Told::default() };
        }
        self.full_at = self.full_at.max(now) + self.interval();
        let says = |number| headers.then_some(number);
        Told { limit: says(self.shape.capacity), remaining: says(self.left(now)), ..Told::default() }
    }
}

#[derive(Clone, Debug)]
struct Wish {
    after: Duration,
    priority: Priority,
    requests: u32,
    /// Until the server counts it, and from there until its answer is there.
    under_way: (Duration, Duration),
}

fn wish(longest: u64) -> impl Strategy<Value = Wish> {
    let millis = |most| (0..most).prop_map(Duration::from_millis);
    let gap = prop_oneof![8 => millis(20), 3 => millis(2_000), 1 => millis(40_000)];
    (gap, any::<bool>(), 1..3_u32, millis(longest), millis(longest)).prop_map(|(after, yields, requests, out, back)| {
        Wish {
            after,
            priority: if yields { Priority::Yields } else { Priority::First },
            requests,
            under_way: (out, back),
        }
    })
}

struct UnderWay {
    grant: Grant,
    requests: u32,
    counted_at: Duration,
    answered_at: Duration,
    told: Option<Told>,
}

struct Line {
    client: Bucket,
    server: Server,
    headers: bool,
    under_way: Vec<UnderWay>,
    now: Duration,
    sent: u32,
}

impl Line {
    fn new(published: Shape, really: Shape, headers: bool) -> Self {
        let server = Server { shape: really, full_at: Duration::ZERO, refused: 0 };
        let client = Bucket::new(Some(published));
        Self { client, server, headers, under_way: Vec::new(), now: seconds(1000), sent: 0 }
    }

    /// Everything that happens until then, in its order.
    fn pass(&mut self, until: Duration) {
        loop {
            let next = |call: &UnderWay| if call.told.is_none() { call.counted_at } else { call.answered_at };
            let first = self.under_way.iter().enumerate().min_by_key(|(_, call)| next(call));
            let Some((index, at)) = first.map(|(index, call)| (index, next(call))).filter(|(_, at)| *at <= until)
            else {
                break;
            };
            let call = &mut self.under_way[index];
            if call.told.is_none() {
                let mut told = Told::default();
                for _ in 0..call.requests {
                    // Who is refused stops there.
                    if told.refusal.is_none() {
                        told = self.server.take(self.headers, at);
                    }
                }
                call.told = Some(told);
                continue;
            }
            let call = self.under_way.swap_remove(index);
            let backoff = Backoff { first: seconds(10), jitter: 0.5 };
            let ending = call.told.map_or(Ending::Lost, Ending::Answered);
            self.client.ended_with(call.grant, call.requests, ending, backoff, at);
        }
        self.now = until;
    }

    fn wishes(&mut self, wishes: &[Wish]) {
        for wish in wishes {
            self.pass(self.now + wish.after);
            if let Ok(grant) = self.client.ask(wish.requests, wish.priority, self.now) {
                self.sent += wish.requests;
                let counted_at = self.now + wish.under_way.0;
                let answered_at = counted_at + wish.under_way.1;
                self.under_way.push(UnderWay { grant, requests: wish.requests, counted_at, answered_at, told: None });
            }
        }
    }
}

fn small() -> impl Strategy<Value = Shape> {
    (2..40_u32, 1..200_u64).prop_map(|(capacity, fill)| Shape { capacity, fill: seconds(fill) })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// With the parameters that are published, and whatever answers say or leave out.
    #[test]
    fn never_more_than_the_bucket_admits(
        shape in small(), headers in any::<bool>(), wishes in prop::collection::vec(wish(3_000), 1..400),
    ) {
        let mut line = Line::new(shape, shape, headers);
        line.wishes(&wishes);
        prop_assert!(line.sent > 0);
        prop_assert_eq!(line.server.refused, 0);
    }

    /// A bucket that fills as published and holds less is learned without a refusal.
    #[test]
    fn a_smaller_bucket_is_learned_from_its_headers(
        capacity in 2..1200_u32, wishes in prop::collection::vec(wish(1_000), 1..400),
    ) {
        let published = Shape { capacity: 1200, fill: seconds(144) };
        let mut line = Line::new(published, Shape { capacity, ..published }, true);
        line.wishes(&wishes);
        prop_assert_eq!(line.server.refused, 0);
    }

    /// A limit that changes while nobody calls, however it fills then: one call is refused at most, and none where only
    /// the size changes.
    #[test]
    fn a_limit_that_changes_underneath_costs_one_refusal_at_most(
        capacity in 2..40_u32, fill in 1..2_000_u64, same_fill in any::<bool>(),
        before in prop::collection::vec(wish(1_000), 1..150), after in prop::collection::vec(wish(1_000), 1..300),
    ) {
        let published = Shape { capacity: 1200, fill: seconds(144) };
        let mut line = Line::new(published, published, true);
        line.wishes(&before);
        line.pass(line.now + seconds(15));
        prop_assert_eq!(line.server.refused, 0);
        let fill = if same_fill { published.fill } else { seconds(fill) };
        line.server.becomes(Shape { capacity, fill }, line.now);
        line.wishes(&after);
        prop_assert!(line.server.refused <= usize::from(!same_fill), "{} requests refused", line.server.refused);
    }
}
