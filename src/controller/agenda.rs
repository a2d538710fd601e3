//! Who is due when, and whose turn it is: one pass per object at a time, round-robin over namespaces, first come within one.
//!
//! A tenant who applies ten thousand objects delays another's first by one pass, and by none where a place was kept for those
//! who have no pass under way. Everybody at rest is here, too, with the time to come back, so an object costs little more than
//! its name. Must never know what a pass does, nor lose an object that is to come back.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use tokio::time::Instant;

/// Namespace and name, in one piece.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Object(Arc<str>);

impl Object {
    pub(super) fn new(namespace: &str, name: &str) -> Self {
        Self(format!("{namespace}/{name}").into())
    }

    /// Namespace and name.
    pub(super) fn parts(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or_default()
    }
}

/// All objects that are to have a pass, now or later.
#[derive(Default)]
pub(super) struct Agenda {
    standing: HashMap<Object, Standing>,
    later: BTreeSet<(Instant, Object)>,
    /// By namespace: those that are due.
    lanes: BTreeMap<Box<str>, VecDeque<Object>>,
    /// The namespaces of those, whose turn is next first.
    order: VecDeque<Box<str>>,
    /// The same of namespaces that had no pass under way when they came: they and the others take turns.
    newcomers: VecDeque<Box<str>>,
    newcomer_was_last: bool,
    /// By namespace: how many passes are under way.
    busy: BTreeMap<Box<str>, usize>,
}

/// For whom there is a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// For everybody.
    Free,
    /// For a namespace that has none.
    Kept,
}

enum Standing {
    Later(Instant),
    Due,
    /// Its pass is being made; when another is to follow.
    Busy(Option<Instant>),
}

impl Agenda {
    /// The object is to have a pass at this time, or sooner if it is to have one anyway. One that is being made counts for
    /// nothing: it may not know why another is asked for.
    pub(super) fn wake(&mut self, object: &Object, at: Instant) {
        match self.standing.get_mut(object) {
            None => {
                self.standing.insert(object.clone(), Standing::Later(at));
                self.later.insert((at, object.clone()));
            }
            Some(Standing::Later(known)) => {
                if at < *known {
                    self.later.remove(&(*known, object.clone()));
                    *known = at;
                    self.later.insert((at, object.clone()));
                }
            }
            Some(Standing::Due) => {}
            Some(Standing::Busy(again)) => *again = Some(again.map_or(at, |known| known.min(at))),
        }
    }

    /// Those whose time has come queue up.
    pub(super) fn advance(&mut self, now: Instant) {
        while self.next_due().is_some_and(|due| due <= now) {
            let Some((_, object)) = self.later.pop_first() else { return };
            self.queue(object);
        }
    }

    fn queue(&mut self, object: Object) {
        let namespace = object.parts().0;
        if let Some(lane) = self.lanes.get_mut(namespace) {
            lane.push_back(object.clone());
        } else {
            let order = if self.busy.contains_key(namespace) { &mut self.order } else { &mut self.newcomers };
            order.push_back(namespace.into());
            self.lanes.insert(namespace.into(), [object.clone()].into());
        }
        self.standing.insert(object, Standing::Due);
    }

    /// Whose turn it is to have such a place: its pass begins.
    pub(super) fn next(&mut self, place: Place) -> Option<Object> {
        let namespace = self.turn(place)?;
        let lane = self.lanes.get_mut(&namespace)?;
        let next = lane.pop_front()?;
        *self.busy.entry(namespace.clone()).or_default() += 1;
        if lane.is_empty() {
            self.lanes.remove(&namespace);
        } else {
            self.order.push_back(namespace);
        }
        self.standing.insert(next.clone(), Standing::Busy(None));
        Some(next)
    }

    fn turn(&mut self, place: Place) -> Option<Box<str>> {
        let newcomer = match place {
            Place::Kept => true,
            Place::Free => !self.newcomer_was_last || self.order.is_empty(),
        };
        let turn = match place {
            Place::Kept => self.newcomers.pop_front(),
            Place::Free if newcomer => self.newcomers.pop_front().or_else(|| self.order.pop_front()),
            Place::Free => self.order.pop_front(),
        };
        self.newcomer_was_last = newcomer;
        turn
    }

    /// Its pass is over, and it is to come back at this time, if any.
    pub(super) fn ended(&mut self, object: &Object, back: Option<Instant>) {
        let namespace = object.parts().0;
        if let Some(busy) = self.busy.get_mut(namespace) {
            *busy -= 1;
            if *busy == 0 {
                self.busy.remove(namespace);
            }
        }
        let asked = match self.standing.remove(object) {
            Some(Standing::Busy(again)) => again,
            Some(Standing::Later(_) | Standing::Due) | None => None,
        };
        if let Some(at) = asked.into_iter().chain(back).min() {
            self.wake(object, at);
        } else if self.standing.len() < self.standing.capacity() / 4 {
            // What a burst needed is given back.
            self.standing.shrink_to(self.standing.len() * 2);
        }
    }

