//! What was done, and what came of it.

use super::trap::Moment;
use crate::kind::Kind;
use std::collections::BTreeMap;
use std::fmt;

/// What must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// A person got an e-mail for which there was no cause.
    Duplicate,
    /// A pending invitation that no claim knows, or that nobody wants.
    Leak,
    /// An object, a finalizer or a claim that does not come to rest.
    Stuck,
}

/// Counts of all that happened.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// SIGKILLs.
    pub kills: usize,
    /// Of these, those at a position, by position.
    pub positions: BTreeMap<(Kind, Moment), usize>,
    /// Leaders frozen or cut off until the other led, and let go on.
    pub splits: usize,
    /// Of these, those by SIGSTOP and SIGCONT.
    pub freezes: usize,
    /// The API server was killed and started again.
    pub restarts: usize,
    /// The API server was frozen for a while.
    pub pauses: usize,
    /// Secrets taken away and given back.
    pub secrets: usize,
    /// Finalizers removed by force.
    pub forced: usize,
    /// People who were invited.
    pub people: usize,
    /// Times that an e-mail was wanted.
    pub causes: usize,
    /// E-mails sent.
    pub mails: usize,
    /// Held for a human after two losses in a row, who then asked for another.
    pub held: usize,
    /// Came to rest at the cap on e-mails.
    pub capped: usize,
    /// What must not be, and about whom.
    pub violations: Vec<(Wrong, String)>,
}

impl Tally {
    /// Adds the counts of another.
    pub fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.splits += other.splits;
        self.freezes += other.freezes;
        self.restarts += other.restarts;
        self.pauses += other.pauses;
        self.secrets += other.secrets;
        self.forced += other.forced;
        self.people += other.people;
        self.causes += other.causes;
        self.mails += other.mails;
        self.held += other.held;
        self.capped += other.capped;
        self.violations.extend(other.violations);
        for (position, count) in other.positions {
            *self.positions.entry(position).or_default() += count;
        }
    }

    fn count(&self, wrong: Wrong) -> usize {
        self.violations.iter().filter(|(kind, _)| *kind == wrong).count()
    }

    /// The positions at which replicas were killed.
    fn write_positions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "killed at{:<31} {:>8} {:>8} {:>8}", "", "unsent", "unheard", "after")?;
        for kind in Kind::POSITIONS {
            let at = Moment::ALL.map(|moment| self.positions.get(&(kind, moment)).copied().unwrap_or_default());
            let [unsent, unheard, after] = at;
            writeln!(f, "  {:<38} {unsent:>8} {unheard:>8} {after:>8}", format!("{kind:?}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_positions(f)?;
        let at_positions = self.positions.values().sum::<usize>();
        let rows = [
            ("kills (SIGKILL)", self.kills),
            ("  at request positions", at_positions),
            ("  at random instants", self.kills.saturating_sub(at_positions)),
            ("splits: another led meanwhile", self.splits),
            ("  frozen (SIGSTOP, SIGCONT)", self.freezes),
            ("  cut off from the API server", self.splits.saturating_sub(self.freezes)),
            ("API server killed and started", self.restarts),
            ("API server frozen", self.pauses),
            ("Secrets removed and restored", self.secrets),
            ("finalizers removed by force", self.forced),
            ("people", self.people),
            ("e-mails wanted, at most", self.causes),
            ("e-mails sent", self.mails),
            ("held after two losses, asked again", self.held),
            ("at rest at the cap on e-mails", self.capped),
            ("DUPLICATES", self.count(Wrong::Duplicate)),
            ("LEAKS", self.count(Wrong::Leak)),
            ("STUCK", self.count(Wrong::Stuck)),
        ];
        for (what, count) in rows {
            writeln!(f, "{what:<40} {count:>8}")?;
        }
        self.violations.iter().try_for_each(|(wrong, what)| writeln!(f, "{wrong:?}: {what}"))
    }
}
