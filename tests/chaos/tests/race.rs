//! Finalizer against deletion, as many times as a test run bears; `make race RACES=3000` runs more.

#![allow(clippy::unwrap_used)]

use chaos::{process, race};

const RACES: usize = 300;
const LANES: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn no_invitation_is_without_an_owner_however_its_finalizer_races_a_deletion() {
    let operator = process::find_operator(None).unwrap();
    let table = race::run(&operator, RACES, LANES).await.unwrap();
    println!("{table}");
    assert!(table.violations.is_empty(), "{table}");
    assert!(table.races >= RACES, "{table}");
    // Else nothing was shown: the API server must have acknowledged finalizers of objects that it deleted.
    assert!(table.lost > 0, "{table}");
}
