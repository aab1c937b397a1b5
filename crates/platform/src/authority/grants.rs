//! Rights that were given and are in use: each can be withdrawn.

use std::sync::{Mutex, PoisonError};

use hub::{Name, Standing, State};
use tokio::sync::watch;

use crate::id::Id;
use crate::platform::Platform;

/// Publishers and players of streams of accounts.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    publishers: Mutex<Vec<Publisher>>,
    players: Mutex<Players>,
}

/// A right to publish that is to be given.
#[derive(Clone, Debug)]
pub(crate) struct Issue {
    /// The stream.
    pub(super) name: Name,
    pub(super) owner: Id,
    /// The key that was shown; none for a token.
    pub(super) key: Option<Id>,
}

#[derive(Debug)]
struct Publisher {
    issue: Issue,
    standing: watch::Sender<Standing>,
}

#[derive(Debug, Default)]
struct Players {
    held: Vec<Player>,
    /// Those who left are looked for when there are so many.
    sweep_at: usize,
}

#[derive(Debug)]
struct Player {
    name: Name,
    /// The name in the address that it plays.
    by: String,
    standing: watch::Sender<Standing>,
}

impl Grants {
    /// Gives a right to publish, if its owner has fewer than `most` other streams on air.
    pub(super) fn issue(
        &self,
        platform: &Platform,
        issue: Issue,
        most: u32,
    ) -> Result<watch::Receiver<Standing>, String> {
        let mut publishers = self.publishers.lock().unwrap_or_else(PoisonError::into_inner);
        publishers.retain(Publisher::is_held);
        let (running, others) = on_air(platform, &publishers, &issue);
        if !running && others >= most as usize {
            return Err(format!(
                "the account has {others} broadcasts on air, and may have no more at once"
            ));
        }
        let (standing, receiver) = watch::channel(Standing::Valid);
        publishers.push(Publisher { issue, standing });
        Ok(receiver)
    }

    /// Withdraws the rights that were given for this key.
    pub(super) fn revoke_key(&self, key: &Id, reason: &str) {
        let publishers = self.publishers.lock().unwrap_or_else(PoisonError::into_inner);
        for publisher in publishers
            .iter()
            .filter(|publisher| publisher.issue.key.as_ref() == Some(key))
        {
            revoke(&publisher.standing, reason);
        }
    }

    /// Withdraws all rights to a stream.
    pub(crate) fn revoke_stream(&self, name: &Name, reason: &str) {
        let publishers = self.publishers.lock().unwrap_or_else(PoisonError::into_inner);
        for publisher in publishers.iter().filter(|publisher| publisher.issue.name == *name) {
            revoke(&publisher.standing, reason);
        }
    }

    /// The keys with which a stream is published.
    pub(super) fn keys_of(&self, name: &Name) -> Vec<Id> {
        let publishers = self.publishers.lock().unwrap_or_else(PoisonError::into_inner);
        let held = publishers
            .iter()
            .filter(|publisher| publisher.is_held() && publisher.issue.name == *name);
        held.filter_map(|publisher| publisher.issue.key.clone()).collect()
    }

    /// The streams that are published with this key, or by this owner.
    pub(super) fn streams_of(&self, fits: impl Fn(&Issue) -> bool) -> Vec<Name> {
        let publishers = self.publishers.lock().unwrap_or_else(PoisonError::into_inner);
        let held = publishers
            .iter()
            .filter(|publisher| publisher.is_held() && fits(&publisher.issue));
        held.map(|publisher| publisher.issue.name.clone()).collect()
    }

    /// Why the last right to this stream was withdrawn, if it was.
    pub(crate) fn revoked(&self, name: &Name) -> Option<String> {
        let publishers = self.publishers.lock().unwrap_or_else(PoisonError::into_inner);
        let last = publishers
            .iter()
            .rev()
            .find(|publisher| publisher.issue.name == *name)?;
        match &*last.standing.borrow() {
            Standing::Revoked(reason) => Some(reason.clone()),
            Standing::Valid => None,
        }
    }

    /// Keeps what a player's right is withdrawn by.
    pub(super) fn watch_player(&self, name: &Name, by: &str, standing: watch::Sender<Standing>) {
        let mut players = self.players.lock().unwrap_or_else(PoisonError::into_inner);
        if players.held.len() >= players.sweep_at.max(64) {
            players.held.retain(|player| player.standing.receiver_count() > 0);
            players.sweep_at = 2 * players.held.len();
        }
        players.held.push(Player {
            name: name.clone(),
            by: by.to_owned(),
            standing,
        });
    }

    /// Withdraws the rights of a stream's players who may watch no longer by the name they came by.
    pub(super) fn revoke_players(&self, name: &Name, reason: &str, may: impl Fn(&str) -> bool) {
        let players = self.players.lock().unwrap_or_else(PoisonError::into_inner);
        for player in players
            .held
            .iter()
            .filter(|player| player.name == *name && !may(&player.by))
        {
            revoke(&player.standing, reason);
        }
    }
}

impl Publisher {
    fn is_held(&self) -> bool {
        self.standing.receiver_count() > 0
    }
}

fn revoke(standing: &watch::Sender<Standing>, reason: &str) {
    standing.send_if_modified(|standing| {
        let valid = *standing == Standing::Valid;
        if valid {
            *standing = Standing::Revoked(reason.to_owned());
        }
        valid
    });
}

/// Whether the stream itself is on air, and how many others of its owner are.
fn on_air(platform: &Platform, publishers: &[Publisher], issue: &Issue) -> (bool, usize) {
    let broadcasts = platform.hub().map(hub::Hub::broadcasts).unwrap_or_default();
    let running = broadcasts.iter().filter(|broadcast| broadcast.state() != State::Ended);
    let entry = |name: &Name| platform.live.names.entry(name);
    let mut names: Vec<Name> = running
        .map(|broadcast| broadcast.name().clone())
        .filter(|name| entry(name).is_some_and(|entry| entry.owner == issue.owner))
        .collect();
    // Those that are about to begin count too.
    let about = publishers
        .iter()
        .filter(|publisher| publisher.issue.owner == issue.owner);
    names.extend(about.map(|publisher| publisher.issue.name.clone()));
    names.sort_unstable();
    names.dedup();
    let others = names.iter().filter(|name| **name != issue.name).count();
    (others < names.len(), others)
}
