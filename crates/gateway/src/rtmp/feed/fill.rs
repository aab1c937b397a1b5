use std::sync::{Arc, Weak};
use std::time::Duration;

use hub::{Follower, Item};
use media::{Kind, Parameters, Sample};
use rtmp::flv::{Audio, Video};
use tokio::time::{Instant, sleep_until};

use super::head::{self, Head};
use super::{Batch, Feed, Shared};

/// Audio waits this long for the video frame that it is sent with. At 25 frames a second and more it never waits in vain.
const AUDIO_PATIENCE: Duration = Duration::from_millis(41);
/// Without video, so much audio is sent at once.
const AUDIO_ALONE: Duration = Duration::from_millis(35);

/// From so many players on, two frames are sent in one go where that delays the first by no more than `WAKE_AFTER_MAX`:
/// waking a player and writing to its socket costs more than the bytes.
const CROWD: usize = 50;
/// In a crowd, players are woken for what is at least this old, ...
const WAKE_AFTER: Duration = Duration::from_millis(20);
/// ... and never later than this.
const WAKE_AFTER_MAX: Duration = Duration::from_millis(34);

/// Fills the log with what the broadcast brings, until that ends.
pub(super) async fn run(mut follower: Follower, shared: Arc<Shared>, feed: Weak<Feed>) {
    let mut filler = Filler::new(shared, feed);
    let mut items = Vec::new();
    let timer = sleep_until(Instant::now());
    tokio::pin!(timer);
    loop {
        let live = match filler.next_deadline() {
            None => follower.next_batch(&mut items).await,
            Some(deadline) => {
                if timer.deadline() != deadline {
                    timer.as_mut().reset(deadline);
                }
                tokio::select! {
                    biased;
                    live = follower.next_batch(&mut items) => live,
                    () = timer.as_mut() => {
                        filler.overdue(deadline);
                        continue;
                    }
                }
            }
        };
        for item in items.drain(..) {
            filler.take(item);
        }
        if !live {
            filler.end();
            return;
        }
        filler.publish();
    }
}

struct Filler {
    shared: Arc<Shared>,
    head: Arc<Head>,
    open: Option<Batch>,
    closed: Vec<Batch>,
    /// When the open batch must go, video or not.
    deadline: Option<Instant>,
    /// Counts the players: each holds it.
    feed: Weak<Feed>,
    /// Since when there is something in the log that players were not woken for.
    unseen_since: Option<Instant>,
}

impl Filler {
    fn new(shared: Arc<Shared>, feed: Weak<Feed>) -> Self {
        Self {
            shared,
            head: Arc::default(),
            open: None,
            closed: Vec::new(),
            deadline: None,
            feed,
            unseen_since: None,
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let wake = self.unseen_since.map(|since| since + WAKE_AFTER_MAX);
        [self.deadline, wake].into_iter().flatten().min()
    }

    /// Does what was due at `deadline`.
    fn overdue(&mut self, deadline: Instant) {
        if self.deadline.is_some_and(|due| due <= deadline) {
            self.close();
        }
        self.publish();
        if self
            .unseen_since
            .is_some_and(|since| since + WAKE_AFTER_MAX <= deadline)
        {
            self.wake();
        }
    }

    fn take(&mut self, item: Item) {
        match item {
            Item::Parameters { parameters, .. } => self.configure(parameters),
            Item::Sample { track, sample } => self.sample(track.kind, &sample),
            // The time goes on, and parameters come if they are new.
            Item::Cut | Item::Announced { .. } | Item::Planned(_) | Item::Lost(_) | Item::Lagged => {}
        }
    }

    fn configure(&mut self, parameters: Parameters) {
        self.close();
        let kind = parameters.kind();
        Arc::make_mut(&mut self.head).set(parameters);
        // Its time is that of the frame that follows; players do not look at it.
        let time_ms = self.closed.last().map_or(0, |batch| batch.time_ms);
        let config = self
            .head
            .get(kind)
            .and_then(|parameters| head::config(parameters, time_ms));
        if let Some(config) = config {
            // Alone, so that a player that begins with the next frame does not get it twice.
            self.open_at(time_ms).push(kind, config);
            self.close();
        }
    }

    fn sample(&mut self, kind: Kind, sample: &Sample) {
        let Some(parameters) = self.head.get(kind) else { return };
        let time_ms = milliseconds(sample.dts, parameters.timescale());
        let header = match parameters {
            Parameters::Video(video) => {
                let cts = milliseconds(sample.pts(), parameters.timescale()).wrapping_sub(time_ms);
                Video::frame_header(video.codec, sample.keyframe, cts.cast_signed())
            }
            Parameters::Audio(audio) => Audio::frame_header(audio.codec),
        };
        let chunked = head::message(kind, time_ms, &header, &sample.data);
        let alone = self.head.get(Kind::Video).is_none();
        let batch = self.open_at(time_ms);
        batch.push(kind, chunked);
        match kind {
            Kind::Video => {
                batch.starts |= sample.keyframe;
                self.close();
            }
            Kind::Audio => {
                batch.starts |= alone;
                let patience = if alone { AUDIO_ALONE } else { AUDIO_PATIENCE };
                self.deadline.get_or_insert_with(|| Instant::now() + patience);
            }
        }
    }

    fn open_at(&mut self, time_ms: u32) -> &mut Batch {
        let head = &self.head;
        self.open.get_or_insert_with(|| Batch::new(time_ms, Arc::clone(head)))
    }

    fn close(&mut self) {
        self.deadline = None;
        self.closed.extend(self.open.take());
    }

    /// Puts all closed batches into the log and wakes the players once, or soon if there are many.
    fn publish(&mut self) {
        if self.closed.is_empty() {
            return;
        }
        self.shared.log().extend(self.closed.drain(..));
        let since = *self.unseen_since.get_or_insert_with(Instant::now);
        if self.feed.strong_count() < CROWD || since.elapsed() >= WAKE_AFTER {
            self.wake();
        }
    }

    fn wake(&mut self) {
        self.unseen_since = None;
        self.shared.wake.notify_waiters();
    }

    fn end(&mut self) {
        self.close();
        self.publish();
        self.shared.log().end();
        self.wake();
    }
}

/// RTMP's milliseconds, which wrap, of a time on the broadcast's timeline.
fn milliseconds(ticks: i64, timescale: u32) -> u32 {
    let timescale = i128::from(timescale.max(1));
    let rounded = (i128::from(ticks) * 1_000 + timescale / 2).div_euclid(timescale);
    // Only the low 32 bits go on the wire.
    rounded as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_to_milliseconds_and_wrap() {
        assert_eq!(milliseconds(3_003, 90_000), 33);
        assert_eq!(milliseconds(1_024, 48_000), 21);
        assert_eq!(milliseconds(90_000 * 4_294_967 + 90 * 297, 90_000), 1);
    }
}
