//! Looks at an installation from outside, as the chart's hooks do.
//!
//! Owns the way to the cluster and what a failed check says. Must never call MongoDB.

mod reconciling;
mod uninstall;

use super::cli::{Check, CheckArgs};
use super::cluster::{ClusterError, connect};
use super::settings::{ClusterAccess, SettingsError};
use std::time::Duration;

/// Nothing is watched, so this only bounds how long an answer may take.
const LONGEST_ANSWER: Duration = Duration::from_secs(15);

/// Why a check did not hold, or could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A namespace that cannot be one.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The API server refused.
    #[error("cannot {what}: {problem}")]
    Refused {
        /// What was tried.
        what: String,
        /// What the API server said.
        problem: String,
    },
    /// The operator did not do its part.
    #[error(
        "the operator did not look at the Inviter {inviter} within {seconds} s: read its log, and whether it serves that \
         namespace"
    )]
    NotReconciled {
        /// Namespace and name.
        inviter: String,
        /// How long it had.
        seconds: u64,
    },
    /// Invitations would be left behind.
    #[error(
        "nothing was uninstalled. {0}\nTo uninstall nevertheless: helm uninstall --no-hooks. To keep the release, which Helm \
         takes for half uninstalled now: helm rollback RELEASE REVISION"
    )]
    LeftBehind(String),
}

/// Makes the check; prints what it found.
///
/// # Errors
/// When it does not hold.
pub async fn run(args: CheckArgs) -> Result<(), CheckError> {
    let client = connect(&ClusterAccess { kubeconfig: args.kubeconfig, context: args.context }, LONGEST_ANSWER).await?;
    match args.what {
        Check::Reconciling { namespace, timeout } => reconciling::check(client, &namespace, timeout).await,
        Check::Uninstall { watch_namespaces, on_invitations } => {
            uninstall::check(&client, &watch_namespaces, on_invitations).await
        }
    }
}

/// Names what was tried.
fn refused(what: &str) -> impl Fn(kube::Error) -> CheckError {
    move |error| CheckError::Refused { what: what.to_owned(), problem: crate::controller::kube_error::plain(&error) }
}
