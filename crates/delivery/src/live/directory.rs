//! Which channels there are, by name and by id.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use hub::{Broadcast, Name};

use super::channel::Channel;

/// More streams than this are a crowd.
const CROWD: usize = 20;

#[derive(Default)]
pub(super) struct Directory(RwLock<Channels>);

#[derive(Default)]
struct Channels {
    /// By the text of their broadcast's id.
    by_id: HashMap<String, Arc<Channel>>,
    newest: HashMap<Name, Arc<Channel>>,
}

impl Directory {
    /// The channel of a broadcast, and whether it was only now added.
    pub(super) fn find_or_add(&self, broadcast: &Arc<Broadcast>) -> (Arc<Channel>, bool) {
        let id = broadcast.id().as_str();
        if let Some(channel) = self.by_id(id) {
            return (channel, false);
        }
        let mut channels = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.by_id.get(id) {
            return (Arc::clone(channel), false);
        }
        let channel = Arc::new(Channel::new(Arc::clone(broadcast)));
        channels.by_id.insert(id.to_owned(), Arc::clone(&channel));
        channels.newest.insert(broadcast.name().clone(), Arc::clone(&channel));
        (channel, true)
    }

    pub(super) fn by_id(&self, id: &str) -> Option<Arc<Channel>> {
        self.read().by_id.get(id).cloned()
    }

    pub(super) fn newest(&self, name: &Name) -> Option<Arc<Channel>> {
        self.read().newest.get(name).cloned()
    }

    pub(super) fn channels(&self) -> Vec<Arc<Channel>> {
        self.read().by_id.values().cloned().collect()
    }

    /// Whether so many streams are there that latency is worth less than rest.
    pub(super) fn is_crowded(&self) -> bool {
        self.read().by_id.len() > CROWD
    }

    pub(super) fn remove(&self, channel: &Arc<Channel>) {
        let mut channels = self.0.write().unwrap_or_else(PoisonError::into_inner);
        channels.by_id.remove(channel.broadcast().id().as_str());
        channels.newest.retain(|_, newest| !Arc::ptr_eq(newest, channel));
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Channels> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
