//! What can go wrong with a control plane, told so that the reader of a failed
//! test knows which process failed and what it said last.
//!
//! Must never: swallow a cause, or show a credential.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

/// A failure to start, drive or end a control plane.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The binaries are neither given nor could they be built.
    #[error("the tools are missing: {0}")]
    Tools(String),

    /// The operating system refused something.
    #[error("cannot {doing}")]
    Os {
        /// What was being done.
        doing: String,
        /// Why it was refused.
        source: io::Error,
    },

    /// Keys or certificates could not be made.
    #[error("cannot make credentials")]
    Credentials(#[from] rcgen::Error),

    /// A process ended although it should still run.
    #[error("{component} ended by itself ({status}); the end of its log:\n{log}")]
    Ended {
        /// The process.
        component: &'static str,
        /// How it ended; 128 plus the number of the signal that ended it.
        status: ExitStatus,
        /// Its last lines.
        log: String,
    },

    /// A process runs but was not ready in time.
    #[error("{component} was not ready within {within:?}: {last}; the end of its log:\n{log}")]
    NotReady {
        /// The process.
        component: &'static str,
        /// How long was waited.
        within: Duration,
        /// What the last attempt to reach it said.
        last: String,
        /// Its last lines.
        log: String,
    },

    /// The API server answered with what no API server answers.
    #[error("an answer of the API server makes no sense: {0}")]
    Unexpected(String),

    /// Something could not be ended or removed in time.
    #[error("{0} is still there after it was told to go")]
    LeftBehind(String),

    /// A `kubectl` command failed.
    #[error("kubectl {command}: {message}")]
    Kubectl {
        /// Its arguments.
        command: String,
        /// What it said.
        message: String,
    },
}

impl Error {
    /// Says what was being done when the operating system refused.
    pub(crate) fn os(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Os { doing, source }
    }
}
