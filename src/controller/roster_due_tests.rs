//! When a project is looked at again.

use super::*;

#[test]
fn a_project_is_looked_at_once_an_interval_and_more_often_in_an_invitations_first_minutes() {
    let stage = Stage::new();
    let begin = stage.clock.monotonic();
    let due = |stage: &Stage| stage.rosters.next_due().unwrap().saturating_sub(begin).as_secs();
    stage.look(Freshness::Within(INTERVAL));
    assert!((300..=330).contains(&due(&stage)), "{}", due(&stage));
    stage.invite();
    stage.look(Freshness::Since(begin + Duration::from_millis(1)));
    assert!((60..=66).contains(&due(&stage)), "{}", due(&stage));
    stage.project.invitations.lock().unwrap()[0].created_at =
        Some(testing::now() - jiff::SignedDuration::from_mins(10));
    stage.look(Freshness::Since(begin + Duration::from_millis(1)));
    assert!((300..=330).contains(&due(&stage)), "{}", due(&stage));
}

#[test]
fn a_roster_that_no_object_needs_is_looked_at_no_more() {
    let stage = Stage::new();
    stage.look(Freshness::Within(INTERVAL));
    let project = testing::facts().desired.project;
    let mut looks = 0;
    while let Some(due) = stage.rosters.next_due() {
        assert!(looks < 100, "for ever");
        *stage.clock.0.lock().unwrap() = due;
        let places = stage.rosters.due(due, 1, MINUTE);
        if !places.is_empty() {
            looks += 1;
            let look = stage.rosters.look(&stage.connection, &project, Freshness::Within(INTERVAL), Ask::Upkeep);
            stage.runtime.block_on(look).unwrap();
        }
    }
    assert!((20..=24).contains(&looks), "for two hours: {looks}");
}

#[test]
fn an_invitation_that_was_just_sent_brings_the_next_look_nearer() {
    let stage = Stage::new();
    stage.look(Freshness::Within(INTERVAL));
    let begin = stage.clock.monotonic();
    let sent = stage.invite();
    stage.note(&sent.id, Some(&sent));
    let due = stage.rosters.next_due().unwrap().saturating_sub(begin).as_secs();
    assert!((60..=66).contains(&due), "{due}");
}
