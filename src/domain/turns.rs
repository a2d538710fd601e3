//! Who waits for a slot, and whose turn it is: round-robin over namespaces, first come within one.
//!
//! A tenant who applies ten thousand objects delays another's first by one turn. Must never know a limit or a time to
//! come: `pacer` does.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// An object that waits, by namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiter {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// One who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who.
    pub waiter: Waiter,
    /// Since when, in monotonic time.
    pub since: Duration,
    /// How long it was told to expect: said once, so that a status is not written again and again.
    pub expected: Duration,
}

/// All who wait for one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// Of each namespace, in the order in which they came.
    lanes: HashMap<String, BTreeMap<i64, Waiting>>,
    /// The namespaces, whose turn is next first.
    order: VecDeque<String>,
    places: HashMap<Waiter, i64>,
    newest: i64,
    oldest: i64,
}

impl Turns {
    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The entry of one who waits.
    #[must_use]
    pub fn find(&self, waiter: &Waiter) -> Option<&Waiting> {
        self.lanes.get(&waiter.namespace)?.get(self.places.get(waiter)?)
    }

    /// How many have their turn before one who came to the namespace now.
    #[must_use]
    pub fn ahead_of_next(&self, namespace: &str) -> usize {
        let own = self.lanes.get(namespace).map_or(0, BTreeMap::len);
        let before =
            |(other, lane): (&String, &BTreeMap<_, _>)| if other == namespace { own } else { lane.len().min(own + 1) };
        self.lanes.iter().map(before).sum()
    }

    /// Takes the last place of its namespace.
    pub fn come(&mut self, waiting: Waiting) {
        self.newest = self.newest.saturating_add(1);
        self.put(waiting, self.newest);
    }

    /// Takes the first place of its namespace: it has waited before.
    pub fn come_back(&mut self, waiting: Waiting) {
        self.oldest = self.oldest.saturating_sub(1);
        self.put(waiting, self.oldest);
    }

    fn put(&mut self, waiting: Waiting, place: i64) {
        self.leave(&waiting.waiter);
        let namespace = waiting.waiter.namespace.clone();
        self.places.insert(waiting.waiter.clone(), place);
        let lane = self.lanes.entry(namespace.clone()).or_default();
        if lane.is_empty() {
            self.order.push_back(namespace);
        }
        lane.insert(place, waiting);
    }

    /// Waits no more; tells whether it did.
    pub fn leave(&mut self, waiter: &Waiter) -> bool {
        let Some(place) = self.places.remove(waiter) else { return false };
        if let Some(lane) = self.lanes.get_mut(&waiter.namespace) {
            lane.remove(&place);
            if lane.is_empty() {
                self.lanes.remove(&waiter.namespace);
                self.order.retain(|namespace| *namespace != waiter.namespace);
            }
        }
        true
    }

    /// Whose turn it is; it waits no more.
    pub fn next_turn(&mut self) -> Option<Waiting> {
        let namespace = self.order.pop_front()?;
        let lane = self.lanes.get_mut(&namespace)?;
        let (_, waiting) = lane.pop_first()?;
        if lane.is_empty() {
            self.lanes.remove(&namespace);
        } else {
            self.order.push_back(namespace);
        }
        self.places.remove(&waiting.waiter);
        Some(waiting)
    }
}
