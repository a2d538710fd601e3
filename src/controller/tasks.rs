//! When what goes on beside the passes begins and ends.
//!
//! Must never wait for anything when the process is told to stop.

use tokio_util::sync::CancellationToken;

/// What goes by all that there is begins when that is known.
pub(super) async fn after(listed: CancellationToken, work: impl Future<Output = ()>) {
    listed.cancelled().await;
    work.await;
}

/// Ends where it stands when it is told to.
pub(super) async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}
