//! What looking costs, and what a roster may be relied on for.

#![allow(clippy::unwrap_used, clippy::unimplemented)]

use super::*;
use crate::api::ProjectInvitation;
use crate::cloud::{Cancelled, Created, InvitesApi, Room};
use crate::controller::cache::Cache;
use crate::controller::chance::SystemChance;
use crate::controller::inviter_spec::Access;
use crate::controller::staging::jane;
use crate::controller::wakes::WakeStreams;
use crate::domain::attempt::AcknowledgedAttempt;
use crate::domain::desired::Desired;
use crate::domain::remote::{Member, Roles};
use crate::domain::testing;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::runtime::watcher::Event;
use std::collections::BTreeSet;
use tokio::sync::oneshot;

#[path = "roster_due_tests.rs"]
mod due;
#[path = "lookout_tests.rs"]
mod looks;

const MINUTE: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_secs(300);

/// A project at MongoDB, which counts how often it is listed.
#[derive(Default)]
struct Project {
    invitations: Mutex<Vec<Invitation>>,
    members: Mutex<Vec<Member>>,
    /// Lists of invitations, and of members.
    lists: Mutex<(usize, usize)>,
    /// The next list of invitations waits for it: before it is read, or before it is answered.
    held: Mutex<Option<(Hold, oneshot::Receiver<()>)>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    Unread,
    Read,
}

impl Project {
    fn hold(&self, hold: Hold) -> oneshot::Sender<()> {
        let (release, gate) = oneshot::channel();
        *self.held.lock().unwrap() = Some((hold, gate));
        release
    }
}

impl InvitesApi for Project {
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        unimplemented!()
    }
    fn list<'a>(&'a self, _: &'a ObjectId, _: Option<&'a Username>) -> BoxFuture<'a, Result<Vec<Invitation>, Failure>> {
        self.lists.lock().unwrap().0 += 1;
        let held = self.held.lock().unwrap().take();
        let read = || self.invitations.lock().unwrap().clone();
        async move {
            match held {
                None => Ok(read()),
                Some((Hold::Unread, held)) => {
                    held.await.unwrap();
                    Ok(read())
                }
                Some((Hold::Read, held)) => {
                    let seen = read();
                    held.await.unwrap();
                    Ok(seen)
                }
            }
        }
        .boxed()
    }
    fn get<'a>(&'a self, _: &'a ObjectId, _: &'a ObjectId) -> BoxFuture<'a, Result<Option<Invitation>, Failure>> {
        unimplemented!()
    }
    fn may_create(&self, _: Timestamp) -> bool {
        unimplemented!()
    }
    fn room<'a>(&'a self, _: &'a ObjectId) -> BoxFuture<'a, Result<Room, Failure>> {
        unimplemented!()
    }
    fn create<'a>(
        &'a self,
        _: AcknowledgedAttempt,
        _: Room,
        _: &'a ObjectId,
        _: &'a Username,
        _: &'a Roles,
    ) -> BoxFuture<'a, Result<Created, Failure>> {
        unimplemented!()
    }
    fn update_roles<'a>(
        &'a self,
        _: &'a ObjectId,
        _: &'a ObjectId,
        _: &'a Roles,
    ) -> BoxFuture<'a, Result<Invitation, Failure>> {
        unimplemented!()
    }
    fn cancel<'a>(&'a self, _: &'a ObjectId, _: &'a ObjectId) -> BoxFuture<'a, Result<Cancelled, Failure>> {
        unimplemented!()
    }
    fn members<'a>(&'a self, _: &'a ObjectId) -> BoxFuture<'a, Result<Vec<Member>, Failure>> {
        self.lists.lock().unwrap().1 += 1;
        let seen = self.members.lock().unwrap().clone();
        async { Ok(seen) }.boxed()
    }
}

/// Shows the time that it is told.
struct Told(Mutex<Duration>);

