//! Who leads: the protocol of the Lease, as a state machine over values.
//!
//! Owns three rules. A holder is taken for dead only after its Lease has stayed unchanged for its whole duration of *this*
//! process's own time: the clocks of two machines are never compared. The own hold counts from the moment *before* the last
//! acknowledged renewal was sent: whoever watches cannot have begun to count earlier. Every write replaces just the version
//! that was seen. Must never conclude a hold from a write without an answer.

use jiff::Timestamp;
use std::time::Duration;

/// A rehearsal tries no more often than this.
const FASTEST_RETRY: Duration = Duration::from_millis(200);

/// The times of an election. The defaults are those of Kubernetes' own components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTimes {
    /// How long a Lease holds after its last renewal.
    pub duration: Duration,
    /// A leader that could not renew for so long stops leading.
    pub renew_deadline: Duration,
    /// Time between two tries.
    pub retry_period: Duration,
    /// A call that mails must be over so long before the Lease could end: for timers that fire late.
    pub margin: Duration,
}

impl Default for LeaseTimes {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
            margin: Duration::from_secs(3),
        }
    }
}

impl LeaseTimes {
    /// The same times, all shorter by one factor: for rehearsals and tests. By a smaller one where tries would come faster
    /// than an API server bears; that only makes the Lease outlast what it guards by more.
    #[must_use]
    pub fn divided_by(self, factor: u32) -> Self {
        let most = self.retry_period.as_millis() / FASTEST_RETRY.as_millis();
        let factor = factor.min(u32::try_from(most).unwrap_or(u32::MAX)).max(1);
        Self {
            duration: self.duration / factor,
            renew_deadline: self.renew_deadline / factor,
            retry_period: self.retry_period / factor,
            margin: self.margin / factor,
        }
    }

    /// So much of the Lease must be left before a call that mails may begin.
    #[must_use]
    pub fn needed_for(&self, post_deadline: Duration) -> Duration {
        post_deadline + self.margin
    }

    /// Time between two renewals: short enough that between them there is always enough left for a call that mails.
    #[must_use]
    pub fn renew_every(&self, post_deadline: Duration) -> Duration {
        self.retry_period.min(self.duration.saturating_sub(self.needed_for(post_deadline)) / 2)
    }
}

/// What the Lease holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it; nobody after a release.
    pub holder: Option<String>,
    /// For how long it holds after a renewal, as its holder says.
    pub duration: Duration,
    /// When its holder took it, as its holder says: for people.
    pub acquired: Option<Timestamp>,
    /// How often it went from one to another.
    pub transitions: i32,
    /// `resourceVersion`.
    pub version: String,
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bid {
    /// The version to replace; none to create.
    pub over: Option<String>,
    /// Who holds it from then on; nobody for a release.
    pub holder: Option<String>,
    /// For how long after each renewal.
    pub duration: Duration,
    /// When it was taken; none for just now.
    pub acquired: Option<Timestamp>,
    /// How often it went from one to another.
    pub transitions: i32,
}

