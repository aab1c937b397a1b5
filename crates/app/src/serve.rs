//! Runs the platform: opens the listeners, joins the parts, and stops them in order.

mod announcement;
mod listeners;
mod parts;
mod process;

use std::time::Duration;

use anyhow::Result;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::info;

use crate::config::Config;
use crate::demo::Demo;
use crate::secure;
use listeners::Listeners;
use parts::Parts;

/// How long requests that are under way may take after the signal to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs until it is told to stop.
///
/// # Errors
/// If it cannot start: the text says what to change.
pub async fn run(mut config: Config, with_demo: bool) -> Result<()> {
    process::raise_open_files();
    let certificates = secure::certificates(&config)?;
    let listeners = Listeners::open(&config, &certificates).await?;
    listeners.tell(&mut config)?;
    let parts = Parts::open(config, certificates).await?;
    let (stop, stopping) = watch::channel(false);
    let mut running = JoinSet::new();
    parts.listen(listeners, &mut running, &stopping);
    parts.attend(&mut running, &stopping);
    if with_demo {
        tokio::spawn(Demo::new(parts.hub.clone(), &parts.local)?.run());
    }
    parts.ready.set(true);
    announcement::announce(&parts.config, &parts.platform, with_demo).await;

    process::stop_signal().await?;
    info!("stopping: open requests are finished first");
    parts.ready.set(false);
    parts.platform.live.stop();
    stop.send_replace(true);
    while running.join_next().await.is_some() {}
    parts.finish().await;
    info!("stopped");
    Ok(())
}
