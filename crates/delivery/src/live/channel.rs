//! One broadcast as its viewers see it: the newest window, and a place to wait for the next.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use hub::Broadcast;
use media::TrackId;
use packager::Window;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::manifest::Manifest;
use super::rendered::Playlists;
use super::viewers::Viewers;

/// A request for something of a broadcast that is only starting is held so long.
pub(super) const START_WAIT: Duration = Duration::from_secs(5);

pub(super) struct Channel {
    broadcast: Arc<Broadcast>,
    window: ArcSwapOption<Window>,
    changes: Changes,
    playlists: Playlists,
    manifest: Manifest,
    viewers: Viewers,
}

impl Channel {
    pub(super) fn new(broadcast: Arc<Broadcast>) -> Self {
        Self {
            manifest: Manifest::new(broadcast.settings()),
            broadcast,
            window: ArcSwapOption::empty(),
            changes: Changes::default(),
            playlists: Playlists::default(),
            viewers: Viewers::default(),
        }
    }

    pub(super) fn broadcast(&self) -> &Arc<Broadcast> {
        &self.broadcast
    }

    /// What leads from a multivariant playlist to the media playlists: `NAME/ID/`, by the name that was asked for.
    pub(super) fn folder(&self, name: &str) -> String {
        format!("{name}/{}/", self.broadcast.id())
    }

    /// What can be had now; `None` before the first parts are there.
    pub(super) fn window(&self) -> Option<Arc<Window>> {
        self.window.load_full()
    }

    pub(super) fn playlists(&self) -> &Playlists {
        &self.playlists
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How many viewers asked for playlists lately.
    pub(super) fn viewers(&self) -> usize {
        self.viewers.count(Instant::now())
    }

    /// Takes note that a viewer asked for a playlist.
    pub(super) fn seen(&self, viewer: u64) {
        let target = self
            .window
            .load()
            .as_ref()
            .map_or(START_WAIT, |window| window.targets.seconds());
        self.viewers.seen(viewer, Instant::now() + 2 * target);
    }

    /// Publishes a window, and wakes those who wait for what changed in it.
    pub(super) fn publish(&self, window: &Arc<Window>) {
        self.manifest.observe(window);
        let before = self.window.swap(Some(Arc::clone(window)));
        for (track, slot) in self.changes.in_use() {
            let version = |window: &Window| window.rendition(track).map(|rendition| rendition.version);
            let same = before
                .as_ref()
                .is_some_and(|before| version(before) == version(window) && before.ended == window.ended);
            if !same {
                slot.send_replace(());
            }
        }
    }

    /// Waits until `find` finds something in the window, at most until `deadline`; `track` is the rendition it looks at.
    pub(super) async fn wait<T>(
        &self,
        track: TrackId,
        deadline: Instant,
        mut find: impl FnMut(&Arc<Window>) -> Option<T>,
    ) -> Option<T> {
        if let Some(found) = self.window.load().as_ref().and_then(&mut find) {
            return Some(found);
        }
        let mut changes = self.changes(track).subscribe();
        loop {
            if let Some(found) = self.window.load().as_ref().and_then(&mut find) {
                return Some(found);
            }
            timeout_at(deadline, changes.changed()).await.ok()?.ok()?;
        }
    }

    /// The first window of a broadcast that is only starting, or that waits for its source after a restart.
    pub(super) async fn started(&self) -> Option<Arc<Window>> {
        let deadline = Instant::now() + START_WAIT;
        self.wait(TrackId::VIDEO, deadline, |window| Some(Arc::clone(window)))
            .await
    }

    /// Changes of a rendition from now on.
    pub(super) fn changes(&self, track: TrackId) -> &watch::Sender<()> {
        self.changes.of(track)
    }
}

/// A place to wait at for each track that somebody has waited for.
#[derive(Default)]
struct Changes([OnceLock<(TrackId, watch::Sender<()>)>; TrackId::SLOTS]);

impl Changes {
    /// The place of a track; one that cannot be shares that of the main picture.
    fn of(&self, track: TrackId) -> &watch::Sender<()> {
        let slot = track.slot().and_then(|slot| self.0.get(slot)).unwrap_or(&self.0[0]);
        &slot.get_or_init(|| (track, watch::Sender::new(()))).1
    }

    fn in_use(&self) -> impl Iterator<Item = (TrackId, &watch::Sender<()>)> {
        self.0
            .iter()
            .filter_map(|slot| slot.get())
            .map(|(track, sender)| (*track, sender))
    }
}
