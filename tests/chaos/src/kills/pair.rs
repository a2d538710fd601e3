//! Two replicas of one operator, each behind a relay of its own.
//!
//! Owns their life and who of them leads, as far as the API server has acknowledged it. Must never ask a replica.

use crate::process::{Operator, Recipe};
use crate::relay::Relay;
use anyhow::Result;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::Left, Self::Right];

    pub(super) fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// One replica: a place where processes come and go.
struct Place {
    operator: Mutex<Option<Operator>>,
    recipe: Recipe,
    relay: Relay,
}

impl Place {
    fn operator(&self) -> MutexGuard<'_, Option<Operator>> {
        self.operator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both replicas.
#[derive(Default)]
pub(super) struct Pair {
    left: OnceLock<Place>,
    right: OnceLock<Place>,
    /// 1 for left, 2 for right, 0 for nobody yet.
    leader: AtomicUsize,
}

impl Pair {
    /// Says how a replica is started, and which relay it calls the API server through.
    pub(super) fn furnish(&self, side: Side, recipe: Recipe, relay: Relay) {
        let _once = self.cell(side).set(Place { operator: Mutex::default(), recipe, relay });
    }

    fn cell(&self, side: Side) -> &OnceLock<Place> {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// Starts a replica that is not running.
    pub(super) fn start(&self, side: Side) -> Result<()> {
        if let Some(place) = self.cell(side).get() {
            let mut operator = place.operator();
            if operator.as_mut().is_none_or(Operator::has_ended) {
                *operator = Some(Operator::start(&place.recipe)?);
            }
        }
        Ok(())
    }

    /// Kills a replica; `false` if there was none. It is gone when this returns.
    pub(super) fn kill(&self, side: Side) -> bool {
        self.cell(side).get().and_then(|place| place.operator().take()).is_some()
    }

    pub(super) fn freeze(&self, side: Side) {
        self.with(side, Operator::freeze);
    }

    pub(super) fn thaw(&self, side: Side) {
        self.with(side, Operator::thaw);
    }

    fn with(&self, side: Side, deed: impl FnOnce(&Operator)) {
        if let Some(place) = self.cell(side).get()
            && let Some(operator) = place.operator().as_ref()
        {
            deed(operator);
        }
    }

    /// Cuts a replica off from the API server.
    pub(super) fn cut(&self, side: Side) {
        if let Some(place) = self.cell(side).get() {
            place.relay.cut();
        }
    }

    /// Connects it again.
    pub(super) fn mend(&self, side: Side) {
        if let Some(place) = self.cell(side).get() {
            place.relay.mend();
        }
    }

    /// The API server has acknowledged that this replica leads.
    pub(super) fn leads(&self, side: Side) {
        let number = match side {
            Side::Left => 1,
            Side::Right => 2,
        };
        self.leader.store(number, Ordering::SeqCst);
    }

    /// Who leads, as last acknowledged.
    pub(super) fn leader(&self) -> Side {
        if self.leader.load(Ordering::SeqCst) == 2 { Side::Right } else { Side::Left }
    }

    /// The replica to which a connection on loopback belongs, by the address that it comes from.
    pub(super) fn sender(&self, from: SocketAddr) -> Option<Side> {
        let socket = format!("socket:[{}]", inode_of(from.port())?);
        Side::BOTH.into_iter().find(|side| {
            let id = self.cell(*side).get().and_then(|place| place.operator().as_ref().map(Operator::id));
            id.is_some_and(|id| holds(id, &socket))
        })
    }
}

/// The inode of the connection that comes from this port of loopback, as /proc/net/tcp has it.
fn inode_of(port: u16) -> Option<u64> {
    let connections = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let local = format!("0100007F:{port:04X}");
    connections.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let is_it = fields.nth(1) == Some(local.as_str());
        // Local address, remote address, state, queues, timer, retransmits, uid, timeout, inode.
        is_it.then(|| fields.nth(7)?.parse().ok()).flatten()
    })
}

fn holds(process: u32, socket: &str) -> bool {
    let Ok(files) = std::fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    files.flatten().any(|file| std::fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == socket))
}
