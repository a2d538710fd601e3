//! Signals: the first asks for an orderly end, the second ends at once.
//!
//! Owns SIGTERM and SIGINT for the whole process. Must never let anything else install a handler: a library that takes
//! the signals takes the orderly end away from everything else.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// 128 and the signal's number, as shells report a process that a signal has ended.
const INTERRUPTED: i32 = 130;
const TERMINATED: i32 = 143;

/// Cancelled at the first SIGTERM or SIGINT; a second one ends the process.
///
/// # Errors
/// When the system refuses a handler.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        next(&mut terminate, &mut interrupt).await;
        tracing::info!("stopping: what is in flight is finished and recorded; a second signal ends at once");
        told.cancel();
        let code = next(&mut terminate, &mut interrupt).await;
        tracing::warn!("ended at once by a second signal");
        std::process::exit(code);
    });
    Ok(stop)
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> i32 {
    tokio::select! {
        _ = terminate.recv() => TERMINATED,
        _ = interrupt.recv() => INTERRUPTED,
    }
}
