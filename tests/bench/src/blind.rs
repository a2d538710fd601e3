//! How long it takes until a connection to the API server that has died without a word is given up, with the times of
//! production.

use crate::stage::{Stage, Way};
use anyhow::{Result, ensure};
use control_plane::{Request, Rule, Trouble};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longer than anything that could count as noticed.
const LIMIT: Duration = Duration::from_secs(600);

/// Lets a watch fall silent as soon as it has begun, which is the worst moment, and prints when the operator asks anew.
pub(crate) async fn measure(operator: &Path, count: usize) -> Result<()> {
    let stage = Stage::start(operator, false, Way::ThroughProxy).await?;
    let watch = |request: &Request| request.is_watch() && request.is_about("projectinvitations");
    let mut after_s = Vec::with_capacity(count);
    let mut silent = stage.proxy.requests().len();
    for _ in 0..count {
        let begun =
            |all: &[Request]| all.iter().skip(silent).any(|request| watch(request) && request.answered == Some(200));
        ensure!(stage.proxy.wait_until(LIMIT, begun).await, "no watch begins");
        let known = stage.proxy.requests().len();
        let rule =
            stage.proxy.add(Rule::new(Trouble::Hold).on(move |request| watch(request) && request.number < known));
        let began = Instant::now();
        let asked_anew = |all: &[Request]| all.iter().skip(known).any(watch);
        ensure!(stage.proxy.wait_until(LIMIT, asked_anew).await, "not noticed within {} s", LIMIT.as_secs());
        after_s.push(began.elapsed().as_secs_f64());
        stage.proxy.remove(rule);
        silent = known;
    }
    println!("{}", json!({ "askedAnewAfterS": after_s }));
    stage.stop().await
}
