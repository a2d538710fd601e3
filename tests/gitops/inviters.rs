//! Every way in which an inviter can stand, with what must be made of it.

use crate::cases::{Case, kebab};
use crate::expected;
use crate::people::{checked, inviter, remarked};
use invitation_operator::api::Reason;
use invitation_operator::controller::inviter_status::Aside;
use invitation_operator::controller::remarks::Orphans;
use invitation_operator::domain::breaker::paused_finding;
use invitation_operator::domain::finding::Finding;
use invitation_operator::domain::orphan::orphans_finding;
use invitation_operator::domain::remote::ObjectId;
use serde_json::Value;

/// All of one kind.
pub fn all(kind: &'static str) -> Vec<Case> {
    let case = |(reason, message): (Reason, &str)| {
        let object = checked(inviter(kind), &Finding::new(reason, message));
        of(kind, reason, object, format!("{}: {message}", reason.as_str()))
    };
    [
        (Reason::Ready, READY),
        (Reason::SecretNotFound, "Secret payments/atlas-api-key does not exist"),
        (Reason::SecretInvalid, "Secret payments/atlas-api-key holds publicApiKey and no privateApiKey"),
        (Reason::CaBundleInvalid, "ConfigMap payments/ca holds no certificate under ca.crt"),
        (Reason::CredentialsRejected, "API answered 401; check publicApiKey and privateApiKey in the inviter's Secret"),
        (
            Reason::NotOnAccessList,
            "API answered 403 IP_ADDRESS_NOT_ON_ACCESS_LIST: 192.0.2.7 is not on the access list",
        ),
        (Reason::HostNotAllowed, "mms.example.com is not among the hosts that the operator may send credentials to"),
        (Reason::TlsFailed, "no TLS connection that can be trusted: unknown issuer"),
        (Reason::Unreachable, "no connection: connection refused"),
        (Reason::ApiSunset, "API answered 410; update the operator"),
        (Reason::RateLimited, "API answered 429; waiting as long as it asked for"),
        (Reason::ApiUnavailable, "API answered 503; tried again later"),
        (Reason::InviterNotReady, "Secret payments/atlas-api-key cannot be read now"),
    ]
    .into_iter()
    .map(case)
    .chain(remarks(kind))
    .collect()
}

const READY: &str = "Atlas accepts the credentials at cloud.mongodb.com";

fn of(kind: &'static str, reason: Reason, object: Value, message: String) -> Case {
    let (argo, kstatus) = expected::of_inviter(reason);
    Case { kind, name: kebab(reason), reason: Some(reason), object, argo, message, kstatus }
}

/// What is said of an inviter that can be used; whoever looks at it should read it.
fn remarks(kind: &'static str) -> [Case; 2] {
    let project = ObjectId::parse("5f1d7c8e9a3b2c4d5e6f7a8b").unwrap();
    let orphan = "64a0000000000000000000cc".to_owned();
    let orphans = orphans_finding(&[(project, [orphan].into())].into()).unwrap();
    let paused = paused_finding();
    [
        (orphans.clone(), Aside { orphans: Orphans::Some(orphans), paused: None }),
        (paused.clone(), Aside { orphans: Orphans::None, paused: Some(paused) }),
    ]
    .map(|(finding, aside)| {
        let object = remarked(inviter(kind), &Finding::new(Reason::Ready, READY), &aside);
        let message = format!("Ready: {READY}; {}: {}", finding.reason.as_str(), finding.message);
        of(kind, finding.reason, object, message)
    })
}
