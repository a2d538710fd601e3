//! Every way in which an object can stand, with what must be made of it.
//!
//! Owns the list. Each reason that conditions tell has its cases here; a test holds the list complete.

use crate::expected::{self, Circumstances};
use crate::inviters;
use crate::people::{Look, Person, checked, invitation, inviter, looked_at, now};
use invitation_operator::api::*;
use invitation_operator::domain::finding::{Finding, expired_finding, withdrawn_finding};
use serde_json::{Value, json};

/// One object, and what must be made of it.
pub struct Case {
    pub kind: &'static str,
    /// Name of its file.
    pub name: String,
    /// The reason it is about; `None` for what the operator has not seen.
    pub reason: Option<Reason>,
    pub object: Value,
    pub argo: &'static str,
    pub message: String,
    pub kstatus: &'static str,
}

/// All of them.
pub fn all() -> Vec<Case> {
    let mut cases = unobserved();
    cases.extend(invitations());
    for kind in ["Inviter", "ClusterInviter"] {
        cases.extend(inviters::all(kind));
    }
    cases
}

/// An invitation as it is before and while a reason is told.
#[derive(Clone, Copy)]
struct Scene {
    reason: Reason,
    message: &'static str,
    /// What is known when the reason comes up.
    person: Person,
    /// How it stood before, if it had been looked at.
    before: Option<(Reason, Person)>,
    ready_when: ReadyWhen,
    overdue: bool,
    deleting: bool,
    suffix: &'static str,
}

fn scene(reason: Reason, message: &'static str, person: Person) -> Scene {
    let ready_when = ReadyWhen::Invited;
    Scene { reason, message, person, before: None, ready_when, overdue: false, deleting: false, suffix: "" }
}

impl Scene {
    /// The same, of a person who had been invited.
    fn once_invited(self) -> Self {
        let person = if self.person == Person::Unknown { Person::Invited } else { self.person };
        Self { person, before: Some((Reason::Invited, Person::Invited)), suffix: "-once-invited", ..self }
    }

    fn ready_when_accepted(self) -> Self {
        Self { ready_when: ReadyWhen::Accepted, suffix: "-ready-when-accepted", ..self }
    }

    fn case(self) -> Case {
        let mut object = invitation();
        object.spec.ready_when = self.ready_when;
        object.spec.suspend = self.reason == Reason::Suspended;
        let look = |reason, message: String, person, overdue| Look {
            person,
            finding: Finding::new(reason, message),
            overdue,
            plan: (reason == Reason::ObserveOnly).then_some(Plan::Invite),
            readable: reason != Reason::InvalidSpec,
        };
        let mut ready_before = None;
        if let Some((reason, person)) = self.before {
            let message = message_of(reason);
            object = looked_at(object, &look(reason, message.clone(), person, false));
            let ready = object.status.as_ref().unwrap().conditions.iter().find(|one| one.type_ == "Ready").unwrap();
            ready_before = (ready.status == "True").then(|| format!("{}: {message}", reason.as_str()));
        }
        object = looked_at(object, &look(self.reason, self.message.to_owned(), self.person, self.overdue));
        if self.deleting {
            let deleted = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(now());
            object.metadata.deletion_timestamp = Some(deleted);
        }
        let circumstances = Circumstances {
            ready_when: self.ready_when,
            was_ready: ready_before.is_some(),
            overdue: self.overdue,
            deleting: self.deleting,
        };
        let argo = expected::argo(self.reason, circumstances);
        let told = format!("{}: {}", self.reason.as_str(), self.message);
        let message = match (argo, ready_before) {
            ("Suspended", _) => "Suspended: no call is made until spec.suspend is false".to_owned(),
            ("Healthy", Some(before)) if keeps_ready(self.reason) => before,
            (_, _) => told,
        };
        Case {
            kind: "ProjectInvitation",
            name: format!("{}{}", kebab(self.reason), self.suffix),
            reason: Some(self.reason),
            object: serde_json::to_value(object).unwrap(),
            argo,
            message,
            kstatus: expected::kstatus(self.reason, circumstances),
        }
    }
}

/// Whether an object that is ready shows what made it so while this reason holds.
fn keeps_ready(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::Invited
            | Reason::Adopted
            | Reason::Accepted
            | Reason::Expired
            | Reason::Withdrawn
            | Reason::ObserveOnly
            | Reason::RolesNotEnforced
            | Reason::RolesInSync
    )
}

