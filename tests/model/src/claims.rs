//! Contents of claims, each held once and named by a number, so that a world is small and quick to compare.
//!
//! Times in a content are kept relative to the one moment `now()` at which everything in the model happens: a tick makes
//! them older instead of moving that moment. Times that no decision reads are all made that moment. Must never change
//! anything else.

use decisions::api::InvitationClaimSpec;
use decisions::domain::ledger::whole_second;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// One tick of the model.
pub const TICK: SignedDuration = SignedDuration::from_secs(65);
/// After so many ticks the quarantine of 190 s is over, and an attempt's age makes no difference any more.
pub const OLD: u8 = 3;

/// The moment at which everything happens.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 50)
}

/// So many ticks ago.
#[must_use]
pub fn ticks_ago(ticks: u8) -> Timestamp {
    now() - TICK * i32::from(ticks)
}

/// A content of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimId {
    number: u16,
    /// The nonce of the content's open attempt.
    pub nonce: Option<u8>,
}

/// What is known of a content.
#[derive(Debug)]
pub struct Content {
    /// The content itself.
    pub spec: InvitationClaimSpec,
    older: OnceLock<ClaimId>,
    tomorrow: OnceLock<ClaimId>,
}

/// All contents that were met.
#[derive(Debug, Default)]
pub struct Claims {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    ids: HashMap<String, ClaimId>,
    contents: Vec<Arc<Content>>,
}

impl Claims {
    /// The number of a content.
    ///
    /// # Panics
    /// When there are more than 65,536 contents: the world is not small.
    pub fn id(&self, spec: &InvitationClaimSpec) -> ClaimId {
        let spec = settled_times(spec.clone());
        let text = serde_json::to_string(&spec).expect("a claim can be written");
        if let Some(id) = self.inner.read().unwrap_or_else(PoisonError::into_inner).ids.get(&text) {
            return *id;
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = inner.ids.get(&text) {
            return *id;
        }
        let number = u16::try_from(inner.contents.len()).expect("few contents");
        let nonce = spec.attempt.as_ref().and_then(|attempt| attempt.nonce.parse().ok());
        let id = ClaimId { number, nonce };
        inner.contents.push(Arc::new(Content { spec, older: OnceLock::new(), tomorrow: OnceLock::new() }));
        inner.ids.insert(text, id);
        id
    }

    /// The content of a number.
    #[must_use]
    pub fn of(&self, id: ClaimId) -> Arc<Content> {
        Arc::clone(&self.inner.read().unwrap_or_else(PoisonError::into_inner).contents[usize::from(id.number)])
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).contents.len()
    }

    /// The same content one tick later.
    #[must_use]
    pub fn older(&self, id: ClaimId) -> ClaimId {
        let content = self.of(id);
        *content.older.get_or_init(|| {
            let mut spec = content.spec.clone();
            let Some(attempt) = &mut spec.attempt else { return id };
            attempt.started_at = whole_second(attempt.started_at.0 - TICK);
            self.id(&spec)
        })
    }

    /// The same content a day later: its e-mails count no more.
    #[must_use]
    pub fn tomorrow(&self, id: ClaimId) -> ClaimId {
        let content = self.of(id);
        *content.tomorrow.get_or_init(|| {
            let mut spec = content.spec.clone();
            spec.mails.clear();
            self.id(&spec)
        })
    }
}

fn settled_times(mut spec: InvitationClaimSpec) -> InvitationClaimSpec {
    let now = whole_second(now());
    if let Some(attempt) = &mut spec.attempt {
        let started = attempt.started_at.0.max(ticks_ago(OLD));
        let lasts = SignedDuration::from_secs(10);
        attempt.started_at = whole_second(started);
        attempt.deadline = whole_second(started + lasts);
    }
    if let Some(invitation) = &mut spec.invitation {
        invitation.created_at = None;
        invitation.expires_at = None;
    }
    if let Some(verdict) = &mut spec.verdict {
        verdict.since = now.clone();
    }
    if let Some(kept) = &mut spec.kept {
        kept.at = now.clone();
    }
    if let Some(debt) = &mut spec.debt {
        debt.since = now.clone();
    }
    if let Some(refusal) = &mut spec.refusal {
        refusal.at = now.clone();
    }
    spec.accepted_at = spec.accepted_at.map(|_| now.clone());
    spec.mails.iter_mut().for_each(|mail| *mail = now.clone());
    spec.lost_attempts = spec.lost_attempts.min(3);
    spec
}