    /// When the next one is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn of(namespace: &str, name: &str) -> Object {
        Object::new(namespace, name)
    }

    /// An agenda, and the time.
    struct Day {
        agenda: Agenda,
        now: Instant,
    }

    impl Day {
        fn new() -> Self {
            Self { agenda: Agenda::default(), now: Instant::now() }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.now + Duration::from_secs(seconds)
        }

        fn wake(&mut self, object: &Object, seconds: u64) {
            self.agenda.wake(object, self.at(seconds));
        }

        /// Who begins at this time.
        fn begins(&mut self, seconds: u64) -> Option<Object> {
            self.agenda.advance(self.at(seconds));
            self.agenda.next(Place::Free)
        }
    }

    #[test]
    fn a_crowd_of_one_namespace_delays_another_by_one_pass() {
        let mut day = Day::new();
        for name in ["1", "2", "3"] {
            day.wake(&of("crowd", name), 0);
        }
        assert_eq!(day.begins(0), Some(of("crowd", "1")));
        day.wake(&of("alone", "1"), 0);
        let order: Vec<_> = std::iter::from_fn(|| day.begins(0)).collect();
        assert_eq!(order, [of("crowd", "2"), of("alone", "1"), of("crowd", "3")]);
    }

    #[test]
    fn a_place_that_is_kept_is_for_a_namespace_without_a_pass() {
        let mut day = Day::new();
        let kept = |day: &mut Day| day.agenda.next(Place::Kept);
        for name in ["1", "2", "3"] {
            day.wake(&of("crowd", name), 0);
        }
        day.agenda.advance(day.at(0));
        assert_eq!((kept(&mut day), kept(&mut day)), (Some(of("crowd", "1")), None));
        for name in ["1", "2"] {
            day.wake(&of("alone", name), 0);
        }
        day.agenda.advance(day.at(0));
        assert_eq!((kept(&mut day), kept(&mut day)), (Some(of("alone", "1")), None));
        day.agenda.ended(&of("alone", "1"), None);
        // Whoever waits already has its turn among all; who comes now has no pass under way.
        assert_eq!(kept(&mut day), None);
        let order: Vec<_> = std::iter::from_fn(|| day.begins(0)).collect();
        assert_eq!(order, [of("crowd", "2"), of("alone", "2"), of("crowd", "3")]);
        day.agenda.ended(&of("alone", "2"), None);
        day.wake(&of("alone", "3"), 0);
        day.agenda.advance(day.at(0));
        assert_eq!(kept(&mut day), Some(of("alone", "3")));
    }

    #[test]
    fn newcomers_do_not_keep_a_crowd_from_its_turn() {
        let mut day = Day::new();
        for name in ["1", "2", "3"] {
            day.wake(&of("crowd", name), 0);
        }
        assert_eq!(day.begins(0), Some(of("crowd", "1")));
        for namespace in ["a", "b", "c"] {
            day.wake(&of(namespace, "1"), 0);
        }
        let order: Vec<_> = std::iter::from_fn(|| day.begins(0)).collect();
        assert_eq!(order, [of("crowd", "2"), of("a", "1"), of("crowd", "3"), of("b", "1"), of("c", "1")],);
    }

    #[test]
    fn the_earliest_time_counts_and_brings_one_pass() {
        let mut day = Day::new();
        let jane = of("a", "jane");
        for seconds in [50, 20, 30] {
            day.wake(&jane, seconds);
        }
        assert_eq!((day.begins(19), day.agenda.next_due()), (None, Some(day.at(20))));
        day.agenda.advance(day.at(20));
        day.wake(&jane, 5);
        assert_eq!((day.begins(20), day.begins(60)), (Some(jane), None));
    }

    #[test]
    fn who_is_woken_during_a_pass_has_another_after_it_and_never_two_at_once() {
        let mut day = Day::new();
        let jane = of("a", "jane");
        day.wake(&jane, 0);
        assert!(day.begins(0).is_some());
        day.wake(&jane, 1);
        day.wake(&jane, 2);
        assert_eq!(day.begins(10), None, "the first is not over");
        day.agenda.ended(&jane, Some(day.at(100)));
        assert_eq!((day.begins(10), day.begins(200)), (Some(jane.clone()), None), "one that begins now is enough");
        day.agenda.ended(&jane, Some(day.at(300)));
        assert_eq!((day.begins(299), day.begins(300)), (None, Some(jane)));
    }

    #[test]
    fn who_need_not_come_back_costs_nothing() {
        let mut day = Day::new();
        let names: Vec<_> = (0..10_000).map(|number| of("a", &number.to_string())).collect();
        for name in &names {
            day.wake(name, 0);
        }
        while let Some(object) = day.begins(0) {
            day.agenda.ended(&object, None);
        }
        assert_eq!((day.agenda.standing.len(), day.agenda.lanes.len(), day.agenda.order.len()), (0, 0, 0));
        assert_eq!((day.agenda.newcomers.len(), day.agenda.busy.len()), (0, 0));
        assert!(day.agenda.standing.capacity() < 100 && day.agenda.next_due().is_none());
    }
}
