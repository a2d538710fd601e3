//! Connections: what each inviter can be used for right now, for all who ask.
//!
//! The inviter controller puts them in, passes of invitations take them out. The last good connection of an inviter stays
//! after its Secret or the inviter itself is gone: invitations that were sent through it must still be cancelled. Must
//! never serve what one inviter's credentials saw to another.

use super::inviter_spec::{Access, InviterSettings};
use super::remarks::Remarks;
use crate::api::{Reason, RecordedInviter};
use crate::cloud::InvitesApi;
use crate::domain::desired::InviterName;
use crate::domain::facts::InviterFacts;
use crate::domain::finding::Finding;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Credentials and spec that were accepted together.
#[derive(Clone)]
pub struct Connection {
    /// What decisions need to know.
    pub facts: InviterFacts,
    /// Who may use it.
    pub access: Access,
    /// The API with its credentials.
    pub api: Arc<dyn InvitesApi>,
}

/// How an inviter can be used.
#[derive(Clone)]
pub enum Usable {
    /// Credentials are accepted.
    Yes(Arc<Connection>),
    /// It cannot be used now, and why.
    No(Finding),
    /// It exists, and its first pass is not over.
    Checking,
    /// It does not exist.
    NotFound,
}

/// Whether the inviter has had a pass since this process leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checked {
    Yes,
    NotYet,
}

struct Entry {
    uid: String,
    checked: Checked,
    trouble: Option<Finding>,
    last_good: Option<Arc<Connection>>,
    /// When a call that succeeded was begun, and with which revision.
    proved: Option<(String, Duration)>,
}

/// All connections of this process.
#[derive(Default)]
pub struct Connections {
    entries: RwLock<HashMap<InviterName, Entry>>,
    /// Of inviters that are gone, by their uid.
    retired: RwLock<HashMap<String, Arc<Connection>>>,
    remarks: Remarks,
}

impl Connections {
    /// How the inviter can be used.
    #[must_use]
    pub fn find(&self, name: &InviterName) -> Usable {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        match entries.get(name) {
            None => Usable::NotFound,
            Some(Entry { checked: Checked::NotYet, .. }) => Usable::Checking,
            Some(Entry { trouble: Some(finding), .. }) => Usable::No(finding.clone()),
            Some(Entry { last_good: Some(connection), .. }) => Usable::Yes(Arc::clone(connection)),
            Some(_) => Usable::Checking,
        }
    }

    /// What else is to be said of inviters.
    #[must_use]
    pub fn remarks(&self) -> &Remarks {
        &self.remarks
    }

