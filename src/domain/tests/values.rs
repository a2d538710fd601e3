//! Ids, addresses, keys, wishes, times and permits: values that everything else rests on.

use crate::api::names::annotation;
use crate::api::{AllowInviter, ClaimKey, Deletion, InvitationClaim, InviterKind, InviterRef, ProjectInvitation};
use crate::api::{ProjectInvitationSpec, ReadyWhen};
use crate::domain::attempt::AcknowledgedAttempt;
use crate::domain::desired::{Desired, InviterName, Life, life, validate};
use crate::domain::failure::FailureKind;
use crate::domain::key::{claim_key, same_key};
use crate::domain::ledger;
use crate::domain::policy::{Allow, check};
use crate::domain::remote::{Member, ObjectId, Username};
use crate::domain::testing::{claim, facts, now};
use crate::domain::timings::Timings;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

#[test]
fn an_id_is_24_lower_case_hexadecimal_digits() {
    let good = "5f1d7c8e9a3b2c4d5e6f7a8b";
    assert_eq!(ObjectId::parse(good).unwrap().to_string(), good);
    for bad in ["", "5f1d", "5F1D7C8E9A3B2C4D5E6F7A8B", "5f1d7c8e9a3b2c4d5e6f7a8g", "5f1d7c8e9a3b2c4d5e6f7a8b0"] {
        assert_eq!(ObjectId::parse(bad), None, "{bad}");
    }
}

#[test]
fn an_address_is_sent_as_written_compared_without_case_and_never_logged() {
    let (written, folded, other) =
        (Username::new("Jane@Example.com"), Username::new("jane@example.com"), Username::new("john@example.com"));
    assert_eq!(written.as_written(), "Jane@Example.com");
    assert_eq!(written.domain(), "example.com");
    assert_eq!(Username::new("no address").domain(), "");
    assert_eq!(written, folded);
    assert_ne!(folded, other);
    assert_eq!(HashSet::from([written.clone(), folded, other.clone()]).len(), 2);
    assert!(HashSet::from([other]).iter().all(|known| *known != written));
    assert_eq!(format!("{written:?}"), "Username(…)");
    let hash = |name: &Username| {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        hasher.finish()
    };
    assert_ne!(hash(&written), hash(&Username::new("john@example.com")), "people are told apart without comparing");
}

#[test]
fn a_member_is_known_by_user_name_or_by_address() {
    let jane = Username::new("jane@example.com");
    for (username, email, is) in [
        ("jane@example.com", None, true),
        ("JANE@example.com", Some("j@other.org"), true),
        ("jdoe", Some("Jane@example.com"), true),
        ("jdoe", Some("j@other.org"), false),
        ("jdoe", None, false),
    ] {
        let member = Member {
            user_id: None,
            username: Username::new(username),
            email_address: email.map(Username::new),
            roles: BTreeSet::new(),
        };
        assert_eq!(member.is(&jane), is, "{username} {email:?}");
    }
}

#[test]
fn a_claim_is_the_keys_only_if_host_project_and_person_are_the_same() {
    let facts = facts();
    let key = claim_key(facts.inviter.product, "a", &facts.desired.project, &facts.desired.username);
    let other = |change: fn(&mut ClaimKey)| {
        let mut other = key.clone();
        change(&mut other);
        other
    };
    assert!(same_key(&key, &key));
    assert!(same_key(&other(|key| key.product = crate::api::Product::CloudManager), &key));
    for (what, different) in [
        ("host", other(|key| key.host = "b".to_owned())),
        ("project", other(|key| key.project_id = "b".to_owned())),
        ("person", other(|key| key.username = "b".to_owned())),
    ] {
        assert!(!same_key(&different, &key), "{what}");
    }
}

