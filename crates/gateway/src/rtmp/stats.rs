use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What the RTMP server counts, for the metrics page. All but the gauges only grow.
#[derive(Debug, Default)]
pub struct Stats {
    /// Connections now, half-open ones included.
    pub connections: Gauge,
    /// Connections that have not ended their handshake.
    pub half_open: Gauge,
    /// Publishers now.
    pub publishers: Gauge,
    /// Players now.
    pub players: Gauge,
    /// Connections that came, ever.
    pub accepted: AtomicU64,
    /// Connections that were closed at once, because there were too many.
    pub turned_away: AtomicU64,
    /// Publishers and players that were refused by name, key or policy.
    pub refused: AtomicU64,
    /// Bytes received.
    pub bytes_in: AtomicU64,
    /// Bytes sent.
    pub bytes_out: AtomicU64,
    /// Times that a player was too slow and was taken on to the next key frame.
    pub skips: AtomicU64,
    /// Players that took nothing for too long and were disconnected.
    pub stalled: AtomicU64,
    /// Messages of publishers that were not used: unknown codecs, damaged tags.
    pub unused_messages: AtomicU64,
    errors: Mutex<BTreeMap<&'static str, u64>>,
}

impl Stats {
    /// Protocol errors by their kind, each the fault of a peer.
    pub fn protocol_errors(&self) -> BTreeMap<&'static str, u64> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn count_error(&self, error: &rtmp::Error) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        *errors.entry(error.label()).or_default() += 1;
    }
}

/// How many there are now.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// The number now.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remove(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Ordering::Relaxed);
}
