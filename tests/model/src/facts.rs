//! The facts that the operator's functions get, made of a world: real values in real types.
//!
//! Mirrors `controller::gather` and, for the sweep, `controller::sweep`. Must never leave a fact to its default that the
//! world knows better.

use crate::check::Small;
use crate::claims::{ClaimId, OLD, TICK, now, ticks_ago};
use crate::config::Fault;
use crate::world::{Gathered, Invitation, Object, Owned, Waited, Wish, World};
use decisions::api::{
    Adoption, AllowInviter, DeletionPolicy, InvitationClaimSpec, InviterKind, Mode, OnUnknown, Owner, Product,
    ReadyWhen, RecordedInviter,
};
use decisions::domain::desired::{Desired, InviterName, Life};
use decisions::domain::facts::{Facts, InviterFacts, LastPass, Ownership, Quarantine, Sight, Successor, quarantine};
use decisions::domain::policy::Allow;
use decisions::domain::remote::{self, Member, ObjectId, Roles, Username};
use decisions::domain::timings::Timings;
use jiff::Timestamp;
use std::time::Duration;

const PERSON: &str = "jane@example.com";
const PROJECT: &str = "5f1d7c8e9a3b2c4d5e6f7a8b";
const IDENTITY: &str = "publickey";
const HOST: &str = "cloud.mongodb.com";

/// The object as claims name it.
#[must_use]
pub fn owner(slot: u8, uid: u8) -> Owner {
    Owner { namespace: "team".to_owned(), name: format!("{slot}"), uid: format!("{slot}.{uid}") }
}

/// The object that a claim names: slot and uid.
#[must_use]
pub fn named(owner: &Owner) -> Option<(u8, u8)> {
    let (slot, uid) = owner.uid.split_once('.')?;
    Some((slot.parse().ok()?, uid.parse().ok()?))
}

fn recorded_inviter() -> RecordedInviter {
    RecordedInviter {
        kind: InviterKind::Inviter,
        namespace: Some("team".to_owned()),
        name: "atlas".to_owned(),
        uid: "inviter".to_owned(),
    }
}

fn roles() -> Roles {
    ["GROUP_READ_ONLY".to_owned()].into()
}

fn token(number: u8) -> Option<String> {
    (number > 0).then(|| format!("{number}"))
}

/// An id as the cloud writes it.
#[must_use]
pub fn object_id(id: u8) -> ObjectId {
    ObjectId::parse(&format!("{id:024x}")).expect("hexadecimal")
}

/// The number of an id.
#[must_use]
pub fn number_of(id: &ObjectId) -> u8 {
    u8::from_str_radix(id.as_str().trim_start_matches('0'), 16).unwrap_or(0)
}

/// An invitation as the cloud reports it.
#[must_use]
pub fn invitation(id: u8, age: u8) -> remote::Invitation {
    remote::Invitation {
        id: object_id(id),
        username: Username::new(PERSON),
        roles: roles(),
        created_at: Some(ticks_ago(age)),
        expires_at: None,
        inviter_username: Some(IDENTITY.to_owned()),
        group_id: None,
        group_name: None,
    }
}

/// A person who is a member.
#[must_use]
pub fn member() -> Member {
    Member { user_id: None, username: Username::new(PERSON), email_address: None, roles: roles() }
}

impl Small {
    /// The wall clock of a process.
    #[must_use]
    pub fn clock(&self, process: u8) -> Timestamp {
        if process == 0 { now() } else { now() + TICK * i32::from(self.config.skew) }
    }

    /// How the quarantine of the claim's attempt stands for a pass that has known it for so many ticks.
    #[must_use]
    pub fn waited(&self, process: u8, claim: ClaimId, known: u8) -> Waited {
        let content = self.claims.of(claim);
        let Some(attempt) = &content.spec.attempt else { return Waited::NoAttempt };
        let length = Timings::default().quarantine();
        let known = match self.config.fault {
            Fault::NoQuarantine => return Waited::Over,
            Fault::WallClock => length,
            _ => Duration::try_from(TICK * i32::from(known)).expect("forwards"),
        };
        match quarantine(known, attempt.started_at.0, self.clock(process), length) {
            Quarantine::Running { .. } => Waited::Running,
            Quarantine::Over => Waited::Over,
        }
    }

