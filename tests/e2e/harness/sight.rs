//! Short words for how objects stand.

use invitation_operator::api::{Inviter, Phase, ProjectInvitation, ProjectInvitationStatus, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// The status, empty where there is none.
pub fn status(object: &ProjectInvitation) -> ProjectInvitationStatus {
    object.status.clone().unwrap_or_default()
}

/// A condition.
pub fn condition<'a>(object: &'a ProjectInvitation, type_: &str) -> Option<&'a Condition> {
    object.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == type_)
}

/// Whether the condition is there and `True`.
pub fn is_true(object: &ProjectInvitation, type_: &str) -> bool {
    condition(object, type_).is_some_and(|condition| condition.status == "True")
}

/// The message of the condition that shows a reason.
pub fn message(object: &ProjectInvitation, reason: Reason) -> String {
    let conditions = object.status.iter().flat_map(|status| &status.conditions);
    let found = conditions.into_iter().find(|condition| condition.reason == reason.as_str());
    found.map(|condition| condition.message.clone()).unwrap_or_default()
}

/// The status speaks of the spec as it is, and has this phase.
pub fn in_phase(phase: Phase) -> impl Fn(&ProjectInvitation) -> bool {
    move |object| is_current(object) && status(object).phase == Some(phase)
}

/// The status speaks of the spec as it is, and one of its conditions shows this reason.
pub fn shows(reason: Reason) -> impl Fn(&ProjectInvitation) -> bool {
    move |object| {
        is_current(object) && status(object).conditions.iter().any(|condition| condition.reason == reason.as_str())
    }
}

/// `Ready` is `status` with this reason.
pub fn ready(status: &'static str, reason: Reason) -> impl Fn(&ProjectInvitation) -> bool {
    move |object| {
        is_current(object)
            && condition(object, "Ready").is_some_and(|ready| ready.status == status && ready.reason == reason.as_str())
    }
}

fn is_current(object: &ProjectInvitation) -> bool {
    status(object).observed_generation == object.metadata.generation
}

/// Reason and message of an inviter's `Ready`.
pub fn inviter_ready(inviter: &Inviter) -> Option<&Condition> {
    let status = inviter.status.as_ref()?;
    if status.observed_generation != inviter.metadata.generation {
        return None;
    }
    status.conditions.iter().find(|condition| condition.type_ == "Ready")
}
