//! One state of the small world.
//!
//! Owns the shapes and the few rules that hold for all of them: what a write of the claim does to the copies of it. Must
//! never decide which action is possible.

use crate::claims::ClaimId;
pub use crate::stage::{Change, Gathered, Kind, Owned, Pass, Recording, Waited, Wish};

/// The objects, by slot; the slot of the sweep among the passes of a process.
pub const OBJECTS: usize = 2;
/// Which of a process's passes is the sweep's.
pub const SWEEP: usize = 2;

/// A `ProjectInvitation`, as much of it as counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Object {
    /// Its slot, which is its name.
    pub slot: u8,
    /// Counts the objects that had this name.
    pub uid: u8,
    /// Since when it is being deleted: 0 in this tick, 1 for longer.
    pub deleting: Option<u8>,
    /// The release annotation.
    pub released: bool,
    /// The operator's finalizer.
    pub finalizer: bool,
    /// The resend annotation; 0 for none.
    pub token: u8,
    /// Status: it tells of an invitation.
    pub tells: bool,
    /// Status: the token that was handled.
    pub handled: u8,
}

impl Object {
    /// Just applied.
    #[must_use]
    pub fn new(slot: u8, uid: u8) -> Self {
        Self { slot, uid, deleting: None, released: false, finalizer: false, token: 0, tells: false, handled: 0 }
    }
}

/// A call that e-mails, on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Post {
    /// Its attempt.
    pub nonce: u8,
    /// Ticks since it was sent.
    pub age: u8,
    /// The pass that waits for its answer.
    pub client: Option<(u8, u8)>,
    /// The invitation that it made.
    pub made: Option<u8>,
    /// A layer below may send it once more.
    pub again: bool,
}

/// A pending invitation at the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Invitation {
    /// Its id.
    pub id: u8,
    /// Ticks since it was made.
    pub age: u8,
    /// Lists do not show it: 1 in the tick in which it was made, 2 in the next.
    pub hidden: u8,
}

/// What a process has seen of the project last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Roster {
    /// The invitations that it shows, one bit an id.
    pub pending: u8,
    /// Whether it shows the person as a member.
    pub member: bool,
}

/// One process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Process {
    /// The claim as the cache has it.
    pub claim: Option<ClaimId>,
    /// Whether that is the newest version.
    pub current: bool,
    /// The last roster.
    pub roster: Option<Roster>,
    /// The attempt that each pass knows, and for how many ticks.
    pub known: [Option<(u8, u8)>; 3],
    /// For how long each object's person has been missing: 0 not, 1 since this tick, 2 for longer.
    pub missing: [u8; OBJECTS],
    /// The passes: one an object, and the sweep's.
    pub passes: [Pass; 3],
    /// A result that is tried on beside the passes.
    pub unwritten: Option<Recording>,
}

impl Process {
    /// Just started: nothing is remembered, and the cache shows an old state of things.
    pub const NEW: Self = Self {
        claim: None,
        current: false,
        roster: None,
        known: [None; 3],
        missing: [0; OBJECTS],
        passes: [Pass::Idle; 3],
        unwritten: None,
    };
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wrong {
    /// Nothing.
    Nothing,
    /// A person was e-mailed again without having been asked to be.
    SecondMail,
    /// An invitation was cancelled under a live owner who did not ask for that.
    CancelledUnderOwner,
}

/// How much people may still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Budget {
    /// Objects to apply.
    pub applies: u8,
    /// Objects to delete.
    pub deletes: u8,
    /// Tokens to write.
    pub resends: u8,
}

/// The whole world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// The objects by name.
    pub objects: [Option<Object>; OBJECTS],
    /// How many objects each name has had.
    pub applied: [u8; OBJECTS],
    /// The claim, as the API server has it.
    pub claim: Option<ClaimId>,
    /// The processes; the second may stand still.
    pub processes: [Process; 2],
    /// Calls on their way.
    pub posts: [Option<Post>; 2],
    /// Pending invitations.
    pub invitations: [Option<Invitation>; 3],
    /// How many invitations were ever made.
    pub made: u8,
    /// Whether the person is a member.
    pub member: bool,
    /// E-mails that may still be sent: one, one more for each that was asked for, one more after each cancelled for a
    /// deletion.
    pub allowed: u8,
    /// What people may still do.
    pub budget: Budget,
    /// The oracle's finding.
    pub wrong: Wrong,
}

impl World {
    /// The object with this name and uid, if it is there.
    #[must_use]
    pub fn object(&self, slot: u8, uid: u8) -> Option<&Object> {
        self.objects[usize::from(slot)].as_ref().filter(|object| object.uid == uid)
    }

    /// How many passes are under way.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.processes.iter().flat_map(|process| &process.passes).filter(|pass| **pass != Pass::Idle).count()
    }

    /// The pass of a process.
    pub fn pass(&mut self, process: u8, actor: u8) -> &mut Pass {
        &mut self.processes[usize::from(process)].passes[usize::from(actor)]
    }

    /// The API server has acknowledged a write of the claim by this process: every other copy is old.
    pub fn claim_written(&mut self, process: u8, next: Option<ClaimId>) {
        self.claim = next;
        for other in &mut self.processes {
            other.current = false;
        }
        self.claim_read(process);
    }

    /// The process forgets the object of a pass.
    pub fn forget(&mut self, process: u8, actor: u8) {
        let process = &mut self.processes[usize::from(process)];
        process.known[usize::from(actor)] = None;
        if let Some(missing) = process.missing.get_mut(usize::from(actor)) {
            *missing = 0;
        }
    }

    /// This pass waits for its answer no longer, or none of the process's does.
    pub fn nobody_waits(&mut self, process: u8, actor: Option<u8>) {
        for slot in &mut self.posts {
            let Some(post) = slot else { continue };
            if post.client.is_some_and(|(p, a)| p == process && actor.is_none_or(|actor| actor == a)) {
                post.client = None;
                if post.made.is_some() && !post.again {
                    *slot = None;
                }
            }
        }
    }

    /// Every content that somebody holds.
    pub fn contents(&mut self) -> Vec<&mut ClaimId> {
        let mut all: Vec<&mut ClaimId> = self.claim.iter_mut().collect();
        for process in &mut self.processes {
            all.extend(process.claim.as_mut());
            for pass in &mut process.passes {
                pass.contents(&mut all);
            }
            if let Some(recording) = &mut process.unwritten {
                recording.contents(&mut all);
            }
        }
        all
    }

    /// This process has read the claim live, or its cache has caught up.
    pub fn claim_read(&mut self, process: u8) {
        let claim = self.claim;
        let process = &mut self.processes[usize::from(process)];
        process.claim = claim;
        process.current = true;
    }
}
