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

/// The shortest way to something wrong, and how many states were seen until then.
#[must_use]
pub fn shortest(small: &Small) -> (Option<Vec<Action>>, usize) {
    let begin = small.begin_with();
    let mut first: HashMap<u64, Option<(u64, Action)>> = HashMap::from([(fingerprint(&begin), None)]);
    let mut todo = VecDeque::from([begin]);
    let mut candidates = Vec::new();
    while let Some(world) = todo.pop_front() {
        let from = fingerprint(&world);
        small.candidates(&world, &mut candidates);
        for action in candidates.drain(..) {
            let Some(next) = small.next(&world, action) else { continue };
            let to = fingerprint(&next);
            if first.contains_key(&to) {
                continue;
            }
            first.insert(to, Some((from, action)));
            if next.wrong != Wrong::Nothing {
                return (Some(actions(&first, to)), first.len());
            }
            todo.push_back(next);
        }
    }
    (None, first.len())
}

fn numbered(number: &HashMap<u64, u32>, edge: &Edge) -> Option<(u32, u32)> {
    Some((*number.get(&edge.to)?, *number.get(&edge.from)?))
}

/// The place of a state in the lists.
fn at(number: u32) -> usize {
    usize::try_from(number).expect("32 bits fit")
}

/// Where the steps into each state begin in the sorted list.
fn begins(back: &[(u32, u32)], states: usize) -> Vec<usize> {
    let mut begins = vec![0; states + 1];
    for (to, _) in back {
        begins[at(*to) + 1] += 1;
    }
    for state in 0..states {
        begins[state + 1] += begins[state];
    }
    begins
}

fn backwards(mut todo: Vec<usize>, begins: &[usize], back: &[(u32, u32)], states: usize) -> Vec<bool> {
    let mut reached = vec![false; states];
    for state in &todo {
        reached[*state] = true;
    }
    while let Some(state) = todo.pop() {
        for (_, from) in &back[begins[state]..begins[state + 1]] {
            let from = at(*from);
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
    while let Some(state) = todo.pop_front() {
        if !rests[at(state)] {
            return Some(actions(&first, state));
        }
        for (to, action) in onwards.get(&state).into_iter().flatten() {
            if !first.contains_key(to) {
                first.insert(*to, Some((state, *action)));
                todo.push_back(*to);
            }
        }
    }
    None
}

fn actions<N: Copy + Eq + Hash>(first: &HashMap<N, Option<(N, Action)>>, mut at: N) -> Vec<Action> {
    let mut actions = Vec::new();
    while let Some(Some((before, action))) = first.get(&at) {
        actions.push(*action);
        at = *before;
    }
    actions.reverse();
    actions
}
