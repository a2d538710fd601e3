//! How many invitations may be sent to a host, and to whom the next one goes.
//!
//! MongoDB takes 10 invitations a minute from one address and answers a 400 `…RATE_LIMITED_IP` to more (Terraform's provider
//! for Atlas, issue 1589, 2023: "Rate limit of 10 invitations per 1 minutes exceeded"). So sends are counted per host over a
//! sliding window, over all inviters of that host, and who finds no room waits for its turn. A send counts from the moment
//! its answer was there, and as long as its permit is out: whenever the server counted it, that was not later. Must never
//! read a clock, and never decide what is sent.

use super::turns::{Turns, Waiter, Waiting};
use std::collections::{HashMap, HashSet, VecDeque};
use std::num::NonZeroU32;
use std::time::Duration;

/// A limit found lower than configured holds for so many windows, twice as many at each further refusal.
const LEARNED_FOR: u32 = 10;
/// It is doubled no more often than this: from ten minutes to ten hours.
const DOUBLED: u32 = 6;

/// How many invitations may be sent to one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// As many as there are, until the host refuses one.
    Unlimited,
    /// At most so many in any minute.
    PerMinute(NonZeroU32),
}

/// The answer to who wants to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Now: the permit is out until it is spent or given back.
    Granted,
    /// Later: it keeps its place, and is told its turn.
    Waits {
        /// About how long, as estimated when it came.
        expected: Duration,
    },
}

/// One whose turn has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who.
    pub waiter: Waiter,
    /// How long it has waited.
    pub waited: Duration,
}

/// A limit that the host has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Learned {
    limit: usize,
    until: Duration,
    times: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Host {
    /// When sends of the last window ended, oldest first.
    sent: VecDeque<Duration>,
    /// Permits that are out.
    taken: usize,
    /// Those whose turn has come and who have not taken it yet.
    reserved: HashSet<Waiter>,
    turns: Turns,
    closed_until: Duration,
    learned: Option<Learned>,
}

/// All hosts. Times are one process's monotonic ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pacer {
    limit: Option<usize>,
    window: Duration,
    hosts: HashMap<String, Host>,
}

impl Pacer {
    /// Nobody has sent anything. `minute` is what a minute lasts: less than 60 s in rehearsals only.
    #[must_use]
    pub fn new(rate: Rate, minute: Duration) -> Self {
        let limit = match rate {
            Rate::Unlimited => None,
            Rate::PerMinute(count) => Some(usize::try_from(count.get()).unwrap_or(usize::MAX)),
        };
        // Two machines do not agree on what a minute is to the millisecond.
        Self { limit, window: minute + minute / 200, hosts: HashMap::new() }
    }

    /// Somebody wants to send to a host.
    pub fn ask(&mut self, host: &str, waiter: &Waiter, now: Duration) -> Asked {
        for (_, other) in self.hosts.iter_mut().filter(|(name, _)| *name != host) {
            other.leave(waiter);
        }
        let (limit, window) = (self.limit, self.window);
        let host = self.hosts.entry(host.to_owned()).or_default();
        if host.reserved.remove(waiter) {
            host.taken += 1;
            return Asked::Granted;
        }
        if let Some(waiting) = host.turns.find(waiter) {
            return Asked::Waits { expected: waiting.expected };
        }
        // Nobody passes those who wait.
        if host.turns.is_empty() && host.room(limit, window, now) > 0 {
            host.taken += 1;
            return Asked::Granted;
        }
        let expected = host.expected(&waiter.namespace, limit, window, now);
        host.turns.come(Waiting { waiter: waiter.clone(), since: now, expected });
        Asked::Waits { expected }
    }

    /// Takes the turn that has come for this object, if one has; tells for which host.
    pub fn take(&mut self, waiter: &Waiter) -> Option<String> {
        let (name, host) = self.hosts.iter_mut().find(|(_, host)| host.reserved.contains(waiter))?;
        host.reserved.remove(waiter);
        host.taken += 1;
        Some(name.clone())
    }

