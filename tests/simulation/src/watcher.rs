//! The watches of a process: first a list, then every change in order, each after a while.
//!
//! Owns what a process has seen. A watch may lag, and a first list may come from a server that lags; neither ever skips or
//! turns back.

use crate::plan::Plan;
use kube::ResourceExt;
use kube::runtime::watcher::Event;
use std::collections::BTreeMap;
use std::time::Duration;

/// How far the watches of one process are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Follower {
    /// Of objects.
    pub objects: Cursor,
    /// Of claims.
    pub claims: Cursor,
}

/// How far one watch is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    next: usize,
    /// When the next change is told.
    due: Option<Duration>,
}

impl Cursor {
    /// When there is something to tell.
    pub fn due<K>(&mut self, events: &[Event<K>], at: Duration, plan: &mut Plan) -> Option<Duration> {
        if self.next >= events.len() {
            return None;
        }
        Some(*self.due.get_or_insert_with(|| at + plan.lag()))
    }

    /// The next change, if its time has come.
    pub fn take<K: Clone>(&mut self, events: &[Event<K>], at: Duration, plan: &mut Plan) -> Option<Event<K>> {
        if self.due(events, at, plan)? > at {
            return None;
        }
        let event = events.get(self.next).cloned();
        self.next += 1;
        self.due = None;
        event
    }

    /// Lists what there was, a few changes ago.
    pub fn list<K>(&mut self, events: &[Event<K>], behind: usize) -> Vec<Event<K>>
    where
        K: ResourceExt<DynamicType = ()> + Clone + 'static,
    {
        self.next = events.len().saturating_sub(behind);
        self.due = None;
        let mut present = BTreeMap::new();
        for event in events.iter().take(self.next) {
            match event {
                Event::Apply(object) => {
                    present.insert((object.namespace(), object.name_any()), object);
                }
                Event::Delete(object) => {
                    present.remove(&(object.namespace(), object.name_any()));
                }
                Event::Init | Event::InitApply(_) | Event::InitDone => {}
            }
        }
        let mut told = vec![Event::Init];
        told.extend(present.into_values().cloned().map(Event::InitApply));
        told.push(Event::InitDone);
        told
    }
}
