//! What a pass tells people: status, and events on transitions.
//!
//! Written only when it differs, and never read back to cause anything. Must never decide how an object stands.

use super::cluster::{ClusterError, Notice};
use super::memory::Fingerprint;
use super::pass::Passes;
use crate::api::{InvitationClaimSpec, Plan, ProjectInvitation, Reason};
use crate::domain::desired::Desired;
use crate::domain::facts::Sight;
use crate::domain::finding::Finding;
use crate::domain::projection::{Picture, is_news, project};
use crate::domain::standing::{Wait, standing};
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

/// How an object is to be shown.
pub(super) struct Shown<'a> {
    pub desired: Option<&'a Desired>,
    pub claim: Option<&'a InvitationClaimSpec>,
    pub sight: Option<&'a Sight>,
    pub finding: Finding,
    pub extra: Option<Finding>,
    pub plan: Option<Plan>,
    pub overdue: bool,
}

impl Passes {
    /// Writes the status if it differs, and an event if the reason is new. Returns whether the status was written.
    pub(super) async fn show(&self, object: &ProjectInvitation, shown: Shown<'_>) -> Result<bool, ClusterError> {
        let before = object.status.clone().unwrap_or_default();
        let status = project(&Picture {
            before: &before,
            generation: object.metadata.generation.unwrap_or_default(),
            desired: shown.desired,
            claim: shown.claim,
            sight: shown.sight,
            finding: &shown.finding,
            overdue: shown.overdue,
            plan: shown.plan,
            now: self.clock.now(),
        });
        let reference = ObjectRef::from_obj(object);
        // Before it is written: the watch may be quicker than the answer.
        self.memory.update(&object.uid().unwrap_or_default(), |memory| memory.shown = Some(Fingerprint::of(&status)));
        let wrote = status != before;
        if wrote {
            let written = match self.cluster.write_status(object, &status).await {
                // The object went away or was made anew: its own event brings the next pass.
                Err(ClusterError::Gone | ClusterError::Conflict) => return Ok(false),
                other => other?,
            };
            self.objects.remember(reference, written);
        } else if self.objects.get(&reference).is_some_and(|newest| newest.status != object.status) {
            // It changed while this pass was made, and was no news then.
            self.wakes.invitation(&reference);
        }
        if wrote && is_news(&before, &shown.finding) {
            self.cluster.publish(object, &notice(&shown.finding)).await;
        }
        if let Some(extra) = shown.extra.filter(|extra| extra.reason != shown.finding.reason) {
            self.cluster.publish(object, &notice(&extra)).await;
        }
        Ok(wrote)
    }
}

/// The event of a finding: a warning when a human should look.
pub(super) fn notice(finding: &Finding) -> Notice {
    let stalled = standing(finding.reason, crate::api::ReadyWhen::Invited, true).wait == Wait::Stalled;
    let left = matches!(
        finding.reason,
        Reason::Released | Reason::AccessLeftBehind | Reason::CancelBlocked | Reason::Expired | Reason::Withdrawn
    );
    Notice { reason: finding.reason, note: finding.message.clone(), warning: stalled || left }
}
