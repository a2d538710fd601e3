//! The scenarios of the enumerator: what people do, and how many e-mails that may cost.
//!
//! One line of life each; faults come on top. Must never depend on how the operator gets there.

use crate::action::{Action, Place};
use crate::bugs::Wiring;
use crate::cloud::Reception;
use crate::plan::Plan;
use crate::run::Case;
use crate::stage::setup;
use invitation_operator::api::{DeletionPolicy, OnUnknown};
use std::time::Duration;

const X: Place = ("a", "x");
const Y: Place = ("a", "yy");
const Z: Place = ("b", "x");

/// A scenario.
#[derive(Clone)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What people do, and when, in milliseconds.
    script: Vec<(u64, Action)>,
    /// How many e-mails it costs when nothing goes wrong.
    pub mails: usize,
    on_unknown: OnUnknown,
    life: Duration,
    list_lag: Duration,
    reception: Reception,
}

/// How many processes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One, without an election.
    Alone,
    /// Two, of which one leads.
    Pair,
}

impl Mode {
    /// As schedules are named.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Pair => "pair",
        }
    }
}

impl Scenario {
    fn new(name: &'static str, mails: usize, script: &[(u64, Action)]) -> Self {
        Self {
            name,
            script: script.to_vec(),
            mails,
            on_unknown: OnUnknown::Retry,
            life: Duration::from_secs(30 * 24 * 3600),
            list_lag: Duration::ZERO,
            reception: Reception::Ordinary,
        }
    }

    /// The scenario with these choices.
    #[must_use]
    pub fn case(&self, mode: Mode, plan: Plan, wiring: Wiring) -> Case {
        Case {
            plan,
            processes: match mode {
                Mode::Alone => 1,
                Mode::Pair => 2,
            },
            setup: setup(wiring, self.on_unknown, mode == Mode::Pair),
            script: self.script.iter().map(|(at, action)| (Duration::from_millis(*at), action.clone())).collect(),
            list_lag: self.list_lag,
            life: self.life,
            reception: self.reception,
            tell: false,
        }
    }
}

fn apply(at: Place) -> Action {
    apply_with(at, 1, DeletionPolicy::Cancel)
}

fn apply_with(at: Place, roles: u8, deletion: DeletionPolicy) -> Action {
    Action::Apply { at, person: 0, roles, deletion }
}

/// For a second person.
fn apply_second(at: Place) -> Action {
    Action::Apply { at, person: 1, roles: 1, deletion: DeletionPolicy::Cancel }
}

fn keep(at: Place) -> Action {
    apply_with(at, 1, DeletionPolicy::Keep)
}

/// All scenarios.
#[must_use]
pub fn all() -> Vec<Scenario> {
    [wishes(), ways_to_go(), turns_of_fate()].concat()
}

const MINUTE: u64 = 60_000;

/// What users ask for and change.
fn wishes() -> Vec<Scenario> {
    use Action::{Delete, DeleteSlowly};
    vec![
        Scenario::new("invite", 1, &[(1000, apply(X))]),
        Scenario::new("two at once", 1, &[(1000, apply(X)), (1000, apply(Y)), (1003, apply(Z))]),
        Scenario::new("roles", 1, &[(1000, apply(X)), (MINUTE, apply_with(X, 2, DeletionPolicy::Cancel))]),
        Scenario::new("roles while sending", 1, &[(1000, apply(X)), (1012, apply_with(X, 2, DeletionPolicy::Cancel))]),
        Scenario::new("delete", 1, &[(1000, apply(X)), (MINUTE, Delete(X))]),
        Scenario::new("delete while sending", 1, &[(1000, apply(X)), (1010, Delete(X))]),
        Scenario::new("delete unseen", 1, &[(1000, apply(X)), (1015, Delete(X))]).lagging(55),
        Scenario::new("finalizer race", 1, &[(1000, apply(X)), (1006, DeleteSlowly(X))]),
        Scenario::new("early finalizer race", 0, &[(1000, apply(X)), (1003, DeleteSlowly(X))]),
        Scenario::new("rename", 1, &[(1000, apply(X)), (MINUTE, Delete(X)), (MINUTE + 200, apply(Y))]),
        Scenario::new("rename, new first", 1, &[(1000, apply(X)), (MINUTE, apply(Y)), (MINUTE + 200, Delete(X))]),
        Scenario::new("move", 1, &[(1000, apply(X)), (MINUTE, Delete(X)), (MINUTE, apply(Z))]),
        Scenario::new(
            "two objects, owner goes",
            1,
            &[(1000, apply(X)), (2000, apply(Y)), (MINUTE, Delete(X)), (2 * MINUTE, Delete(Y))],
        ),
    ]
}