fn message_of(reason: Reason) -> String {
    match reason {
        Reason::Invited => "invited and not yet accepted; expires at 2026-12-01T12:00:00Z".to_owned(),
        Reason::Accepted => "the person is a member of the project with GROUP_DATA_ACCESS_READ_ONLY".to_owned(),
        Reason::Expired => expired_finding().message,
        Reason::Withdrawn => withdrawn_finding().message,
        _ => panic!("{} comes before nothing", reason.as_str()),
    }
}

#[allow(clippy::too_many_lines)] // a list
fn invitations() -> Vec<Case> {
    use Person::{BeingInvited, Gone, Invited, InvitedElsewhere, Member, Unclaimed, Unknown};
    let leaked = |reason| &*Box::leak(message_of(reason).into_boxed_str());
    let overdue = |scene: Scene, suffix| Scene { overdue: true, suffix, ..scene };
    let mut scenes = Vec::new();

    // What is waited for: red for nobody, and unseen by those who are invited.
    for (reason, message) in [
        (Reason::WaitingForSlot, "waiting for a turn: MongoDB takes about 10 invitations a minute from one address"),
        (Reason::RateLimited, "API answered 429 RATE_LIMITED; waiting as long as it asked for"),
        (Reason::ApiUnavailable, "API answered 503; tried again later"),
    ] {
        let waiting = scene(reason, message, Unknown);
        scenes.extend([waiting, waiting.once_invited()]);
    }
    let inviting = scene(Reason::Inviting, "sending the invitation", BeingInvited);
    let again = Scene { before: Some((Reason::Expired, Invited)), suffix: "-again", ..inviting };
    let looking = scene(
        Reason::Looking,
        "the answer to the invitation is unclear (no answer within 10 s): looking whether it arrived before anything else is sent",
        BeingInvited,
    );
    let taking = scene(Reason::Looking, "taking over the invitation that is recorded for this person", Invited);
    scenes.extend([inviting, again, looking, Scene { suffix: "-taking-over", ..taking }]);

    for (reason, message) in [
        (
            Reason::InviterNotFound,
            "Inviter atlas does not exist in namespace payments: create it, or correct inviterRef",
        ),
        (
            Reason::InviterNotReady,
            "Inviter atlas is not ready: CredentialsRejected: API answered 401; check the inviter's Secret",
        ),
    ] {
        let missing = scene(reason, message, Unclaimed);
        let invited = Scene { person: Invited, ..missing }.once_invited();
        scenes.extend([missing, overdue(missing, "-overdue"), invited, overdue(invited, "-once-invited-overdue")]);
    }

    // What the person does.
    let adopted = "took over a pending invitation and not yet accepted; expires at 2026-12-01T12:00:00Z";
    for (reason, message, person) in [
        (Reason::Invited, leaked(Reason::Invited), Invited),
        (Reason::Adopted, adopted, InvitedElsewhere),
        (Reason::Accepted, leaked(Reason::Accepted), Member),
        (Reason::Expired, leaked(Reason::Expired), Invited),
        (Reason::Withdrawn, leaked(Reason::Withdrawn), Gone),
        (
            Reason::RolesNotEnforced,
            "the invitation was sent by somebody else, and its roles are changed only under adoption: Any",
            InvitedElsewhere,
        ),
    ] {
        let seen = scene(reason, message, person);
        let seen = if reason == Reason::Invited { seen } else { seen.once_invited() };
        let seen = Scene { suffix: "", ..seen };
        scenes.extend([seen, seen.ready_when_accepted()]);
    }

    // What its author asked for.
    let suspended = scene(Reason::Suspended, "suspended: no call is made until spec.suspend is false", Unclaimed);
    let invited = Scene { person: Invited, ..suspended }.once_invited();
    let accepted =
        Scene { person: Member, before: Some((Reason::Accepted, Member)), ..suspended.ready_when_accepted() };
    let waiting = Scene { suffix: "-once-invited-ready-when-accepted", ..invited.ready_when_accepted() };
    let accepted = Scene { suffix: "-once-accepted", ..accepted };
    scenes.extend([suspended, invited, waiting, accepted]);
    let observed = "the inviter observes only: it would invite the person";
    scenes.push(scene(Reason::ObserveOnly, observed, Unclaimed));
    let cancelling = "finishing the cancellation that a former owner began";
    scenes.push(scene(Reason::Cancelling, cancelling, Invited));
    let cancelled = scene(Reason::Cancelled, "the pending invitation was cancelled", Unknown);
    scenes.push(cancelled);
    scenes.push(Scene { person: Unknown, ..cancelled.once_invited() });
    for (reason, message) in [
        (Reason::Cancelling, "cancelling the pending invitation"),
        (
            Reason::CancelBlocked,
            "the invitation cannot be cancelled now: API answered 503; set the annotation invitation-operator.io/release to \
             \"true\" to let go of the object",
        ),
    ] {
        let deleting = scene(reason, message, Invited).once_invited();
        scenes.push(Scene { deleting: true, suffix: "-deleting", ..deleting });
    }

    // What a human has to put right.
    for (reason, message, person) in [
        (Reason::PolicyDenied, "allow.roles of Inviter atlas does not list GROUP_DATA_ACCESS_READ_ONLY", Unclaimed),
        (
            Reason::DuplicateInvitee,
            "ProjectInvitation payments/jane owns the invitation of this person to this project",
            Unclaimed,
        ),
        (
            Reason::InvitationExists,
            "somebody else's invitation of this person is pending, and the inviter has adoption: Never",
            Unclaimed,
        ),
        (
            Reason::OutcomeUnknown,
            "an invitation was sent, its answer was lost, and the person is in no list: ask the person, then resend",
            Unknown,
        ),
        (Reason::Refused, "API answered 400 INVALID_ROLE_FOR_GROUP: the role is not one of this project's", Unknown),
        (Reason::ProjectNotFound, "API answered 404 GROUP_NOT_FOUND: no project with this id", Unknown),
        (Reason::WrongProduct, "API answered 404 NOT_ATLAS_GROUP: use an inviter of the product that owns it", Unknown),
        (Reason::PermissionMissing, "API answered 403 USER_UNAUTHORIZED: give the credentials Project Owner", Unknown),
        (Reason::InvalidSpec, "spec.roles must name at least one project role, such as GROUP_READ_ONLY", Unclaimed),
    ] {
        let denied = scene(reason, message, person);
        scenes.extend([denied, denied.ready_when_accepted()]);
        if !matches!(reason, Reason::DuplicateInvitee | Reason::OutcomeUnknown) {
            scenes.push(Scene { person: Invited, ..denied }.once_invited());
        }
    }
    for (reason, message, person) in [
        (
            Reason::InviterMoved,
            "inviterRef now leads to another API host or project than the one that holds this invitation: point it back, or \
             delete this object and create it anew",
            Invited,
        ),
        (
            Reason::ClaimMissing,
            "the status tells of an invitation that the ledger does not know: give the annotation \
             invitation-operator.io/resend a new value to invite again",
            Unclaimed,
        ),
    ] {
        scenes.push(Scene { suffix: "", ..scene(reason, message, person).once_invited() });
    }
    let capped =
        "3 e-mails went to this person for this project in 24 hours: the next may be sent at 2026-11-02T12:00:00Z";
    let capped = scene(Reason::MailCapReached, capped, Unknown);
    scenes.extend([capped, Scene { person: Invited, ..capped }.once_invited()]);
    scenes.into_iter().map(Scene::case).collect()
}

