//! What is left in a bucket, who may take it, and what answers teach.

use super::pacing::seconds;
use crate::domain::bucket::{Backoff, Bucket, Ending, Held, Priority, Refusal, Shape, Told};
use crate::domain::limits::{BucketKey, Buckets, EndpointSet};
use std::time::Duration;

/// After so long without a call nothing is known of a bucket.
const SILENCE: Duration = Duration::from_secs(10);

const NO_JITTER: Backoff = Backoff { first: Duration::from_secs(10), jitter: 0.0 };

/// Atlas's bucket, in which the window is open already.
fn warm(shape: Shape) -> Bucket {
    let mut bucket = Bucket::new(Some(shape));
    for _ in 0..16 {
        let grant = bucket.ask(1, Priority::First, seconds(1)).unwrap();
        bucket.ended_with(grant, 0, Ending::Answered(Told::default()), NO_JITTER, seconds(1));
    }
    bucket
}

fn shape(capacity: u32, fill: u64) -> Shape {
    Shape { capacity, fill: seconds(fill) }
}

/// Makes one call and gets this answer.
fn call(bucket: &mut Bucket, told: Told, now: Duration) {
    let grant = bucket.ask(1, Priority::First, now).unwrap();
    bucket.ended_with(grant, 1, Ending::Answered(told), NO_JITTER, now);
}

/// How many requests go at once now.
fn burst(bucket: &mut Bucket, priority: Priority, now: Duration) -> u32 {
    let mut gone = 0;
    while let Ok(grant) = bucket.ask(1, priority, now) {
        bucket.ended_with(grant, 1, Ending::Lost, NO_JITTER, now);
        gone += 1;
    }
    gone
}

fn told(limit: u32, remaining: u32) -> Told {
    Told { limit: Some(limit), remaining: Some(remaining), ..Told::default() }
}

fn too_many(wait: Option<u64>) -> Told {
    Told { refusal: Some(Refusal::TooMany(wait.map(seconds))), ..Told::default() }
}

#[test]
fn what_is_published_is_taken_and_comes_back_as_published() {
    let mut bucket = warm(EndpointSet::Projects.published().unwrap());
    assert_eq!(burst(&mut bucket, Priority::First, seconds(2)), 1200);
    assert_eq!(burst(&mut bucket, Priority::First, seconds(62)), 499, "each interval is rounded up");
    assert_eq!(burst(&mut bucket, Priority::First, seconds(1000)), 1200);
}

#[test]
fn nothing_comes_back_before_the_answer_was_there() {
    let mut bucket = warm(shape(10, 10));
    let slow: Vec<_> = (0..10).map(|_| bucket.ask(1, Priority::First, seconds(2)).unwrap()).collect();
    assert_eq!(bucket.ask(1, Priority::First, seconds(60)).unwrap_err(), Held::ByAnswers);
    for grant in slow {
        bucket.ended_with(grant, 1, Ending::Lost, NO_JITTER, seconds(60));
    }
    assert!(matches!(bucket.ask(1, Priority::First, seconds(60)), Err(Held::Until(at)) if at > seconds(60)));
}

#[test]
fn who_may_wait_leaves_room_for_an_invitation_and_for_other_clients() {
    let mut bucket = warm(shape(100, 100));
    assert_eq!(
        burst(&mut bucket, Priority::Yields, seconds(2)),
        96,
        "five are left, less the one that finds little left"
    );
    let Err(Held::Until(next)) = bucket.ask(1, Priority::Yields, seconds(2)) else { panic!("not held") };
    assert_eq!(next.as_secs(), 6, "a quarter of what comes back, one each second");
    assert!(bucket.ask(2, Priority::First, seconds(2)).is_ok(), "an invitation goes at once");
}

#[test]
fn others_who_use_the_bucket_are_noticed_and_left_a_quarter() {
    let mut bucket = warm(shape(100, 100));
    call(&mut bucket, told(100, 60), seconds(2));
    assert_eq!(burst(&mut bucket, Priority::Yields, seconds(2)), 36, "down to 24 of 60");
    let mut alone = warm(shape(100, 100));
    call(&mut alone, told(100, 99), seconds(2));
    assert_eq!(burst(&mut alone, Priority::Yields, seconds(2)), 95);
}

