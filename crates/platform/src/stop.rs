//! Ending what is live: by its owner, by whoever keeps order, and with the right to it.

use hub::{BroadcastId, Name};

use crate::id::Id;
use crate::platform::Platform;

/// Ends the broadcast that a stream runs, if any; its source hears the reason. Returns whether there was one.
pub fn stream(platform: &Platform, stream: &Id, reason: &str) -> bool {
    Name::parse(stream.as_str()).is_ok_and(|name| broadcast_of(platform, &name, reason))
}

/// Ends a broadcast, whatever it is of; its source hears the reason. Returns whether it ran.
pub fn broadcast(platform: &Platform, id: &BroadcastId, reason: &str) -> bool {
    platform.hub().is_some_and(|hub| hub.stop(id, reason))
}

pub(crate) fn broadcast_of(platform: &Platform, name: &Name, reason: &str) -> bool {
    let running = platform.hub().and_then(|hub| hub.broadcast(name));
    running.is_some_and(|running| broadcast(platform, running.id(), reason))
}
