//! Objects as the operator writes them: made by the operator's own projection, from what it would know.
//!
//! Owns the facts behind a status: what the ledger holds and what was seen. Must never hold an expectation.

use invitation_operator::api::names::FINALIZER;
use invitation_operator::api::*;
use invitation_operator::controller::inviter_spec::InviterSettings;
use invitation_operator::controller::inviter_status::{Aside, inviter_status};
use invitation_operator::controller::remarks::Orphans;
use invitation_operator::domain::desired::validate;
use invitation_operator::domain::facts::Sight;
use invitation_operator::domain::finding::Finding;
use invitation_operator::domain::projection::{Picture, project};
use invitation_operator::domain::remote::{Invitation, Member, ObjectId, Username};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

const ROLE: &str = "GROUP_DATA_ACCESS_READ_ONLY";
const ID: &str = "64a0000000000000000000aa";

/// When everything here happens.
pub fn now() -> Timestamp {
    "2026-11-01T12:00:00Z".parse().unwrap()
}

/// What is known about the person.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// There is no claim of this object.
    Unclaimed,
    /// There is a claim, and nothing was ever sent or found.
    Unknown,
    /// An e-mail is on its way, or lost.
    BeingInvited,
    /// Invited by this operator.
    Invited,
    /// Invited by somebody else.
    InvitedElsewhere,
    /// A member.
    Member,
    /// The invitation is gone from the lists before its time.
    Gone,
}

/// One look at an object, and what came of it.
pub struct Look {
    pub person: Person,
    pub finding: Finding,
    pub overdue: bool,
    pub plan: Option<Plan>,
    /// Whether the spec can be understood.
    pub readable: bool,
}

/// A `ProjectInvitation` that nothing has looked at.
pub fn invitation() -> ProjectInvitation {
    serde_json::from_value(json!({
        "apiVersion": "invitation-operator.io/v1alpha1",
        "kind": "ProjectInvitation",
        "metadata": {
            "name": "jane-doe",
            "namespace": "payments",
            "uid": "0b8f8a3e-3c58-4a4f-9d3f-6f6b3f0a7c11",
            "generation": 1,
            "resourceVersion": "4711",
            "creationTimestamp": now().to_string(),
            "finalizers": [FINALIZER],
        },
        "spec": {
            "projectId": "5f1d7c8e9a3b2c4d5e6f7a8b",
            "username": "jane.doe@example.com",
            "roles": [ROLE],
            "inviterRef": { "kind": "Inviter", "name": "atlas" },
            "suspend": false,
            "readyWhen": "Invited",
            "deletion": { "invitation": "Cancel" },
        },
        // The schema's default, from birth.
        "status": { "observedGeneration": -1 },
    }))
    .unwrap()
}

/// An inviter of either kind that nothing has looked at.
pub fn inviter(kind: &str) -> Value {
    let mut object = json!({
        "apiVersion": "invitation-operator.io/v1alpha1",
        "kind": kind,
        "metadata": {
            "name": "atlas",
            "uid": "5d0e7a4b-9a57-4b4d-8f0c-0c7f4f1f2f10",
            "generation": 1,
            "resourceVersion": "4700",
            "creationTimestamp": now().to_string(),
        },
        "spec": {
            "product": "Atlas",
            "credentialsSecretRef": { "name": "atlas-api-key" },
            "checkInterval": "5m",
            "mode": "Enforce",
            "adoption": "Any",
            "onUnknown": "Retry",
            "allow": { "projects": ["*"], "roles": ["*"] },
        },
        "status": { "observedGeneration": -1 },
    });
    if kind == "Inviter" {
        object["metadata"]["namespace"] = "payments".into();
    } else {
        object["spec"]["adoption"] = "SameRoles".into();
        object["spec"]["namespaces"] = json!({});
    }
    object
}

/// The object after another look.
pub fn looked_at(mut object: ProjectInvitation, look: &Look) -> ProjectInvitation {
    let before = object.status.clone().unwrap_or_default();
    let desired = look.readable.then(|| validate(&object).unwrap());
    let claim = claim(&object, look.person);
    let sight = sight(look.person);
    object.status = Some(project(&Picture {
        before: &before,
        generation: object.metadata.generation.unwrap(),
        desired: desired.as_ref(),
        claim: claim.as_ref(),
        sight: sight.as_ref(),
        finding: &look.finding,
        overdue: look.overdue,
        plan: look.plan,
        now: now(),
    }));
    object
}