#[test]
fn a_limit_that_answers_name_counts_from_then_on() {
    let mut bucket = warm(shape(1200, 144));
    call(&mut bucket, told(20, 19), seconds(2));
    assert_eq!(burst(&mut bucket, Priority::First, seconds(2)), 19);
    assert_eq!(
        burst(&mut bucket, Priority::First, seconds(2 + 72)),
        9,
        "half of the time to fill brings half, rounded"
    );
    call(&mut bucket, told(1200, 1199), seconds(2 + 80));
    assert!(burst(&mut bucket, Priority::First, seconds(2 + 80)) > 1000, "and raised again");
    let mut silent = Bucket::new(None);
    call(&mut silent, told(5, 4), seconds(1));
    assert_eq!(burst(&mut silent, Priority::First, seconds(1)), 4, "where nothing is published, too");
}

#[test]
fn a_bucket_that_a_refusal_describes_is_believed() {
    let mut bucket = warm(shape(1200, 144));
    let described = Told { shape: Some(shape(4, 400)), ..too_many(Some(100)) };
    call(&mut bucket, described, seconds(2));
    assert_eq!(burst(&mut bucket, Priority::First, seconds(101)), 0);
    assert_eq!(burst(&mut bucket, Priority::First, seconds(203)), 2, "one each hundred seconds");
}

#[test]
fn after_a_refusal_nobody_goes_before_its_time_and_then_one_alone() {
    let mut bucket = warm(shape(1200, 144));
    let before = bucket.ask(1, Priority::First, seconds(2)).unwrap();
    call(&mut bucket, too_many(Some(17)), seconds(2));
    assert_eq!(bucket.is_open(seconds(18)), Err(seconds(19)), "who has leave does not go either");
    bucket.returned(before);
    for priority in [Priority::First, Priority::Yields] {
        assert_eq!(bucket.ask(1, priority, seconds(18)).unwrap_err(), Held::Until(seconds(19)));
    }
    let probe = bucket.ask(1, Priority::First, seconds(19)).unwrap();
    assert_eq!(bucket.ask(1, Priority::First, seconds(19)).unwrap_err(), Held::ByAnswers);
    bucket.ended_with(probe, 1, Ending::Answered(Told::default()), NO_JITTER, seconds(19));
    assert!(bucket.ask(1, Priority::First, seconds(19)).is_ok());
}

#[test]
fn refusals_that_name_no_time_are_waited_for_10_20_40_seconds_and_more() {
    let mut bucket = warm(shape(1200, 144));
    let mut now = seconds(2);
    for wait in [10, 20, 40, 80, 160, 300, 300] {
        call(&mut bucket, too_many(None), now);
        assert_eq!(bucket.is_open(now), Err(now + seconds(wait)));
        now += seconds(wait);
    }
    call(&mut bucket, Told::default(), now);
    call(&mut bucket, too_many(None), now);
    assert_eq!(bucket.is_open(now), Err(now + seconds(10)), "a success begins anew");
    let grant = bucket.ask(1, Priority::First, now + seconds(10)).unwrap();
    let jittered = Backoff { jitter: 1.0, ..NO_JITTER };
    bucket.ended_with(grant, 1, Ending::Answered(too_many(None)), jittered, now + seconds(10));
    assert_eq!(bucket.is_open(now + seconds(10)), Err(now + seconds(35)));
}

#[test]
fn a_server_that_is_unavailable_is_left_alone_as_long_as_it_says() {
    let mut bucket = warm(shape(1200, 144));
    let told = Told { refusal: Some(Refusal::Unavailable(seconds(30))), ..Told::default() };
    call(&mut bucket, told, seconds(2));
    assert_eq!(bucket.is_open(seconds(3)), Err(seconds(32)));
    call(&mut bucket, Told::default(), seconds(32));
    assert!(burst(&mut bucket, Priority::First, seconds(32)) > 1000, "the limit was not what was wrong");
}

