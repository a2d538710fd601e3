//! What the races came to.

use std::fmt;

/// Counts of all races.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Races of which both sides were answered.
    pub races: usize,
    /// Of these, those with a second object for the person.
    pub with_two_objects: usize,
    /// The finalizer was acknowledged, and the object gone.
    pub lost: usize,
    /// The finalizer came first.
    pub finalizer_first: usize,
    /// The deletion came first.
    pub deletion_first: usize,
    /// E-mails sent.
    pub mails: usize,
    /// What must not be, one line each.
    pub violations: Vec<String>,
}

impl Table {
    /// Adds the counts of another.
    pub fn add(&mut self, other: Self) {
        self.races += other.races;
        self.with_two_objects += other.with_two_objects;
        self.lost += other.lost;
        self.finalizer_first += other.finalizer_first;
        self.deletion_first += other.deletion_first;
        self.mails += other.mails;
        self.violations.extend(other.violations);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("races", self.races),
            ("  with two objects for the person", self.with_two_objects),
            ("  finalizer acknowledged, object gone", self.lost),
            ("  finalizer first", self.finalizer_first),
            ("  deletion first", self.deletion_first),
            ("e-mails", self.mails),
            ("violations", self.violations.len()),
        ];
        for (what, count) in rows {
            writeln!(f, "{what:<40} {count:>7}")?;
        }
        self.violations.iter().try_for_each(|violation| writeln!(f, "VIOLATION: {violation}"))
    }
}
