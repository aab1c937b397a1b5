//! Live streams over HTTP: playlists, segments, parts, stills, and what is live as JSON.
//!
//! One task per broadcast follows the hub, feeds a [`packager::Packager`] and publishes its window on a [`channel`]. Requests
//! are answered from the newest window; one that is early waits there and is woken by the change it waits for. A viewer has
//! no task and no buffer of its own: all share the same bytes.

mod admission;
mod answer;
mod api;
mod body;
mod channel;
mod directory;
mod disk;
mod files;
mod journal;
mod ledger;
mod manifest;
mod multivariant;
mod packaging;
mod playlist;
mod rendered;
mod routes;
mod saved_ladder;
mod stats;
mod still;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod viewers;

use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::response::Response;
use hub::{Broadcast, Event, Hub, Name};
use tokio::sync::broadcast::error::RecvError;
use tracing::warn;

use self::channel::Channel;
use self::directory::Directory;
use self::disk::SystemDisk;
use self::journal::Journals;
pub use self::stats::Stats;
use crate::web::Playback;

/// All live streams of this server, for viewers over HTTP. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Live(Arc<Shared>);

struct Shared {
    hub: Hub,
    names: Arc<dyn hub::Directory>,
    directory: Directory,
    journals: Journals,
    stats: Arc<Stats>,
    rtmp: OnceLock<RtmpAddress>,
}

/// Where this server's RTMP is, for pages to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RtmpAddress {
    /// At this address, without an application.
    Public(String),
    /// At this port of whatever host the page was opened with.
    Port(u16),
}

impl Live {
    /// Packages every broadcast of the hub from now on, and takes up those that were live when the server stopped. `names` says which
    /// addresses lead to them, and for whom. What must survive a restart is kept in `data_dir`. Call it within a tokio runtime.
    ///
    /// # Errors
    /// If `data_dir` cannot be read or written.
    pub fn start(hub: Hub, names: Arc<dyn hub::Directory>, data_dir: &Path) -> io::Result<Self> {
        let journals = Journals::open(data_dir.join("live"), Arc::new(SystemDisk))?;
        let live = Self(Arc::new(Shared {
            directory: Directory::default(),
            stats: Arc::default(),
            hub,
            names,
            journals,
            rtmp: OnceLock::new(),
        }));
        tokio::spawn(live.clone().follow_hub());
        for restored in live.0.journals.unfinished() {
            live.0.hub.restore(&restored);
        }
        Ok(live)
    }

    /// The answer to a request that needs neither the router nor to wait; `None` for all others.
    pub fn at_once<B>(&self, request: &http::Request<B>) -> Option<Response> {
        routes::at_once(self, request)
    }

    /// Everything below `/live`, `/hls`, `/api/v1/live` and `/time`.
    pub fn router(&self) -> Router {
        routes::router(self)
    }

    /// Tells where RTMP is, once.
    pub fn set_rtmp(&self, address: RtmpAddress) {
        // Whoever says it twice says the same.
        let _ = self.0.rtmp.set(address);
    }

    /// What a page shows of a stream and its player needs to know; `None` if nothing of that name is live that everybody may watch.
    /// `host` is what the page was opened with.
    pub fn playback(&self, name: &str, host: Option<&str>) -> Option<Playback> {
        api::playback(self, name, host)
    }

    /// What is counted over all streams.
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }

    /// How many viewers play over HTTP now, in all.
    pub fn viewers(&self) -> usize {
        self.0
            .directory
            .channels()
            .iter()
            .map(|channel| channel.viewers())
            .sum()
    }

    /// How many viewers play the broadcast of that name of the hub over HTTP now; `None` if none runs.
    pub fn viewers_of(&self, name: &str) -> Option<u64> {
        let channel = self.0.directory.newest(&Name::parse(name).ok()?)?;
        Some(channel.viewers() as u64)
    }

    /// Starts a task for each broadcast, as they come.
    async fn follow_hub(self) {
        let mut events = self.0.hub.subscribe();
        loop {
            for broadcast in self.0.hub.broadcasts() {
                self.channel_of(&broadcast);
            }
            // Whoever missed events looks at what is there.
            match events.recv().await {
                Ok(Event::Started(broadcast)) => drop(self.channel_of(&broadcast)),
                Ok(_) => self.skip_events(&mut events),
                Err(RecvError::Lagged(missed)) => warn!(missed, "events were missed"),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Most events are none of ours: takes those that are there without looking around after each.
    fn skip_events(&self, events: &mut tokio::sync::broadcast::Receiver<Event>) {
        while let Ok(event) = events.try_recv() {
            if let Event::Started(broadcast) = event {
                self.channel_of(&broadcast);
            }
        }
    }

    /// The channel of a broadcast; the first who asks starts it.
    fn channel_of(&self, broadcast: &Arc<Broadcast>) -> Arc<Channel> {
        let (channel, new) = self.0.directory.find_or_add(broadcast);
        if new {
            tokio::spawn(packaging::run(self.clone(), Arc::clone(&channel)));
        }
        channel
    }

    /// The newest broadcast of a name, or the last one while it can still be had.
    fn newest(&self, name: &Name) -> Option<Arc<Channel>> {
        match self.0.hub.broadcast(name) {
            Some(broadcast) => Some(self.channel_of(&broadcast)),
            None => self.0.directory.newest(name),
        }
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}
