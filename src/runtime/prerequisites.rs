//! What a cluster must have before the controller can start: an API that answers, of a version that will do, with our
//! kinds, the rights to them, and no other instance that serves the same namespaces.
//!
//! Owns the waiting for it. A cluster that is not there yet is waited for, because it may be coming up together with the
//! operator; one that is too old is not, because waiting does not make it younger.

use super::cluster::ClusterError;
use super::health::{Health, Readiness};
use super::neighbours::Neighbours;
use super::rights;
use super::settings::{Settings, Watched};
use crate::api::names::{GROUP, VERSION};
use crate::controller::kube_error::plain;
use kube::Client;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

const LEAST_MINOR: u32 = 32;
const LEAST: &str = "1.32";
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Whether the waiting ended with a cluster to work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Everything is there.
    Complete,
    /// The process was told to stop first.
    Stopped,
}

/// Waits until the cluster has what the controller needs. Says what it waits for, in the log and in `health`.
///
/// # Errors
/// When the cluster is too old.
pub async fn wait(
    client: &Client,
    settings: &Settings,
    mut neighbours: Option<&mut Neighbours>,
    health: &Health,
    stop: &CancellationToken,
) -> Result<Arrival, ClusterError> {
    let mut pause = FIRST_WAIT;
    loop {
        let looked = tokio::select! {
            () = stop.cancelled() => return Ok(Arrival::Stopped),
            looked = look(client, settings, neighbours.as_deref_mut()) => looked?,
        };
        match &looked {
            Readiness::Syncing => {
                health.set(looked);
                return Ok(Arrival::Complete);
            }
            Readiness::Starting
            | Readiness::Unreachable(_)
            | Readiness::KindsMissing(_)
            | Readiness::RightsMissing(_)
            | Readiness::Served { .. }
            | Readiness::Standby
            | Readiness::NoElection(_)
            | Readiness::Ready
            | Readiness::Stopping => tracing::warn!("waiting: {looked}"),
        }
        health.set(looked);
        tokio::select! {
            () = stop.cancelled() => return Ok(Arrival::Stopped),
            () = sleep(pause) => {}
        }
        pause = LONGEST_WAIT.min(pause * 2);
    }
}

async fn look(
    client: &Client,
    settings: &Settings,
    neighbours: Option<&mut Neighbours>,
) -> Result<Readiness, ClusterError> {
    let asked = timeout(ANSWER_WITHIN, async {
        let version = client.apiserver_version().await?;
        Ok((version, served_kinds(client).await?))
    });
    let (version, served) = match asked.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Ok(Readiness::Unreachable(plain(&error))),
        Err(_) => return Ok(Readiness::Unreachable(format!("no answer within {} s", ANSWER_WITHIN.as_secs()))),
    };
    if !new_enough(&version.major, &version.minor) {
        return Err(ClusterError::TooOld { found: format!("{}.{}", version.major, version.minor), least: LEAST });
    }
    let missing: Vec<_> = needed_kinds(&settings.watched)
        .iter()
        .copied()
        .filter(|kind| !served.iter().any(|name| name == kind))
        .collect();
    if !missing.is_empty() {
        return Ok(Readiness::KindsMissing(missing));
    }
    let looked = match timeout(ANSWER_WITHIN, rights_and_neighbours(client, settings, neighbours)).await {
        Ok(Ok(looked)) => looked,
        Ok(Err(error)) => Readiness::Unreachable(plain(&error)),
        Err(_) => Readiness::Unreachable(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
    };
    if looked == Readiness::Syncing {
        tracing::info!(kubernetes = %version.git_version, "connected");
    }
    Ok(looked)
}

async fn rights_and_neighbours(
    client: &Client,
    settings: &Settings,
    neighbours: Option<&mut Neighbours>,
) -> kube::Result<Readiness> {
    let missing = rights::look(client, settings).await?;
    if !missing.rights.is_empty() {
        return Ok(Readiness::RightsMissing(rights::shown(&missing.rights)));
    }
    if let Some(neighbours) = neighbours
        && let Some(other) = neighbours.look().await?
    {
        return Ok(Readiness::Served { by: other.namespace, serves: other.serves });
    }
    for namespace in missing.namespaces {
        tracing::warn!(
            namespace,
            "the namespace does not exist, or the operator has no rights in it; it is served as soon as it can be read"
        );
    }
    Ok(Readiness::Syncing)
}

fn needed_kinds(watched: &Watched) -> &'static [&'static str] {
    match watched {
        Watched::Everywhere => &["ProjectInvitation", "Inviter", "ClusterInviter", "InvitationClaim"],
        Watched::Only(_) => &["ProjectInvitation", "Inviter", "InvitationClaim"],
    }
}

/// By discovery, which every authenticated user may read; reading definitions would need a right of its own.
async fn served_kinds(client: &Client) -> kube::Result<Vec<String>> {
    match client.list_api_group_resources(&format!("{GROUP}/{VERSION}")).await {
        Ok(list) => Ok(list.resources.into_iter().map(|resource| resource.kind).collect()),
        // By the code: for a group that it does not know, the API server answers with text and no `Status`.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Some distributions write `34+`; a version that cannot be read is not held against the cluster.
fn new_enough(major: &str, minor: &str) -> bool {
    let number = |text: &str| text.trim_end_matches(|c: char| !c.is_ascii_digit()).parse::<u32>().ok();
    match (number(major), number(minor)) {
        (Some(1), Some(minor)) => minor >= LEAST_MINOR,
        (Some(0), _) => false,
        (_, _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::new_enough;

    #[test]
    fn a_version_is_compared_by_its_numbers() {
        for (major, minor, expected) in [
            ("1", "32", true),
            ("1", "31", false),
            ("1", "34+", true),
            ("1", "9", false),
            ("2", "0", true),
            ("", "", true),
        ] {
            assert_eq!(new_enough(major, minor), expected, "{major}.{minor}");
        }
    }
}
