//! One broadcast as its viewers see it: the newest window, and a place to wait for the next.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use hub::Broadcast;
use media::Kind;
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
    video: watch::Sender<()>,
    audio: watch::Sender<()>,
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
            video: watch::Sender::new(()),
            audio: watch::Sender::new(()),
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
        for kind in [Kind::Video, Kind::Audio] {
            let version = |window: &Window| window.rendition(kind).map(|rendition| rendition.version);
            let same = before
                .as_ref()
                .is_some_and(|before| version(before) == version(window) && before.ended == window.ended);
            if !same {
                self.changes(kind).send_replace(());
            }
        }
    }

    /// Waits until `find` finds something in the window, at most until `deadline`; `kind` is the rendition it looks at.
    pub(super) async fn wait<T>(
        &self,
        kind: Kind,
        deadline: Instant,
        mut find: impl FnMut(&Arc<Window>) -> Option<T>,
    ) -> Option<T> {
        if let Some(found) = self.window.load().as_ref().and_then(&mut find) {
            return Some(found);
        }
        let mut changes = self.changes(kind).subscribe();
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
        self.wait(Kind::Video, deadline, |window| Some(Arc::clone(window)))
            .await
    }

    /// Changes of a rendition from now on.
    pub(super) fn changes(&self, kind: Kind) -> &watch::Sender<()> {
        match kind {
            Kind::Video => &self.video,
            Kind::Audio => &self.audio,
        }
    }
}
