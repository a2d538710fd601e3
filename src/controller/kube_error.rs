//! Errors of the Kubernetes client in one line for people.
//!
//! Must never print a whole `Status`, nor decide anything.

use kube::runtime::watcher;
use std::error::Error;

/// An API error's own message, else the innermost cause.
#[must_use]
pub fn plain(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error { told(status) } else { innermost(error) }
}

/// The same of a watch, with what it was doing.
#[must_use]
pub fn plain_watch(error: &watcher::Error) -> String {
    let (doing, why) = match error {
        watcher::Error::InitialListFailed(error) => ("list", plain(error)),
        watcher::Error::WatchStartFailed(error) => ("start of the watch", plain(error)),
        watcher::Error::WatchFailed(error) => ("watch", plain(error)),
        watcher::Error::WatchError(status) => ("watch", told(status)),
        watcher::Error::NoResourceVersion => ("list", error.to_string()),
    };
    format!("{doing}: {why}")
}

fn told(status: &kube::core::Status) -> String {
    let reason = if status.reason.is_empty() { "error" } else { &status.reason };
    format!("{} ({reason}, {})", status.message, status.code)
}

fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_watch_says_what_it_did_and_why_and_nothing_else() {
        let status = kube::core::Status::failure("too old resource version: 1", "Expired").with_code(410);
        let error = watcher::Error::WatchStartFailed(kube::Error::Api(status.boxed()));
        assert_eq!(plain_watch(&error), "start of the watch: too old resource version: 1 (Expired, 410)");
    }

    #[test]
    fn the_innermost_cause_is_told() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let error = watcher::Error::WatchFailed(kube::Error::Service(Box::new(refused)));
        assert_eq!(plain_watch(&error), "watch: connection refused");
    }
}