    /// How MongoDB names the credentials that this installation sends invitations with, at this host.
    #[must_use]
    pub fn identities(&self, host: &str) -> HashSet<String> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let good = entries.values().filter_map(|entry| entry.last_good.as_ref());
        good.filter(|connection| connection.facts.host == host)
            .map(|connection| connection.facts.identity.clone())
            .collect()
    }

    /// The inviter exists: who asks for it waits for its first pass.
    pub fn announce(&self, name: &InviterName, uid: &str) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.entry(name.clone()).or_insert_with(|| Entry {
            uid: uid.to_owned(),
            checked: Checked::NotYet,
            trouble: None,
            last_good: None,
            proved: None,
        });
    }

    /// What was found so far may be long ago: who asks waits for the next pass of each inviter.
    pub fn doubt_all(&self) {
        for entry in self.entries.write().unwrap_or_else(PoisonError::into_inner).values_mut() {
            entry.checked = Checked::NotYet;
        }
    }

    /// The credentials that last worked for a recorded inviter, whatever became of it.
    #[must_use]
    pub fn last_good(&self, recorded: &RecordedInviter) -> Option<Arc<Connection>> {
        let name = InviterName::from(recorded);
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let present = entries.get(&name).filter(|entry| entry.uid == recorded.uid);
        present
            .and_then(|entry| entry.last_good.clone())
            .or_else(|| self.retired.read().unwrap_or_else(PoisonError::into_inner).get(&recorded.uid).cloned())
    }

    /// Credentials for a claim without an owner: those that last worked for its inviter, or those of an inviter that has
    /// taken that one's name and place, if they lead to the same host.
    #[must_use]
    pub fn serving(&self, recorded: &RecordedInviter, host: &str) -> Option<Arc<Connection>> {
        let name = InviterName::from(recorded);
        let present = match self.find(&name) {
            Usable::Yes(connection) => Some(connection),
            Usable::No(_) | Usable::Checking | Usable::NotFound => None,
        };
        present.or_else(|| self.last_good(recorded)).filter(|connection| connection.facts.host == host)
    }

    /// A call with the credentials of this revision, begun at this moment, has succeeded.
    pub fn proved(&self, name: &InviterName, revision: &str, begun: Duration) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(name) {
            entry.proved = Some((revision.to_owned(), begun));
        }
    }

    /// Whether the inviter is in use, and a call with the credentials of this revision has succeeded since that moment.
    #[must_use]
    pub fn is_proved(&self, name: &InviterName, revision: &str, since: Duration) -> bool {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(name).is_some_and(|entry| {
            let proved = entry.proved.as_ref().is_some_and(|(of, begun)| of == revision && *begun >= since);
            entry.checked == Checked::Yes && entry.trouble.is_none() && proved
        })
    }

    /// The inviter's credentials are accepted. Returns whether that is news.
    pub fn ready(&self, settings: &InviterSettings, connection: Connection) -> bool {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let news = entries.get(&settings.name).is_none_or(|entry| {
            entry.checked == Checked::NotYet
                || entry.trouble.is_some()
                || entry.last_good.as_ref().is_none_or(|before| before.facts != connection.facts)
        });
        let entry = Entry {
            uid: settings.uid.clone(),
            checked: Checked::Yes,
            trouble: None,
            last_good: Some(Arc::new(connection)),
            proved: entries.get(&settings.name).and_then(|before| before.proved.clone()),
        };
        if let Some(before) = entries.insert(settings.name.clone(), entry) {
            self.retire(before, &settings.uid);
        }
        news
    }

    /// The inviter cannot be used now. Returns whether that is news.
    pub fn not_ready(&self, name: &InviterName, uid: &str, finding: Finding) -> bool {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let last_good = match entries.remove(name) {
            Some(before) if before.uid == uid => {
                let news = before.checked == Checked::NotYet || before.trouble.as_ref() != Some(&finding);
                let entry = Entry { checked: Checked::Yes, trouble: Some(finding), ..before };
                entries.insert(name.clone(), entry);
                return news;
            }
            Some(before) => {
                self.retire(before, uid);
                None
            }
            None => None,
        };
        let entry =
            Entry { uid: uid.to_owned(), checked: Checked::Yes, trouble: Some(finding), last_good, proved: None };
        entries.insert(name.clone(), entry);
        true
    }

    /// The inviter is gone.
    pub fn remove(&self, name: &InviterName) {
        let removed = self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        if let Some(entry) = removed {
            self.remarks.forget(&entry.uid);
            self.retire(entry, "");
        }
    }

    /// How many inviters there are, by the reason that they show.
    #[must_use]
    pub fn by_reason(&self) -> HashMap<&'static str, usize> {
        let mut counts = HashMap::new();
        for entry in self.entries.read().unwrap_or_else(PoisonError::into_inner).values() {
            let reason = entry.trouble.as_ref().map_or(Reason::Ready, |finding| finding.reason);
            *counts.entry(reason.as_str()).or_default() += 1;
        }
        counts
    }

    fn retire(&self, entry: Entry, successor_uid: &str) {
        if entry.uid != successor_uid
            && let Some(connection) = entry.last_good
        {
            self.retired.write().unwrap_or_else(PoisonError::into_inner).insert(entry.uid, connection);
        }
    }

    /// Forgets the connections of inviters that are gone, unless claims still need the one of this uid.
    pub fn forget_retired(&self, is_needed: impl Fn(&str) -> bool) {
        let mut retired = self.retired.write().unwrap_or_else(PoisonError::into_inner);
        retired.retain(|uid, _| is_needed(uid));
    }
}
