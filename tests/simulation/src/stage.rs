//! Runs a world: processes, people, the election and time, one thing after the other, always in the same order.
//!
//! Owns the loop. Time is the runtime's, which stands still while anything can happen and then jumps. Must never choose:
//! that is the plan's part.

use crate::action::Action;
use crate::bugs::Wiring;
use crate::process::{Process, Setup};
use crate::world::{Caller, LEASE, World};
use invitation_operator::api::{Adoption, InviterKind, InviterStatus, Mode, OnUnknown, Product};
use invitation_operator::controller::inviter_spec::{Access, InviterSettings};
use invitation_operator::controller::leadership::Leadership;
use invitation_operator::domain::desired::InviterName;
use invitation_operator::domain::pacer::Rate;
use invitation_operator::domain::policy::Allow;
use invitation_operator::domain::timings::Timings;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// Nothing that ends does so much at one moment.
const MOST_TURNS: u32 = 10_000;
/// Nor meets so many boundaries: runs meet about a hundred.
const MOST_BOUNDARIES: u64 = 10_000;

/// The namespaces that users have.
pub const NAMESPACES: [&str; 2] = ["a", "b"];

/// A world with its processes.
pub struct Stage {
    /// What they share.
    pub world: Arc<World>,
    setup: Setup,
    processes: Vec<Option<Process>>,
    restarts: Vec<Option<Duration>>,
    script: Vec<(Duration, Action)>,
    election: Election,
}

/// Who leads, as the Lease has it.
#[derive(Default)]
struct Election {
    /// Each start of a process has an identity of its own.
    holder: Option<Caller>,
    /// When the hold of somebody who shows no sign of life ends.
    ends: Option<Duration>,
    /// When a process looks at the Lease again.
    looks: Vec<Option<Duration>>,
}

/// The ordinary setup.
#[must_use]
pub fn setup(wiring: Wiring, on_unknown: OnUnknown, elected: bool) -> Setup {
    let inviters = NAMESPACES.map(|namespace| InviterSettings {
        name: InviterName {
            kind: InviterKind::Inviter,
            namespace: Some(namespace.to_owned()),
            name: crate::action::INVITER.to_owned(),
        },
        uid: format!("inviter-{namespace}"),
        generation: 1,
        product: Product::Atlas,
        base_url: None,
        secret_namespace: namespace.to_owned(),
        secret_name: "key".to_owned(),
        ca_bundle: None,
        check_interval: Duration::from_secs(300),
        mode: Mode::Enforce,
        adoption: Adoption::Any,
        on_unknown,
        allow: Allow::from(&invitation_operator::api::AllowInviter::default()),
        access: Access::Own,
        requested_at: None,
        status: InviterStatus::default(),
    });
    let rate = Rate::Unlimited;
    Setup { timings: Timings::default(), cap: 3, rate, elected, inviters: inviters.into(), wiring }
}

impl Stage {
    /// All processes start at the begin of time.
    #[must_use]
    pub fn new(world: Arc<World>, setup: Setup, mut script: Vec<(Duration, Action)>) -> Self {
        let count = world.state().processes.len();
        setup.wiring.prepare(&world);
        script.sort_by_key(|(at, _)| *at);
        script.reverse();
        let mut stage = Self {
            world,
            setup,
            processes: Vec::new(),
            restarts: vec![None; count],
            script,
            election: Election { looks: vec![None; count], ..Election::default() },
        };
        for process in 0..count {
            stage.processes.push(None);
            stage.start(process, Duration::ZERO);
        }
        stage
    }

    fn start(&mut self, process: usize, at: Duration) {
        let caller = {
            let mut state = self.world.state();
            let standing = &mut state.processes[process];
            standing.life += 1;
            standing.doomed = false;
            standing.frozen_until = None;
            standing.stale_until = None;
            let life = standing.life;
            state.tell(at, || format!("p{process} starts"));
            Caller { process, life }
        };
        self.processes[process] = Some(Process::start(&self.world, caller, &self.setup));
        self.election.looks[process] = Some(at);
    }

