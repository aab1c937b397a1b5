//! The process: what it may open, and when it is told to stop.

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tracing::warn;

/// Each viewer is an open file.
pub(super) fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        warn!(%error, "the limit of open files stays as it is");
    }
}

/// Waits for the signal to stop; a second one ends the process at once.
pub(super) async fn stop_signal() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut told = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    told().await;
    tokio::spawn(async move {
        told().await;
        std::process::exit(0);
    });
    Ok(())
}
