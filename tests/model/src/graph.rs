//! All states and steps of a small world, and from which of them the system alone cannot come to rest (AG EF settled).
//!
//! `stateright` visits every state and finds the violations of what must always hold. What must always remain *possible*
//! needs the whole graph: its `eventually` cannot tell a state that goes round for ever from one that cannot get out. So
//! the graph is written down while it explores. Must never change what is explored.

use crate::action::Action;
use crate::check::Small;
use crate::settled::Rest;
use crate::world::{World, Wrong};
use stateright::{Model, Property};
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// Nobody is e-mailed again without having been asked to be.
pub const NO_SECOND_MAIL: &str = "no second e-mail";
/// No invitation is cancelled under a live owner who did not ask for that.
pub const NOTHING_TAKEN: &str = "nothing cancelled under its owner";

/// What the whole graph shows.
#[derive(Debug)]
pub struct Reach {
    /// How many states there are.
    pub states: usize,
    /// How many of them are settled.
    pub settled: usize,
    /// From so many nothing that the system does leads to rest.
    pub stuck: usize,
    /// From so many it comes to rest only with an object that waits for a human.
    pub held: usize,
    /// The shortest way to a stuck state.
    pub way: Option<Vec<Action>>,
}

/// A small world whose graph is written down while it is explored.
#[derive(Debug)]
pub struct Watched {
    /// The world.
    pub small: Small,
    states: Mutex<Vec<(u64, Rest)>>,
    steps: Mutex<Vec<Edge>>,
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    from: u64,
    to: u64,
    action: Action,
}

fn fingerprint(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

impl Watched {
    /// Nothing is written down yet.
    #[must_use]
    pub fn new(small: Small) -> Self {
        Self { small, states: Mutex::default(), steps: Mutex::default() }
    }
}

impl Model for Watched {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![self.small.begin_with()]
    }

    /// Called once a state.
    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.small.candidates(world, actions);
        let noted = (fingerprint(world), self.small.rest(world));
        self.states.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let next = self.small.next(world, action)?;
        let edge = Edge { from: fingerprint(world), to: fingerprint(&next), action };
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(edge);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NO_SECOND_MAIL, |_, world: &World| world.wrong != Wrong::SecondMail),
            Property::always(NOTHING_TAKEN, |_, world: &World| world.wrong != Wrong::CancelledUnderOwner),
        ]
    }
}

impl Watched {
    /// What the graph shows, once everything is explored.
    ///
    /// # Panics
    /// When the world is larger than four thousand million states.
    #[must_use]
    pub fn reach(&self) -> Reach {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let number: HashMap<u64, u32> =
            states.iter().enumerate().map(|(at, (its, _))| (*its, u32::try_from(at).expect("few states"))).collect();
        let count = states.len();
        let system = steps.iter().filter(|edge| edge.action.is_of_the_system());
        let mut back: Vec<(u32, u32)> = system.filter_map(|edge| numbered(&number, edge)).collect();
        back.sort_unstable();
        let begins = begins(&back, count);
        let ends = |wanted: &[Rest]| {
            let seeds = states.iter().enumerate().filter(|(_, (_, rest))| wanted.contains(rest)).map(|(at, _)| at);
            backwards(seeds.collect(), &begins, &back, count)
        };
        let (settles, rests) = (ends(&[Rest::Settled]), ends(&[Rest::Settled, Rest::Held]));
        Reach {
            states: count,
            settled: states.iter().filter(|(_, rest)| *rest == Rest::Settled).count(),
            stuck: rests.iter().filter(|reaches| !**reaches).count(),
            held: rests.iter().zip(&settles).filter(|(rests, settles)| **rests && !**settles).count(),
            way: way(&number, &steps, &rests),
        }
    }
}

fn numbered(number: &HashMap<u64, u32>, edge: &Edge) -> Option<(u32, u32)> {
    Some((*number.get(&edge.to)?, *number.get(&edge.from)?))
}

/// Where the steps into each state begin in the sorted list.
fn begins(back: &[(u32, u32)], states: usize) -> Vec<usize> {
    let mut begins = vec![0; states + 1];
    for (to, _) in back {
        begins[*to as usize + 1] += 1;
    }
    for at in 0..states {
        begins[at + 1] += begins[at];
    }
    begins
}

fn backwards(mut todo: Vec<usize>, begins: &[usize], back: &[(u32, u32)], states: usize) -> Vec<bool> {
    let mut reached = vec![false; states];
    todo.iter().for_each(|at| reached[*at] = true);
    while let Some(at) = todo.pop() {
        for (_, from) in &back[begins[at]..begins[at + 1]] {
            let from = *from as usize;
            if !reached[from] {
                reached[from] = true;
                todo.push(from);
            }
        }
    }
    reached
}

/// The shortest way to a state from which there is no rest.
fn way(number: &HashMap<u64, u32>, steps: &[Edge], rests: &[bool]) -> Option<Vec<Action>> {
    if rests.iter().all(|reaches| *reaches) {
        return None;
    }
    let mut onwards: HashMap<u32, Vec<(u32, Action)>> = HashMap::new();
    for edge in steps {
        let (to, from) = numbered(number, edge)?;
        onwards.entry(from).or_default().push((to, edge.action));
    }
    let mut first: HashMap<u32, Option<(u32, Action)>> = HashMap::from([(0, None)]);
    let mut todo = VecDeque::from([0]);
    while let Some(at) = todo.pop_front() {
        if !rests[at as usize] {
            return Some(actions(&first, at));
        }
        for (to, action) in onwards.get(&at).into_iter().flatten() {
            if !first.contains_key(to) {
                first.insert(*to, Some((at, *action)));
                todo.push_back(*to);
            }
        }
    }
    None
}

fn actions(first: &HashMap<u32, Option<(u32, Action)>>, mut at: u32) -> Vec<Action> {
    let mut actions = Vec::new();
    while let Some(Some((before, action))) = first.get(&at) {
        actions.push(*action);
        at = *before;
    }
    actions.reverse();
    actions
}
