//! Who waits for a look that is under way, what it may hide, and what a glance may be relied on for.

use super::*;
use crate::controller::lookout::Known;

#[test]
fn own_writes_are_visible_at_once_and_cost_no_look_at_the_members() {
    let stage = Stage::new();
    stage.look(Freshness::Within(INTERVAL));
    let sent = stage.invite();
    stage.note(&sent.id, Some(&sent));
    assert!(shows(&stage.look(Freshness::Within(INTERVAL))));
    stage.project.invitations.lock().unwrap().clear();
    stage.note(&sent.id, None);
    assert!(!shows(&stage.look(Freshness::Within(INTERVAL))));
    stage.pass(INTERVAL + MINUTE);
    stage.look(Freshness::Within(INTERVAL));
    assert_eq!(stage.lists(), (2, 1), "it was cancelled, not accepted");
}

#[test]
fn a_look_under_way_keeps_nobody_waiting_who_needs_no_other_and_hides_no_own_write() {
    let stage = Stage::new();
    stage.look(Freshness::Within(INTERVAL));
    stage.pass(MINUTE);
    let release = stage.project.hold(Hold::Read);
    let under_way = stage.begin(Freshness::Since(stage.clock.monotonic()));
    let sent = stage.invite();
    stage.note(&sent.id, Some(&sent));
    let meanwhile = stage.begin(Freshness::Within(INTERVAL)).now_or_never();
    assert!(shows(&meanwhile.unwrap()), "at once");
    release.send(()).unwrap();
    assert!(shows(&stage.end(under_way)), "it had read before the write");
    assert!(shows(&stage.look(Freshness::Within(INTERVAL))));

    let release = stage.project.hold(Hold::Read);
    let under_way = stage.begin(Freshness::Since(stage.clock.monotonic() + MINUTE));
    stage.project.invitations.lock().unwrap().clear();
    stage.note(&sent.id, None);
    release.send(()).unwrap();
    assert!(!shows(&stage.end(under_way)), "it had read before the cancellation");
}

#[test]
fn a_look_begun_after_an_own_write_supersedes_it() {
    let mut stage = Stage::new();
    let release = stage.project.hold(Hold::Read);
    let under_way = stage.begin(Freshness::Since(Duration::ZERO));
    let sent = stage.invite();
    stage.note(&sent.id, Some(&sent));
    release.send(()).unwrap();
    assert!(shows(&stage.end(under_way)));
    stage.project.invitations.lock().unwrap().clear();
    stage.pass(MINUTE);
    assert!(!shows(&stage.look(Freshness::Since(stage.clock.monotonic()))), "somebody cancelled it");
    assert_eq!(stage.woken(), ["jane".to_owned()].into());
}

#[test]
fn all_who_need_a_later_look_than_the_one_under_way_share_the_next() {
    let stage = Stage::new();
    let release = stage.project.hold(Hold::Read);
    let first = stage.begin(Freshness::Since(stage.clock.monotonic()));
    stage.pass(Duration::from_millis(1));
    let later = stage.clock.monotonic();
    let all: Vec<_> = (0..20).map(|_| stage.begin(Freshness::Since(later))).collect();
    release.send(()).unwrap();
    let (_, all) = stage.end(futures::future::join(first, futures::future::join_all(all)));
    assert!(all.iter().all(|roster| roster.complete >= later));
    assert_eq!(stage.lists(), (2, 2));
}

#[test]
fn a_look_that_is_dropped_leaves_its_turn_to_those_who_wait() {
    let stage = Stage::new();
    let _held = stage.project.hold(Hold::Read);
    let dropped = stage.begin(Freshness::Since(Duration::ZERO));
    let waiting = stage.begin(Freshness::Since(Duration::ZERO));
    drop(dropped);
    stage.end(waiting);
    assert_eq!(stage.lists(), (2, 1));
}

#[test]
fn a_newcomer_is_looked_for_with_both_lists_at_once_and_others_share_them() {
    let stage = Stage::new();
    stage.look(Freshness::Within(INTERVAL));
    stage.pass(MINUTE);
    let release = stage.project.hold(Hold::Read);
    let came = stage.clock.monotonic();
    let john = stage.begin_for("john@example.com", came);
    let jill = stage.begin_for("jill@example.com", came);
    assert_eq!(stage.lists(), (2, 2), "at the same time");
    release.send(()).unwrap();
    assert_eq!(stage.end(futures::future::join(john, jill)).0.map(|roster| roster.started), None);
    assert!(stage.end(stage.begin_for("joan@example.com", came)).is_none());
    assert_eq!(stage.lists(), (2, 2));
    stage.pass(Duration::from_millis(1));
    assert!(stage.end(stage.begin_for("joan@example.com", stage.clock.monotonic())).is_none());
    assert_eq!(stage.lists(), (3, 3));
}