/// Why a leader stops leading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Somebody else holds the Lease.
    Taken(String),
    /// It could not be renewed in time.
    NotRenewed,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Read the Lease from the API server itself.
    Look,
    /// Write it: whoever has it acknowledged leads.
    Acquire(Bid),
    /// Write it again.
    Renew(Bid),
    /// Nothing before this moment, unless something is seen.
    Wait(Duration),
    /// Stop leading.
    StandDown(Lost),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Following,
    /// Since the moment before the last acknowledged write was sent.
    Leading(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Knowledge {
    /// The Lease must be read before anything is written.
    Doubtful,
    /// As it was at this moment at the latest.
    Seen(Duration),
}

/// One candidate. All moments are its own process's monotonic time.
#[derive(Clone, Debug)]
pub struct Election {
    identity: String,
    times: LeaseTimes,
    renew_every: Duration,
    standing: Standing,
    knowledge: Knowledge,
    lease: Option<Lease>,
    /// Before this moment somebody else may hold the Lease.
    reserved_until: Duration,
    /// After a failure nothing is tried before this moment.
    not_before: Duration,
}

impl Election {
    /// A candidate that has seen nothing yet. `identity` must be this process's alone.
    #[must_use]
    pub fn new(identity: String, times: LeaseTimes, post_deadline: Duration) -> Self {
        Self {
            identity,
            times,
            renew_every: times.renew_every(post_deadline),
            standing: Standing::Following,
            knowledge: Knowledge::Doubtful,
            lease: None,
            reserved_until: Duration::ZERO,
            not_before: Duration::ZERO,
        }
    }

    /// Until when this process surely holds the Lease; none when it does not lead.
    #[must_use]
    pub fn held_until(&self) -> Option<Duration> {
        match self.standing {
            Standing::Following => None,
            Standing::Leading(renewed) => Some(renewed + self.times.duration),
        }
    }

    /// Who holds the Lease, as last seen.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.lease.as_ref()?.holder.as_deref()
    }

    /// The newest version that is known.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.lease.as_ref().map(|lease| lease.version.as_str())
    }

    /// The Lease was seen: read live (`None` when there is none), or reported by a watch.
    pub fn observe(&mut self, seen: Option<Lease>, now: Duration) {
        let Some(seen) = seen else {
            // Deleted, and its holder may not know yet: what was reserved stays so.
            self.lease = None;
            self.knowledge = Knowledge::Seen(now);
            return;
        };
        let known = self.lease.as_ref().map(|lease| order(&lease.version));
        match known {
            // A watch may lag behind what was read or written.
            Some(known) if order(&seen.version) < known => return,
            Some(known) if order(&seen.version) == known => {}
            // Any change is a sign of life, whoever made it: the count begins anew, when it is seen and not before.
            Some(_) | None => {
                self.reserved_until = match &seen.holder {
                    Some(holder) if *holder != self.identity => now + seen.duration,
                    Some(_) | None => now,
                };
                self.lease = Some(seen);
            }
        }
        self.knowledge = Knowledge::Seen(now);
    }

    /// Something happened to the Lease, or a write met another version: it must be read again.
    pub fn doubt(&mut self) {
        self.knowledge = Knowledge::Doubtful;
    }

    /// A read or a write had no answer, or was refused.
    pub fn failed(&mut self, now: Duration) {
        self.doubt();
        self.not_before = now + self.times.retry_period;
    }

    /// The API server has acknowledged a bid that was sent at this moment.
    pub fn acknowledged(&mut self, written: Lease, sent: Duration, now: Duration) {
        self.standing =
            if written.holder.as_ref() == Some(&self.identity) { Standing::Leading(sent) } else { Standing::Following };
        self.observe(Some(written), now);
    }

    /// Leads no more.
    pub fn stand_down(&mut self) {
        self.standing = Standing::Following;
        self.doubt();
    }

    /// What to do now.
    #[must_use]
    pub fn decide(&self, now: Duration) -> Decision {
        match self.standing {
            Standing::Leading(renewed) => self.lead(renewed, now),
            Standing::Following => self.follow(now),
        }
    }

    fn lead(&self, renewed: Duration, now: Duration) -> Decision {
        let end = renewed + self.times.renew_deadline;
        if now >= end {
            return Decision::StandDown(Lost::NotRenewed);
        }
        let mine = match self.holder() {
            Some(holder) if holder != self.identity => return Decision::StandDown(Lost::Taken(holder.to_owned())),
            Some(_) => true,
            // Deleted or cleared by hand: taken back at once, before somebody else does.
            None => false,
        };
        let due = if mine { self.not_before.max(renewed + self.renew_every) } else { self.not_before };
        if now < due {
            return Decision::Wait(due.min(end));
        }
        match self.knowledge {
            Knowledge::Doubtful => Decision::Look,
            Knowledge::Seen(_) => Decision::Renew(self.bid()),
        }
    }

    fn follow(&self, now: Duration) -> Decision {
        if now < self.not_before {
            return Decision::Wait(self.not_before);
        }
        let Knowledge::Seen(seen) = self.knowledge else { return Decision::Look };
        if now >= self.reserved_until {
            return Decision::Acquire(self.bid());
        }
        // A leader shows itself at every renewal. When nothing is seen for longer, the watch may be the one that is dead.
        let suspicious = seen + self.times.retry_period * 2;
        if now >= suspicious { Decision::Look } else { Decision::Wait(suspicious.min(self.reserved_until)) }
    }

    fn bid(&self) -> Bid {
        let holder = Some(self.identity.clone());
        let duration = self.times.duration;
        match &self.lease {
            None => Bid { over: None, holder, duration, acquired: None, transitions: 0 },
            Some(lease) => {
                let same = lease.holder == holder;
                let from_another = i32::from(!same);
                Bid {
                    over: Some(lease.version.clone()),
                    holder,
                    duration,
                    acquired: lease.acquired.filter(|_| same),
                    transitions: lease.transitions.saturating_add(from_another),
                }
            }
        }
    }

    /// Gives the Lease back, if it is held: others need not wait for its end.
    #[must_use]
    pub fn release(&self) -> Option<Bid> {
        let lease = self.lease.as_ref().filter(|lease| lease.holder.as_ref() == Some(&self.identity))?;
        Some(Bid {
            over: Some(lease.version.clone()),
            holder: None,
            duration: Duration::from_secs(1),
            acquired: lease.acquired,
            transitions: lease.transitions,
        })
    }
}

/// resourceVersions of one resource are ordered numbers (Kubernetes: KEP-5504).
fn order(version: &str) -> u64 {
    version.parse().unwrap_or_default()
}