#[test]
fn only_the_acknowledged_claim_with_just_this_attempt_permits_a_call() {
    let facts = facts();
    let open = ledger::attempt_opened(claim(&facts), &facts);
    let acknowledged = |spec, version: Option<&str>| {
        let mut claim = InvitationClaim::new("name", spec);
        claim.metadata.resource_version = version.map(str::to_owned);
        claim
    };
    let permit = |claim: &InvitationClaim, nonce| AcknowledgedAttempt::in_claim(claim, nonce);
    let deadline = open.attempt.as_ref().unwrap().deadline.0;
    let good = acknowledged(open.clone(), Some("1"));
    assert_eq!(permit(&good, "nonce").map(|attempt| attempt.deadline()), Some(deadline));
    assert!(permit(&good, "another").is_none());
    assert!(permit(&acknowledged(open, None), "nonce").is_none(), "not acknowledged");
    assert!(permit(&acknowledged(claim(&facts), Some("1")), "nonce").is_none(), "no attempt");
}

#[test]
fn an_asterisk_opens_a_list_and_nothing_else_does() {
    let allowed = |list: &[&str]| {
        let roles = Some(list.iter().map(|item| (*item).to_owned()).collect());
        check(&Allow::from(&AllowInviter { roles, ..AllowInviter::default() }), &facts().desired).is_ok()
    };
    assert!(allowed(&["*"]) && allowed(&["GROUP_OWNER", "*"]) && allowed(&["GROUP_READ_ONLY"]));
    assert!(!allowed(&[]) && !allowed(&["GROUP_OWNER"]) && !allowed(&["GROUP_*"]));
}

pub(super) fn object() -> ProjectInvitation {
    let mut object = ProjectInvitation::new(
        "jane",
        ProjectInvitationSpec {
            project_id: "5f1d7c8e9a3b2c4d5e6f7a8b".to_owned(),
            username: "jane@example.com".to_owned(),
            roles: vec!["GROUP_READ_ONLY".to_owned()],
            inviter_ref: InviterRef { kind: InviterKind::Inviter, name: "atlas".to_owned() },
            suspend: false,
            ready_when: ReadyWhen::Invited,
            deletion: Deletion::default(),
        },
    );
    object.metadata.namespace = Some("team-a".to_owned());
    object
}

fn annotated(annotations: &[(&str, &str)]) -> ProjectInvitation {
    let mut object = object();
    let pairs = annotations.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    object.metadata.annotations = Some(pairs.collect());
    object
}

