//! The log: text for people, JSON for machines, on standard error.
//!
//! Owns form and filter. Must never be given a credential or, at info and above, an address: what is logged is decided
//! where it is logged, and there is no filter here that could make up for it.

use super::settings::{LogForm, Logging};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

/// Starts the log of this process. A second start changes nothing.
pub fn start(logging: &Logging) {
    let filtered = registry().with(logging.filter.clone());
    let lines = fmt::layer().with_writer(std::io::stderr);
    let started = match logging.form {
        LogForm::Coloured => filtered.with(lines.with_target(false).with_ansi(true)).try_init(),
        LogForm::Plain => filtered.with(lines.with_target(false).with_ansi(false)).try_init(),
        LogForm::Json => {
            filtered.with(lines.json().flatten_event(true).with_current_span(true).with_span_list(false)).try_init()
        }
    };
    if started.is_err() {
        tracing::debug!("the log had been started before");
    }
}
