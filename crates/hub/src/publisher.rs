use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::{AudioParameters, FrameRate, Kind, Parameters, VideoParameters};
use tokio::sync::watch;

use crate::clock::micros_of;
use crate::inner::Attached;
use crate::rebase::Rebase;
use crate::source_view::SourceView;
use crate::timeline::Placed;
use crate::{Broadcast, Event, Hub, SourceClock, Standing};

/// A source may be ahead of real time by this much before it is slowed down.
const AHEAD_MAX: Duration = Duration::from_secs(3);
/// Audio waits this long for the first key frame of a video that is announced, or that may still come.
const VIDEO_PATIENCE_MICROS: i64 = 2_000_000;
/// Timestamps are rounded to milliseconds on their way.
const ROUNDING_MICROS: i64 = 1_500;
/// A still reaches no further than this beyond the picture that ends it.
const HELD_MICROS_MAX: i64 = 500_000;
const UNANNOUNCED_PATIENCE_MICROS: i64 = 500_000;

/// Which tracks a source says it will send. A hint: what comes is what counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// A video track.
    pub video: bool,
    /// An audio track.
    pub audio: bool,
    /// The frame rate, used where the bitstream states none.
    pub frame_rate: Option<FrameRate>,
}

/// How a source leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It said that it ends.
    Unpublished,
    /// It was cut off, and may return.
    Lost,
}

/// Why a source must stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// Another source took over.
    Displaced,
    /// Its right was withdrawn, or the broadcast was stopped; the text says why.
    Withdrawn(String),
}

/// The way in for one source: what it pushes goes onto the broadcast's timeline. Dropping it means it was cut off.
#[derive(Debug)]
pub struct Publisher {
    hub: Hub,
    broadcast: Arc<Broadcast>,
    slot: u64,
    revoked: watch::Receiver<Option<Revoked>>,
    standing: watch::Receiver<Standing>,
    rebase: Rebase,
    announced: Option<Announced>,
    video: Option<VideoParameters>,
    audio: Option<AudioParameters>,
    /// Source time of the first audio frame that waits for video, in microseconds.
    waiting_since: Option<i64>,
    /// Frames up to the next key frame cannot be decoded.
    needs_keyframe: bool,
    active: bool,
    /// Where its first sample stands on the timeline, in microseconds: nothing of it goes before.
    begins_at: i64,
    finished: bool,
}

impl Publisher {
    pub(crate) fn new(
        hub: Hub,
        broadcast: Arc<Broadcast>,
        attached: Attached,
        standing: watch::Receiver<Standing>,
        clock: SourceClock,
    ) -> Self {
        Self {
            hub,
            broadcast,
            slot: attached.slot,
            revoked: attached.revoked,
            standing,
            rebase: Rebase::new(clock),
            announced: None,
            video: None,
            audio: None,
            waiting_since: None,
            needs_keyframe: true,
            active: false,
            begins_at: 0,
            finished: false,
        }
    }

    /// What it publishes to.
    pub fn broadcast(&self) -> &Arc<Broadcast> {
        &self.broadcast
    }

    /// Tells which tracks to expect.
    pub fn announce(&mut self, announced: Announced) {
        if self.announced.replace(announced) != Some(announced) {
            self.broadcast
                .with_source(self.slot, |view| view.announce(announced.video, announced.audio));
        }
    }

    /// Sets a track's parameters; the same again are ignored.
    pub fn configure(&mut self, mut parameters: Parameters) {
        if let Parameters::Video(video) = &mut parameters {
            video.frame_rate = video
                .frame_rate
                .or(self.announced.and_then(|announced| announced.frame_rate));
        }
        let changed = match &parameters {
            Parameters::Video(video) => self.video.replace(video.clone()).as_ref() != Some(video),
            Parameters::Audio(audio) => self.audio.replace(audio.clone()).as_ref() != Some(audio),
        };
        if changed && parameters.kind() == Kind::Video {
            self.needs_keyframe = true;
        }
        if changed && self.active {
            self.broadcast
                .with_source(self.slot, |view| view.configure(&parameters, false));
        }
    }

    /// Puts a frame on the timeline. `timestamp` is the source's raw decode time and `cts` its composition offset, both in
    /// ticks of the source's clock. Frames that nobody could decode are left out.
    pub fn push(&mut self, kind: Kind, timestamp: u64, cts: i32, keyframe: bool, data: Bytes) {
        let source = self.rebase.unwrap(timestamp);
        let configured = match kind {
            Kind::Video => self.video.is_some(),
            Kind::Audio => self.audio.is_some(),
        };
        if !configured || data.is_empty() || !self.may_begin(kind, source, keyframe) {
            return;
        }
        let broadcast = Arc::clone(&self.broadcast);
        let began = !self.active;
        broadcast.with_source(self.slot, |view| {
            let mut dts = self.rebase.place(source, micros_of(view.idle()), view.origin());
            if keyframe && kind == Kind::Video {
                // The still is held a little beyond now: the picture that follows it goes right behind.
                let held = view.timeline().filled_beyond(dts);
                if (1..=HELD_MICROS_MAX).contains(&held) {
                    self.rebase.shift(held);
                    dts += held;
                }
            }
            self.begin(view, dts);
            let frame = Placed {
                dts,
                pts: dts + self.rebase.micros(i64::from(cts)),
                keyframe,
                data,
            };
            match kind {
                Kind::Video => self.push_video(view, frame),
                Kind::Audio => self.push_audio(view, frame),
            }
            match (&self.video, &self.audio) {
                (Some(_), None) => view.fill_absent(Kind::Audio),
                (None, Some(_)) => view.fill_absent(Kind::Video),
                _ => view.fill_behind(),
            }
        });
        if began && self.active {
            self.hub.emit(Event::Active(broadcast));
        }
    }

