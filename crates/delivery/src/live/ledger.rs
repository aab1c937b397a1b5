//! Reserves one broadcast's numbers in blocks, on disk before they are used.

use std::io;

use packager::{Learned, Numbering, Targets};
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};
use tracing::{error, warn};

use super::journal::{Entry, Journals, SavedLearned};

/// What one reservation holds. Half an hour of segments: it is rare, and a restart skips no more.
const BLOCK: Numbering = Numbering {
    segment: 1_000,
    part: 30_000,
    discontinuity: 1_000,
};
/// A write that failed is tried again after this time.
const RETRY: Duration = Duration::from_secs(2);

pub(super) struct Ledger {
    journals: Journals,
    /// What is to be on disk.
    entry: Entry,
    /// Up to where numbers may be used: this is on disk.
    reserved: Numbering,
    first: Numbering,
    resumed: Option<Targets>,
    writing: Option<JoinHandle<io::Result<Numbering>>>,
    retry_at: Option<Instant>,
}

impl Ledger {
    /// Goes on after all numbers that may have been used, and reserves the next block.
    pub(super) async fn begin(journals: Journals, mut entry: Entry) -> Self {
        let first = Numbering::from(entry.reserved);
        entry.reserved = after(first).into();
        let resumed = entry.targets.map(Targets::from);
        let mut ledger = Self {
            journals,
            entry,
            reserved: first,
            first,
            resumed,
            writing: None,
            retry_at: None,
        };
        ledger.write().await;
        ledger
    }

    /// The numbers to begin with.
    pub(super) fn numbering(&self) -> Numbering {
        self.first
    }

    /// What the last broadcast of the stream showed, or this one before a restart.
    pub(super) fn learned(&self) -> Option<Learned> {
        self.entry.learned.map(Learned::from)
    }

    /// The targets of before a restart.
    pub(super) fn targets(&self) -> Option<Targets> {
        self.resumed
    }

    /// Sees to it that these numbers and targets are on disk. Waits only if they are not; a new block is reserved in good
    /// time.
    pub(super) async fn cover(&mut self, used: Numbering, targets: Targets, learned: Option<Learned>) {
        self.collect().await;
        let new_targets = self.entry.targets.is_none();
        if new_targets {
            self.entry.targets = Some(targets.into());
        }
        let spent = is_past(used, middle(self.reserved));
        if spent {
            self.entry.reserved = after(used).into();
        }
        let noted = self.note(learned);
        if new_targets || is_past(used, self.reserved) {
            self.write().await;
        } else if spent || noted {
            self.start_writing();
        }
    }

    /// The broadcast is over; what it showed stays for the next.
    pub(super) async fn end(&mut self, learned: Option<Learned>) {
        self.note(learned);
        self.entry.ended = true;
        self.retry_at = None;
        self.write().await;
    }

    /// Takes what was learned; `true` if that is news.
    fn note(&mut self, learned: Option<Learned>) -> bool {
        let Some(learned) = learned.map(SavedLearned::from) else {
            return false;
        };
        let near = self
            .entry
            .learned
            .is_some_and(|known| known.key_interval_ms.abs_diff(learned.key_interval_ms) * 10 <= known.key_interval_ms);
        if !near {
            self.entry.learned = Some(learned);
        }
        !near
    }

    /// Writes now. A disk that fails does not stop the broadcast.
    async fn write(&mut self) {
        if self.retry_at.is_some_and(|at| at > Instant::now()) {
            return;
        }
        if let Some(writing) = self.writing.take() {
            self.finish(writing).await;
        }
        self.start_writing();
        if let Some(writing) = self.writing.take() {
            self.finish(writing).await;
        }
    }

    fn start_writing(&mut self) {
        if self.writing.is_some() || self.retry_at.is_some_and(|at| at > Instant::now()) {
            return;
        }
        let (journals, entry) = (self.journals.clone(), self.entry.clone());
        let write = move || journals.write(&entry).map(|()| Numbering::from(entry.reserved));
        self.writing = Some(tokio::task::spawn_blocking(write));
    }

    /// Takes the result of a write that is done.
    async fn collect(&mut self) {
        if let Some(writing) = self.writing.take_if(|writing| writing.is_finished()) {
            self.finish(writing).await;
        }
    }

    async fn finish(&mut self, writing: JoinHandle<io::Result<Numbering>>) {
        match writing.await {
            Ok(Ok(reserved)) => {
                self.reserved = self.reserved.max(reserved);
                self.retry_at = None;
            }
            Ok(Err(error)) => {
                error!(name = %self.entry.name, %error, "cannot write the journal: after a restart numbers may come twice");
                self.retry_at = Some(Instant::now() + RETRY);
            }
            Err(stopped) => warn!(%stopped, "the server stops before the journal is written"),
        }
    }
}

fn after(used: Numbering) -> Numbering {
    Numbering {
        segment: used.segment.saturating_add(BLOCK.segment),
        part: used.part.saturating_add(BLOCK.part),
        discontinuity: used.discontinuity.saturating_add(BLOCK.discontinuity),
    }
}

/// Half a block before the end of what is reserved.
fn middle(reserved: Numbering) -> Numbering {
    Numbering {
        segment: reserved.segment.saturating_sub(BLOCK.segment / 2),
        part: reserved.part.saturating_sub(BLOCK.part / 2),
        discontinuity: reserved.discontinuity.saturating_sub(BLOCK.discontinuity / 2),
    }
}

fn is_past(used: Numbering, limit: Numbering) -> bool {
    used.segment > limit.segment || used.part > limit.part || used.discontinuity > limit.discontinuity
}
