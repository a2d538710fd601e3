//! Facts for tests of this module: one person, one project, nothing sent yet.

use super::desired::{Desired, InviterName, Life};
use super::facts::{Facts, InviterFacts, LastPass, Ownership, Sight};
use super::ledger;
use super::policy::Allow;
use super::remote::{Invitation, Member, ObjectId, Username};
use super::timings::Timings;
use crate::api::{
    Adoption, AllowInviter, DeletionPolicy, InvitationClaimSpec, InviterKind, Mode, OnUnknown, Owner, Product,
    ReadyWhen, RecordedInviter,
};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

pub(crate) fn now() -> Timestamp {
    "2026-11-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn facts() -> Facts {
    Facts {
        desired: Desired {
            object: Owner { namespace: "team-a".to_owned(), name: "jane".to_owned(), uid: "uid-1".to_owned() },
            generation: 1,
            project: ObjectId::parse("5f1d7c8e9a3b2c4d5e6f7a8b").unwrap(),
            username: Username::new("Jane@Example.com"),
            roles: ["GROUP_READ_ONLY".to_owned()].into(),
            inviter: InviterName {
                kind: InviterKind::Inviter,
                namespace: Some("team-a".to_owned()),
                name: "atlas".to_owned(),
            },
            ready_when: ReadyWhen::Invited,
            deletion: DeletionPolicy::Cancel,
            requested_at: None,
            resend: None,
        },
        life: Life::Live,
        claim: None,
        ownership: Ownership::NoClaim,
        successor: None,
        owns_another_claim: false,
        status_tells_of_invitation: false,
        status_resend: None,
        status_phase: None,
        asked: false,
        last_pass: LastPass::Acted,
        inviter: InviterFacts {
            recorded: RecordedInviter {
                kind: InviterKind::Inviter,
                namespace: Some("team-a".to_owned()),
                name: "atlas".to_owned(),
                uid: "uid-i".to_owned(),
            },
            product: Product::Atlas,
            host: "cloud.mongodb.com".to_owned(),
            identity: "publickey".to_owned(),
            mode: Mode::Enforce,
            adoption: Adoption::Any,
            on_unknown: OnUnknown::Retry,
            allow: Allow::from(&AllowInviter::default()),
            check_interval: Duration::from_secs(300),
            revision: "1".to_owned(),
        },
        sight: Some(absent()),
        quarantine: None,
        nonce: "nonce".to_owned(),
        mail_cap: 3,
        timings: Timings::default(),
        now: now(),
    }
}

pub(crate) fn absent() -> Sight {
    Sight { member: None, pending: Vec::new(), absence_settled: false, fresh: true }
}

pub(crate) fn gone() -> Sight {
    Sight { absence_settled: true, ..absent() }
}

pub(crate) fn member() -> Sight {
    let member = Member {
        user_id: Some("64a000000000000000000001".to_owned()),
        username: Username::new("jane@example.com"),
        email_address: None,
        roles: ["GROUP_READ_ONLY".to_owned()].into(),
    };
    Sight { member: Some(member), ..absent() }
}

pub(crate) fn invitation() -> Invitation {
    Invitation {
        id: ObjectId::parse("64a0000000000000000000aa").unwrap(),
        username: Username::new("jane@example.com"),
        roles: ["GROUP_READ_ONLY".to_owned()].into(),
        created_at: Some(now()),
        expires_at: Some(now() + SignedDuration::from_hours(30 * 24)),
        inviter_username: Some("publickey".to_owned()),
        group_id: None,
        group_name: Some("group".to_owned()),
    }
}

pub(crate) fn pending(invitation: Invitation) -> Sight {
    Sight { pending: vec![invitation], ..absent() }
}

/// An empty claim that the object owns.
pub(crate) fn claim(facts: &Facts) -> InvitationClaimSpec {
    ledger::owned(facts)
}
