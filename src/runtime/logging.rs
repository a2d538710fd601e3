//! The log: text for people, JSON for machines, on standard error.
//!
//! Owns form and filter. Must never be given a credential or, at info and above, an address: what is logged is decided
//! where it is logged, and there is no filter here that could make up for it.

use super::settings::{LogForm, Logging};
use tracing_subscriber::EnvFilter;

/// Starts the log of this process. A second start changes nothing.
pub fn start(logging: &Logging) {
    // The directives were checked with the settings; what cannot be read here logs errors only, rather than nothing.
    let filter = EnvFilter::try_new(&logging.directives).unwrap_or_else(|_| EnvFilter::new("error"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match logging.form {
        LogForm::Coloured => lines.with_target(false).with_ansi(true).try_init(),
        LogForm::Plain => lines.with_target(false).with_ansi(false).try_init(),
        LogForm::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    if started.is_err() {
        tracing::debug!("the log had been started before");
    }
}