fn rows(count: u32) -> Vec<Invitation> {
    let id = |row| ObjectId::parse(&format!("64a0000000000000{row:08x}")).unwrap();
    (0..count).map(|row| Invitation { id: id(row), ..testing::invitation() }).collect()
}

#[test]
fn a_glance_at_many_rows_is_followed_by_a_rest_that_grows_with_them_to_a_bound() {
    let rest_after = |count| {
        let mut known = Known::default();
        known.glanced_at(Roster::new(MINUTE, MINUTE, rows(count), Arc::new(Vec::new().into())), MINUTE);
        assert_eq!(known.glance_rests(MINUTE * 2), Duration::ZERO, "who comes later meets none");
        known.glance_rests(MINUTE).as_millis()
    };
    assert_eq!([1, 50, 250, 450, 1000, 10_000].map(rest_after), [0, 0, 100, 200, 250, 250]);
}

#[test]
fn a_glance_begins_after_its_rest_and_those_who_come_meanwhile_share_it() {
    let stage = Stage::new();
    stage.look(Freshness::Within(INTERVAL));
    stage.project.invitations.lock().unwrap().extend(rows(250));
    stage.pass(MINUTE);
    let glance = |name: &'static str| stage.begin_for(name, stage.clock.monotonic());
    assert!(stage.end(glance("john@example.com")).is_none());
    let before = stage.lists();
    stage.pass(Duration::from_millis(1));
    let first = glance("jill@example.com");
    assert_eq!(stage.lists(), before, "it rests");
    stage.pass(Duration::from_millis(1));
    let meanwhile = glance("joan@example.com");
    assert_eq!(stage.end(futures::future::join(first, meanwhile)).1.map(|roster| roster.started), None);
    assert_eq!(stage.lists(), (before.0 + 1, before.1 + 1));
}

#[test]
fn who_is_shown_at_all_or_was_not_looked_for_lately_is_no_newcomer_to_a_glance() {
    let jane = testing::facts().desired.username;
    let looked_for = |stage: &Stage| stage.end(stage.begin_for(jane.as_written(), stage.clock.monotonic()));
    let stage = Stage::new();
    assert!(looked_for(&stage).is_some(), "nobody had looked before");
    stage.pass(INTERVAL + MINUTE);
    assert!(looked_for(&stage).is_some(), "long ago");
    stage.invite();
    stage.pass(MINUTE);
    assert!(looked_for(&stage).is_some_and(|roster| shows(&roster)), "invited since");
    stage.pass(MINUTE);
    let before = stage.lists();
    assert!(looked_for(&stage).is_some_and(|roster| shows(&roster)), "invited before");
    assert_eq!(stage.lists(), (before.0 + 1, before.1 + 1));
}

/// Jane accepts after the members were read, and before the invitations are.
#[test]
fn a_glance_is_no_evidence_against_anybody() {
    let mut stage = Stage::new();
    stage.invite();
    stage.look(Freshness::Within(INTERVAL));
    stage.pass(MINUTE);
    let release = stage.project.hold(Hold::Unread);
    let came = stage.clock.monotonic();
    let john = stage.begin_for("john@example.com", came);
    stage.project.invitations.lock().unwrap().clear();
    stage.project.members.lock().unwrap().extend(testing::member().member);
    release.send(()).unwrap();
    assert!(stage.end(john).is_none());
    assert_eq!((stage.lists(), stage.woken().len()), ((2, 2), 0));
    let shared = stage.look(Freshness::Within(INTERVAL));
    assert!(shows(&shared) && shared.complete < came, "what was seen before stands");
    assert!(!stage.has(Freshness::Complete(Duration::ZERO)) && !stage.has(Freshness::Since(came)));
    let jane = testing::facts().desired.username;
    let look = stage.end(stage.begin_for(jane.as_written(), came));
    assert!(look.is_some_and(|roster| shows(&roster) && roster.complete >= came), "as a member");
    assert_eq!(stage.lists(), (3, 3));
}

#[test]
fn who_waits_for_a_roster_is_not_kept_waiting_by_glances() {
    let stage = Stage::new();
    stage.look(Freshness::Within(INTERVAL));
    stage.pass(MINUTE);
    let release = stage.project.hold(Hold::Read);
    let first = stage.begin_for("john@example.com", stage.clock.monotonic());
    stage.pass(Duration::from_millis(1));
    let later = stage.clock.monotonic();
    let jill = stage.begin_for("jill@example.com", later);
    let roster = stage.begin(Freshness::Since(later));
    release.send(()).unwrap();
    let (first, jill, _) = stage.end(futures::future::join3(first, jill, roster));
    assert!(first.is_none() && jill.is_some_and(|roster| roster.complete >= later));
    assert_eq!(stage.lists(), (3, 3));
}
