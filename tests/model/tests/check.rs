//! scratch
use model::check::Small;
use model::config::Config;
use model::graph::Watched;
use stateright::{Checker, Model};
use std::time::{Duration, Instant};

fn main() {
    let quiet = Config::QUIET;
    let lean = Config { shared_looks: false, odd_answers: false, ..quiet };
    let all = [
        Config { name: "person", person_acts: true, ..quiet },
        Config { name: "delete and re-apply b1", deletes: 1, applies: 1, busy: 1, ..quiet },
        Config { name: "delete and re-apply race b1", deletes: 1, applies: 1, busy: 1, finalizer_race: true, ..quiet },
        Config { name: "delete and re-apply lean", deletes: 1, applies: 1, ..lean },
        Config { name: "release b1", deletes: 1, applies: 1, releases: true, busy: 1, ..quiet },
        Config { name: "keep b1", deletes: 1, applies: 1, keep: true, busy: 1, ..quiet },
        Config { name: "rename b1", objects: 2, deletes: 1, busy: 1, ..quiet },
        Config { name: "rename race b1", objects: 2, deletes: 1, finalizer_race: true, busy: 1, ..lean },
        Config { name: "resend 2l b1", leaders: 2, resends: 1, busy: 1, ..lean },
        Config { name: "two objects 2l b1", leaders: 2, objects: 2, busy: 1, ..lean },
        Config { name: "race 2l b1", leaders: 2, deletes: 1, finalizer_race: true, busy: 1, ..lean },
        Config { name: "hold 2l", leaders: 2, hold: true, ..lean },
        Config { name: "hold two objects", objects:2, hold: true, ..lean },
    ];
    let wanted = std::env::args().nth(1);
    for config in all {
        if wanted.as_ref().is_some_and(|w| w != config.name) { continue }
        let began = Instant::now();
        let checker = Watched::new(Small::new(config)).checker().threads(2).timeout(Duration::from_secs(45)).spawn_bfs().join();
        let states = checker.unique_state_count();
        let found: Vec<_> = checker.discoveries().into_iter().map(|(name, path)| (name, path.into_actions())).collect();
        let t1 = began.elapsed();
        let reach = checker.model().reach();
        println!("{}: {states} {t1:?} {:?} depth {} claims {} found {found:?} {reach:?}", config.name, began.elapsed(), checker.max_depth(), checker.model().small.claims.count());
    }
}
