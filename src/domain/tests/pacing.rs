//! Slots: who goes at once, who waits and for how long, what a refusal teaches.

use crate::domain::pacer::{Asked, Pacer, Rate};
use crate::domain::turns::Waiter;
use std::num::NonZeroU32;
use std::time::Duration;

pub(super) const HOST: &str = "cloud.mongodb.com";
pub(super) const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn pacer(count: u32) -> Pacer {
    Pacer::new(Rate::PerMinute(NonZeroU32::new(count).unwrap()), MINUTE)
}

pub(super) fn waiter(namespace: &str, number: usize) -> Waiter {
    Waiter { namespace: namespace.to_owned(), name: format!("{number:05}") }
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn waits(asked: Asked) -> bool {
    matches!(asked, Asked::Waits { .. })
}

/// Lets time pass to the next turns; returns whose they are, and when.
fn turns(pacer: &mut Pacer, now: Duration) -> (Duration, Vec<Waiter>) {
    let now = pacer.next_at(now).expect("somebody waits for time to pass").max(now);
    (now, pacer.due(now).into_iter().map(|turn| turn.waiter).collect())
}

/// Everybody asks at once and sends when its turn comes; returns the order and the times.
pub(super) fn all_sent(pacer: &mut Pacer, waiters: &[Waiter], mut now: Duration) -> Vec<(Duration, Waiter)> {
    let mut sent = Vec::new();
    for waiter in waiters {
        if pacer.ask(HOST, waiter, now) == Asked::Granted {
            pacer.spent(HOST, now);
            sent.push((now, waiter.clone()));
        }
    }
    while sent.len() < waiters.len() {
        let (later, due) = turns(pacer, now);
        assert!(!due.is_empty(), "nobody's turn at the time that was told");
        now = later;
        for waiter in due {
            assert_eq!(pacer.take(&waiter).as_deref(), Some(HOST));
            pacer.spent(HOST, now);
            sent.push((now, waiter));
        }
    }
    sent
}

#[test]
fn ten_go_at_once_and_the_next_ten_after_a_minute() {
    let everybody: Vec<_> = (0..30).map(|number| waiter("a", number)).collect();
    let sent = all_sent(&mut pacer(10), &everybody, seconds(1000));
    let order: Vec<_> = sent.iter().map(|(_, waiter)| waiter.clone()).collect();
    assert_eq!(order, everybody, "first come, first sent");
    let at = |number: usize| sent[number].0.saturating_sub(seconds(1000));
    assert_eq!((at(9), at(10) >= MINUTE, at(19), at(29)), (Duration::ZERO, true, at(10), at(10) * 2));
    assert!(at(29) <= MINUTE * 2 + MINUTE * 2 / 20, "not five in a hundred later than the throttle allows");
}

#[test]
fn a_namespace_with_many_delays_the_first_of_another_by_one_turn() {
    let mut pacer = pacer(10);
    let flood: Vec<_> = (0..200).map(|number| waiter("flood", number)).collect();
    for waiter in &flood {
        if pacer.ask(HOST, waiter, seconds(0)) == Asked::Granted {
            pacer.spent(HOST, seconds(0));
        }
    }
    let honest = waiter("honest", 0);
    let Asked::Waits { expected } = pacer.ask(HOST, &honest, seconds(1)) else { panic!("the minute is used up") };
    assert!(expected <= MINUTE + seconds(1), "{expected:?}");
    let (_, due) = turns(&mut pacer, seconds(1));
    assert_eq!(due.iter().position(|waiter| *waiter == honest), Some(1), "{due:?}");
}

#[test]
fn who_waits_keeps_its_place_and_what_it_was_told() {
    let mut pacer = pacer(1);
    assert_eq!(pacer.ask(HOST, &waiter("a", 0), seconds(0)), Asked::Granted);
    pacer.spent(HOST, seconds(0));
    let told = pacer.ask(HOST, &waiter("a", 1), seconds(0));
    assert!(waits(pacer.ask(HOST, &waiter("a", 2), seconds(0))));
    assert_eq!(pacer.ask(HOST, &waiter("a", 1), seconds(30)), told, "said once");
    let (now, due) = turns(&mut pacer, seconds(30));
    assert_eq!(due, [waiter("a", 1)]);
    assert_eq!(pacer.ask(HOST, &waiter("a", 1), now), Asked::Granted, "its turn has come, however it asks");
}

#[test]
fn a_permit_that_is_not_used_goes_to_the_next() {
    let mut pacer = pacer(1);
    assert_eq!(pacer.ask(HOST, &waiter("a", 0), seconds(0)), Asked::Granted);
    assert!(waits(pacer.ask(HOST, &waiter("a", 1), seconds(0))));
    assert_eq!(
        (pacer.next_at(seconds(0)), pacer.due(seconds(500))),
        (None, Vec::new()),
        "a permit that is out stays out"
    );
    pacer.give_back(HOST);
    let turn = pacer.due(seconds(3)).pop().unwrap();
    assert_eq!((turn.waiter, turn.waited), (waiter("a", 1), seconds(3)));
}

#[test]
fn who_leaves_loses_place_and_permit() {
    let mut pacer = pacer(1);
    assert_eq!(pacer.ask(HOST, &waiter("a", 0), seconds(0)), Asked::Granted);
    for number in 1..4 {
        assert!(waits(pacer.ask(HOST, &waiter("a", number), seconds(0))));
    }
    assert!(pacer.leave(&waiter("a", 1)) && !pacer.leave(&waiter("a", 1)));
    pacer.give_back(HOST);
    assert_eq!(pacer.due(seconds(0)).pop().unwrap().waiter, waiter("a", 2));
    assert!(pacer.leave(&waiter("a", 2)), "its turn had come");
    assert_eq!(pacer.due(seconds(0)).pop().unwrap().waiter, waiter("a", 3));
    assert_eq!(pacer.waiting(), 0);
}

#[test]
fn a_kept_permit_serves_the_next_pass_of_the_same_object_only() {
    let mut pacer = pacer(1);
    let (mine, other) = (waiter("a", 0), waiter("a", 1));
    assert_eq!(pacer.ask(HOST, &mine, seconds(0)), Asked::Granted);
    pacer.keep(HOST, &mine);
    assert!(waits(pacer.ask(HOST, &other, seconds(0))));
    assert_eq!((pacer.take(&other), pacer.take(&mine).as_deref()), (None, Some(HOST)));
}

#[test]
fn who_turns_to_another_host_waits_there_only() {
    let mut pacer = pacer(1);
    assert_eq!(pacer.ask(HOST, &waiter("a", 0), seconds(0)), Asked::Granted);
    assert!(waits(pacer.ask(HOST, &waiter("a", 1), seconds(0))));
    assert_eq!(pacer.ask("other.example.com", &waiter("a", 1), seconds(0)), Asked::Granted, "hosts are paced apart");
    pacer.give_back(HOST);
    assert_eq!(pacer.due(seconds(0)), []);
}

#[test]
fn a_start_goes_on_with_what_the_ledger_tells() {
    let mut pacer = pacer(10);
    let ledger = [5, 50, 90, 100, 400].map(|at| (HOST.to_owned(), seconds(at)));
    pacer.refill(ledger, seconds(101));
    let granted = (0..20).filter(|number| !waits(pacer.ask(HOST, &waiter("a", *number), seconds(101)))).count();
    assert_eq!(granted, 6, "four of the last minute count, and one that a clock has in the future");
    pacer.refill([], seconds(102));
    assert_eq!(pacer.waiting(), 0, "everything is woken and asks again");
    let granted = (0..20).filter(|number| !waits(pacer.ask(HOST, &waiter("a", *number), seconds(102)))).count();
    assert_eq!(granted, 4, "permits that are out stay out");
}

#[test]
fn a_refusal_closes_the_host_for_a_minute_and_teaches_its_limit() {
    let mut pacer = pacer(10);
    for number in 0..5 {
        assert_eq!(pacer.ask(HOST, &waiter("a", number), seconds(0)), Asked::Granted);
    }
    for _ in 0..3 {
        pacer.spent(HOST, seconds(0));
    }
    pacer.throttled(HOST, &waiter("a", 3), seconds(1));
    pacer.throttled(HOST, &waiter("a", 4), seconds(2));
    let late: Vec<_> = (5..30).map(|number| waiter("a", number)).collect();
    assert!(late.iter().all(|waiter| waits(pacer.ask(HOST, waiter, seconds(3)))), "closed to all");
    let (now, due) = turns(&mut pacer, seconds(3));
    assert!(now >= seconds(62), "{now:?}");
    assert_eq!(due, [waiter("a", 4), waiter("a", 3), waiter("a", 5)], "three a minute, the refused first");
    // What was learned holds for ten minutes.
    let mut sent = Vec::new();
    let mut now = now;
    let mut due = due;
    while now < seconds(1500) && !due.is_empty() {
        for waiter in due {
            pacer.take(&waiter).unwrap();
            pacer.spent(HOST, now);
            sent.push(now);
        }
        if pacer.next_at(now).is_none() {
            break;
        }
        (now, due) = turns(&mut pacer, now);
    }
    let most = |from: u64, to: u64| {
        let inside: Vec<_> = sent.iter().filter(|at| **at >= seconds(from) && **at < seconds(to)).collect();
        inside.iter().map(|at| inside.iter().filter(|other| **at <= ***other && ***other < **at + MINUTE).count()).max()
    };
    assert_eq!(most(0, 600), Some(3));
    assert_eq!(sent.len(), 27, "nobody is lost");
}

#[test]
fn a_limit_that_was_learned_is_tried_again_later_and_ever_more_rarely() {
    let mut pacer = pacer(10);
    let mut now = seconds(0);
    let mut rests = Vec::new();
    for _ in 0..3 {
        // One is taken, the second refused.
        assert_eq!(pacer.ask(HOST, &waiter("a", 0), now), Asked::Granted);
        assert_eq!(pacer.ask(HOST, &waiter("a", 1), now), Asked::Granted);
        pacer.spent(HOST, now);
        pacer.throttled(HOST, &waiter("a", 1), now);
        pacer.leave(&waiter("a", 1));
        let learned = now;
        loop {
            now += seconds(30);
            assert!(now < learned + seconds(100_000), "never tried again");
            let two = [0, 1].map(|number| pacer.ask(HOST, &waiter("a", number), now));
            for (number, asked) in two.into_iter().enumerate() {
                if asked == Asked::Granted {
                    pacer.give_back(HOST);
                }
                pacer.leave(&waiter("a", number));
            }
            if two == [Asked::Granted; 2] {
                break;
            }
        }
        rests.push(now.saturating_sub(learned).as_secs() / 600);
    }
    assert_eq!(rests, [1, 2, 4], "after ten minutes, twenty, forty");
}

#[test]
fn who_comes_is_told_of_as_many_windows_as_there_are_turns_before_it() {
    let mut pacer = pacer(9);
    // This minute is used up.
    pacer.refill((0..9).map(|_| (HOST.to_owned(), seconds(1000))), seconds(1000));
    let window = MINUTE + MINUTE / 200;
    let mut told = |namespace, number| match pacer.ask(HOST, &waiter(namespace, number), seconds(1000)) {
        Asked::Granted => panic!("there is no room"),
        Asked::Waits { expected } => expected,
    };
    let windows: Vec<_> = (0..25).map(|number| told("a", number)).collect();
    assert_eq!([0, 8, 9, 17, 18].map(|number| windows[number]), [1, 1, 2, 2, 3].map(|rounds| window * rounds));
    // Of another namespace each has as many of these before it as there are of its own, and one.
    let windows: Vec<_> = (0..5).map(|number| told("b", number)).collect();
    assert_eq!([0, 3, 4].map(|number| windows[number]), [1, 1, 2].map(|rounds| window * rounds));
}

#[test]
fn what_was_learned_holds_for_ten_windows_to_the_moment() {
    let mut learned = pacer(10);
    for number in 0..2 {
        assert_eq!(learned.ask(HOST, &waiter("a", number), seconds(0)), Asked::Granted);
    }
    learned.spent(HOST, seconds(0));
    learned.throttled(HOST, &waiter("a", 1), seconds(0));
    assert_eq!(learned.waiting(), 1, "who was refused");
    learned.leave(&waiter("a", 1));
    let granted = |now| {
        let mut pacer = learned.clone();
        (0..10).filter(|number| pacer.ask(HOST, &waiter("a", *number), now) == Asked::Granted).count()
    };
    let end = (MINUTE + MINUTE / 200) * 10;
    assert_eq!((granted(end.saturating_sub(Duration::from_nanos(1))), granted(end)), (1, 10));
}

#[test]
fn nothing_is_learned_where_others_used_it_up() {
    let mut pacer = pacer(10);
    assert_eq!(pacer.ask(HOST, &waiter("a", 0), seconds(0)), Asked::Granted);
    pacer.throttled(HOST, &waiter("a", 0), seconds(0));
    let (now, _) = turns(&mut pacer, seconds(0));
    let granted = (0..20).filter(|number| pacer.ask(HOST, &waiter("a", *number), now) == Asked::Granted).count();
    assert_eq!(granted, 10);
}

#[test]
fn without_a_rate_nobody_waits_until_the_host_refuses() {
    let mut pacer = Pacer::new(Rate::Unlimited, MINUTE);
    for number in 0..50 {
        assert_eq!(pacer.ask(HOST, &waiter("a", number), seconds(0)), Asked::Granted);
    }
    for _ in 0..49 {
        pacer.spent(HOST, seconds(1));
    }
    pacer.throttled(HOST, &waiter("a", 49), seconds(1));
    assert!(waits(pacer.ask(HOST, &waiter("a", 50), seconds(2))));
    assert_eq!(turns(&mut pacer, seconds(2)).1.len(), 2);
}
