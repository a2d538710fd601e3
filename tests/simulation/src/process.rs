//! One operator process: the real passes, sweep and inviter pass over the world's ports, with caches that follow watches.
//!
//! Owns what a start of the process begins with and what ends with it. The queue behaves as the real one: one pass per object at
//! a time, woken again while in flight, come back at the time that the pass says. Must never decide what a pass does.

use crate::bugs::Wiring;
use crate::ports::{Connector, Ports};
use crate::world::{Caller, OPERATOR_NAMESPACE, World};
use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use invitation_operator::api::{InvitationClaim, ProjectInvitation};
use invitation_operator::cloud::Fence;
use invitation_operator::controller::cache::Cache;
use invitation_operator::controller::connection::Connections;
use invitation_operator::controller::fence::{DeadlineFence, LeaseFence};
use invitation_operator::controller::inviter_pass::InviterPasses;
use invitation_operator::controller::inviter_spec::InviterSettings;
use invitation_operator::controller::leadership::{Announcer, Leadership, Seat};
use invitation_operator::controller::memory::Memory;
use invitation_operator::controller::namespaces::NamespaceView;
use invitation_operator::controller::pass::{PassPorts, Passes};
use invitation_operator::controller::settings::{ControllerSettings, Namespaces};
use invitation_operator::controller::sweep;
use invitation_operator::controller::wakes::{WakeStreams, Wakes};
use invitation_operator::domain::pacer::Rate;
use invitation_operator::domain::timings::Timings;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Namespace and name, in an order.
type Name = (String, String);

/// How processes are run.
#[derive(Clone)]
pub struct Setup {
    /// The times of the protocol.
    pub timings: Timings,
    /// At most so many e-mails per person in a day.
    pub cap: i32,
    /// How many e-mails to a host.
    pub rate: Rate,
    /// Whether the processes elect a leader.
    pub elected: bool,
    /// The inviters that there are.
    pub inviters: Vec<InviterSettings>,
    /// A seeded bug, if one is on.
    pub wiring: Wiring,
}

/// What ended.
enum Ended {
    Pass(Name, Option<Duration>),
    Inviter(usize, Duration),
}

/// A running process.
pub struct Process {
    caller: Caller,
    world: Arc<World>,
    passes: Arc<Passes>,
    inviter_passes: Arc<InviterPasses>,
    inviters: Vec<InviterSettings>,
    connections: Arc<Connections>,
    objects: Arc<Cache<ProjectInvitation>>,
    claims: Arc<Cache<InvitationClaim>>,
    wakes: Arc<Wakes>,
    streams: WakeStreams,
    seat: Seat,
    announcer: Option<Announcer>,
    due: BTreeMap<Name, Duration>,
    busy: BTreeMap<Name, bool>,
    inviters_due: BTreeMap<usize, Duration>,
    inviters_busy: BTreeSet<usize>,
    tasks: FuturesUnordered<LocalBoxFuture<'static, Ended>>,
    /// The sweep, the turns of those who wait for a slot, and the looks for those who rest.
    beside: LocalBoxFuture<'static, ()>,
}

