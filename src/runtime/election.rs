//! The settings of the election, checked and complete.
//!
//! Owns which times fit together. Must never talk to a cluster.

use super::cli::{ElectionArgs, TimeArgs};
use super::settings::{SettingsError, Surroundings};
use super::values::shown;
use crate::controller::settings::LeaseSettings;
use crate::domain::lease::LeaseTimes;
use std::time::Duration;

/// Whether several replicas may run, and how they agree on the one that acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Election {
    /// This process is the only one.
    Off,
    /// By a Lease in the operator's namespace.
    ByLease {
        /// Its name.
        name: String,
        /// What this replica is called, for whoever reads the Lease.
        replica: String,
        /// Its times, already divided where that was asked for.
        times: LeaseTimes,
    },
}

impl Election {
    /// What the arguments ask for.
    ///
    /// # Errors
    /// Names the flag and says what to write.
    pub(super) fn from_args(
        args: ElectionArgs,
        times: &TimeArgs,
        surroundings: &Surroundings,
    ) -> Result<Self, SettingsError> {
        if !args.leader_elect {
            return Ok(Self::Off);
        }
        let lease = lease_times(&args, times)?;
        let replica = surroundings.host.as_deref().map(str::trim).filter(|host| !host.is_empty());
        Ok(Self::ByLease {
            name: args.lease_name,
            replica: replica.unwrap_or("replica").to_owned(),
            times: lease.divided_by(times.unsafe_timings.unwrap_or(1)),
        })
    }

    /// The Lease and this process's part in it; every call makes another identity.
    pub(super) fn lease(&self) -> Option<LeaseSettings> {
        match self {
            Self::Off => None,
            Self::ByLease { name, replica, times } => {
                let identity = format!("{replica}_{:016x}", rand::random::<u64>());
                Some(LeaseSettings { name: name.clone(), identity, times: *times })
            }
        }
    }
}

/// What was not given follows from what was, in the proportions of the defaults.
fn lease_times(args: &ElectionArgs, times: &TimeArgs) -> Result<LeaseTimes, SettingsError> {
    let usual = LeaseTimes::default();
    let duration = args.lease_duration.unwrap_or_else(|| usual.duration.max(times.post_deadline * 3 / 2));
    if times.unsafe_timings.is_none() && duration < usual.duration {
        return Err(SettingsError::TooShort {
            flag: "--lease-duration",
            given: shown(duration),
            least: shown(usual.duration),
        });
    }
    let renew_deadline = args.renew_deadline.unwrap_or(duration * 2 / 3);
    let retry_period = args.retry_period.unwrap_or(duration * 2 / 15);
    let longer = |flag, given: Duration, than, least: Duration| {
        if given > least {
            return Ok(());
        }
        Err(SettingsError::NotLonger { flag, given: shown(given), than, least: shown(least) })
    };
    longer(
        "--lease-duration",
        duration,
        "--post-deadline and a margin of 3s together, or no e-mail could be sent within a lease",
        times.post_deadline + usual.margin,
    )?;
    longer("--lease-duration", duration, "--renew-deadline", renew_deadline)?;
    longer("--renew-deadline", renew_deadline, "--retry-period", retry_period)?;
    Ok(LeaseTimes { duration, renew_deadline, retry_period, margin: usual.margin })
}
