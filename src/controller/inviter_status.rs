//! Status of inviters: `Ready`, with the reason why not.
//!
//! Pure: made from the verdict of a pass and from the status before. Written only when it differs.

use super::inviter_pass::time_may_cure;
use super::inviter_spec::InviterSettings;
use crate::api::names::condition;
use crate::api::{InviterStatus, Reason};
use crate::domain::finding::Finding;
use crate::domain::ledger::whole_second;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// The status that the finding asks for.
#[must_use]
pub fn inviter_status(settings: &InviterSettings, finding: &Finding, now: Timestamp) -> InviterStatus {
    let ready = finding.reason == Reason::Ready;
    let mut conditions = vec![condition(settings, condition::READY, ready, finding, now)];
    if !ready {
        let wait = if time_may_cure(finding.reason) { condition::RECONCILING } else { condition::STALLED };
        conditions.push(condition(settings, wait, true, finding, now));
    }
    InviterStatus {
        last_handled_reconcile_at: settings
            .requested_at
            .clone()
            .or_else(|| settings.status.last_handled_reconcile_at.clone()),
        observed_generation: Some(settings.generation),
        conditions,
    }
}

fn condition(settings: &InviterSettings, type_: &str, status: bool, finding: &Finding, now: Timestamp) -> Condition {
    let status = if status { "True" } else { "False" };
    let before = settings.status.conditions.iter().find(|before| before.type_ == type_ && before.status == status);
    Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: finding.reason.as_str().to_owned(),
        message: finding.message.clone(),
        last_transition_time: before.map_or_else(|| whole_second(now), |before| before.last_transition_time.clone()),
        observed_generation: Some(settings.generation),
    }
}
