//! What tests see, and what they set: records, faults, behaviour and the clock.
//!
//! Owns the library's views and switches. Views are copies of one moment.

use std::time::Duration;

use super::Simulator;
use crate::{
    atlas,
    behaviour::Behaviour,
    fault::{ActiveFault, FaultRule},
    server::log::RequestRecord,
    world::{
        outbox::Mail,
        views::{InvitationView, MemberView},
    },
};

#[allow(clippy::must_use_candidate)] // most calls act, and what they return may be ignored
impl Simulator {
    /// Open invitations of a project, of both API generations, whatever the list lag.
    #[must_use]
    pub fn invitations(&self, project: &str) -> Vec<InvitationView> {
        self.look(|world| world.invitation_views(project))
    }

    /// Members of a project.
    #[must_use]
    pub fn members(&self, project: &str) -> Vec<MemberView> {
        self.look(|world| world.member_views(project))
    }

    /// Every mail sent so far.
    #[must_use]
    pub fn outbox(&self) -> Vec<Mail> {
        self.look(|world| world.outbox.clone())
    }

    /// Every mail to one address, without regard to case.
    #[must_use]
    pub fn mails_to(&self, username: &str) -> Vec<Mail> {
        let mut mails = self.outbox();
        mails.retain(|mail| mail.to.eq_ignore_ascii_case(username));
        mails
    }

    /// Empties the outbox.
    pub fn clear_outbox(&self) {
        self.change(|world| world.outbox.clear());
    }

    /// Every request so far, challenged first legs included.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.look(|world| world.log.records.clone())
    }

    /// Empties the request log; numbers go on.
    pub fn clear_requests(&self) {
        self.change(|world| world.log.records.clear());
    }

    /// Puts a fault in force and returns its number.
    pub fn add_fault(&self, rule: FaultRule) -> u64 {
        self.change(|world| world.faults.add(rule))
    }

    /// Ends a fault.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.change(|world| world.faults.remove(id))
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.change(|world| world.faults.active.clear());
    }

    /// The faults in force with their counts.
    #[must_use]
    pub fn faults(&self) -> Vec<ActiveFault> {
        self.look(|world| world.faults.active.clone())
    }

    /// Changes the behaviour from now on.
    pub fn configure(&self, change: impl FnOnce(&mut Behaviour)) {
        self.change(|world| {
            let bypass = world.behaviour.ops_manager_bypass;
            change(&mut world.behaviour);
            let wanted = world.behaviour.ops_manager_bypass;
            world.behaviour.ops_manager_bypass = bypass;
            world.set_bypass(wanted);
        });
    }

    /// Moves the simulated clock forward: invitations, tokens, nonces and limits age with it.
    pub fn advance_clock(&self, by: Duration) {
        self.change(|world| world.clock.advance(by));
    }

    /// The simulated time, RFC 3339.
    #[must_use]
    pub fn now(&self) -> String {
        self.look(|world| world.clock.now().to_string())
    }

    /// Forgets every nonce, as another server behind a balancer does (contract §5.1).
    pub fn forget_nonces(&self) {
        self.change(|world| world.credentials.nonces.clear());
    }

    /// Forgets every access token.
    pub fn forget_tokens(&self) {
        self.change(|world| world.credentials.tokens.clear());
    }

    /// Empties the token buckets of a project, so that its next calls are refused.
    pub fn drain_rate_limit(&self, project: &str) {
        self.change(|world| atlas::drain(world, project));
    }
}
