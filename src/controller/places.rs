//! Places for passes, and for requests: so many at a time, given out round-robin over namespaces, first come within one.
//!
//! A tenant who applies ten thousand objects delays another's first by one pass. Must never know what a place is used for, nor
//! let one be lost: it goes on when it is dropped, and with it when whoever waited is.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot::{Sender, channel};

/// All places of this process.
pub(super) struct Places {
    state: Mutex<State>,
}

struct State {
    free: usize,
    waiting: BTreeMap<String, VecDeque<Sender<Place>>>,
    /// The namespaces that wait, whose turn is next first.
    order: VecDeque<String>,
}

/// Leave to make one pass, or one request. The next one has it when it is dropped.
#[must_use = "a place that is dropped goes to the next"]
pub(super) struct Place {
    places: Option<Arc<Places>>,
}

impl Places {
    /// So many, all free.
    #[must_use]
    pub(super) fn new(count: u16) -> Arc<Self> {
        let state = State { free: count.into(), waiting: BTreeMap::new(), order: VecDeque::new() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place for something that is done for this namespace.
    pub(super) async fn take(self: &Arc<Self>, namespace: &str) -> Place {
        let turn = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return Place { places: Some(Arc::clone(self)) };
            }
            let (sender, turn) = channel();
            state.wait(namespace, sender);
            turn
        };
        match turn.await {
            Ok(place) => place,
            // Nobody gives up a place without giving it on.
            Err(_) => std::future::pending().await,
        }
    }
}

impl State {
    fn wait(&mut self, namespace: &str, sender: Sender<Place>) {
        let lane = self.waiting.entry(namespace.to_owned()).or_default();
        if lane.is_empty() {
            self.order.push_back(namespace.to_owned());
        }
        lane.push_back(sender);
    }

    fn next(&mut self) -> Option<Sender<Place>> {
        let namespace = self.order.pop_front()?;
        let lane = self.waiting.get_mut(&namespace)?;
        let next = lane.pop_front();
        if lane.is_empty() {
            self.waiting.remove(&namespace);
        } else {
            self.order.push_back(namespace);
        }
        next
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(places) = self.places.take() else { return };
        let mut state = places.state();
        let mut place = Place { places: Some(Arc::clone(&places)) };
        while let Some(next) = state.next() {
            match next.send(place) {
                Ok(()) => return,
                // Who waited is gone.
                Err(returned) => place = returned,
            }
        }
        // Nobody waits: it is free, and not given on again.
        place.places = None;
        state.free += 1;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use futures::FutureExt;

    type Turn = futures::future::BoxFuture<'static, Place>;

    fn ask(places: &Arc<Places>, namespace: &'static str) -> Turn {
        let places = Arc::clone(places);
        let mut turn = async move { places.take(namespace).await }.boxed();
        assert!((&mut turn).now_or_never().is_none(), "there is no place");
        turn
    }

    fn has_come(turn: &mut Turn) -> Option<Place> {
        turn.now_or_never()
    }

    #[test]
    fn a_crowd_of_one_namespace_delays_another_by_one_pass() {
        let places = Places::new(1);
        let first = places.take("crowd").now_or_never().unwrap();
        let mut crowd = [(); 3].map(|()| ask(&places, "crowd"));
        let mut alone = ask(&places, "alone");
        drop(first);
        let place = has_come(&mut crowd[0]).unwrap();
        assert!(has_come(&mut alone).is_none());
        drop(place);
        let place = has_come(&mut alone).unwrap();
        assert!(has_come(&mut crowd[1]).is_none());
        drop(place);
        assert!(has_come(&mut crowd[1]).is_some());
    }

    #[test]
    fn there_are_so_many_places_and_none_is_lost() {
        let places = Places::new(2);
        let both = [places.take("a").now_or_never().unwrap(), places.take("a").now_or_never().unwrap()];
        let (gone, mut patient) = (ask(&places, "a"), ask(&places, "a"));
        drop(gone);
        drop(both);
        assert!(has_come(&mut patient).is_some());
        let again = [places.take("b").now_or_never().unwrap(), places.take("b").now_or_never().unwrap()];
        drop(ask(&places, "b"));
        drop(again);
        assert_eq!(places.state().free, 2);
    }

    #[test]
    fn a_place_that_came_too_late_for_its_waiter_goes_on() {
        let places = Places::new(1);
        let first = places.take("a").now_or_never().unwrap();
        let waiter = ask(&places, "a");
        drop(first);
        drop(waiter);
        assert_eq!(places.state().free, 1);
    }
}
