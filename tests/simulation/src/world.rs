//! The world that all processes share: Kubernetes, MongoDB, time, and the plan of what goes wrong.
//!
//! Owns the state behind every port. Must never run anything: that is `stage`.

use crate::apiserver::ApiServer;
use crate::cloud::{Cloud, Sent};
use crate::effect::{Effect, Fault};
use crate::plan::{Fate, Plan};
use crate::watcher::Follower;
use invitation_operator::cloud::Cancelled;
use invitation_operator::domain::failure::Failure;
use invitation_operator::domain::remote::{Invitation, ObjectId, Roles, Username};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;

/// Where the operator's claims live.
pub const OPERATOR_NAMESPACE: &str = "invitation-operator";
/// How MongoDB names the operator's credentials.
pub const IDENTITY: &str = "operatorkey";
/// A leader is given up so long after its last sign of life.
pub const LEASE: Duration = Duration::from_secs(15);
/// A frozen process stands still so long: longer than its lease and a quarantine together.
pub const FROZEN: Duration = Duration::from_secs(260);
/// A stale view stands still so long.
pub const STALE: Duration = Duration::from_secs(40);

/// A request that takes effect after its caller gave up.
pub enum Late {
    /// The e-mail.
    Send {
        /// By whom.
        from: String,
        /// To which project.
        project: ObjectId,
        /// To whom.
        username: Username,
        /// With what.
        roles: Roles,
    },
    /// Anything else.
    Other(Box<dyn FnOnce(&mut State) + Send>),
}

impl Late {
    /// It takes effect.
    pub fn arrive(self, state: &mut State, at: Duration) {
        match self {
            Self::Send { from, project, username, roles } => {
                // Nobody hears of it.
                let _ = state.send(&from, &project, &username, &roles, at);
            }
            Self::Other(act) => act(state),
        }
    }
}

/// How a process stands.
#[derive(Default)]
pub struct Standing {
    /// Which start of the process this is; futures of an earlier one do nothing any more.
    pub life: u64,
    /// It must end now.
    pub doomed: bool,
    /// It stands still until then.
    pub frozen_until: Option<Duration>,
    /// Kubernetes cannot be reached until then.
    pub cut_off_until: Option<Duration>,
    /// Its watches stand still until then.
    pub stale_until: Option<Duration>,
    /// Its wall clock is off by so much.
    pub skew: SignedDuration,
    /// Who waits for the end of a standstill.
    pub parked: Vec<Waker>,
    /// What it has watched.
    pub follower: Follower,
}

/// Everything.
pub struct State {
    /// What is chosen.
    pub plan: Plan,
    /// Kubernetes.
    pub kubernetes: ApiServer,
    /// MongoDB.
    pub cloud: Cloud,
    /// The processes.
    pub processes: Vec<Standing>,
    /// Whether the credentials' Secret exists, and its version.
    pub secret: Option<u64>,
    /// Requests that take effect later.
    pub late: Vec<(Duration, Late)>,
    /// What was violated while it ran.
    pub violations: Vec<String>,
    /// Boundaries met, in order, where that is asked for.
    pub met: Option<Vec<Effect>>,
    /// Faults that struck, and where.
    pub struck: Vec<(Effect, Fault)>,
    /// What happened, for reading, where that is asked for.
    pub story: Option<String>,
    /// A fingerprint of everything that happened.
    pub fingerprint: u64,
    /// When something last changed.
    pub changed: Duration,
    /// Whether an attempt without an answer may wait for a human.
    pub holds: bool,
    /// Whether other people's invitations may be cancelled.
    pub may_cancel_foreign: bool,
    /// Invitations that a claim has ever recorded, by id.
    pub known: BTreeSet<String>,
    /// Causes that may each cost an e-mail, by person.
    pub causes: Vec<(ObjectId, Username)>,
}

/// The state behind a lock, and the time.
pub struct World {
    state: Mutex<State>,
    began: Instant,
}