    fn end(&mut self, process: usize, at: Duration, back_in: Duration) {
        self.world.state().tell(at, || format!("p{process} dies"));
        self.processes[process] = None;
        self.restarts[process] = Some(at + back_in);
        self.election.looks[process] = None;
        self.silent(process, at);
    }

    fn identity(&self, process: usize) -> Caller {
        Caller { process, life: self.world.state().processes[process].life }
    }

    /// The holder shows no sign of life from now on: its hold runs out.
    fn silent(&mut self, process: usize, at: Duration) {
        if !self.setup.elected || self.election.holder != Some(self.identity(process)) || self.election.ends.is_some() {
            return;
        }
        let since_renewal = Duration::from_secs(2).mul_f64(self.world.state().plan.fraction());
        let ends = (at + LEASE).saturating_sub(since_renewal);
        self.election.ends = Some(ends);
        if let Some(holder) = &mut self.processes[process] {
            let until = holder.hold_until(ends);
            holder.announce(until);
        }
        for other in 0..self.processes.len() {
            if other != process && self.processes[other].is_some() {
                self.look_after(other, ends);
            }
        }
    }

    fn look_after(&mut self, process: usize, at: Duration) {
        let pause = Duration::from_millis(10) + Duration::from_secs(1).mul_f64(self.world.state().plan.fraction());
        self.election.looks[process] = Some(at + pause);
    }

    /// Each looks at the Lease when it comes to.
    fn elect(&mut self, at: Duration) -> bool {
        let mut moved = false;
        for process in 0..self.processes.len() {
            if self.election.looks[process].is_none_or(|look| at < look) {
                continue;
            }
            self.election.looks[process] = None;
            moved = true;
            if !self.setup.elected || self.processes[process].is_none() {
                continue;
            }
            let (absent, cut_off) = {
                let state = self.world.state();
                let standing = &state.processes[process];
                let lasting = |until: Option<Duration>| until.filter(|until| at < *until);
                (lasting(standing.frozen_until), lasting(standing.cut_off_until))
            };
            if let Some(until) = absent.or(cut_off) {
                self.look_after(process, until);
                continue;
            }
            let me = Some(self.identity(process));
            let over = self.election.ends.is_some_and(|ends| ends <= at);
            let Some(running) = &mut self.processes[process] else { continue };
            match self.election.holder {
                holder if holder.is_some() && holder == me && !over => {
                    self.election.ends = None;
                    running.announce(Leadership::Leading { until: Duration::MAX });
                }
                Some(_) if !over => {
                    running.announce(Leadership::Following);
                    if let Some(ends) = self.election.ends {
                        self.look_after(process, ends);
                    }
                }
                _ => {
                    self.world.state().tell(at, || format!("p{process} leads"));
                    self.election.holder = me;
                    self.election.ends = None;
                    running.take_over(at);
                }
            }
        }
        moved
    }

    /// Runs until something holds, or until `end`. Returns whether it got there: a world that goes on and on at one moment
    /// of time never would.
    pub async fn run(&mut self, end: Duration, quiet: impl Fn(&World, Duration) -> bool) -> bool {
        let (mut moment, mut turns) = (Duration::ZERO, 0);
        loop {
            let at = self.world.at();
            if at >= end || quiet(&self.world, at) {
                return true;
            }
            turns = if at == moment { turns + 1 } else { 0 };
            moment = at;
            if turns > MOST_TURNS || self.world.state().plan.boundaries() > MOST_BOUNDARIES {
                return false;
            }
            let mut moved = self.events(at);
            for process in 0..self.processes.len() {
                moved |= self.turn(process, at);
            }
            if !moved {
                self.wait(end).await;
            }
        }
    }

    fn events(&mut self, at: Duration) -> bool {
        let mut moved = false;
        while let Some((_, action)) = self.script.pop_if(|(due, _)| *due <= at) {
            moved = true;
            self.act(&action, at);
        }
        moved |= self.late(at);
        for process in 0..self.processes.len() {
            if self.restarts[process].is_some_and(|due| due <= at) {
                self.restarts[process] = None;
                self.start(process, at);
                moved = true;
            }
        }
        moved | self.elect(at)
    }

