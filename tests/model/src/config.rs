//! What a run explores, and what it breaks on purpose.

/// One small world to explore.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// As the table names it.
    pub name: &'static str,
    /// Processes that act at the same time: one or two.
    pub leaders: u8,
    /// Objects that are there from the start: none, the first, or both.
    pub objects: u8,
    /// How many objects people may apply besides.
    pub applies: u8,
    /// How many they may delete.
    pub deletes: u8,
    /// How many tokens they may write into the resend annotation.
    pub resends: u8,
    /// Whether a deletion may beat a finalizer that was acknowledged.
    pub finalizer_race: bool,
    /// Whether people may release an object that is being deleted.
    pub releases: bool,
    /// Whether the person may accept or decline.
    pub person_acts: bool,
    /// Whether deletion leaves the invitation as it is.
    pub keep: bool,
    /// `onUnknown: Hold`.
    pub hold: bool,
    /// Whether a look may be shared with an earlier one, however old.
    pub shared_looks: bool,
    /// Whether answers may be lost or lack what they should hold, of the API server and of the cloud.
    pub odd_answers: bool,
    /// By how many ticks the second process's wall clock is ahead.
    pub skew: u8,
    /// At most so many passes are under way at once, over all processes.
    pub busy: u8,
    /// What is broken on purpose.
    pub fault: Fault,
}

/// What is broken on purpose, to see that the checker would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The cloud may act on a call at any later time.
    UnboundedDelay,
    /// The cloud's lists may hide an invitation for ever.
    UnboundedLists,
    /// An attempt without an answer is given up at once.
    NoQuarantine,
    /// The quarantine trusts the wall clock alone.
    WallClock,
    /// Claims are written over whatever is there.
    BlindWrites,
    /// The claim is not written before the call.
    NoAttempt,
    /// A call may begin after its attempt's deadline.
    NoFence,
    /// What another look saw counts as seen by this one.
    SharedLook,
    /// A layer below sends an unanswered call again.
    Retried,
    /// Nobody finishes off the claims of vanished objects.
    NoSweep,
}

impl Config {
    /// One object, one process, nobody who does anything.
    pub const QUIET: Self = Self {
        name: "one object",
        leaders: 1,
        objects: 1,
        applies: 0,
        deletes: 0,
        resends: 0,
        finalizer_race: false,
        releases: false,
        person_acts: false,
        keep: false,
        hold: false,
        shared_looks: true,
        odd_answers: true,
        skew: 0,
        busy: 2,
        fault: Fault::None,
    };
}
