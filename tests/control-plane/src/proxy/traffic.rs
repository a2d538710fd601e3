//! What goes on in a proxy: rules that stand, requests that came.
//!
//! Owns: the record of every request, from its arrival until nothing more
//! comes of it.
//!
//! Must never: forget a request, or touch a connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::rules::{Request, Rule, RuleId, Trouble};

#[derive(Default)]
struct State {
    rules: BTreeMap<RuleId, Rule>,
    made: u64,
    requests: Vec<Request>,
    under_way: BTreeMap<usize, CancellationToken>,
}

/// Shared by all connections of a proxy.
#[derive(Default)]
pub(super) struct Traffic {
    state: watch::Sender<State>,
}

impl Traffic {
    pub(super) fn add(&self, rule: Rule) -> RuleId {
        let mut id = RuleId(0);
        self.state.send_modify(|state| {
            state.made += 1;
            id = RuleId(state.made);
            state.rules.insert(id, rule);
        });
        id
    }

    pub(super) fn retain(&self, keep: impl Fn(RuleId) -> bool) {
        self.state.send_modify(|state| state.rules.retain(|id, _| keep(*id)));
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.state.borrow().requests.clone()
    }

    pub(super) async fn wait_until(&self, holds: impl Fn(&[Request]) -> bool) {
        // Ends with an error only when the sender is gone, and that is ours.
        let _ = self.state.subscribe().wait_for(|state| holds(&state.requests)).await;
    }

    pub(super) fn cut(&self, which: impl Fn(&Request) -> bool) -> usize {
        let state = self.state.borrow();
        let cut = state.under_way.iter().filter(|(number, _)| state.requests.get(**number).is_some_and(&which));
        cut.map(|(_, token)| token.cancel()).count()
    }

    /// A request has come: what strikes it is decided here, once.
    pub(super) fn arrived(self: &Arc<Self>, method: &str, target: &str) -> (Passage, Option<Trouble>) {
        let cut = CancellationToken::new();
        let mut passage = Passage { traffic: Arc::clone(self), number: 0, struck_by: None, cut: cut.clone() };
        let mut trouble = None;
        self.state.send_modify(|state| {
            passage.number = state.requests.len();
            let request = Request {
                number: passage.number,
                method: method.to_owned(),
                target: target.to_owned(),
                held: false,
                answered: None,
                over: false,
            };
            if let Some((id, rule)) =
                state.rules.iter_mut().find_map(|(id, rule)| rule.strikes(&request).then_some((*id, &*rule)))
            {
                passage.struck_by = Some(id);
                trouble = Some(rule.trouble.clone());
            }
            state.requests.push(request);
            state.under_way.insert(passage.number, cut);
        });
        (passage, trouble)
    }
}

/// One request on its way.
pub(super) struct Passage {
    traffic: Arc<Traffic>,
    number: usize,
    struck_by: Option<RuleId>,
    cut: CancellationToken,
}

impl Passage {
    /// Ends when somebody cuts the connection.
    pub(super) fn cut(&self) -> CancellationToken {
        self.cut.clone()
    }

    /// Waits until the rule that struck on arrival stands no more.
    pub(super) async fn lifted(&self) {
        self.held_while(|state| self.is_struck(state)).await;
    }

    /// Waits until no rule stops the answer.
    pub(super) async fn free(&self) {
        self.held_while(|state| {
            let request = state.requests.get(self.number);
            self.is_struck(state) || request.is_some_and(|request| state.rules.values().any(|rule| rule.stops(request)))
        })
        .await;
    }

    pub(super) fn answered(&self, status: u16) {
        self.note(|request| request.answered = Some(status));
    }

    fn is_struck(&self, state: &State) -> bool {
        let rule = self.struck_by.and_then(|id| state.rules.get(&id));
        rule.is_some_and(|rule| matches!(rule.trouble, Trouble::Hold | Trouble::HoldAnswer))
    }

    async fn held_while(&self, stopped: impl Fn(&State) -> bool) {
        if !stopped(&self.traffic.state.borrow()) {
            return;
        }
        self.note(|request| request.held = true);
        let _ = self.traffic.state.subscribe().wait_for(|state| !stopped(state)).await;
        self.note(|request| request.held = false);
    }

    fn note(&self, change: impl FnOnce(&mut Request)) {
        self.traffic.state.send_modify(|state| {
            if let Some(request) = state.requests.get_mut(self.number) {
                change(request);
            }
        });
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.traffic.state.send_modify(|state| {
            state.under_way.remove(&self.number);
            if let Some(request) = state.requests.get_mut(self.number) {
                request.held = false;
                request.over = true;
            }
        });
    }
}