impl Clock for Told {
    fn now(&self) -> Timestamp {
        testing::now()
    }
    fn monotonic(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

struct Stage {
    project: Arc<Project>,
    connection: Connection,
    clock: Arc<Told>,
    rosters: Rosters,
    woken: WakeStreams,
    runtime: tokio::runtime::Runtime,
}

impl Stage {
    fn new() -> Self {
        let project = Arc::new(Project::default());
        let clock = Arc::new(Told(Mutex::new(Duration::from_secs(1000))));
        let connection =
            Connection { facts: testing::facts().inviter, access: Access::Own, api: Arc::<Project>::clone(&project) };
        let objects = Arc::new(Cache::default());
        for object in objects_of_the_stage() {
            objects.follow(Event::Apply(object));
        }
        let (wakes, woken) = Wakes::new(objects, Arc::default());
        let wakes = Arc::new(wakes);
        let rosters = Rosters::new(Arc::<Told>::clone(&clock), Arc::new(SystemChance), wakes, Timings::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Self { project, connection, clock, rosters, woken, runtime }
    }

    fn pass(&self, time: Duration) {
        *self.clock.0.lock().unwrap() += time;
    }

    fn look(&self, freshness: Freshness) -> Arc<Roster> {
        let id = testing::facts().desired.project;
        self.runtime.block_on(self.rosters.look(&self.connection, &id, freshness, Ask::Usual)).unwrap()
    }

    /// A look that was begun, and is under way if a list is held.
    fn begin(&self, freshness: Freshness) -> BoxFuture<'_, Arc<Roster>> {
        let look = async move {
            let id = testing::facts().desired.project;
            self.rosters.look(&self.connection, &id, freshness, Ask::Usual).await.unwrap()
        };
        self.begun(look.boxed())
    }

    /// The same for a newcomer: nothing when nobody is shown.
    fn begin_for(&self, newcomer: &str, since: Duration) -> BoxFuture<'_, Option<Arc<Roster>>> {
        let newcomer = Username::new(newcomer);
        let look = async move {
            let id = testing::facts().desired.project;
            self.rosters.look_for(&self.connection, &id, &newcomer, since, Ask::Usual).await.unwrap()
        };
        self.begun(look.boxed())
    }

    fn begun<'a, T: Send + 'a>(&self, mut look: BoxFuture<'a, T>) -> BoxFuture<'a, T> {
        let _entered = self.runtime.enter();
        match (&mut look).now_or_never() {
            Some(done) => std::future::ready(done).boxed(),
            None => look,
        }
    }

    fn end<T>(&self, look: impl Future<Output = T>) -> T {
        self.runtime.block_on(look)
    }

    fn has(&self, freshness: Freshness) -> bool {
        self.rosters.has(&self.connection, &testing::facts().desired.project, freshness)
    }

    fn note(&self, id: &ObjectId, now_is: Option<&Invitation>) {
        let Desired { project, username, .. } = testing::facts().desired;
        self.rosters.note(&self.connection, &project, &username, id, now_is);
    }

    /// Who was woken since it was asked last.
    fn woken(&mut self) -> BTreeSet<String> {
        std::iter::from_fn(|| self.woken.invitations.try_recv().ok()).map(|woken| woken.name).collect()
    }

    fn lists(&self) -> (usize, usize) {
        *self.project.lists.lock().unwrap()
    }

    fn invite(&self) -> Invitation {
        self.project.invitations.lock().unwrap().push(testing::invitation());
        testing::invitation()
    }
}

/// Jane's object; one for her through another inviter; one for her in another project; one for John.
fn objects_of_the_stage() -> Vec<ProjectInvitation> {
    let named = |name: &str, change: fn(&mut ProjectInvitation)| {
        let mut object = jane();
        object.metadata.name = Some(name.to_owned());
        change(&mut object);
        object
    };
    vec![
        jane(),
        named("by-another", |object| "another".clone_into(&mut object.spec.inviter_ref.name)),
        named("elsewhere", |object| object.spec.project_id = "5f1d7c8e9a3b2c4d5e6f7a8c".to_owned()),
        named("john", |object| "john@example.com".clone_into(&mut object.spec.username)),
    ]
}

fn shows(roster: &Roster) -> bool {
    roster.shows(&testing::facts().desired.username)
}

#[test]
fn an_idle_hour_costs_no_more_than_fourteen_calls_however_many_look() {
    for objects in [1, 7, 200_u32] {
        let stage = Stage::new();
        stage.invite();
        stage.look(Freshness::Since(Duration::ZERO));
        let begin = stage.clock.monotonic();
        let before = stage.lists();
        // Each comes back after its interval and up to a tenth more.
        let wait = |object: u32| INTERVAL + INTERVAL * (1 + object * 37 % 100) / 1000;
        let mut due: BTreeSet<_> = (0..objects).map(|object| (begin + wait(object), object)).collect();
        while let Some((at, object)) = due.pop_first().filter(|(at, _)| *at <= begin + MINUTE * 60) {
            *stage.clock.0.lock().unwrap() = at;
            stage.look(Freshness::Within(INTERVAL));
            due.insert((at + wait(object), object));
        }
        let (invitations, members) = (stage.lists().0 - before.0, stage.lists().1 - before.1);
        assert!((10..=12).contains(&invitations) && (1..=2).contains(&members), "{objects}: {invitations}, {members}");
    }
}

#[test]
fn members_are_read_when_somebody_is_invited_no_more() {
    let stage = Stage::new();
    stage.invite();
    let first = stage.look(Freshness::Within(INTERVAL));
    stage.pass(INTERVAL + MINUTE);
    let second = stage.look(Freshness::Within(INTERVAL));
    assert_eq!((stage.lists(), second.complete, second.started > first.started), ((2, 1), first.started, true));
    stage.project.invitations.lock().unwrap().clear();
    stage.project.members.lock().unwrap().extend(testing::member().member);
    stage.pass(INTERVAL + MINUTE);
    let third = stage.look(Freshness::Within(INTERVAL));
    assert_eq!((stage.lists(), third.complete), ((3, 2), third.started));
    assert!(shows(&third), "as a member");
}

#[test]
fn who_leaves_is_noticed_within_six_intervals() {
    let stage = Stage::new();
    stage.project.members.lock().unwrap().extend(testing::member().member);
    assert!(shows(&stage.look(Freshness::Within(INTERVAL))));
    stage.project.members.lock().unwrap().clear();
    let looks = (1..20).find(|_| {
        stage.pass(INTERVAL + Duration::from_secs(1));
        !shows(&stage.look(Freshness::Within(INTERVAL)))
    });
    assert_eq!(looks, Some(6));
}

#[test]
fn who_needs_both_lists_gets_both_and_shares_them() {
    let stage = Stage::new();
    stage.look(Freshness::Within(INTERVAL));
    assert!(stage.has(Freshness::Complete(INTERVAL)));
    stage.pass(INTERVAL + MINUTE);
    assert!(!stage.has(Freshness::Within(INTERVAL)));
    stage.look(Freshness::Within(INTERVAL));
    assert_eq!(stage.lists(), (2, 1));
    assert!(stage.has(Freshness::Within(INTERVAL)) && !stage.has(Freshness::Complete(INTERVAL)));
    let came = stage.clock.monotonic();
    assert_eq!(stage.look(Freshness::Complete(INTERVAL)).complete, came);
    stage.look(Freshness::Since(came));
    assert_eq!(stage.lists(), (3, 2), "begun at that very moment");
    stage.pass(Duration::from_millis(1));
    stage.look(Freshness::Since(stage.clock.monotonic()));
    assert_eq!(stage.lists(), (4, 3));
}

#[test]
fn a_changed_inviter_is_shown_nothing_that_was_seen_before() {
    let mut stage = Stage::new();
    stage.look(Freshness::Within(INTERVAL));
    stage.connection.facts.revision = "2".to_owned();
    assert!(!stage.has(Freshness::Within(INTERVAL)));
    stage.look(Freshness::Within(INTERVAL));
    assert_eq!(stage.lists(), (2, 2));
}

#[test]
fn a_look_wakes_whom_it_shows_otherwise_and_nobody_else() {
    let mut stage = Stage::new();
    stage.look(Freshness::Within(INTERVAL));
    assert!(stage.woken().is_empty(), "there is nothing to differ from");
    let sent = stage.invite();
    stage.note(&sent.id, Some(&sent));
    stage.pass(INTERVAL + MINUTE);
    stage.look(Freshness::Within(INTERVAL));
    assert!(stage.woken().is_empty(), "an own write is no news");
    stage.project.invitations.lock().unwrap()[0].roles.insert("GROUP_OWNER".to_owned());
    stage.pass(INTERVAL + MINUTE);
    stage.look(Freshness::Within(INTERVAL));
    assert_eq!(stage.woken(), ["jane".to_owned()].into());
    stage.look(Freshness::Since(stage.clock.monotonic() + MINUTE));
    assert!(stage.woken().is_empty());
    stage.connection.facts.revision = "2".to_owned();
    stage.project.invitations.lock().unwrap().clear();
    stage.look(Freshness::Within(INTERVAL));
    assert_eq!(stage.woken(), ["jane".to_owned()].into(), "what another revision showed was concluded from, too");
}