/// The inviter after a pass.
pub fn checked(object: Value, finding: &Finding) -> Value {
    remarked(object, finding, &Aside { orphans: Orphans::None, paused: None })
}

/// The inviter after a pass, with what else is said of it.
pub fn remarked(mut object: Value, finding: &Finding, aside: &Aside) -> Value {
    let settings = if object["kind"] == "Inviter" {
        InviterSettings::of_inviter(&serde_json::from_value(object.clone()).unwrap())
    } else {
        let read = serde_json::from_value(object.clone()).unwrap();
        InviterSettings::of_cluster_inviter(&read, "invitation-operator")
    };
    object["status"] = serde_json::to_value(inviter_status(&settings, finding, aside, now())).unwrap();
    object
}

fn time(at: Timestamp) -> Time {
    Time(at)
}

fn expiry() -> Timestamp {
    now() + SignedDuration::from_hours(30 * 24)
}

fn claim(object: &ProjectInvitation, person: Person) -> Option<InvitationClaimSpec> {
    if person == Person::Unclaimed {
        return None;
    }
    let metadata = &object.metadata;
    let sent = matches!(person, Person::Invited | Person::Member | Person::Gone);
    let recorded = |origin| RecordedInvitation {
        id: ID.to_owned(),
        created_at: Some(time(now())),
        expires_at: Some(time(expiry())),
        inviter_username: Some("publickey".to_owned()),
        origin,
    };
    let verdict = |kind| Some(Verdict { kind, since: time(now()) });
    Some(InvitationClaimSpec {
        key: ClaimKey {
            product: Product::Atlas,
            api: "Invites".to_owned(),
            host: "cloud.mongodb.com".to_owned(),
            project_id: object.spec.project_id.clone(),
            username: object.spec.username.clone(),
        },
        inviter_ref: RecordedInviter {
            kind: InviterKind::Inviter,
            namespace: metadata.namespace.clone(),
            name: "atlas".to_owned(),
            uid: "5d0e7a4b-9a57-4b4d-8f0c-0c7f4f1f2f10".to_owned(),
        },
        owner: Some(Owner {
            namespace: metadata.namespace.clone().unwrap(),
            name: metadata.name.clone().unwrap(),
            uid: metadata.uid.clone().unwrap(),
        }),
        deletion: DeletionPolicy::Cancel,
        attempt: None,
        lost_attempts: 0,
        surplus: Vec::new(),
        invitation: match person {
            Person::Invited | Person::Member | Person::Gone => Some(recorded(Origin::Created)),
            Person::InvitedElsewhere => Some(recorded(Origin::Adopted)),
            Person::Unclaimed | Person::Unknown | Person::BeingInvited => None,
        },
        verdict: match person {
            Person::Member => verdict(VerdictKind::Accepted),
            Person::Gone => verdict(VerdictKind::Withdrawn),
            Person::Unclaimed | Person::Unknown | Person::BeingInvited | Person::Invited | Person::InvitedElsewhere => {
                None
            }
        },
        accepted_at: (person == Person::Member).then(|| time(now())),
        refusal: None,
        resend: None,
        mails: if sent || person == Person::BeingInvited { vec![time(now())] } else { Vec::new() },
        kept: None,
        cancelling: false,
        debt: None,
    })
}

fn sight(person: Person) -> Option<Sight> {
    let absent = Sight { member: None, pending: Vec::new(), absence_settled: false, fresh: true };
    let username = Username::new("jane.doe@example.com");
    let roles = [ROLE.to_owned()];
    match person {
        Person::Unclaimed | Person::Unknown | Person::BeingInvited => None,
        Person::Gone => Some(Sight { absence_settled: true, ..absent }),
        Person::Member => {
            let user_id = Some("64a0000000000000000000bb".to_owned());
            Some(Sight {
                member: Some(Member { user_id, username, email_address: None, roles: roles.into() }),
                ..absent
            })
        }
        Person::Invited | Person::InvitedElsewhere => {
            let invitation = Invitation {
                id: ObjectId::parse(ID).unwrap(),
                username,
                roles: roles.into(),
                created_at: Some(now()),
                expires_at: Some(expiry()),
                inviter_username: Some("publickey".to_owned()),
                group_id: None,
                group_name: Some("payments-production".to_owned()),
            };
            Some(Sight { pending: vec![invitation], ..absent })
        }
    }
}