/// Objects that are made anew, that ask again, that go.
fn ways_to_go() -> Vec<Scenario> {
    use Action::{Delete, ForceAway, Resend};
    vec![
        Scenario::new("recreate", 2, &[(1000, apply(X)), (MINUTE, Delete(X)), (MINUTE + 5000, apply(X))]),
        Scenario::new("recreate at once", 2, &[(1000, apply(X)), (1020, Delete(X)), (9000, apply(X))]),
        Scenario::new("resend", 2, &[(1000, apply(X)), (MINUTE, Resend(X, 1))]),
        Scenario::new("resend unseen", 2, &[(1000, apply(X)), (5000, Resend(X, 1))]).lagging(55),
        Scenario::new("resend and delete", 1, &[(1000, apply(X)), (MINUTE, Resend(X, 1)), (MINUTE + 11, Delete(X))]),
        Scenario::new("hold", 1, &[(1000, apply(X)), (20 * MINUTE, Resend(X, 1))]).holding().costing(2),
        Scenario::new("vanished", 1, &[(1000, apply(X)), (MINUTE, ForceAway(X))]),
        Scenario::new(
            "vanished and taken over",
            1,
            &[(1000, apply(X)), (MINUTE, ForceAway(X)), (MINUTE + 500, apply(Z))],
        ),
        Scenario::new(
            "vanished and wanted again",
            2,
            &[(1000, apply(X)), (MINUTE, ForceAway(X)), (6 * MINUTE, apply(X))],
        ),
        Scenario::new(
            "vanished and made anew",
            1,
            &[(1000, apply(X)), (MINUTE, ForceAway(X)), (MINUTE + 500, Action::ApplyWithToken(X))],
        ),
        Scenario::new("vanished while telling", 2, &[(1000, apply(X)), (1013, ForceAway(X)), (1014, apply_second(X))]),
        Scenario::new("vanished while sending", 1, &[(1000, apply(X)), (1011, ForceAway(X))]),
        Scenario::new("expiry", 1, &[(1000, apply(X))]).living(600),
        Scenario::new("keep", 1, &[(1000, keep(X)), (MINUTE, Delete(X)), (2 * MINUTE, apply(Y))]),
        Scenario::new(
            "kept and moved",
            2,
            &[
                (1000, apply(X)),
                (13_000, Delete(X)),
                (MINUTE, keep(Z)),
                (MINUTE + 6000, Delete(Z)),
                (MINUTE + 7000, apply(Y)),
            ],
        )
        .lagging(40),
    ]
}

/// What people, other clients, clocks and credentials do.
fn turns_of_fate() -> Vec<Scenario> {
    use Action::{Accept, Crash, Decline, Delete, InviteByHand, Request, Resend, StepClock};
    vec![
        Scenario::new("accepted", 1, &[(1000, apply(X)), (MINUTE, Accept(0)), (15 * MINUTE, Delete(X))]),
        Scenario::new("accepted at once", 1, &[(1000, apply(X)), (1014, Accept(0))]),
        Scenario::new("declined", 1, &[(1000, apply(X)), (MINUTE, Decline(0)), (2 * MINUTE, Request(X, 1))]),
        Scenario::new("adopted", 0, &[(500, InviteByHand(0)), (1000, apply(X)), (10 * MINUTE, Delete(X))]),
        Scenario::new(
            "by hand while sending",
            1,
            &[(1000, apply(X)), (1012, InviteByHand(0)), (10 * MINUTE, Delete(X))],
        ),
        Scenario::new("second person", 2, &[(1000, apply(X)), (20_000, apply_second(Y)), (10 * MINUTE, Delete(Y))]),
        Scenario::new(
            "second person, by hand, too",
            1,
            &[(1000, apply(X)), (20_000, apply_second(Y)), (20_003, InviteByHand(1)), (20_009, Accept(1))],
        ),
        Scenario::new("resend and accepted", 1, &[(1000, apply(X)), (MINUTE, Resend(X, 1)), (MINUTE + 9, Accept(0))]),
        Scenario::new(
            "resend beside another",
            2,
            &[(1000, apply(X)), (MINUTE, Resend(X, 1)), (MINUTE + 7, InviteByHand(0)), (MINUTE + 5000, Accept(0))],
        ),
        Scenario::new(
            "clock ahead",
            1,
            &[(500, StepClock(0, 848)), (1000, apply(X)), (1012, StepClock(0, -848)), (1020, Delete(X))],
        ),
        Scenario::new("clock behind", 1, &[(1000, apply(X)), (MINUTE, StepClock(0, -5000)), (2 * MINUTE, Delete(X))]),
        Scenario::new("granted", 1, &[(1000, apply(X)), (10 * MINUTE, Delete(X))]).granting(),
        Scenario::new(
            "credentials gone",
            1,
            &[
                (1000, apply(X)),
                (MINUTE, Action::LoseSecret),
                (2 * MINUTE, Delete(X)),
                (30 * MINUTE, Action::RestoreSecret),
            ],
        ),
        Scenario::new(
            "debt",
            1,
            &[
                (1000, apply(X)),
                (MINUTE, Action::LoseSecret),
                (MINUTE, Crash(0, Duration::from_secs(1))),
                (2 * MINUTE, Delete(X)),
                (80 * MINUTE, Action::RestoreSecret),
            ],
        ),
        Scenario::new(
            "released",
            1,
            &[
                (1000, apply(X)),
                (MINUTE, Action::RevokeKey(true)),
                (MINUTE + 500, Delete(X)),
                (2 * MINUTE, Action::Release(X)),
                (10 * MINUTE, Action::RevokeKey(false)),
            ],
        ),
        Scenario::new(
            "suspended",
            1,
            &[
                (1000, apply(X)),
                (1010, Action::Suspend(X, true)),
                (10 * MINUTE, Action::Suspend(X, false)),
                (11 * MINUTE, Delete(X)),
            ],
        ),
    ]
}

impl Scenario {
    fn lagging(mut self, seconds: u64) -> Self {
        self.list_lag = Duration::from_secs(seconds);
        self
    }

    fn living(mut self, seconds: u64) -> Self {
        self.life = Duration::from_secs(seconds);
        self
    }

    fn holding(mut self) -> Self {
        self.on_unknown = OnUnknown::Hold;
        self
    }

    fn granting(mut self) -> Self {
        self.reception = Reception::Granted;
        self
    }

    fn costing(mut self, mails: usize) -> Self {
        self.mails = mails;
        self
    }
}
