//! Which worlds are explored, and which faults must be found.

use crate::config::{Config, Fault};

/// One process, two passes at once, everything that can be lost.
const FULL: Config = Config::QUIET;
/// Without looks that are shared and answers that are lost: those are in the smaller worlds.
const LEAN: Config = Config { shared_looks: false, odd_answers: false, ..FULL };
/// One pass at once; crashes, caches, the cloud and people still come between any two of its effects.
const ONE_AT_A_TIME: Config = Config { busy: 1, ..FULL };
/// Two processes that act as if there were no election.
const TWO: Config = Config { leaders: 2, ..LEAN };

/// What `make test` explores.
pub const BOUNDED: &[Config] = &[
    Config { name: "one object", ..FULL },
    Config { name: "onUnknown: Hold", hold: true, ..FULL },
    Config { name: "two objects, one person", objects: 2, ..LEAN },
    Config { name: "deletion beats the finalizer", deletes: 1, finalizer_race: true, ..FULL },
    Config { name: "delete and re-apply, race", deletes: 1, applies: 1, finalizer_race: true, ..ONE_AT_A_TIME },
    Config { name: "deletion: Keep, re-apply", deletes: 1, applies: 1, keep: true, ..ONE_AT_A_TIME },
    Config { name: "rename in one sync", objects: 2, deletes: 1, ..ONE_AT_A_TIME },
    Config { name: "release of a deletion", deletes: 1, releases: true, ..FULL },
    Config { name: "resend", resends: 1, ..FULL },
    Config { name: "the person answers", person_acts: true, ..FULL },
    Config { name: "the person answers, resend", person_acts: true, resends: 1, busy: 1, ..LEAN },
    Config { name: "one object, two leaders", busy: 1, ..TWO },
    Config { name: "a clock ahead, two leaders", busy: 1, skew: 5, ..TWO },
];

/// What `make model` explores besides.
pub const LARGE: &[Config] = &[
    Config { name: "two objects, all that is lost", objects: 2, ..FULL },
    Config { name: "rename, two passes at once", objects: 2, deletes: 1, ..LEAN },
    Config { name: "rename, race", objects: 2, deletes: 1, finalizer_race: true, busy: 1, ..LEAN },
    Config { name: "delete and re-apply, two passes", deletes: 1, applies: 1, ..LEAN },
    Config { name: "release and re-apply", deletes: 1, applies: 1, releases: true, ..ONE_AT_A_TIME },
    Config { name: "two resends", resends: 2, ..FULL },
    Config { name: "the person answers, two passes", person_acts: true, resends: 1, ..FULL },
    Config { name: "one object, two leaders, two passes", ..TWO },
    Config { name: "two objects, two leaders", objects: 2, busy: 1, ..TWO },
    Config { name: "finalizer race, two leaders", deletes: 1, finalizer_race: true, busy: 1, ..TWO },
    Config { name: "resend, two leaders", resends: 1, busy: 1, ..TWO },
];

/// What a seeded fault must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// A second e-mail.
    SecondMail,
    /// A state from which the system alone cannot come to rest.
    Stuck,
}

/// Each fault in a world in which it shows.
pub const FAULTS: &[(Fault, Caught, Config)] = &[
    (Fault::UnboundedDelay, Caught::SecondMail, FULL),
    (Fault::UnboundedLists, Caught::SecondMail, FULL),
    (Fault::NoQuarantine, Caught::SecondMail, FULL),
    (Fault::WallClock, Caught::SecondMail, Config { skew: 5, busy: 1, ..TWO }),
    (Fault::BlindWrites, Caught::SecondMail, Config { objects: 2, ..LEAN }),
    (Fault::NoAttempt, Caught::SecondMail, FULL),
    (Fault::NoFence, Caught::SecondMail, TWO),
    (Fault::SharedLook, Caught::SecondMail, FULL),
    (Fault::Retried, Caught::SecondMail, FULL),
    (Fault::NoSweep, Caught::Stuck, Config { deletes: 1, finalizer_race: true, ..FULL }),
];
