//! What becomes of an attempt whose answer was not recorded.
//!
//! Nothing may be sent for the person before the attempt is resolved: found, or lost after its quarantine. Must never
//! open another attempt; the next pass decides that.

use super::decide::held;
use super::desired::Life;
use super::facts::{Facts, Quarantine, Sight};
use super::finding::{Finding, accepted_finding, invited_finding};
use super::remote::Invitation;
use super::schedule::Wake;
use super::step::{Decision, again, record, rest, stop};
use super::{ledger, resend};
use crate::api::{InvitationClaimSpec, OnUnknown, Origin, Reason};
use jiff::SignedDuration;

/// An attempt without a recorded answer: nothing may be sent before it is resolved.
pub(super) fn resolve_attempt(facts: &Facts) -> Decision {
    let looking = "an invitation was sent and its answer lost: looking whether it arrived before anything else is sent";
    let (Some(claim), Some(sight)) = (&facts.claim, &facts.sight) else {
        return rest(Reason::Looking, looking, Wake::Soon);
    };
    let owned = || ledger::owned(facts);
    if let Some(member) = &sight.member {
        return record(ledger::accepted(owned(), facts.now), accepted_finding(&member.roles), Wake::NextLook);
    }
    if let Some(invitation) = of_attempt(facts, claim, sight) {
        let finding = invited_finding(invitation);
        return record(ledger::recorded(owned(), invitation, Origin::Created), finding, Wake::NextLook);
    }
    match (facts.quarantine, sight.fresh) {
        (Some(Quarantine::Running { elapsed, left }), _) => {
            rest(Reason::Looking, looking, Wake::attempt_look(elapsed, left))
        }
        (_, false) if holds(facts) && sight.pending.is_empty() => held(facts, outcome_unknown()),
        (_, false) => again(Reason::Looking, looking),
        (_, true) => after_quarantine(facts, sight),
    }
}

/// Whether an attempt that is not found waits for a human, so that a look of the whole project's is as good as one of its
/// own.
pub(super) fn holds(facts: &Facts) -> bool {
    let answered =
        facts.claim.as_ref().and_then(|claim| claim.attempt.as_ref()).is_some_and(|attempt| attempt.answered);
    let deleting = matches!(facts.life, Life::Deleting { .. });
    let over = !matches!(facts.quarantine, Some(Quarantine::Running { .. }));
    let stays_open = answered || facts.inviter.on_unknown == OnUnknown::Hold;
    over && stays_open && !deleting && resend::wanted(facts).is_none()
}

fn after_quarantine(facts: &Facts, sight: &Sight) -> Decision {
    if !sight.pending.is_empty() || !holds(facts) {
        // Lost, or somebody else's invitation stands where ours would: the next pass decides what follows.
        return record(
            ledger::attempt_lost(ledger::owned(facts)),
            Finding::new(Reason::Looking, "the last attempt was not found after the quarantine"),
            Wake::Now,
        );
    }
    held(facts, outcome_unknown())
}

/// Nobody can tell, and looking longer does not help.
pub(super) fn outcome_unknown() -> Decision {
    stop(
        Reason::OutcomeUnknown,
        "an invitation was sent, its answer lost, and the person is neither invited nor a member: ask the person, then \
         give the annotation invitation-operator.io/resend a new value to invite again",
    )
}

/// The pending invitation that the open attempt made: ours by its sender, in the attempt's window of time.
///
/// In a look begun after the quarantine the lists hide nothing and show nothing that is gone: then the sender is enough, because an attempt
/// is opened only when no invitation of ours is there, and the clock that dated the attempt may have been wrong; and the
/// window and the roles are enough, because an API may name its senders in its own way.
fn of_attempt<'a>(facts: &Facts, claim: &InvitationClaimSpec, sight: &'a Sight) -> Option<&'a Invitation> {
    // The clocks of the API and of this machine need not agree to the second.
    const SKEW: SignedDuration = SignedDuration::from_secs(60);
    let attempt = claim.attempt.as_ref()?;
    let reach = SignedDuration::try_from(facts.timings.post_deadline + facts.timings.server_delay).ok()?;
    let over = sight.fresh && facts.quarantine == Some(Quarantine::Over);
    let in_window = |invitation: &Invitation| {
        invitation.created_at.is_none_or(|created| {
            created >= attempt.started_at.0 - SKEW && created <= attempt.started_at.0 + reach + SKEW
        })
    };
    let sender = |invitation: &Invitation| invitation.inviter_username.as_ref().map(|by| *by == facts.inviter.identity);
    let ours = |invitation: &&Invitation| match sender(invitation) {
        Some(is_us) => is_us && (over || in_window(invitation)),
        None => in_window(invitation),
    };
    let alike = |invitation: &&Invitation| over && in_window(invitation) && invitation.roles == facts.desired.roles;
    sight.pending.iter().find(ours).or_else(|| sight.pending.iter().find(alike))
}
