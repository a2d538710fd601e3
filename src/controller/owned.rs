//! Claims by their owner, read live, for many owners at a time.
//!
//! The API server has no index by label and goes through all claims for each such question, so those who ask while an
//! answer is under way share the next one, and between two answers it has a little time for others. An answer was always
//! begun after its question. Must never answer from a cache.

use super::cluster::ClusterError;
use super::kube_cluster::within;
use crate::api::InvitationClaim;
use crate::api::names::OWNER_UID_LABEL;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex as AsyncMutex;
use tokio::sync::oneshot::{Sender, channel};
use tokio::time::{Instant, sleep_until};

/// Uids in one question: some 2.5 kB of its URL.
const AT_ONCE: usize = 64;
/// As long as an answer took, and no longer than this, the next question waits for more to share it.
const LONGEST_REST: Duration = Duration::from_millis(40);

type Answer = Result<Vec<InvitationClaim>, ClusterError>;

/// Questions that wait for the answer before theirs.
#[derive(Default)]
pub(super) struct Owned {
    waiting: Mutex<Vec<(String, Sender<Answer>)>>,
    /// Whose turn it is to ask, and not before when.
    turn: AsyncMutex<Option<Instant>>,
}

impl Owned {
    /// The claims that this owner has now.
    pub(super) async fn claims_of(&self, claims: &Api<InvitationClaim>, owner_uid: &str) -> Answer {
        let (sender, mut answer) = channel();
        self.waiting().push((owner_uid.to_owned(), sender));
        loop {
            tokio::select! {
                biased;
                answered = &mut answer => {
                    return answered.unwrap_or_else(|_| Err(ClusterError::Unanswered("the question was dropped".to_owned())));
                }
                mut rested = self.turn.lock() => {
                    if let Some(rested) = *rested {
                        sleep_until(rested).await;
                    }
                    let began = Instant::now();
                    self.ask(claims).await;
                    *rested = Some(Instant::now() + began.elapsed().min(LONGEST_REST));
                }
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<(String, Sender<Answer>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for those who wait, first come first.
    async fn ask(&self, claims: &Api<InvitationClaim>) {
        let asking: Vec<_> = {
            let mut waiting = self.waiting();
            waiting.retain(|(_, sender)| !sender.is_closed());
            let count = waiting.len().min(AT_ONCE);
            waiting.drain(..count).collect()
        };
        if asking.is_empty() {
            return;
        }
        let uids: Vec<_> = asking.iter().map(|(uid, _)| uid.as_str()).collect();
        let params = ListParams::default().labels(&format!("{OWNER_UID_LABEL} in ({})", uids.join(",")));
        let found = within(claims.list(&params)).await;
        let mut by_owner: HashMap<String, Vec<InvitationClaim>> = HashMap::new();
        let answered = found.map(|list| {
            for claim in list.items {
                let owner = claim.labels().get(OWNER_UID_LABEL).cloned().unwrap_or_default();
                by_owner.entry(owner).or_default().push(claim);
            }
        });
        for (uid, sender) in asking {
            let answer = answered.clone().map(|()| by_owner.get(&uid).cloned().unwrap_or_default());
            // Who asked may have gone meanwhile.
            let _ = sender.send(answer);
        }
    }
}