impl Process {
    /// Starts a process: lists, then works.
    #[must_use]
    pub fn start(world: &Arc<World>, caller: Caller, setup: &Setup) -> Self {
        let ports = Ports { world: Arc::clone(world), caller };
        let wired = setup.wiring.wire(&ports);
        let settings = ControllerSettings {
            operator_namespace: OPERATOR_NAMESPACE.to_owned(),
            namespaces: Namespaces::All,
            allowed_hosts: BTreeSet::from(["cloud.mongodb.com".to_owned()]),
            max_mails_per_person: setup.cap,
            rate: setup.rate,
            timings: setup.wiring.timings(setup.timings),
            call_deadline: Duration::from_secs(10),
            concurrency: 100,
            watch_renewal: Duration::from_secs(50),
        };
        let stop = CancellationToken::new();
        let (announcer, seat) = if setup.elected {
            let (announcer, seat) = Seat::contested(Arc::clone(&wired.clock), stop.clone());
            (Some(announcer), seat)
        } else {
            (None, Seat::unopposed(Arc::clone(&wired.clock)))
        };
        let deadline = DeadlineFence::new(Arc::clone(&wired.clock), setup.timings.post_deadline);
        let margin = Duration::from_secs(3);
        let fence = LeaseFence::new(deadline, seat.clone(), setup.timings.post_deadline + margin);
        let fence: Arc<dyn Fence> = setup.wiring.fence(Arc::new(fence), setup.timings.post_deadline);
        let objects = Arc::new(Cache::default());
        let memory = Arc::new(Memory::default());
        let (wakes, streams) = Wakes::new(Arc::clone(&objects), Arc::clone(&memory));
        let wakes = Arc::new(wakes);
        let connections = Arc::new(Connections::default());
        let connector = Connector { ports: ports.clone(), fence, wiring: setup.wiring };
        let inviter_passes = Arc::new(InviterPasses::new(
            Arc::new(ports.clone()),
            settings.clone(),
            Arc::new(connector),
            Arc::clone(&connections),
            Arc::clone(&wakes),
            Arc::clone(&wired.clock),
        ));
        let claims = Arc::new(Cache::default());
        let passes = Arc::new(Passes::new(
            PassPorts {
                cluster: wired.cluster(&objects, &claims),
                objects: Arc::clone(&objects),
                claims: Arc::clone(&claims),
                namespaces: NamespaceView::new(Namespaces::All, None),
                connections: Arc::clone(&connections),
                inviters: Arc::clone(&inviter_passes),
                wakes: Arc::clone(&wakes),
                memory,
                clock: wired.clock,
                chance: Arc::new(ports.clone()),
                observer: Arc::new(ports),
            },
            settings,
        ));
        let sweeping = sweep::run(Arc::clone(&passes), seat.clone(), stop.clone());
        let (turns, keeping) = (Arc::clone(&passes), Arc::clone(&passes));
        let (until, kept_by) = (stop.clone(), seat.clone());
        let taking_turns = async move { turns.take_turns(until).await };
        let keeping = async move { keeping.keep_rosters(kept_by, stop).await };
        let beside = futures::future::join3(sweeping, taking_turns, keeping).map(|_| ()).boxed_local();
        let mut process = Self {
            caller,
            world: Arc::clone(world),
            passes,
            inviter_passes,
            inviters: setup.inviters.clone(),
            connections,
            objects,
            claims,
            wakes,
            streams,
            seat,
            announcer,
            due: BTreeMap::new(),
            busy: BTreeMap::new(),
            inviters_due: BTreeMap::new(),
            inviters_busy: BTreeSet::new(),
            tasks: FuturesUnordered::new(),
            beside,
        };
        process.list();
        process
    }

    fn list(&mut self) {
        let (objects, claims) = {
            let mut state = self.world.state();
            let state = &mut *state;
            let (behind_objects, behind_claims) = (state.plan.behind(), state.plan.behind());
            let follower = &mut state.processes[self.caller.process].follower;
            (
                follower.objects.list(state.kubernetes.object_events(), behind_objects),
                follower.claims.list(state.kubernetes.claim_events(), behind_claims),
            )
        };
        for event in claims {
            self.claims.follow(event);
        }
        for inviter in &self.inviters {
            self.connections.announce(&inviter.name, &inviter.uid);
        }
        let at = self.world.at();
        self.inviters_due = (0..self.inviters.len()).map(|index| (index, at)).collect();
        for event in objects {
            self.object_event(event);
        }
    }

    fn object_event(&mut self, event: Event<ProjectInvitation>) {
        for told in self.objects.follow(event) {
            self.passes.watched(&told);
        }
    }

    fn wake(&mut self, name: Name, at: Duration) {
        if let Some(again) = self.busy.get_mut(&name) {
            *again = true;
        } else {
            let due = self.due.entry(name).or_insert(at);
            *due = at.min(*due);
        }
    }

    /// Hears what the watches tell, and begins what is due. Returns whether anything happened.
    pub fn turn(&mut self, at: Duration) -> bool {
        let mut moved = self.watch(at);
        moved |= self.drain_wakes(at);
        moved |= self.begin(at);
        moved
    }

    fn watch(&mut self, at: Duration) -> bool {
        let mut moved = false;
        loop {
            let (object, claim) = {
                let mut state = self.world.state();
                let state = &mut *state;
                let standing = &mut state.processes[self.caller.process];
                let still = |until: Option<Duration>| until.is_some_and(|until| at < until);
                if still(standing.stale_until) || still(standing.cut_off_until) {
                    return moved;
                }
                let follower = &mut standing.follower;
                let object = follower.objects.take(state.kubernetes.object_events(), at, &mut state.plan);
                let claim = follower.claims.take(state.kubernetes.claim_events(), at, &mut state.plan);
                (object, claim)
            };
            if object.is_none() && claim.is_none() {
                return moved;
            }
            moved = true;
            if let Some(event) = object {
                self.object_event(event);
            }
            if let Some(event) = claim {
                for told in self.claims.follow(event) {
                    self.wakes.claim_event(&told.event);
                }
            }
        }
    }