#[test]
fn after_silence_one_goes_alone() {
    let mut bucket = warm(shape(1200, 144));
    let grants: Vec<_> = (0..16).map(|_| bucket.ask(1, Priority::First, seconds(5)).unwrap()).collect();
    assert_eq!(bucket.ask(1, Priority::First, seconds(5)).unwrap_err(), Held::ByAnswers, "sixteen at most");
    for grant in grants {
        bucket.ended_with(grant, 1, Ending::Answered(Told::default()), NO_JITTER, seconds(5));
    }
    let alone = bucket.ask(1, Priority::First, seconds(16)).unwrap();
    assert_eq!(bucket.ask(1, Priority::First, seconds(16)).unwrap_err(), Held::ByAnswers);
    bucket.returned(alone);
    assert!(bucket.ask(1, Priority::First, seconds(16)).is_ok(), "one that was not made leaves its place");
}

#[test]
fn those_who_come_back_come_one_after_the_other() {
    let mut bucket = warm(shape(10, 100));
    call(&mut bucket, too_many(Some(50)), seconds(2));
    let held = Held::Until(seconds(52));
    let promises: Vec<_> = (0..3).map(|_| bucket.promise(held, 2, seconds(2)).as_secs()).collect();
    assert_eq!(promises, [52, 72, 92]);
}

#[test]
fn buckets_are_told_apart_and_forgotten_when_nobody_uses_them() {
    let key = |host: &str, set, scope: &str| BucketKey { host: host.to_owned(), set, scope: scope.to_owned() };
    let mut buckets = Buckets::default();
    let closed = key("a", EndpointSet::Projects, "p");
    let grant = buckets.ask(&closed, 1, Priority::First, seconds(1)).unwrap();
    buckets.ended(&closed, grant, 1, Ending::Answered(too_many(Some(600))), NO_JITTER, seconds(1));
    assert!(buckets.ask(&closed, 1, Priority::First, seconds(2)).is_err());
    assert!(buckets.is_open(&closed, seconds(2)).is_err());
    for other in [
        key("b", EndpointSet::Projects, "p"),
        key("a", EndpointSet::CloudUsers, "p"),
        key("a", EndpointSet::Projects, "q"),
    ] {
        let grant = buckets.ask(&other, 1, Priority::Yields, seconds(2)).unwrap();
        buckets.ended(&other, grant, 1, Ending::Answered(Told::default()), NO_JITTER, seconds(2));
    }
    for project in 0..1000_u32 {
        let other = key("a", EndpointSet::Project, &project.to_string());
        let grant = buckets.ask(&other, 1, Priority::Yields, seconds(3)).unwrap();
        buckets.ended(&other, grant, 1, Ending::Answered(Told::default()), NO_JITTER, seconds(3));
    }
    assert_eq!(buckets.len(), 1004);
    let grant = buckets.ask(&key("a", EndpointSet::Root, "i"), 1, Priority::Yields, seconds(4000)).unwrap();
    assert_eq!(buckets.len(), 1, "only the one that is used now");
    buckets.returned(&key("a", EndpointSet::Root, "i"), grant);
}

#[test]
fn in_a_rehearsal_what_is_published_comes_back_sooner() {
    let key = BucketKey { host: "a".to_owned(), set: EndpointSet::Token, scope: "b".to_owned() };
    let back_after_five_seconds = |divisor| {
        let mut buckets = Buckets::rehearsed(divisor);
        let mut burst = |now| {
            let mut gone = 0;
            while let Ok(grant) = buckets.ask(&key, 1, Priority::First, now) {
                buckets.ended(&key, grant, 1, Ending::Answered(Told::default()), NO_JITTER, now);
                gone += 1;
            }
            gone
        };
        assert_eq!(burst(seconds(1)), 8);
        burst(seconds(6))
    };
    // Eight in four minutes.
    assert_eq!((back_after_five_seconds(1), back_after_five_seconds(60)), (0, 8));
}

