//! Whether the operator reconciles.
//!
//! Makes an `Inviter` whose Secret does not exist, awaits the operator's judgement on it, and deletes it. Must never name a
//! Secret that could exist, or leave the `Inviter` behind.

use super::{CheckError, refused};
use crate::api::{Adoption, AllowInviter, CredentialsSecretRef, Inviter, InviterSpec, Mode, OnUnknown, Product};
use kube::Client;
use kube::api::{Api, DeleteParams, PostParams};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// Prints what the operator said.
///
/// # Errors
/// When it said nothing in time.
pub(super) async fn check(client: Client, namespace: &str, within: Duration) -> Result<(), CheckError> {
    let inviters: Api<Inviter> = Api::namespaced(client, namespace);
    let name = format!("check-{:016x}", rand::random::<u64>());
    let made = inviters.create(&PostParams::default(), &Inviter::new(&name, spec(&name))).await;
    made.map_err(refused("make an Inviter"))?;
    let judged = judgement(&inviters, &name, within).await;
    inviters.delete(&name, &DeleteParams::default()).await.map_err(refused("delete the Inviter"))?;
    match judged? {
        Some(said) => {
            println!("ok: the operator looked at the Inviter {namespace}/{name} and said {said}");
            Ok(())
        }
        None => Err(CheckError::NotReconciled { inviter: format!("{namespace}/{name}"), seconds: within.as_secs() }),
    }
}

async fn judgement(inviters: &Api<Inviter>, name: &str, within: Duration) -> Result<Option<String>, CheckError> {
    let end = Instant::now() + within;
    loop {
        let inviter = inviters.get(name).await.map_err(refused("read the Inviter"))?;
        let status = inviter.status.filter(|status| status.observed_generation == inviter.metadata.generation);
        let ready = status.and_then(|status| status.conditions.into_iter().find(|found| found.type_ == "Ready"));
        if let Some(ready) = ready {
            return Ok(Some(format!("{}: {}", ready.reason, ready.message)));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

fn spec(name: &str) -> InviterSpec {
    InviterSpec {
        product: Product::Atlas,
        base_url: None,
        credentials_secret_ref: CredentialsSecretRef { name: format!("{name}-does-not-exist") },
        ca_bundle_ref: None,
        check_interval: "5m".to_owned(),
        mode: Mode::Observe,
        adoption: Adoption::Never,
        on_unknown: OnUnknown::Hold,
        allow: AllowInviter::default(),
    }
}
