use std::sync::Arc;

use crate::log::Tracks;
use crate::{Broadcast, Item};

/// Where a follower starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// With everything that is still kept, of all tracks: for a packager, which follows from the broadcast's beginning.
    FromStart,
    /// At the newest key frame, the main tracks alone.
    NewestKeyframe {
        /// Its viewers are less than a second behind, so sources are read without batching.
        sub_second: bool,
    },
}

/// A position in a broadcast's log. It queues nothing: a follower that is too slow loses samples and is told so.
#[derive(Debug)]
pub struct Follower {
    broadcast: Arc<Broadcast>,
    id: u64,
    /// Not known before the first key frame.
    position: Option<u64>,
    tracks: Tracks,
    sub_second: bool,
}

impl Follower {
    pub(crate) fn new(broadcast: Arc<Broadcast>, follow: Follow) -> Self {
        let sub_second = follow == Follow::NewestKeyframe { sub_second: true };
        if sub_second {
            broadcast.count_sub_second(1);
        }
        let position = (follow == Follow::FromStart).then_some(0);
        let id = broadcast.admit(position);
        Self {
            broadcast,
            id,
            position,
            tracks: if follow == Follow::FromStart {
                Tracks::All
            } else {
                Tracks::Main
            },
            sub_second,
        }
    }

    /// The broadcast that is followed.
    pub fn broadcast(&self) -> &Arc<Broadcast> {
        &self.broadcast
    }

    /// Appends all news to `out`, waiting until there is at least one; `false` at the end of the broadcast.
    ///
    /// Cancel safe: nothing is lost if the future is dropped.
    pub async fn next_batch(&mut self, out: &mut Vec<Item>) -> bool {
        let broadcast = Arc::clone(&self.broadcast);
        let before = out.len();
        loop {
            let (woken, woken_derived) = (broadcast.woken(), broadcast.woken_derived());
            tokio::pin!(woken, woken_derived);
            woken.as_mut().enable();
            if self.tracks == Tracks::All {
                woken_derived.as_mut().enable();
            }
            let ended = broadcast.read(self.id, &mut self.position, self.tracks, out);
            if out.len() > before {
                return true;
            }
            if ended {
                return false;
            }
            match self.tracks {
                Tracks::Main => woken.await,
                Tracks::All => tokio::select! {
                    () = woken => {}
                    () = woken_derived => {}
                },
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.broadcast.dismiss(self.id);
        if self.sub_second {
            self.broadcast.count_sub_second(-1);
        }
    }
}