#[test]
fn after_a_silence_one_call_goes_alone_again() {
    let second = |now: Duration| {
        let mut bucket = warm(shape(100, 10));
        let _out = bucket.ask(1, Priority::First, now).unwrap();
        bucket.ask(1, Priority::First, now).map(drop)
    };
    // The last answer was there after one second.
    assert_eq!(second(seconds(1) + SILENCE), Ok(()));
    assert_eq!(second(seconds(1) + SILENCE + Duration::from_nanos(1)), Err(Held::ByAnswers));
    let mut busy = warm(shape(100, 10));
    let _out = busy.ask(1, Priority::First, seconds(2)).unwrap();
    let late = seconds(2) + SILENCE * 2;
    assert!(busy.ask(1, Priority::First, late).is_ok(), "an answer is awaited: it is not silent");
}

#[test]
fn a_refusal_ends_to_the_moment() {
    let mut bucket = warm(shape(100, 10));
    call(&mut bucket, too_many(Some(10)), seconds(2));
    assert_eq!(bucket.is_open(seconds(12).saturating_sub(Duration::from_nanos(1))), Err(seconds(12)));
    assert_eq!(bucket.is_open(seconds(12)), Ok(()));
}

#[test]
fn a_bucket_is_forgotten_only_when_nothing_would_be_lost() {
    let hour = seconds(3600);
    let moment = Duration::from_nanos(1);
    let idle = warm(shape(100, 10));
    assert!(!idle.may_be_forgotten(seconds(1) + hour) && idle.may_be_forgotten(seconds(1) + hour + moment));

    let mut asked = idle.clone();
    let _out = asked.ask(1, Priority::First, seconds(1)).unwrap();
    assert!(!asked.may_be_forgotten(hour * 9), "an answer is awaited");

    let mut promised = idle.clone();
    assert_eq!(promised.promise(Held::Until(seconds(900)), 1, seconds(2)), seconds(900));
    let back = seconds(900) + hour;
    assert!(!promised.may_be_forgotten(back) && promised.may_be_forgotten(back + seconds(1)), "somebody comes back");

    let mut filling = warm(shape(10, 100_000));
    call(&mut filling, Told::default(), seconds(2));
    assert!(!filling.may_be_forgotten(hour * 2) && filling.may_be_forgotten(hour * 9), "it is not full again");
}

#[test]
fn what_is_only_believed_to_have_come_back_is_asked_for_alone() {
    // One was left; five more should have come back by now.
    let mut bucket = warm(shape(10, 10));
    call(&mut bucket, told(10, 1), seconds(2));
    let now = seconds(7);
    let proven = bucket.ask(1, Priority::First, now).unwrap();
    assert_eq!(bucket.ask(1, Priority::First, now).unwrap_err(), Held::ByAnswers);
    bucket.ended_with(proven, 1, Ending::Lost, NO_JITTER, now);
    let believed = bucket.ask(1, Priority::First, now).unwrap();
    assert_eq!(bucket.ask(1, Priority::First, now).unwrap_err(), Held::ByAnswers);
    bucket.ended_with(believed, 1, Ending::Answered(told(10, 4)), NO_JITTER, now);
    // What the server says is left may go side by side.
    let _one = bucket.ask(2, Priority::First, now).unwrap();
    let _other = bucket.ask(2, Priority::First, now).unwrap();
    assert_eq!(bucket.ask(1, Priority::First, now).unwrap_err(), Held::ByAnswers);
}

#[test]
fn who_may_wait_goes_at_the_very_time_that_was_named() {
    let mut bucket = warm(shape(100, 100));
    // Far less is left than others are to find.
    call(&mut bucket, told(100, 12), seconds(2));
    assert_eq!(burst(&mut bucket, Priority::Yields, seconds(2)), 1);
    let Err(Held::Until(next)) = bucket.ask(1, Priority::Yields, seconds(2)) else { panic!("not held") };
    let early = bucket.ask(1, Priority::Yields, next.saturating_sub(Duration::from_nanos(1)));
    assert_eq!(early.unwrap_err(), Held::Until(next));
    assert!(bucket.ask(1, Priority::Yields, next).is_ok());
}
