//! The API's definite no, and how long it stands.
//!
//! A request that was refused rests 1, 2, 4 … 24 hours, and is made again at once when something in it changes: spec,
//! inviter, credentials or requestedAt; another object under the same name makes another request. A refused call mails nobody.

use super::facts::Facts;
use super::schedule::{Wake, refusal_ends};
use super::step::{Decision, again, rest};
use crate::api::{InvitationClaimSpec, Reason};

/// Whether the API's last no still speaks of this very request and its time of rest is not over.
pub(super) fn refusal_stands(facts: &Facts, claim: &InvitationClaimSpec) -> bool {
    claim.refusal.as_ref().is_some_and(|refusal| {
        refusal.request == request_name(facts) && facts.now < refusal_ends(refusal, &facts.timings)
    })
}

/// Names a request: a definite no stands until something in it changes.
#[must_use]
pub fn request_name(facts: &Facts) -> String {
    format!(
        "{}/{}/{}/{}",
        facts.desired.object.uid,
        facts.desired.generation,
        facts.inviter.revision,
        facts.desired.requested_at.as_deref().unwrap_or_default()
    )
}

/// The object rests with what the API said.
pub(super) fn refused_rest(claim: &InvitationClaimSpec) -> Decision {
    let Some(refusal) = &claim.refusal else { return again(Reason::Looking, "looking") };
    let reason = match refusal.reason.as_str() {
        "ProjectNotFound" => Reason::ProjectNotFound,
        "WrongProduct" => Reason::WrongProduct,
        "PermissionMissing" => Reason::PermissionMissing,
        _ => Reason::Refused,
    };
    rest(reason, refusal.message.clone(), Wake::Refusal { at: refusal.at.0, times: refusal.times })
}
