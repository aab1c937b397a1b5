use std::sync::Arc;

use crate::{Broadcast, Item};

/// Where a follower starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// With everything that is still kept: for a packager, which follows from the broadcast's beginning.
    FromStart,
    /// At the newest key frame.
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
            let woken = broadcast.woken();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let ended = broadcast.read(self.id, &mut self.position, out);
            if out.len() > before {
                return true;
            }
            if ended {
                return false;
            }
            woken.await;
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
