//! Two processes, one Lease, and everything that can go wrong between them.
//!
//! Whatever the delays, the clocks and the losses: never do both hold the Lease at once, each by its own reckoning; and when
//! one falls silent, the other leads.

use crate::domain::lease::{Bid, Decision, Election, Lease, LeaseTimes};
use proptest::prelude::*;
use std::time::Duration;

const POST: Duration = Duration::from_secs(10);

/// The API server: one object, replaced only in the version that was seen.
#[derive(Default)]
struct Server {
    versions: Vec<Lease>,
}

impl Server {
    fn now(&self) -> Option<Lease> {
        self.versions.last().cloned()
    }

    fn write(&mut self, bid: &Bid) -> Option<Lease> {
        let present = self.versions.last().map(|lease| lease.version.clone());
        if bid.over != present {
            return None;
        }
        let written = Lease {
            holder: bid.holder.clone(),
            duration: bid.duration,
            acquired: None,
            transitions: bid.transitions,
            version: (self.versions.len() + 10).to_string(),
        };
        self.versions.push(written.clone());
        Some(written)
    }
}

/// A request on its way.
enum Call {
    Read,
    Write { bid: Bid, sent: Duration },
}

struct Process {
    election: Election,
    /// Its clock shows this at the beginning of the world.
    offset: Duration,
    /// Requests that have not arrived, the given-up ones too.
    sent: Vec<Call>,
    /// The answer that it waits for, once the request has arrived.
    answer: Option<(Call, Option<Lease>)>,
    waits: bool,
}

impl Process {
    fn new(name: &str, offset: u64) -> Self {
        Self {
            election: Election::new(name.to_owned(), LeaseTimes::default(), POST),
            offset: Duration::from_millis(offset),
            sent: Vec::new(),
            answer: None,
            waits: false,
        }
    }

    fn clock(&self, world: Duration) -> Duration {
        self.offset + world
    }

    fn holds(&self, world: Duration) -> bool {
        self.election.held_until().is_some_and(|until| self.clock(world) < until)
    }

    /// Runs until it waits for something.
    fn step(&mut self, world: Duration) {
        if self.waits {
            return;
        }
        let now = self.clock(world);
        match self.election.decide(now) {
            Decision::Look => self.sent.push(Call::Read),
            Decision::Acquire(bid) | Decision::Renew(bid) => self.sent.push(Call::Write { bid, sent: now }),
            Decision::StandDown(_) => return self.election.stand_down(),
            Decision::Wait(_) => return,
        }
        self.waits = true;
        self.answer = None;
    }

    /// One of the requests reaches the server, not always the last one sent.
    fn arrive(&mut self, server: &mut Server, which: Option<usize>) {
        let Some(newest) = self.sent.len().checked_sub(1) else { return };
        let which = which.map_or(newest, |which| which.min(newest));
        let call = self.sent.remove(which);
        let result = match &call {
            Call::Read => server.now(),
            Call::Write { bid, .. } => server.write(bid),
        };
        if which == newest && self.waits {
            self.answer = Some((call, result));
        }
    }

    fn hear(&mut self, world: Duration) {
        let now = self.clock(world);
        let Some((call, result)) = self.answer.take() else { return };
        self.waits = false;
        match (call, result) {
            (Call::Read, seen) => self.election.observe(seen, now),
            (Call::Write { sent, .. }, Some(written)) => self.election.acknowledged(written, sent, now),
            (Call::Write { .. }, None) => self.election.doubt(),
        }
    }

    fn give_up(&mut self, world: Duration) {
        if self.waits {
            self.waits = false;
            self.answer = None;
            self.election.failed(self.clock(world));
        }
    }
}

#[derive(Clone, Debug)]
enum Event {
    /// Nothing happens for so long.
    Time(u64),
    /// A step, and all goes well with it.
    Exchange(usize),
    Step(usize),
    /// The newest request arrives, or one that was given up before.
    Arrive(usize, Option<usize>),
    Hear(usize),
    GiveUp(usize),
    /// A watch reports the newest version, or one so many versions old.
    Watch(usize, usize),
}