    /// Tells followers: call it once for each read of the socket, after all the samples in it.
    pub fn flush(&mut self) {
        self.broadcast.wake();
    }

    /// How long to wait before reading on, if the source is more than 3 s ahead of real time.
    pub fn pace(&self) -> Option<Duration> {
        let media = self
            .broadcast
            .with_source(self.slot, |view| view.timeline().newest())??;
        let ahead = media + self.broadcast.clock_offset_micros() - self.broadcast.clock.unix_micros();
        let over = ahead - micros_of(AHEAD_MAX);
        (over > 0).then(|| Duration::from_micros(over.cast_unsigned()))
    }

    /// Whether to read in batches: many sources are live, and nobody follows this one within a second.
    pub fn batching(&self) -> bool {
        self.hub.is_crowded() && !self.broadcast.has_sub_second()
    }

    /// Completes when the source must stop. Cancel safe, and independent of this value: wait for it beside pushing.
    pub fn revoked(&self) -> impl Future<Output = Revoked> + Send + use<> {
        let (mut revoked, mut standing) = (self.revoked.clone(), self.standing.clone());
        async move {
            tokio::select! {
                reason = async { revoked.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone()) } => {
                    reason.unwrap_or(Revoked::Displaced)
                }
                reason = withdrawn(&mut standing) => Revoked::Withdrawn(reason),
            }
        }
    }

    /// Leaves the broadcast.
    pub fn finish(mut self, ending: Ending) {
        self.leave(ending);
    }

    /// Whether a source may begin, or go on, with this frame.
    fn may_begin(&mut self, kind: Kind, source: i64, keyframe: bool) -> bool {
        if kind == Kind::Video {
            return keyframe || !self.needs_keyframe;
        }
        if self.active {
            return true;
        }
        let patience = match self.announced {
            Some(announced) if !announced.video && self.video.is_none() => return true,
            None if self.video.is_none() => UNANNOUNCED_PATIENCE_MICROS,
            _ => VIDEO_PATIENCE_MICROS,
        };
        source - *self.waiting_since.get_or_insert(source) > patience
    }

    fn begin(&mut self, view: &mut SourceView<'_>, at: i64) {
        if self.active {
            return;
        }
        self.active = true;
        self.begins_at = at;
        view.activate();
        if let Some(video) = &self.video {
            view.configure(&Parameters::Video(video.clone()), true);
        }
        if let Some(audio) = &self.audio {
            view.configure(&Parameters::Audio(audio.clone()), true);
        }
    }

    fn push_video(&mut self, view: &mut SourceView<'_>, frame: Placed) {
        // While the source was silent its picture was held. What it sends of that time comes too late, and what follows
        // cannot be decoded without it.
        if view.timeline().filled_beyond(frame.dts) > ROUNDING_MICROS || self.needs_keyframe && !frame.keyframe {
            self.needs_keyframe = true;
            return;
        }
        self.needs_keyframe = false;
        if let Some(sample) = view.timeline().place_video(frame) {
            view.append(Kind::Video, sample, self.rebase.jumps());
        }
    }

    fn push_audio(&self, view: &mut SourceView<'_>, frame: Placed) {
        if frame.dts < self.begins_at {
            return;
        }
        let mut samples = Vec::with_capacity(1);
        view.timeline().place_audio(frame, &mut samples);
        let Some(own) = samples.pop() else { return };
        view.append_filled(Kind::Audio, &mut samples);
        view.append(Kind::Audio, own, self.rebase.jumps());
    }

    fn leave(&mut self, ending: Ending) {
        if !std::mem::replace(&mut self.finished, true) && self.broadcast.detach(self.slot, ending) {
            self.hub.emit(Event::Disconnected(Arc::clone(&self.broadcast), ending));
            self.hub.look();
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.leave(Ending::Lost);
    }
}

async fn withdrawn(standing: &mut watch::Receiver<Standing>) -> String {
    // The value is behind a lock, which must not be held while waiting.
    let reason = match standing
        .wait_for(|standing| *standing != Standing::Valid)
        .await
        .as_deref()
    {
        Ok(Standing::Revoked(reason)) => Some(reason.clone()),
        _ => None,
    };
    match reason {
        Some(reason) => reason,
        // The authority that gave the grant is gone, and with it nobody who could withdraw it.
        None => std::future::pending().await,
    }
}
