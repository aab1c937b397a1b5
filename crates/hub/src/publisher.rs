use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::{FrameRate, Kind, Parameters, TrackId};
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
/// Frames of further tracks that wait for the first of a main one.
const EARLY_MAX: usize = 256;

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

/// A frame as a source sends it.
#[derive(Debug)]
struct Early {
    track: TrackId,
    timestamp: u64,
    cts: i32,
    keyframe: bool,
    data: Bytes,
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
    parameters: BTreeMap<TrackId, Parameters>,
    /// Frames of further tracks that came before the first of a main one.
    early: Vec<Early>,
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
            parameters: BTreeMap::new(),
            early: Vec::new(),
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

    /// Sets a track's parameters; the same again are ignored, and so are those of more tracks than a source may send.
    pub fn configure(&mut self, track: TrackId, mut parameters: Parameters) {
        if track.index >= TrackId::SENT_MAX || track.kind != parameters.kind() {
            return;
        }
        if let Parameters::Video(video) = &mut parameters {
            video.frame_rate = video
                .frame_rate
                .or(self.announced.and_then(|announced| announced.frame_rate));
        }
        let changed = self.parameters.insert(track, parameters.clone()).as_ref() != Some(&parameters);
        if changed && track == TrackId::VIDEO {
            self.needs_keyframe = true;
        }
        if changed && self.active {
            self.broadcast
                .with_source(self.slot, |view| view.configure(track, &parameters, false));
        }
    }

    /// Puts a frame on the timeline. `timestamp` is the source's raw decode time and `cts` its composition offset, both in
    /// ticks of the source's clock. Frames that nobody could decode are left out.
    pub fn push(&mut self, track: TrackId, timestamp: u64, cts: i32, keyframe: bool, data: Bytes) {
        if data.is_empty() || !self.parameters.contains_key(&track) {
            return;
        }
        if !self.active && !track.is_main() {
            if self.early.len() < EARLY_MAX {
                self.early.push(Early {
                    track,
                    timestamp,
                    cts,
                    keyframe,
                    data,
                });
            }
            return;
        }
        let source = self.rebase.unwrap(timestamp);
        if track.is_main() && !self.may_begin(track.kind, source, keyframe) {
            return;
        }
        let broadcast = Arc::clone(&self.broadcast);
        let began = !self.active;
        broadcast.with_source(self.slot, |view| self.place(view, track, source, cts, keyframe, data));
        if began && self.active {
            for early in std::mem::take(&mut self.early) {
                self.push(early.track, early.timestamp, early.cts, early.keyframe, early.data);
            }
            self.hub.emit(Event::Active(broadcast));
        }
    }

    fn place(&mut self, view: &mut SourceView<'_>, track: TrackId, source: i64, cts: i32, keyframe: bool, data: Bytes) {
        let mut dts = self.rebase.place(source, micros_of(view.idle()), view.origin());
        if keyframe && track == TrackId::VIDEO {
            // The still is held a little beyond now: the picture that follows it goes right behind.
            let held = view.timeline().filled_beyond(0, dts);
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
        match track.kind {
            Kind::Video => self.push_video(view, track, frame),
            Kind::Audio => self.push_audio(view, track, frame),
        }
        if track.is_main() {
            self.fill(view);
        }
    }

    /// Fills the tracks that were there and that this source does not send.
    fn fill(&self, view: &mut SourceView<'_>) {
        let absent = |track: &TrackId| !self.parameters.contains_key(track);
        let missing: Vec<_> = view.timeline().tracks().into_iter().filter(absent).collect();
        for track in missing {
            view.fill_absent(track);
        }
        if [TrackId::VIDEO, TrackId::AUDIO].iter().all(|main| !absent(main)) {
            view.fill_behind();
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
            Some(announced) if !announced.video && !self.sends(TrackId::VIDEO) => return true,
            None if !self.sends(TrackId::VIDEO) => UNANNOUNCED_PATIENCE_MICROS,
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
        let gone = view.timeline().tracks().into_iter();
        let gone: Vec<_> = gone
            .filter(|&track| is_further_picture(track) && !self.sends(track))
            .collect();
        for track in gone {
            view.lose(track);
        }
        for (&track, parameters) in &self.parameters {
            view.configure(track, parameters, true);
        }
    }

    fn sends(&self, track: TrackId) -> bool {
        self.parameters.contains_key(&track)
    }

    fn push_video(&mut self, view: &mut SourceView<'_>, track: TrackId, frame: Placed) {
        // While the source was silent its picture was held. What it sends of that time comes too late, and what follows
        // cannot be decoded without it.
        let late = view.timeline().filled_beyond(track.index, frame.dts) > ROUNDING_MICROS;
        if track == TrackId::VIDEO {
            if late || self.needs_keyframe && !frame.keyframe {
                self.needs_keyframe = true;
                return;
            }
            self.needs_keyframe = false;
        } else if late {
            return;
        }
        if let Some(sample) = view.timeline().place_video(track.index, frame) {
            view.append(track, sample, self.rebase.jumps());
        }
    }

    fn push_audio(&self, view: &mut SourceView<'_>, track: TrackId, frame: Placed) {
        if frame.dts < self.begins_at {
            return;
        }
        let mut samples = Vec::with_capacity(1);
        view.timeline().place_audio(track.index, frame, &mut samples);
        let Some(own) = samples.pop() else { return };
        view.append_filled(track, &mut samples);
        view.append(track, own, self.rebase.jumps());
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

/// A picture beside the main one: a quality that the source makes itself.
fn is_further_picture(track: TrackId) -> bool {
    track.kind == Kind::Video && !track.is_main()
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
