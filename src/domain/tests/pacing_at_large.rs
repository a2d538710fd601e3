//! Slots, whatever happens: never more than the limit in any minute, fair between namespaces, first come within one,
//! nobody lost.

use super::pacing::{HOST, MINUTE, all_sent, pacer, seconds, waiter};
use crate::domain::pacer::Asked;
use crate::domain::turns::Waiter;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// What may happen while objects ask and send.
#[derive(Clone, Debug)]
enum Happening {
    Asks { host: usize, namespace: usize, number: usize },
    TimePasses { millis: u64 },
    TurnsCome,
    TakesAndKeeps { namespace: usize, number: usize },
    Ends { which: usize, how: usize },
    Leaves { namespace: usize, number: usize },
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => (0..2_usize, 0..3_usize, 0..12_usize).prop_map(|(host, namespace, number)| Happening::Asks { host, namespace, number }),
        3 => (0..30_000_u64).prop_map(|millis| Happening::TimePasses { millis }),
        3 => Just(Happening::TurnsCome),
        3 => (0..3_usize, 0..12_usize).prop_map(|(namespace, number)| Happening::TakesAndKeeps { namespace, number }),
        6 => (0..32_usize, 0..8_usize).prop_map(|(which, how)| Happening::Ends { which, how }),
        1 => (0..3_usize, 0..12_usize).prop_map(|(namespace, number)| Happening::Leaves { namespace, number }),
    ]
}

const HOSTS: [&str; 2] = ["a.example.com", "b.example.com"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// The server counts a send at any moment between its permit and its answer: there never are more than the limit in
    /// any minute. And whoever still waits in the end gets a turn.
    #[test]
    fn never_more_than_the_limit_in_any_minute_and_nobody_is_lost(
        limit in 1..5_u32,
        happenings in prop::collection::vec(happening(), 1..300),
    ) {
        let mut pacer = pacer(limit);
        let mut now = seconds(1000);
        // Permits that are out: host, waiter, when the server may count it at the earliest.
        let mut out: Vec<(usize, Waiter, Duration)> = Vec::new();
        let mut counted: BTreeMap<usize, Vec<Duration>> = BTreeMap::new();
        let mut waiting: BTreeMap<Waiter, usize> = BTreeMap::new();
        let namespaces = ["x", "y", "z"];
        for happening in happenings {
            match happening {
                Happening::Asks { host, namespace, number } => {
                    let waiter = waiter(namespaces[namespace], number);
                    if out.iter().any(|(_, holder, _)| *holder == waiter) { continue; }
                    match pacer.ask(HOSTS[host], &waiter, now) {
                        Asked::Granted => { waiting.remove(&waiter); out.push((host, waiter, now)); }
                        Asked::Waits { .. } => { waiting.insert(waiter, host); }
                    }
                }
                Happening::TimePasses { millis } => now += Duration::from_millis(millis),
                Happening::TurnsCome => { pacer.due(now); }
                Happening::TakesAndKeeps { namespace, number } => {
                    let waiter = waiter(namespaces[namespace], number);
                    if let Some(host) = pacer.take(&waiter) {
                        let host = HOSTS.iter().position(|name| *name == host).unwrap();
                        prop_assert_eq!(waiting.remove(&waiter), Some(host));
                        out.push((host, waiter, now));
                    }
                }
                Happening::Ends { which, how } => {
                    if out.is_empty() { continue; }
                    let (host, waiter, since) = out.swap_remove(which % out.len());
                    match how {
                        0 => pacer.give_back(HOSTS[host]),
                        1 => { pacer.keep(HOSTS[host], &waiter); waiting.insert(waiter, host); }
                        how => {
                            pacer.spent(HOSTS[host], now);
                            // Somewhere on its way the server counted it.
                            let way = now.saturating_sub(since);
                            counted.entry(host).or_default().push(since + way * u32::try_from(how).unwrap() / 8);
                        }
                    }
                }
                Happening::Leaves { namespace, number } => {
                    let waiter = waiter(namespaces[namespace], number);
                    prop_assert_eq!(pacer.leave(&waiter), waiting.remove(&waiter).is_some());
                }
            }
        }
        for (host, _, _) in out.drain(..) { pacer.give_back(HOSTS[host]); }
        for _ in 0..1000 {
            if waiting.is_empty() { break; }
            pacer.due(now);
            for waiter in waiting.keys().cloned().collect::<Vec<_>>() {
                if let Some(host) = pacer.take(&waiter) {
                    let host = HOSTS.iter().position(|name| *name == host).unwrap();
                    waiting.remove(&waiter);
                    pacer.spent(HOSTS[host], now);
                    counted.entry(host).or_default().push(now);
                }
            }
            now = pacer.next_at(now).unwrap_or(now).max(now);
        }
        prop_assert!(waiting.is_empty(), "{:?} wait for ever", waiting);
        for times in counted.values_mut() {
            times.sort_unstable();
            for window in times.windows(usize::try_from(limit).unwrap() + 1) {
                prop_assert!(window[window.len() - 1].saturating_sub(window[0]) >= MINUTE, "{:?}", window);
            }
        }
    }

    /// Each namespace that waits gets a turn before any gets two, and within one the order is that of coming.
    #[test]
    fn turns_go_round_and_keep_their_order(
        comers in prop::collection::vec(0..5_usize, 1..120),
        limit in 1..12_u32,
    ) {
        let names = ["a", "b", "c", "d", "e"];
        let mut pacer = pacer(limit);
        // The minute is used up, so that all of them wait.
        pacer.refill((0..limit).map(|_| (HOST.to_owned(), seconds(999))), seconds(1000));
        let everybody: Vec<_> = comers.iter().enumerate().map(|(number, name)| waiter(names[*name], number)).collect();
        let order: Vec<_> = all_sent(&mut pacer, &everybody, seconds(1000)).into_iter().map(|(_, waiter)| waiter).collect();
        let mut left: BTreeMap<&str, usize> = BTreeMap::new();
        for waiter in &everybody { *left.entry(waiter.namespace.as_str()).or_default() += 1; }
        let mut since: BTreeMap<&str, usize> = left.keys().map(|name| (*name, 0)).collect();
        let mut last: BTreeMap<&str, &str> = BTreeMap::new();
        for waiter in &order {
            let own = waiter.namespace.as_str();
            let others = left.values().filter(|count| **count > 0).count();
            prop_assert!(since[own] <= others.max(names.len()), "{own} waited for {} turns", since[own]);
            for (name, turns) in &mut since { if left[name] > 0 { *turns += 1; } }
            since.insert(own, 0);
            *left.get_mut(own).unwrap() -= 1;
            if let Some(before) = last.insert(own, waiter.name.as_str()) {
                prop_assert!(before < waiter.name.as_str());
            }
        }
    }
}
