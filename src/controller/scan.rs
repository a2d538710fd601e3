//! Compares each roster with the ledger, once, for all who share it.
//!
//! Costs no call: one look-up in the ledger for each pending invitation that one of our own inviters sent, and one among the
//! objects for each that the ledger does not know. Must never change anything at MongoDB.

use super::connection::Connection;
use super::kept::Wish;
use super::pass::Passes;
use super::roster::{Ask, Freshness, Roster, Trouble};
use crate::domain::desired::{Life, life};
use crate::domain::key::{claim_key, claim_name};
use crate::domain::orphan::is_unknown;
use crate::domain::remote::{Invitation, ObjectId, Username};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

impl Passes {
    /// A roster that is fresh enough, compared with the ledger.
    pub(super) async fn look(
        &self,
        connection: &Connection,
        project: &ObjectId,
        freshness: Freshness,
        ask: Ask,
    ) -> Result<Arc<Roster>, Trouble> {
        let roster = self.rosters.look(connection, project, freshness, ask).await?;
        self.compare(connection, project, &roster);
        Ok(roster)
    }

    /// Looks for a newcomer: `None` when nobody by that name is there.
    pub(super) async fn look_for(
        &self,
        connection: &Connection,
        project: &ObjectId,
        newcomer: &Username,
        since: Duration,
        ask: Ask,
    ) -> Result<Option<Arc<Roster>>, Trouble> {
        let roster = self.rosters.look_for(connection, project, newcomer, since, ask).await?;
        if let Some(roster) = &roster {
            self.compare(connection, project, roster);
        }
        Ok(roster)
    }

    fn compare(&self, connection: &Connection, project: &ObjectId, roster: &Roster) {
        let inviter = &connection.facts.recorded;
        let remarks = self.connections.remarks();
        if !remarks.is_compared(&inviter.uid, project, roster.started) {
            // What lists the project is accepted.
            self.connections.proved(&inviter.into(), &connection.facts.revision, roster.started);
            let orphans = self.orphans(connection, project, roster);
            if remarks.compared(&inviter.uid, project, roster.started, orphans) {
                self.wakes.recorded(inviter);
            }
        }
    }

    fn orphans(&self, connection: &Connection, project: &ObjectId, roster: &Roster) -> BTreeSet<String> {
        let (facts, now) = (&connection.facts, self.clock.now());
        let quarantine = self.settings.timings.quarantine();
        let own = self.connections.identities(&facts.host);
        let is_own = |seen: &Invitation| seen.inviter_username.as_ref().is_some_and(|by| own.contains(by));
        let is_orphan = |seen: &Invitation| {
            let name = claim_name(&claim_key(facts.product, &facts.host, project, &seen.username));
            let claim = self.claims.get(&self.claim_ref(&name));
            is_unknown(seen, claim.as_ref().map(|claim| &claim.spec), quarantine, now) && !self.is_wanted(project, seen)
        };
        let orphans = roster.invitations().filter(is_own).filter(is_orphan);
        orphans.map(|seen| seen.id.as_str().to_owned()).collect()
    }

    /// Whether an object wants the person, and will take the invitation over or says why not.
    fn is_wanted(&self, project: &ObjectId, seen: &Invitation) -> bool {
        let wish = Wish::For { project: project.as_str().to_owned(), person: seen.username.clone() };
        self.objects.any(&wish, |object| matches!(life(object), Life::Live | Life::Suspended))
    }
}