    fn late(&mut self, at: Duration) -> bool {
        let mut moved = false;
        loop {
            let mut state = self.world.state();
            let Some(index) = state.late.iter().position(|(due, _)| *due <= at) else { return moved };
            moved = true;
            let (_, late) = state.late.remove(index);
            state.tell(at, || "a late request takes effect".to_owned());
            late.arrive(&mut state, at);
        }
    }

    fn act(&mut self, action: &Action, at: Duration) {
        self.world.state().act(action, at);
        match action {
            Action::Crash(process, back_in) if self.processes[*process].is_some() => {
                self.end(*process, at, *back_in);
            }
            Action::Freeze(process, _) => self.absent(*process, at),
            Action::CutOff(process, length) => {
                self.absent(*process, at);
                self.look_after(*process, at + *length);
            }
            Action::Calm => {
                for process in 0..self.processes.len() {
                    if self.processes[process].is_some() {
                        self.election.looks[process] = Some(at + Duration::from_millis(5));
                    }
                }
            }
            _ => {}
        }
    }

    fn absent(&mut self, process: usize, at: Duration) {
        self.silent(process, at);
    }

    /// One process: ends, wakes up, hears and begins.
    fn turn(&mut self, process: usize, at: Duration) -> bool {
        let (doomed, frozen, parked) = {
            let mut state = self.world.state();
            let standing = &mut state.processes[process];
            let frozen = standing.frozen_until.is_some_and(|until| at < until);
            let thawed = standing.frozen_until.is_some() && !frozen;
            if thawed {
                standing.frozen_until = None;
            }
            let parked = if frozen { Vec::new() } else { std::mem::take(&mut standing.parked) };
            (standing.doomed, frozen, parked)
        };
        if self.processes[process].is_none() {
            return false;
        }
        if doomed {
            self.end(process, at, Duration::from_secs(2));
            return true;
        }
        if frozen {
            self.absent(process, at);
            return false;
        }
        if !parked.is_empty() {
            for waker in parked {
                waker.wake();
            }
            self.look_after(process, at);
        }
        self.processes[process].as_mut().is_some_and(|running| running.turn(at))
    }

    /// Waits until something in flight goes on, or the next thing is due.
    async fn wait(&mut self, end: Duration) {
        let at = self.world.at();
        let mut next = end;
        let mut due = |moment: Option<Duration>| next = moment.map_or(next, |moment| moment.max(at).min(next));
        due(self.script.last().map(|(due, _)| *due));
        for process in 0..self.processes.len() {
            due(self.restarts[process]);
            due(self.election.looks[process]);
            let frozen = self.world.state().processes[process].frozen_until.filter(|until| at < *until);
            due(frozen);
            if frozen.is_none()
                && let Some(running) = &self.processes[process]
            {
                due(running.next(at));
            }
        }
        due(self.world.state().late.iter().map(|(due, _)| *due).min());
        // The runtime's clock counts milliseconds, and wakes a little late rather than early.
        let timer = tokio::time::sleep_until(self.world.instant(next));
        tokio::pin!(timer);
        poll_fn(|context| {
            let mut moved = false;
            for process in 0..self.processes.len() {
                let frozen = {
                    let at = self.world.at();
                    let state = self.world.state();
                    let standing = &state.processes[process];
                    moved |= standing.doomed && self.processes[process].is_some();
                    standing.frozen_until.is_some_and(|until| at < until)
                };
                if let Some(running) = self.processes[process].as_mut().filter(|_| !frozen) {
                    moved |= running.poll(context);
                    let state = self.world.state();
                    let standing = &state.processes[process];
                    // What it met may have ended or stopped it.
                    moved |= standing.doomed
                        || standing.frozen_until.is_some()
                        || !state.late.is_empty() && state.late.iter().any(|(due, _)| *due < next);
                }
            }
            if moved || timer.as_mut().poll(context).is_ready() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
