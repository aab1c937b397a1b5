use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tracing::warn;

use super::minutes::Minute;
use crate::clock::Time;
use crate::directory::Entry;
use crate::id::{Id, Kind};
use crate::platform::Platform;

/// Events that wait to be written; then the oldest are lost, and the log says how many.
const EVENTS_MAX: usize = 10_000;
/// Minutes of sources that wait to be written; then the oldest are lost.
const MINUTES_MAX: usize = 2_000;
/// A refusal for the same reason is written down again only after so long: encoders try every few seconds.
const REFUSED_AGAIN_AFTER: Duration = Duration::from_secs(15);
/// Refusals that are remembered for that.
const REFUSALS_MAX: usize = 10_000;

/// Something to write down.
#[derive(Clone, Debug)]
pub(crate) enum Report {
    /// A broadcast began, or goes on.
    Began {
        /// The hub's id.
        broadcast: String,
        environment: Id,
        stream: Id,
        at: Time,
    },
    /// A broadcast is over.
    Ended {
        broadcast: String,
        reason: String,
        at: Time,
    },
    /// Something happened to a stream.
    Happened(Happened),
    /// A source showed a key and was let in.
    KeyUsed { key: Id, at: Time },
    /// How a source did.
    Health(Minute),
}

/// An event of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Happened {
    pub(super) id: Id,
    pub(super) environment: Id,
    pub(super) stream: Id,
    pub(super) broadcast: Option<String>,
    pub(super) kind: &'static str,
    pub(super) detail: Value,
    pub(super) at: Time,
}

/// What waits to be written, in order.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    waiting: Mutex<Waiting>,
    wake: Notify,
    refusals: Mutex<HashMap<(Id, String), Time>>,
    /// The last refusal of each stream that had no source since.
    last: Mutex<HashMap<Id, (Time, String)>>,
}

#[derive(Debug, Default)]
struct Waiting {
    reports: VecDeque<Report>,
    minutes: usize,
    lost: usize,
}

impl Reports {
    /// Takes something to be written. Never waits.
    pub(super) fn push(&self, report: Report) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(report);
        drop(waiting);
        self.wake.notify_one();
    }

    /// Takes how a source did in a minute, if it did anything.
    pub(super) fn minute(&self, minute: Option<Minute>) {
        if let Some(minute) = minute {
            self.push(Report::Health(minute));
        }
    }

    /// Takes an event of a stream.
    pub(super) fn happened(
        &self,
        entry: &Entry,
        broadcast: Option<&hub::BroadcastId>,
        (kind, detail): (&'static str, Value),
        at: Time,
    ) {
        self.push(Report::Happened(Happened {
            id: Kind::Event.random(),
            environment: entry.environment.clone(),
            stream: entry.stream.clone(),
            broadcast: broadcast.map(ToString::to_string),
            kind,
            detail,
            at,
        }));
    }

    /// Takes note that a publisher of this stream was refused, or was cut off for what would refuse it now.
    pub(crate) fn refused(&self, platform: &Platform, entry: &Entry, reason: &str) {
        let now = platform.clock.now();
        self.keep_last(&entry.stream, now, reason);
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (entry.stream.clone(), reason.to_owned());
        if refusals
            .get(&key)
            .is_some_and(|at| now.since(*at) < REFUSED_AGAIN_AFTER)
        {
            return;
        }
        if refusals.len() >= REFUSALS_MAX {
            refusals.clear();
        }
        refusals.insert(key, now);
        drop(refusals);
        self.happened(entry, None, ("refused", json!({ "reason": reason })), now);
    }

    fn keep_last(&self, stream: &Id, at: Time, reason: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= REFUSALS_MAX {
            last.clear();
        }
        last.insert(stream.clone(), (at, reason.to_owned()));
    }

    /// Why the last source of a stream was refused or cut off, if none was accepted since.
    pub(crate) fn last_refusal(&self, stream: &Id) -> Option<(Time, String)> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(stream).cloned()
    }

    /// Takes note that a publisher of this stream was accepted.
    pub(super) fn accepted(&self, stream: &Id) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).remove(stream);
    }

    /// Takes note that a key was used.
    pub(crate) fn key_used(&self, key: Id, at: Time) {
        self.push(Report::KeyUsed { key, at });
    }

    /// Completes when something waits.
    pub(super) async fn some(&self) {
        while self.is_empty() {
            self.wake.notified().await;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.reports.is_empty()
    }

    /// Takes out the first few.
    pub(super) fn take(&self, most: usize) -> Vec<Report> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = std::mem::take(&mut waiting.lost);
        if lost > 0 {
            warn!(lost, "events of streams were lost: the database was away for too long");
        }
        let count = most.min(waiting.reports.len());
        let taken: Vec<Report> = waiting.reports.drain(..count).collect();
        waiting.minutes -= taken.iter().filter(|report| report.is_minute()).count();
        taken
    }

    /// Puts back what could not be written, before all else; the health of sources is given up.
    pub(super) fn put_back(&self, reports: Vec<Report>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for report in reports.into_iter().rev().filter(|report| !report.is_minute()) {
            waiting.reports.push_front(report);
        }
        waiting.trim();
    }
}

impl Report {
    fn is_minute(&self) -> bool {
        matches!(self, Self::Health(_))
    }
}

impl Waiting {
    fn push(&mut self, report: Report) {
        self.minutes += usize::from(report.is_minute());
        self.reports.push_back(report);
        self.trim();
    }

    fn trim(&mut self) {
        if self.minutes > MINUTES_MAX {
            let oldest = self.reports.iter().position(Report::is_minute);
            self.remove(oldest);
            self.minutes -= 1;
        }
        while self.reports.len() - self.minutes > EVENTS_MAX {
            let oldest = self.reports.iter().position(|report| !report.is_minute());
            self.remove(oldest);
            self.lost += 1;
        }
    }

    fn remove(&mut self, at: Option<usize>) {
        if let Some(at) = at {
            self.reports.remove(at);
        }
    }
}