    fn drain_wakes(&mut self, at: Duration) -> bool {
        // The order in which waiting objects are woken is nobody's promise: sorted, so that a run can be repeated.
        let mut woken = BTreeSet::new();
        while let Ok(reference) = self.streams.invitations.try_recv() {
            woken.insert((reference.namespace.unwrap_or_default(), reference.name));
        }
        let mut moved = !woken.is_empty();
        for name in woken {
            self.wake(name, at);
        }
        while let Ok(reference) = self.streams.inviters.try_recv() {
            moved = true;
            let named = |inviter: &InviterSettings| {
                inviter.name.name == reference.name && inviter.name.namespace == reference.namespace
            };
            if let Some(index) = self.inviters.iter().position(named) {
                self.inviters_due.insert(index, at);
            }
        }
        moved
    }

    fn begin(&mut self, at: Duration) -> bool {
        let mut moved = false;
        let may_act = self.seat.may_act();
        let inviters: Vec<_> =
            self.inviters_due.iter().filter(|(_, due)| **due <= at).map(|(index, _)| *index).collect();
        for index in inviters {
            if self.inviters_busy.contains(&index) {
                continue;
            }
            moved = true;
            self.inviters_due.remove(&index);
            if may_act {
                self.inviters_busy.insert(index);
                let (passes, settings) = (Arc::clone(&self.inviter_passes), self.inviters[index].clone());
                self.tasks
                    .push(async move { Ended::Inviter(index, passes.pass(&settings).await.again_in) }.boxed_local());
            }
        }
        let names: Vec<_> = self.due.iter().filter(|(_, due)| **due <= at).map(|(name, _)| name.clone()).collect();
        for name in names {
            moved = true;
            self.due.remove(&name);
            let reference = ObjectRef::<ProjectInvitation>::new(&name.1).within(&name.0);
            if !self.objects.holds(&reference) {
                self.passes.skip(&reference);
                continue;
            }
            if !may_act {
                continue;
            }
            self.busy.insert(name.clone(), false);
            let passes = Arc::clone(&self.passes);
            self.tasks.push(async move { Ended::Pass(name, passes.pass(&reference).await.again_in) }.boxed_local());
        }
        moved
    }

    /// Lets everything in flight go on. Returns whether anything ended.
    pub fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let mut moved = false;
        let _ = self.beside.poll_unpin(context);
        while let Poll::Ready(Some(ended)) = self.tasks.poll_next_unpin(context) {
            moved = true;
            let at = self.world.at();
            match ended {
                Ended::Pass(name, again_in) => {
                    if self.busy.remove(&name) == Some(true) {
                        self.wake(name.clone(), at);
                    }
                    if let Some(wait) = again_in {
                        self.wake(name, at + wait);
                    }
                }
                Ended::Inviter(index, wait) => {
                    self.inviters_busy.remove(&index);
                    self.inviters_due.entry(index).or_insert(at + wait);
                }
            }
        }
        moved
    }

    /// When it has something to begin or to hear.
    pub fn next(&self, at: Duration) -> Option<Duration> {
        let mut state = self.world.state();
        let state = &mut *state;
        let standing = &mut state.processes[self.caller.process];
        let held = standing.stale_until.max(standing.cut_off_until).filter(|until| at < *until);
        let objects = standing.follower.objects.due(state.kubernetes.object_events(), at, &mut state.plan);
        let claims = standing.follower.claims.due(state.kubernetes.claim_events(), at, &mut state.plan);
        let told = objects.into_iter().chain(claims).min().map(|due| due.max(held.unwrap_or_default()));
        let inviters = self.inviters_due.iter().filter(|(index, _)| !self.inviters_busy.contains(*index));
        told.into_iter().chain(self.due.values().copied()).chain(inviters.map(|(_, due)| *due)).min()
    }

    /// The election has spoken.
    pub fn announce(&mut self, leadership: Leadership) {
        if let Some(announcer) = &self.announcer {
            announcer.announce(leadership);
        }
    }

    /// The end of a hold that ends at this time of the world, in the process's own time.
    #[must_use]
    pub fn hold_until(&self, at: Duration) -> Leadership {
        let ports = Ports { world: Arc::clone(&self.world), caller: self.caller };
        let now = invitation_operator::controller::clock::Clock::monotonic(&ports);
        Leadership::Leading { until: (now + at).saturating_sub(self.world.at()) }
    }

    /// It begins to lead: everything is looked at again.
    pub fn take_over(&mut self, at: Duration) {
        self.connections.doubt_all();
        self.announce(Leadership::Leading { until: Duration::MAX });
        for index in 0..self.inviters.len() {
            self.inviters_due.insert(index, at);
        }
        self.wakes.all_invitations();
    }
}
