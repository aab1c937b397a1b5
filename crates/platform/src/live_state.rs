//! What the platform keeps in memory about what is live. All of it can be read again from the database and the hub.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use hub::authority::Local;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::info;

use crate::authority::{self, Grants, Known};
use crate::directory::{Names, Visitors};
use crate::error::Result;
use crate::events::{self, Minutes, Reports};
use crate::platform::Platform;

/// What is known of live streams.
#[derive(Debug, Default)]
pub struct LiveState {
    /// Which names lead to which streams.
    pub(crate) names: Names,
    /// Who asked to watch what is for members.
    pub(crate) visitors: Visitors,
    /// Rights that were given and are in use.
    pub(crate) grants: Grants,
    /// Keys that were good lately.
    pub(crate) known: Known,
    /// The server's own list of keys.
    pub(crate) local: OnceLock<Arc<Local>>,
    /// What is to be written down.
    pub(crate) reports: Reports,
    /// How sources do in this very minute.
    pub(crate) minutes: Mutex<Minutes>,
    changes: AtomicU64,
    stopping: watch::Sender<bool>,
    seats: Seats,
}

/// Pages that watch a stream's status at once.
const WATCHERS_MAX: usize = 1_000;

#[derive(Debug)]
struct Seats(Arc<Semaphore>);

impl Default for Seats {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(WATCHERS_MAX)))
    }
}

impl LiveState {
    /// How many changes were heard of: who finds another number than before draws conclusions anew.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    pub(crate) fn count_change(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// Ends answers that would go on for ever: the server stops.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// A place among those who watch; `None` if there are too many.
    pub(crate) fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats.0).try_acquire_owned().ok()
    }

    /// Completes when the server stops.
    pub(crate) async fn stopped(&self) {
        // The sender lives as long as this value, so waiting cannot fail.
        let _ = self.stopping.subscribe().wait_for(|stop| *stop).await;
    }
}

/// Takes up what was live when the server stopped: its names lead to it again, and broadcasts that are over are written down as such. Call
/// it when the hub has its restored broadcasts, before the first request is answered.
///
/// # Errors
/// Those of the database.
pub async fn resume(platform: &Platform) -> Result<()> {
    let closed = events::close_lost(platform).await?;
    if closed > 0 {
        info!(closed, "broadcasts of before were over when the server started");
    }
    authority::look_at_all(platform).await?;
    Ok(())
}

/// Follows the hub and what changes, until `stopping` turns true; then what is to be written is written.
pub async fn run(platform: Platform, stopping: watch::Receiver<bool>) {
    tokio::join!(
        authority::watch(platform.clone(), stopping.clone()),
        events::follow(platform.clone(), stopping.clone()),
        events::write(platform, stopping),
    );
}
