//! What all players of one broadcast send: each message cut into chunks once, and the newest of them kept.
//!
//! There is no queue for any player. A player is a position in the [`Log`]; when it falls out of what is kept, it goes on
//! at the next key frame.

mod batch;
mod fill;
mod head;
mod log;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use hub::{Broadcast, BroadcastId, Follow};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::task::AbortHandle;

pub(super) use batch::Batch;
pub(super) use head::STREAM;
pub(super) use log::{Cursor, Log, Next};

/// The feeds of all broadcasts that have players.
#[derive(Debug, Default)]
pub(super) struct Feeds(Mutex<HashMap<BroadcastId, Weak<Feed>>>);

/// The feed of one broadcast. It runs while anybody holds it.
#[derive(Debug)]
pub(super) struct Feed {
    shared: Arc<Shared>,
    task: AbortHandle,
}

#[derive(Debug, Default)]
struct Shared {
    log: Mutex<Log>,
    wake: Notify,
}

impl Feeds {
    /// The feed of `broadcast`; the first who asks starts it.
    pub(super) fn of(&self, broadcast: &Arc<Broadcast>) -> Arc<Feed> {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(broadcast.id()).and_then(Weak::upgrade) {
            return feed;
        }
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let feed = Arc::new_cyclic(|feed| Feed::start(broadcast, feed.clone()));
        feeds.insert(broadcast.id().clone(), Arc::downgrade(&feed));
        feed
    }
}

impl Feed {
    fn start(broadcast: &Arc<Broadcast>, feed: Weak<Self>) -> Self {
        let shared = Arc::new(Shared::default());
        let follower = broadcast.follow(Follow::NewestKeyframe { sub_second: true });
        let task = tokio::spawn(fill::run(follower, Arc::clone(&shared), feed));
        Self {
            shared,
            task: task.abort_handle(),
        }
    }

    /// Completes when the log has news, counted from when it is enabled.
    pub(super) fn woken(&self) -> Notified<'_> {
        self.shared.wake.notified()
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.shared.log()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