/// Nothing is Degraded, or anything but in progress, before the operator has seen it as it is.
fn unobserved() -> Vec<Case> {
    let case = |kind, name: &str, object| Case {
        kind,
        name: name.to_owned(),
        reason: None,
        object,
        argo: "Progressing",
        message: "Waiting for the operator".to_owned(),
        kstatus: "InProgress",
    };
    let changed = |mut object: Value| {
        object["metadata"]["generation"] = json!(2);
        object
    };
    let refused = scene(Reason::Refused, "API answered 400 INVALID_ROLE_FOR_GROUP", Person::Unknown).case();
    let mut cases = vec![
        case("ProjectInvitation", "new", serde_json::to_value(invitation()).unwrap()),
        case("ProjectInvitation", "changed-after-refusal", changed(refused.object)),
    ];
    for kind in ["Inviter", "ClusterInviter"] {
        let rejected = checked(inviter(kind), &Finding::new(Reason::CredentialsRejected, "API answered 401"));
        cases.extend([case(kind, "new", inviter(kind)), case(kind, "changed-after-rejection", changed(rejected))]);
    }
    cases
}

/// `InviterNotReady` as the name of a file.
pub fn kebab(reason: Reason) -> String {
    let mut name = String::new();
    for letter in reason.as_str().chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