    /// A permit that was taken is kept for the object's next pass.
    pub fn keep(&mut self, host: &str, waiter: &Waiter) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.taken = host.taken.saturating_sub(1);
            host.reserved.insert(waiter.clone());
        }
    }

    /// A permit was not needed: nothing was sent.
    pub fn give_back(&mut self, host: &str) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.taken = host.taken.saturating_sub(1);
        }
    }

    /// A permit was used, or may have been.
    pub fn spent(&mut self, host: &str, now: Duration) {
        let window = self.window;
        if let Some(host) = self.hosts.get_mut(host) {
            host.taken = host.taken.saturating_sub(1);
            host.forget_old(window, now);
            host.sent.push_back(now);
        }
    }

    /// The host refused a send because there were too many: it is closed to all, what it took in the last window is its
    /// limit for a while, and who was refused has the next turn of its namespace.
    pub fn throttled(&mut self, host: &str, waiter: &Waiter, now: Duration) {
        let (limit, window) = (self.limit, self.window);
        let Some(host) = self.hosts.get_mut(host) else { return };
        host.taken = host.taken.saturating_sub(1);
        host.forget_old(window, now);
        // Several that were on their way together are refused together, and teach once.
        if now >= host.closed_until {
            host.learn(limit, window, now);
        }
        host.closed_until = host.closed_until.max(now + window);
        host.turns.come_back(Waiting { waiter: waiter.clone(), since: now, expected: window });
    }

    /// The object wants nothing more; tells whether it did.
    pub fn leave(&mut self, waiter: &Waiter) -> bool {
        let mut left = false;
        for host in self.hosts.values_mut() {
            left |= host.leave(waiter);
        }
        left
    }

    /// Whose turns have come: each keeps its permit until it takes it, keeps away or leaves.
    pub fn due(&mut self, now: Duration) -> Vec<Turn> {
        let (limit, window) = (self.limit, self.window);
        let mut due = Vec::new();
        for host in self.hosts.values_mut() {
            while !host.turns.is_empty() && host.room(limit, window, now) > 0 {
                let Some(Waiting { waiter, since, .. }) = host.turns.next_turn() else { break };
                host.reserved.insert(waiter.clone());
                due.push(Turn { waiter, waited: now.saturating_sub(since) });
            }
        }
        due
    }

    /// When the next turn comes, unless a permit is given back before; `None` while nobody waits for time to pass.
    #[must_use]
    pub fn next_at(&self, now: Duration) -> Option<Duration> {
        let waited_for = self.hosts.values().filter(|host| !host.turns.is_empty());
        waited_for.filter_map(|host| host.opens_at(self.limit, self.window, now)).min()
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.hosts.values().map(|host| host.turns.len()).sum()
    }

    /// Begins anew: nobody waits, and what was sent is what the ledger tells, as host and time of each send. Permits that
    /// are out stay out.
    pub fn refill(&mut self, sends: impl IntoIterator<Item = (String, Duration)>, now: Duration) {
        for host in self.hosts.values_mut() {
            host.sent.clear();
            host.reserved.clear();
            host.turns = Turns::default();
        }
        for (name, at) in sends {
            self.hosts.entry(name).or_default().sent.push_back(at.min(now));
        }
        for host in self.hosts.values_mut() {
            host.sent.make_contiguous().sort_unstable();
            host.forget_old(self.window, now);
        }
    }
}

impl Host {
    fn leave(&mut self, waiter: &Waiter) -> bool {
        let before = self.turns.leave(waiter);
        self.reserved.remove(waiter) || before
    }

    fn forget_old(&mut self, window: Duration, now: Duration) {
        while self.sent.front().is_some_and(|at| *at + window <= now) {
            self.sent.pop_front();
        }
    }

    fn limit(&self, configured: Option<usize>, now: Duration) -> Option<usize> {
        self.learned.filter(|learned| now < learned.until).map(|learned| learned.limit).or(configured)
    }

    /// How many more may be sent now.
    fn room(&mut self, configured: Option<usize>, window: Duration, now: Duration) -> usize {
        self.forget_old(window, now);
        if now < self.closed_until {
            return 0;
        }
        let limit = self.limit(configured, now).unwrap_or(usize::MAX);
        limit.saturating_sub(self.sent.len() + self.taken + self.reserved.len())
    }

    /// When there is room, as far as time alone makes it.
    fn opens_at(&self, configured: Option<usize>, window: Duration, now: Duration) -> Option<Duration> {
        let opens = match self.limit(configured, now) {
            None => now,
            Some(limit) => {
                let used = self.sent.len() + self.taken + self.reserved.len();
                match used.checked_sub(limit) {
                    None => now,
                    Some(surplus) => *self.sent.get(surplus)? + window,
                }
            }
        };
        Some(opens.max(self.closed_until))
    }

    fn expected(&self, namespace: &str, configured: Option<usize>, window: Duration, now: Duration) -> Duration {
        let opens = self.opens_at(configured, window, now).unwrap_or(now + window);
        let ahead = self.turns.ahead_of_next(namespace);
        let rounds = self.limit(configured, now).map_or(0, |limit| ahead / limit.max(1));
        opens.saturating_sub(now) + window * u32::try_from(rounds).unwrap_or(u32::MAX)
    }

    /// What it took in the last window is what it takes. Nothing is learned where nothing was sent: then others at the same
    /// address used it up.
    fn learn(&mut self, configured: Option<usize>, window: Duration, now: Duration) {
        if self.sent.is_empty() {
            return;
        }
        let below = self.limit(configured, now).map_or(usize::MAX, |limit| limit.saturating_sub(1));
        let times = self.learned.map_or(0, |learned| (learned.times + 1).min(DOUBLED));
        let limit = self.sent.len().min(below).max(1);
        self.learned = Some(Learned { limit, until: now + window * (LEARNED_FOR << times), times });
    }
}
