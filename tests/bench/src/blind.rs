//! How long it takes until a connection to the API server that has died without a word is given up, with the times of
//! production.

use crate::operator::Ready;
use crate::stage::Stage;
use anyhow::{Result, ensure};
use control_plane::{Request, Rule, Trouble};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longer than anything that could count as noticed.
const LIMIT: Duration = Duration::from_secs(600);

/// Lets a watch fall silent as soon as it has begun, which is the worst moment, and prints when the operator gives it up and
/// when it asks anew: kube waits in between, the longer the more often it has failed within two minutes.
pub(crate) async fn measure(binary: &Path, count: usize) -> Result<()> {
    let stage = Stage::start(binary).await?;
    let proxy = stage.plane.proxy().await?;
    let mut operator = stage.operator_through(proxy.kubeconfig_path(), &[])?;
    operator.until(Ready::Leads).await?;
    let watch = |request: &Request| request.is_watch() && request.is_about("projectinvitations");
    let (mut given_up, mut asked_anew) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut silent = proxy.requests().len();
    for _ in 0..count {
        let begun =
            |all: &[Request]| all.iter().skip(silent).any(|request| watch(request) && request.answered == Some(200));
        ensure!(proxy.wait_until(LIMIT, begun).await, "no watch begins");
        let known = proxy.requests().len();
        let rule = proxy.add(Rule::new(Trouble::Hold).on(move |request| watch(request) && request.number < known));
        let silence = Instant::now();
        let over =
            |all: &[Request]| all.iter().take(known).filter(|request| watch(request)).all(|request| request.over);
        ensure!(proxy.wait_until(LIMIT, over).await, "not noticed within {} s", LIMIT.as_secs());
        given_up.push(silence.elapsed().as_secs_f64());
        let anew = |all: &[Request]| all.iter().skip(known).any(watch);
        ensure!(proxy.wait_until(LIMIT, anew).await, "not asked anew within {} s", LIMIT.as_secs());
        asked_anew.push(silence.elapsed().as_secs_f64());
        proxy.remove(rule);
        silent = known;
    }
    println!("{}", json!({ "givenUpAfterS": given_up, "askedAnewAfterS": asked_anew }));
    operator.terminate().await?;
    stage.stop().await
}