    /// All facts of a pass.
    #[must_use]
    pub fn facts(
        &self,
        world: &World,
        process: u8,
        wish: Wish,
        gathered: &Gathered,
        sight: Option<Sight>,
        last_pass: LastPass,
    ) -> Facts {
        let claim = gathered.claim.map(|claim| self.claims.of(claim).spec.clone());
        let now = self.clock(process);
        let (desired, life, object) = match wish {
            Wish::Object(object) => (self.wished(object), life(object), Some(object)),
            Wish::Sweep(swept) => {
                let spec = self.claims.of(swept).spec.clone();
                let since = Timestamp::UNIX_EPOCH;
                (self.unwished(&spec), Life::Deleting { since, suspended: false }, None)
            }
        };
        let quarantine = match gathered.waited {
            Waited::NoAttempt => None,
            Waited::Running => {
                Some(Quarantine::Running { elapsed: Duration::ZERO, left: Timings::default().quarantine() })
            }
            Waited::Over => Some(Quarantine::Over),
        };
        Facts {
            desired,
            life,
            claim,
            ownership: ownership(gathered.owned),
            successor: gathered.successor.map(|object| self.successor(object)),
            owns_another_claim: false,
            status_tells_of_invitation: object.is_some_and(|object| object.tells),
            status_resend: object.and_then(|object| token(object.handled)),
            status_phase: None,
            asked: false,
            last_pass,
            inviter: self.inviter(),
            sight,
            quarantine,
            nonce: free_nonce(world).to_string(),
            mail_cap: if object.is_some() { 3 } else { 0 },
            timings: Timings::default(),
            now,
        }
    }

    fn inviter(&self) -> InviterFacts {
        InviterFacts {
            recorded: recorded_inviter(),
            product: Product::Atlas,
            host: HOST.to_owned(),
            identity: IDENTITY.to_owned(),
            mode: Mode::Enforce,
            adoption: Adoption::Any,
            on_unknown: if self.config.hold { OnUnknown::Hold } else { OnUnknown::Retry },
            allow: Allow::from(&AllowInviter::default()),
            check_interval: Duration::from_secs(300),
            revision: "1".to_owned(),
        }
    }

    fn policy(&self) -> DeletionPolicy {
        if self.config.keep { DeletionPolicy::Keep } else { DeletionPolicy::Cancel }
    }

    fn wished(&self, object: Object) -> Desired {
        Desired {
            object: owner(object.slot, object.uid),
            generation: 1,
            project: ObjectId::parse(PROJECT).expect("hexadecimal"),
            username: Username::new(PERSON),
            roles: roles(),
            inviter: inviter_name(),
            ready_when: ReadyWhen::Invited,
            deletion: self.policy(),
            requested_at: None,
            resend: token(object.token),
        }
    }

    fn unwished(&self, spec: &InvitationClaimSpec) -> Desired {
        let nobody = || Owner { namespace: String::new(), name: String::new(), uid: "the claim".to_owned() };
        Desired {
            object: spec.owner.clone().unwrap_or_else(nobody),
            generation: 0,
            roles: Roles::new(),
            deletion: match (&spec.owner, &spec.kept) {
                (Some(_), _) => spec.deletion,
                (None, Some(_)) => DeletionPolicy::Keep,
                (None, None) => DeletionPolicy::Cancel,
            },
            resend: None,
            ..self.wished(Object::new(0, 0))
        }
    }

    fn successor(&self, object: Object) -> Successor {
        Successor {
            owner: owner(object.slot, object.uid),
            inviter: recorded_inviter(),
            deletion: self.policy(),
            resend: token(object.token),
        }
    }
}

/// What a roster shows.
#[must_use]
pub fn sight(world: &World, pending: u8, is_member: bool, absence_settled: bool, fresh: bool) -> Sight {
    let age = |id: u8| {
        let mut there = world.invitations.iter().flatten();
        there.find(|Invitation { id: its, .. }| *its == id).map_or(OLD + 2, |invitation| invitation.age)
    };
    let shown = (0..8).filter(|id| pending & (1 << id) != 0).map(|id| invitation(id, age(id)));
    Sight { member: is_member.then(member), pending: shown.collect(), absence_settled, fresh }
}

fn inviter_name() -> InviterName {
    InviterName { kind: InviterKind::Inviter, namespace: Some("team".to_owned()), name: "atlas".to_owned() }
}

fn life(object: Object) -> Life {
    match object.deleting {
        None => Life::Live,
        Some(_) if object.released => Life::Released,
        Some(age) => Life::Deleting { since: ticks_ago(age), suspended: false },
    }
}

fn ownership(owned: Owned) -> Ownership {
    match owned {
        Owned::NoClaim => Ownership::NoClaim,
        Owned::Mine => Ownership::Mine,
        Owned::Nobody => Ownership::Nobody,
        Owned::Gone => Ownership::Gone,
        Owned::Other => Ownership::Other { shown: None },
    }
}

/// A nonce that nothing in the world knows: what a random number is in truth.
fn free_nonce(world: &World) -> u8 {
    let mut world = world.clone();
    let mut used: Vec<u8> = world.contents().iter().filter_map(|claim| claim.nonce).collect();
    used.extend(world.posts.iter().flatten().map(|post| post.nonce));
    used.extend(world.processes.iter().flat_map(|process| &process.known).flatten().map(|known| known.0));
    (0..=u8::MAX).find(|nonce| !used.contains(nonce)).expect("few attempts")
}
