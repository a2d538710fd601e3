//! Status of inviters: `Ready`, with the reason why not, and what else is to be said of them.
//!
//! Pure: made from the verdict of a pass and from the status before. Written only when it differs.

use super::inviter_pass::time_may_cure;
use super::inviter_spec::InviterSettings;
use super::remarks::Orphans;
use crate::api::names::condition;
use crate::api::{InviterStatus, Reason};
use crate::domain::finding::Finding;
use crate::domain::ledger::whole_second;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// What is said of an inviter besides whether it can be used: conditions that are present only while `True`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Orphans.
    pub orphans: Orphans,
    /// Why cancellations are paused, if they are.
    pub paused: Option<Finding>,
}

/// The status that the findings ask for.
#[must_use]
pub fn inviter_status(settings: &InviterSettings, finding: &Finding, aside: &Aside, now: Timestamp) -> InviterStatus {
    let ready = finding.reason == Reason::Ready;
    let mut conditions = vec![condition(settings, condition::READY, ready, finding, now)];
    if !ready {
        let wait = if time_may_cure(finding.reason) { condition::RECONCILING } else { condition::STALLED };
        conditions.push(condition(settings, wait, true, finding, now));
    }
    let before = || settings.status.conditions.iter().find(|before| before.type_ == condition::ORPHANS_FOUND).cloned();
    conditions.extend(match &aside.orphans {
        Orphans::Unknown => before(),
        Orphans::None => None,
        Orphans::Some(finding) => Some(condition(settings, condition::ORPHANS_FOUND, true, finding, now)),
    });
    if let Some(finding) = &aside.paused {
        conditions.push(condition(settings, condition::CANCELLATIONS_PAUSED, true, finding, now));
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
