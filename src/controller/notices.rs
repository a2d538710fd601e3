//! Who publishes events.
//!
//! kube's recorder counts up an event that is repeated within minutes, and keeps each for that until it publishes another one
//! later. After thousands of them that is most of the memory, for as long as nothing happens. Must never keep more than a few
//! hundred: one that is repeated after those is a new one.

use crate::api::names::CONTROLLER;
use kube::Client;
use kube::runtime::events::{Recorder, Reporter};
use std::sync::{Mutex, PoisonError};

/// So many events are kept.
const KEPT: usize = 200;

/// Lends recorders.
pub(super) struct Notices {
    client: Client,
    recent: Mutex<Recent>,
}

struct Recent {
    recorder: Recorder,
    lent: usize,
}

impl Recent {
    fn new(client: Client) -> Self {
        let reporter = Reporter { controller: CONTROLLER.to_owned(), instance: None };
        Self { recorder: Recorder::new(client, reporter), lent: 0 }
    }
}

impl Notices {
    pub(super) fn new(client: Client) -> Self {
        Self { recent: Mutex::new(Recent::new(client.clone())), client }
    }

    /// For one event.
    pub(super) fn recorder(&self) -> Recorder {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.lent == KEPT {
            *recent = Recent::new(self.client.clone());
        }
        recent.lent += 1;
        recent.recorder.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future;
    use http::{Request, Response};
    use std::convert::Infallible;

    #[tokio::test]
    async fn no_recorder_is_lent_for_ever() {
        let silent =
            |_: Request<kube::client::Body>| future::pending::<Result<Response<kube::client::Body>, Infallible>>();
        let notices = Notices::new(Client::new(tower::service_fn(silent), "default"));
        for _ in 0..10 * KEPT {
            notices.recorder();
            assert!(notices.recent.lock().unwrap_or_else(PoisonError::into_inner).lent <= KEPT);
        }
    }
}