fn event() -> impl Strategy<Value = Event> {
    let who = || 0_usize..2;
    prop_oneof![
        4 => (0_u64..1_500).prop_map(Event::Time),
        1 => (6_000_u64..16_000).prop_map(Event::Time),
        6 => who().prop_map(Event::Exchange),
        2 => who().prop_map(Event::Step),
        2 => (who(), proptest::option::of(0_usize..4)).prop_map(|(who, which)| Event::Arrive(who, which)),
        2 => who().prop_map(Event::Hear),
        1 => who().prop_map(Event::GiveUp),
        2 => (who(), 0_usize..3).prop_map(|(who, old)| Event::Watch(who, old)),
    ]
}

fn exchange(process: &mut Process, server: &mut Server, world: Duration) {
    process.step(world);
    process.arrive(server, None);
    process.hear(world);
}

/// One good exchange after another, a little time between them.
fn runs_well(process: &mut Process, server: &mut Server, world: &mut Duration) {
    *world += Duration::from_millis(20);
    exchange(process, server, *world);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_do_two_hold_the_lease_at_once_and_one_always_comes_to_hold_it(
        offsets in (0_u64..1_000_000, 0_u64..1_000_000),
        schedule in proptest::collection::vec(event(), 1..400),
    ) {
        let mut server = Server::default();
        let mut processes = [Process::new("a", offsets.0), Process::new("b", offsets.1)];
        let mut world = Duration::ZERO;
        for event in schedule {
            match event {
                Event::Time(millis) => world += Duration::from_millis(millis),
                Event::Step(who) => processes[who].step(world),
                Event::Exchange(who) => exchange(&mut processes[who], &mut server, world),
                Event::Arrive(who, which) => processes[who].arrive(&mut server, which),
                Event::Hear(who) => processes[who].hear(world),
                Event::GiveUp(who) => processes[who].give_up(world),
                Event::Watch(who, old) => {
                    let reported = server.versions.iter().rev().nth(old).cloned();
                    let now = processes[who].clock(world);
                    if reported.is_some() {
                        processes[who].election.observe(reported, now);
                    }
                }
            }
            let [a, b] = &processes;
            prop_assert!(!(a.holds(world) && b.holds(world)), "both hold the lease");
        }
        // From here on one is silent for ever, and nothing goes wrong with the other.
        let [_, b] = &mut processes;
        b.give_up(world);
        b.sent.clear();
        let silent_since = world;
        while !b.holds(world) {
            runs_well(b, &mut server, &mut world);
            // Without a watch the last renewal is seen two tries late; then a lease, a pause after a failure, some calls.
            prop_assert!(world.saturating_sub(silent_since) < Duration::from_secs(4 + 15 + 2 + 1), "nobody leads");
        }
        // And it goes on leading, once what had failed before is retried: until then it may still have to stand down.
        let settled = world + Duration::from_secs(4);
        for _ in 0..400 {
            runs_well(b, &mut server, &mut world);
            prop_assert!(b.holds(world) || world < settled);
        }
    }
}

#[test]
fn schedules_of_this_kind_do_let_both_lead_in_turns() {
    // Guards the test above against a world in which nothing ever happens.
    let mut server = Server::default();
    let mut processes = [Process::new("a", 500_000), Process::new("b", 3)];
    let mut world = Duration::ZERO;
    let mut reigns = Vec::new();
    for turn in 0..4_usize {
        let who = turn % 2;
        let begun = world;
        while !processes[who].holds(world) {
            runs_well(&mut processes[who], &mut server, &mut world);
            assert!(world.saturating_sub(begun) < Duration::from_secs(40), "no progress");
        }
        reigns.push(who);
    }
    assert_eq!(reigns, [0, 1, 0, 1]);
    assert_eq!(server.now().unwrap().transitions, 3);
}
