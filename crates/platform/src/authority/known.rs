//! Keys that were good lately: while the database is away, their publishers may return.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::candidate::Candidate;
use crate::clock::Time;
use crate::id::Id;
use crate::secret::Lookup;

/// How long a key is remembered after it was accepted.
const KEPT: Duration = Duration::from_secs(86_400);
/// Keys that are remembered; the one that was not used for the longest makes room.
const KEYS_MAX: usize = 10_000;

/// What was known of each key when it was accepted.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<HashMap<Lookup, (Arc<Candidate>, Time)>>);

impl Known {
    pub(super) fn keep(&self, key: Lookup, candidate: Arc<Candidate>, now: Time) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEYS_MAX && !known.contains_key(&key) {
            let oldest = known.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                known.remove(&oldest);
            }
        }
        known.insert(key, (candidate, now));
    }

    pub(super) fn recall(&self, key: &Lookup, now: Time) -> Option<Arc<Candidate>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (candidate, at) = known.get(key)?;
        let good = now.since(*at) < KEPT && candidate.found.refusal(now).is_none();
        good.then(|| Arc::clone(candidate))
    }

    /// Forgets keys about which something changed.
    pub(super) fn forget(&self, stream: &Id) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (candidate, _)| candidate.entry.stream != *stream);
    }

    /// The streams of remembered keys that fit.
    pub(super) fn streams_of(&self, fits: impl Fn(&Candidate) -> bool) -> Vec<Id> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.values().filter(|(candidate, _)| fits(candidate));
        found.map(|(candidate, _)| candidate.entry.stream.clone()).collect()
    }
}