#[test]
fn a_wish_that_is_wrong_says_which_field_and_a_good_one_is_read_whole() {
    type Change = fn(&mut ProjectInvitationSpec);
    let desired = validate(&object()).unwrap();
    assert_eq!(desired.inviter.to_string(), "Inviter atlas");
    assert_eq!(desired.inviter.namespace.as_deref(), Some("team-a"));
    let mut cluster = object();
    cluster.spec.inviter_ref.kind = InviterKind::ClusterInviter;
    let expected = InviterName { kind: InviterKind::ClusterInviter, namespace: None, name: "atlas".to_owned() };
    assert_eq!(validate(&cluster).unwrap().inviter, expected);
    let wrong: [(Change, &str); 4] = [
        (|spec| spec.project_id = "x".to_owned(), "spec.projectId"),
        (|spec| spec.username = "jane".to_owned(), "spec.username"),
        (|spec| spec.roles.clear(), "spec.roles"),
        (|spec| spec.roles.push("ORG_OWNER".to_owned()), "\"ORG_OWNER\""),
    ];
    for (change, named) in wrong {
        let mut object = object();
        change(&mut object.spec);
        let message = validate(&object).unwrap_err();
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn annotations_ask_by_their_newest_value_and_an_empty_one_asks_for_nothing() {
    let read = |annotations: &[(&str, &str)]| -> Desired { validate(&annotated(annotations)).unwrap() };
    assert_eq!(read(&[]).requested_at, None);
    let both = [(annotation::REQUESTED_AT, "2026-01-01"), (annotation::FLUX_REQUESTED_AT, "2026-01-02")];
    assert_eq!(read(&both).requested_at.as_deref(), Some("2026-01-02"));
    assert_eq!(read(&both[..1]).requested_at.as_deref(), Some("2026-01-01"));
    assert_eq!(read(&[(annotation::RESEND, "once")]).resend.as_deref(), Some("once"));
    assert_eq!(read(&[(annotation::RESEND, "")]).resend, None);
}

#[test]
fn only_true_releases_and_only_what_is_being_deleted() {
    let mut object = annotated(&[(annotation::RELEASE, "true")]);
    assert_eq!(life(&object), Life::Live);
    object.metadata.deletion_timestamp = Some(Time(now()));
    assert_eq!(life(&object), Life::Released);
    let mut object = annotated(&[(annotation::RELEASE, "yes")]);
    object.metadata.deletion_timestamp = Some(Time(now()));
    assert_eq!(life(&object), Life::Deleting { since: now(), suspended: false });
}

#[test]
fn the_longest_address_is_254_characters() {
    let mut object = object();
    let address = |length: usize| format!("{}@example.com", "a".repeat(length - "@example.com".len()));
    object.spec.username = address(254);
    assert!(validate(&object).is_ok());
    object.spec.username = address(255);
    assert!(validate(&object).is_err());
    for bad in ["jane@exam_ple.com", "jane@example-.com", "jane@.com"] {
        bad.clone_into(&mut object.spec.username);
        assert!(validate(&object).is_err(), "{bad}");
    }
}

#[test]
fn the_quarantine_is_the_sum_of_what_it_waits_for() {
    assert_eq!(Timings::default().quarantine(), Duration::from_secs(10 + 120 + 60));
}

#[test]
fn a_rehearsal_shortens_every_time_by_one_factor() {
    let (real, scaled) = (Timings::default(), Timings::default().divided_by(10));
    let times = |timings: &Timings| {
        [
            timings.post_deadline,
            timings.server_delay,
            timings.list_delay,
            timings.absence_gap,
            timings.handover_grace,
            timings.inviter_grace,
            timings.release_after,
            timings.release_after_terminating,
            timings.refusal_backoff,
            timings.invitation_window,
            timings.scaled(Duration::from_secs(300)),
        ]
    };
    assert_eq!(times(&scaled), times(&real).map(|time| time / 10));
    assert_eq!(scaled.divided_by(2).divisor, 20);
    assert_eq!(real.divided_by(0), real, "nothing is divided by nothing");
    assert_eq!(Timings { divisor: 0, ..real }.scaled(Duration::from_secs(1)), Duration::from_secs(1));
}

/// Every kind of failure.
fn failures() -> [FailureKind; 19] {
    [
        FailureKind::Fenced,
        FailureKind::NotSent { retry_after: None },
        FailureKind::Unreachable,
        FailureKind::TlsFailed,
        FailureKind::Unavailable { retry_after: None },
        FailureKind::RateLimited { retry_after: None },
        FailureKind::InvitationThrottled,
        FailureKind::Maintenance,
        FailureKind::CredentialsRejected,
        FailureKind::NotOnAccessList,
        FailureKind::PermissionMissing,
        FailureKind::ProjectNotFound,
        FailureKind::EndpointMissing,
        FailureKind::WrongProduct,
        FailureKind::InvitationGone,
        FailureKind::AlreadyThere,
        FailureKind::Doubtful,
        FailureKind::Refused,
        FailureKind::Sunset,
    ]
}

#[test]
fn what_never_left_counts_against_no_limit_and_is_a_definite_no() {
    let unsent: Vec<_> = failures().into_iter().filter(|kind| kind.left_unsent()).collect();
    let expected = [
        FailureKind::Fenced,
        FailureKind::NotSent { retry_after: None },
        FailureKind::Unreachable,
        FailureKind::TlsFailed,
    ];
    assert_eq!(unsent, expected);
    assert!(unsent.into_iter().all(FailureKind::is_definite_no));
}

#[test]
fn each_failure_has_a_label_of_its_own() {
    let kinds = failures();
    let labels: BTreeSet<_> = kinds.iter().map(|kind| kind.label()).collect();
    assert_eq!(labels.len(), kinds.len());
    assert!(labels.iter().all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
}
