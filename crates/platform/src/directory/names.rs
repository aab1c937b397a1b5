use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use hub::Name;
use hub::directory::Access;

use super::Entry;
use crate::clock::Time;

/// How long the names of a stream that ended still lead to what of it can be had: twice the longest window, and some.
const KEPT: Duration = Duration::from_secs(1_800);

/// The streams that are live or were so lately, by every name that leads to them. Readers never wait.
#[derive(Debug, Default)]
pub(crate) struct Names {
    held: Mutex<HashMap<Name, Held>>,
    index: ArcSwap<Index>,
}

#[derive(Debug)]
struct Held {
    entry: Arc<Entry>,
    /// Since when nothing of it runs.
    idle_since: Option<Time>,
}

/// The same, as it is asked for.
#[derive(Debug, Default)]
pub(crate) struct Index {
    aliases: HashMap<String, (Arc<Entry>, Access)>,
    entries: HashMap<Name, Arc<Entry>>,
}

impl Index {
    /// Where a handle or playback id leads. Both are lower case, and asked for in any.
    pub(crate) fn alias(&self, name: &str) -> Option<(&Arc<Entry>, Access)> {
        let folded = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        };
        self.aliases
            .get(folded.as_ref())
            .map(|(entry, access)| (entry, *access))
    }
}

impl Names {
    pub(crate) fn load(&self) -> Guard<Arc<Index>> {
        self.index.load()
    }

    /// The stream whose broadcasts have this name.
    pub(crate) fn entry(&self, name: &Name) -> Option<Arc<Entry>> {
        self.index.load().entries.get(name).cloned()
    }

    /// All streams.
    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        self.index.load().entries.values().cloned().collect()
    }

    /// Takes up what is known of a stream, in place of what was.
    pub(crate) fn put(&self, entry: Arc<Entry>) {
        if self.entry(&entry.name).is_some_and(|known| known == entry) {
            return;
        }
        self.change(|held| {
            let idle_since = held.get(&entry.name).and_then(|held| held.idle_since);
            held.insert(entry.name.clone(), Held { entry, idle_since });
        });
    }

    /// Nothing leads to the stream any more.
    pub(crate) fn remove(&self, name: &Name) {
        self.change(|held| drop(held.remove(name)));
    }

    /// Forgets streams of which nothing has run for a while.
    pub(crate) fn sweep(&self, now: Time, runs: impl Fn(&Name) -> bool) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, held) in held.iter_mut() {
            held.idle_since = match held.idle_since {
                _ if runs(name) => None,
                None => Some(now),
                since => since,
            };
        }
        let is_old = |held: &Held| held.idle_since.is_some_and(|since| now.since(since) >= KEPT);
        let some_are_old = held.values().any(is_old);
        drop(held);
        if some_are_old {
            self.change(|held| held.retain(|_, held| !is_old(held)));
        }
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<Name, Held>)) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut held);
        let mut index = Index::default();
        for (name, held) in held.iter() {
            index.entries.insert(name.clone(), Arc::clone(&held.entry));
            for (alias, access) in &held.entry.aliases {
                index.aliases.insert(alias.clone(), (Arc::clone(&held.entry), *access));
            }
        }
        self.index.store(Arc::new(index));
    }
}
