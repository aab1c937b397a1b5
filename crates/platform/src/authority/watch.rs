//! Rights are judged anew when something about them changes.

use std::collections::HashSet;
use std::time::Duration;

use hub::directory::Access;
use hub::{Directory as _, Name};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tracing::{error, info, warn};

use super::candidate::{self, Shown};
use crate::directory::Directory;
use crate::id::looks_like_id;
use crate::platform::{Change, Platform};
use crate::stop;
use crate::store;

/// How often all that is live is looked at, whatever was heard: keys end by themselves, and commands of the shell tell nobody.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How soon it is tried again while the database is away.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Follows what changes, until `stopping` turns true.
pub async fn watch(platform: Platform, mut stopping: watch::Receiver<bool>) {
    let mut changes = platform.changes();
    let mut ticks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // What could not be looked at yet: the database was away.
    let mut open = HashSet::new();
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            change = changes.recv() => match change {
                Ok(change) => open.extend(affected(&platform, &change)),
                Err(RecvError::Lagged(_)) => open.extend(everything(&platform)),
                Err(RecvError::Closed) => return,
            },
            _ = ticks.tick() => {
                sweep(&platform);
                open.extend(everything(&platform));
            }
            () = tokio::time::sleep(AGAIN_AFTER), if !open.is_empty() => {}
        }
        open = look_at(&platform, open).await;
    }
}

/// Looks at all that is live.
///
/// # Errors
/// Those of the database.
pub(crate) async fn look_at_all(platform: &Platform) -> store::Result<()> {
    for name in everything(platform) {
        look(platform, &name).await?;
    }
    Ok(())
}

/// The streams that a change is about; what was remembered of them is forgotten.
fn affected(platform: &Platform, change: &Change) -> HashSet<Name> {
    let live = &platform.live;
    // First, so that whoever is being judged meanwhile knows.
    live.count_change();
    let remembered = live.known.streams_of(|candidate| match change {
        Change::Key(key) => candidate.found.key_id == *key,
        Change::Stream(stream) => candidate.entry.stream == *stream,
        Change::Channel(channel) => candidate.entry.channel.as_ref() == Some(channel),
        Change::User(user) => candidate.entry.owner == *user,
    });
    for stream in &remembered {
        live.known.forget(stream);
    }
    match change {
        Change::Channel(_) => live.visitors.forget_all(),
        Change::User(user) => live.visitors.forget(user),
        Change::Key(_) | Change::Stream(_) => {}
    }
    let published = live.grants.streams_of(|issue| match change {
        Change::Key(key) => issue.key.as_ref() == Some(key),
        Change::User(user) => issue.owner == *user,
        Change::Stream(_) | Change::Channel(_) => false,
    });
    let named = live.names.entries().into_iter().filter(|entry| match change {
        Change::Stream(stream) => entry.stream == *stream,
        Change::Channel(channel) => entry.channel.as_ref() == Some(channel),
        Change::User(user) => entry.owner == *user,
        Change::Key(_) => false,
    });
    named.map(|entry| entry.name.clone()).chain(published).collect()
}

/// Every stream of an account that is live or was so lately.
fn everything(platform: &Platform) -> HashSet<Name> {
    platform.live.count_change();
    let running = platform.hub().map(hub::Hub::broadcasts).unwrap_or_default();
    let running = running.iter().map(|broadcast| broadcast.name().clone());
    let named = platform
        .live
        .names
        .entries()
        .into_iter()
        .map(|entry| entry.name.clone());
    running
        .chain(named)
        .filter(|name| looks_like_id(name.as_str()))
        .collect()
}

fn sweep(platform: &Platform) {
    let Some(hub) = platform.hub() else { return };
    platform
        .live
        .names
        .sweep(platform.clock.now(), |name| hub.broadcast(name).is_some());
}

/// Looks at these; returns those that must be looked at again.
async fn look_at(platform: &Platform, names: HashSet<Name>) -> HashSet<Name> {
    let mut names = names.into_iter();
    while let Some(name) = names.next() {
        match look(platform, &name).await {
            Ok(()) => {}
            Err(store::Error::Unavailable(reason)) => {
                warn!(%reason, "rights cannot be looked at: the database is away");
                return names.chain([name]).collect();
            }
            Err(fault) => error!(%name, error = %fault, "the rights to a stream could not be looked at"),
        }
    }
    HashSet::new()
}

/// Takes up what is known of a stream now, and withdraws what no longer holds.
async fn look(platform: &Platform, name: &Name) -> store::Result<()> {
    let Some(stream) = candidate::find(platform, &Shown::Stream(name.clone())).await? else {
        gone(platform, name, "the stream is not there");
        return Ok(());
    };
    if let Some(reason) = stream.refusal(platform) {
        gone(platform, name, &reason);
        return Ok(());
    }
    platform.live.names.put(stream.entry.clone());
    for key in platform.live.grants.keys_of(name) {
        let found = candidate::of_key(platform, key.clone()).await?;
        let reason = match found {
            Some(found) => found.refusal(platform),
            None => Some("the stream key is not there".to_owned()),
        };
        if let Some(reason) = reason {
            info!(stream = %name, %reason, "a source is cut off");
            platform.live.reports.refused(platform, &stream.entry, &reason);
            platform.live.grants.revoke_key(&key, &reason);
        }
    }
    let directory = Directory::new(platform.clone());
    let may = |by: &str| directory.access(by, name) == Some(Access::Everybody);
    platform
        .live
        .grants
        .revoke_players(name, "the stream is for members only", may);
    Ok(())
}

/// Ends what is left of a stream that nobody may publish any more.
fn gone(platform: &Platform, name: &Name, reason: &str) {
    if stop::broadcast_of(platform, name, reason) {
        info!(stream = %name, %reason, "a broadcast is stopped");
    }
    platform.live.grants.revoke_stream(name, reason);
    platform.live.grants.revoke_players(name, reason, |_| false);
    platform.live.names.remove(name);
}