/// The wall clock's begin.
fn dawn() -> Timestamp {
    Timestamp::from_second(1_793_500_000).expect("a moment of 2026")
}

impl World {
    /// A new one, with so many processes.
    #[must_use]
    pub fn new(plan: Plan, processes: usize) -> Arc<Self> {
        let state = State {
            plan,
            kubernetes: ApiServer::default(),
            cloud: Cloud::default(),
            processes: (0..processes).map(|_| Standing::default()).collect(),
            secret: Some(1),
            late: Vec::new(),
            violations: Vec::new(),
            met: None,
            struck: Vec::new(),
            story: None,
            fingerprint: 0,
            changed: Duration::ZERO,
            holds: false,
            may_cancel_foreign: false,
            known: BTreeSet::new(),
            causes: Vec::new(),
        };
        Arc::new(Self { state: Mutex::new(state), began: Instant::now() })
    }

    /// The state.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody fails while holding the world")
    }

    /// Time since the begin.
    #[must_use]
    pub fn at(&self) -> Duration {
        self.began.elapsed()
    }

    /// The moment of the runtime's clock that is so long after the begin.
    #[must_use]
    pub fn instant(&self, at: Duration) -> Instant {
        self.began + at
    }

    /// The true wall clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        wall(self.at())
    }

    /// Lives through a boundary: what happens to the call is the plan's choice. `act` is the effect; `lost` makes the error
    /// that the caller sees when it cannot know; `patience`, asked last before the effect, is how long the caller waits, or
    /// why it must not begin.
    pub async fn cross<T, E>(
        &self,
        caller: Caller,
        effect: Effect,
        act: impl FnOnce(&mut State, Duration) -> Result<T, E>,
        late: impl FnOnce() -> Option<Late>,
        lost: impl Fn(Option<Fault>) -> E,
        patience: impl FnOnce() -> Result<Duration, E>,
    ) -> Result<T, E> {
        self.awake(caller).await;
        let Fate { before, after, fault } = {
            let mut state = self.state();
            let at = self.at();
            if let Some(met) = &mut state.met {
                met.push(effect);
            }
            let fate = state.plan.fate(effect);
            if let Some(fault) = fate.fault {
                state.struck.push((effect, fault));
            }
            state.tell(at, || {
                format!("p{} {effect} {}", caller.process, fate.fault.map_or(String::new(), |f| f.to_string()))
            });
            fate
        };
        if let Some(fault) = fault {
            let at = self.at();
            let mut state = self.state();
            let standing = &mut state.processes[caller.process];
            match fault {
                Fault::CrashBefore => standing.doomed = true,
                Fault::Frozen => standing.frozen_until = Some(at + FROZEN),
                Fault::StaleView => standing.stale_until = Some(at + STALE),
                Fault::CrashAfter
                | Fault::LostReply
                | Fault::LostRequest
                | Fault::LateEffect
                | Fault::NotFound
                | Fault::Throttled
                | Fault::Unclear => {}
            }
        }
        self.pass_time(caller, before).await;
        let patience = patience()?;
        if effect.to_kubernetes() && self.is_cut_off(caller) {
            self.pass_time(caller, patience).await;
            return Err(lost(fault));
        }
        match fault {
            Some(Fault::LostRequest) => {
                self.pass_time(caller, patience).await;
                return Err(lost(fault));
            }
            Some(Fault::LateEffect) => {
                if let Some(late) = late() {
                    let mut state = self.state();
                    // From the moment that the caller gives up.
                    let delay = state.plan.late(Duration::from_secs(120));
                    let when = self.at() + patience + delay;
                    state.late.push((when, late));
                }
                self.pass_time(caller, patience).await;
                return Err(lost(fault));
            }
            Some(Fault::NotFound | Fault::Throttled) => {
                self.pass_time(caller, after).await;
                return Err(lost(fault));
            }
            Some(
                Fault::CrashBefore
                | Fault::CrashAfter
                | Fault::LostReply
                | Fault::Unclear
                | Fault::StaleView
                | Fault::Frozen,
            )
            | None => {}
        }
        let result = {
            let at = self.at();
            act(&mut self.state(), at)
        };
        match fault {
            Some(Fault::CrashAfter) => self.state().processes[caller.process].doomed = true,
            Some(Fault::LostReply) => {
                self.pass_time(caller, patience).await;
                return Err(lost(fault));
            }
            Some(Fault::Unclear) if result.is_ok() => {
                self.pass_time(caller, after).await;
                return Err(lost(fault));
            }
            _ => {}
        }
        self.pass_time(caller, after).await;
        self.awake(caller).await;
        result
    }

    async fn pass_time(&self, caller: Caller, time: Duration) {
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
        self.awake(caller).await;
    }

    /// Waits while the process stands still, and for ever when it is dead.
    pub async fn awake(&self, caller: Caller) {
        poll_fn(|context| {
            let at = self.at();
            let mut state = self.state();
            let standing = &mut state.processes[caller.process];
            if standing.life != caller.life || standing.doomed {
                return Poll::Pending;
            }
            if standing.frozen_until.is_some_and(|until| at < until) {
                standing.parked.push(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }

    fn is_cut_off(&self, caller: Caller) -> bool {
        let at = self.at();
        self.state().processes[caller.process].cut_off_until.is_some_and(|until| at < until)
    }
}

/// The wall clock at a time of the world.
#[must_use]
pub fn wall(at: Duration) -> Timestamp {
    dawn() + SignedDuration::try_from(at).unwrap_or(SignedDuration::ZERO)
}

/// A process, in one of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Which process.
    pub process: usize,
    /// Which of its lives.
    pub life: u64,
}

impl State {
    /// Adds to the fingerprint, and to the story if somebody reads it.
    pub fn tell(&mut self, at: Duration, what: impl FnOnce() -> String) {
        let fingerprint = self.fingerprint.rotate_left(5) ^ u64::try_from(at.as_millis()).unwrap_or(0);
        self.fingerprint = fingerprint.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        if let Some(story) = &mut self.story {
            let _ = writeln!(story, "{:>10.3} {}", at.as_secs_f64(), what());
        }
    }

    /// Something changed, at Kubernetes or at MongoDB.
    pub fn changed(&mut self, at: Duration, what: impl FnOnce() -> String) {
        self.changed = at;
        self.tell(at, what);
    }

    /// The cancellation.
    ///
    /// # Errors
    /// As the cloud says.
    pub fn cancel(&mut self, project: &ObjectId, id: &ObjectId, at: Duration) -> Result<Cancelled, Failure> {
        let Some(cancelled) = self.cloud.cancel(project, id, wall(at))? else { return Ok(Cancelled::AlreadyGone) };
        self.changed(at, || format!("CANCELLED {}", cancelled.username.folded()));
        if cancelled.inviter_username.as_deref() != Some(IDENTITY) && !self.may_cancel_foreign {
            self.violations.push(format!("{:.3} s: somebody else's invitation was cancelled", at.as_secs_f64()));
        }
        Ok(Cancelled::Now)
    }

    /// The e-mail, and what must hold at its moment: nobody is mailed who is invited by us already.
    ///
    /// # Errors
    /// As the cloud says.
    pub fn send(
        &mut self,
        from: &str,
        project: &ObjectId,
        username: &Username,
        roles: &Roles,
        at: Duration,
    ) -> Result<Sent, Failure> {
        let now = wall(at);
        let ours = |pending: &Invitation| pending.inviter_username.as_deref() == Some(from);
        let already = self.cloud.pending_of(project, username, now).any(|pending| ours(&pending.invitation));
        let sent = self.cloud.send(from, project, username, roles, at, now);
        if sent.is_ok() {
            self.changed(at, || format!("MAIL to {}", username.folded()));
            if already {
                self.violations.push(format!(
                    "{:.3} s: {} was e-mailed while an invitation of ours was pending",
                    at.as_secs_f64(),
                    username.folded()
                ));
            }
        }
        sent
    }
}
