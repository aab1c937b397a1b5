//! The timeline of a broadcast as the source that holds its slot sees it.

use std::time::Duration;

use media::{Kind, Parameters, Sample, TrackId};
use tokio::time::Instant;

use crate::clock::micros_of;
use crate::inner::{Inner, Slot};
use crate::timeline::{Timeline, micros};
use crate::{Broadcast, Item};

/// Fills stay this far behind a track that still has a source.
const FILL_BEHIND_MICROS: i64 = 1_000_000;

/// The timeline as the attached source sees it, under the broadcast's lock.
pub(crate) struct SourceView<'a> {
    pub(crate) inner: &'a mut Inner,
    pub(crate) broadcast: &'a Broadcast,
}

impl SourceView<'_> {
    /// Where a source's first sample, or one after a jump, goes: after all that is there, and not before its time.
    pub(crate) fn origin(&self) -> i64 {
        let position = if self.active() {
            i64::MIN
        } else {
            self.broadcast.position()
        };
        self.inner.timeline.newest().unwrap_or(0).max(position).max(0)
    }

    /// Whether this source's first sample is on the timeline.
    pub(crate) fn active(&self) -> bool {
        self.slot().active
    }

    /// Since when the source has sent nothing.
    pub(crate) fn idle(&self) -> Duration {
        self.slot().last.elapsed()
    }

    /// The source's first sample comes now.
    pub(crate) fn activate(&mut self) {
        self.slot_mut().active = true;
        let at = self.now();
        if self.inner.seen {
            self.inner.log.push(Item::Cut, at);
            self.inner.wall.restart();
        }
        self.inner.seen = true;
    }

    pub(crate) fn announce(&mut self, video: bool, audio: bool) {
        let at = self.now();
        self.inner.log.push(Item::Announced { video, audio }, at);
    }

    /// Takes a track's parameters onto the timeline, and tells followers if they are new or `again` is set.
    pub(crate) fn configure(&mut self, track: TrackId, parameters: &Parameters, again: bool) {
        let at = self.now();
        if self.inner.timeline.configure(track.index, parameters) || again {
            let parameters = parameters.clone();
            self.inner.log.push(Item::Parameters { track, parameters }, at);
        }
    }

    /// Tells that a picture of an earlier source, other than the main one, comes no more.
    pub(crate) fn lose(&mut self, track: TrackId) {
        let at = self.now();
        self.inner.timeline.remove(track);
        self.inner.log.push(Item::Lost(track), at);
    }

    pub(crate) fn timeline(&mut self) -> &mut Timeline {
        &mut self.inner.timeline
    }

    /// Appends a sample of the source: it came now.
    pub(crate) fn append(&mut self, track: TrackId, sample: Sample, jumps: u32) {
        let Some(timescale) = self.inner.timeline.timescale(track) else {
            return;
        };
        let media = micros(sample.dts, timescale);
        let unix = self.broadcast.clock.unix_micros();
        if track.is_main() {
            self.inner.wall.arrived(media, unix);
        }
        let slot = self.slot_mut();
        slot.last = Instant::now();
        slot.meter.set_jumps(jumps);
        slot.meter.arrived(sample.data.len(), unix - media);
        if track == TrackId::VIDEO {
            slot.meter.video(media, sample.cts != 0, sample.keyframe);
        }
        self.inner.log.push(Item::Sample { track, sample }, media);
    }

    /// Appends samples that no source sent.
    pub(crate) fn append_filled(&mut self, track: TrackId, samples: &mut Vec<Sample>) {
        self.inner.append_filled(track, samples);
    }

    /// A track that this source does not send is filled up to the end of the main track of the other kind, or for further
    /// sounds of the main picture: nobody waits for it.
    pub(crate) fn fill_absent(&mut self, absent: TrackId) {
        let other = match absent.kind {
            Kind::Video => TrackId::AUDIO,
            Kind::Audio => TrackId::VIDEO,
        };
        let timeline = &self.inner.timeline;
        let until = timeline.end(other).or_else(|| timeline.end(TrackId::main(absent.kind)));
        if let Some(until) = until {
            let part = micros_of(self.broadcast.settings().part);
            self.inner.fill_track(absent, until, part);
        }
    }

    /// A track that fell behind the other is filled up to a second behind it.
    pub(crate) fn fill_behind(&mut self) {
        let (video, audio) = (
            self.inner.timeline.end(TrackId::VIDEO),
            self.inner.timeline.end(TrackId::AUDIO),
        );
        let (Some(video), Some(audio)) = (video, audio) else {
            return;
        };
        if (video - audio).abs() <= 2 * FILL_BEHIND_MICROS {
            return;
        }
        let part = micros_of(self.broadcast.settings().part);
        for track in [TrackId::VIDEO, TrackId::AUDIO] {
            self.inner
                .fill_track(track, video.max(audio) - FILL_BEHIND_MICROS, part);
        }
    }

    /// The time of what is no sample: after all that is there, and not before its time.
    fn now(&self) -> i64 {
        self.inner.timeline.newest().unwrap_or(0).max(self.broadcast.position())
    }

    fn slot(&self) -> &Slot {
        self.inner
            .slot
            .as_ref()
            .expect("a view is made only while its slot is held")
    }

    fn slot_mut(&mut self) -> &mut Slot {
        self.inner
            .slot
            .as_mut()
            .expect("a view is made only while its slot is held")
    }
}
