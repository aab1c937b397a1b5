//! A broadcast's samples in, its window out.

use std::sync::Arc;
use std::time::Duration;

use media::{Kind, Parameters, Planned, Sample, TrackId};

use crate::followers::Followers;
use crate::key_interval;
use crate::segmenter::{Arriving, Segmenter};
use crate::targets::{self, Targets};
use crate::time::rescale;
use crate::track::{Begins, Due, Track};
use crate::{Learned, Numbering, Settings, Window};

/// The rendition set waits this long for a track that was announced and does not come.
const ANNOUNCED_MICROS: i64 = 300_000;
/// And this long for one whose parameters have come.
const CONFIGURED_MICROS: i64 = 3_000_000;
/// A pause longer than any segment may be is a discontinuity; so is one of this length before the targets are chosen.
const PAUSE_MICROS: i64 = 3_000_000;

/// What happens in a broadcast, in order.
#[derive(Clone, Debug)]
pub enum Input {
    /// A discontinuity: another source begins, or samples were lost. What follows begins with a key frame.
    Cut,
    /// Which tracks to expect.
    Announced {
        /// A video track.
        video: bool,
        /// An audio track.
        audio: bool,
    },
    /// A track's parameters: before its first sample, and whenever they change.
    Parameters {
        /// The track.
        track: TrackId,
        /// As they are from now on.
        parameters: Parameters,
    },
    /// Which further tracks will come: they are listed at once. Replaces the plan before it.
    Planned(Arc<[Planned]>),
    /// Nothing comes of a further track until its next parameters.
    Lost(TrackId),
    /// One frame, on the broadcast's timeline. Decode times never go back.
    Sample {
        /// The track.
        track: TrackId,
        /// The frame.
        sample: Sample,
    },
}

/// Makes one broadcast's parts, segments and playlists out of its samples.
///
/// Video leads where there is video: it decides where segments begin, and audio follows at the first frame that is not
/// before, so that segments of the same number hold the same time. Which tracks there are, and all target durations, are
/// settled once, when the first parts are there. Further tracks may come and go: each has a playlist of its own, with gaps
/// where nothing came.
#[derive(Debug)]
pub struct Packager {
    settings: Settings,
    video: Option<Track>,
    audio: Option<Track>,
    further: Followers,
    planned: Arc<[Planned]>,
    announced: Announced,
    segmenter: Segmenter,
    discontinuity: u64,
    targets: Option<Targets>,
    /// Media time of the first sample and of the newest one, in microseconds.
    time: Option<(i64, i64)>,
    stated_frames: Option<u32>,
    stated_ms: Option<u32>,
    ended: bool,
    window: Option<Arc<Window>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Announced {
    video: bool,
    audio: bool,
}

impl Packager {
    /// A packager for a broadcast that begins, or that goes on after a restart of the server.
    pub fn new(settings: Settings) -> Self {
        let resumed = u64::from(settings.resumed.is_some());
        Self {
            video: None,
            audio: None,
            further: Followers::default(),
            planned: Arc::default(),
            announced: Announced::default(),
            segmenter: Segmenter::new(settings.segment, settings.part),
            discontinuity: settings.numbering.discontinuity + resumed,
            targets: None,
            time: None,
            stated_frames: None,
            stated_ms: None,
            ended: false,
            window: None,
            settings,
        }
    }

    /// Takes what happened next. `clock_offset_micros` is the time since 1970 of media time 0 as it is measured now: a
    /// segment that begins takes its date-time from it.
    pub fn push(&mut self, input: Input, clock_offset_micros: i64) {
        match input {
            Input::Cut => self.cut(),
            Input::Announced { video, audio } => self.announced = Announced { video, audio },
            Input::Planned(planned) => {
                self.planned = planned;
                self.window = None;
            }
            Input::Parameters { track, parameters } if track.is_main() => self.configure(parameters),
            Input::Parameters { track, parameters } => {
                self.further
                    .configure(track, parameters, &self.settings, self.discontinuity);
            }
            Input::Lost(track) => self.lose(track),
            Input::Sample { track, sample } if track.is_main() => {
                self.sample(track.kind, sample, clock_offset_micros);
                if track.kind == self.leader() {
                    self.lead(clock_offset_micros);
                }
            }
            Input::Sample { track, sample } => self.further.sample(track, sample, clock_offset_micros),
        }
    }

    /// Nothing more will come: what grows is ended, and the playlists with it.
    pub fn finish(&mut self) {
        for track in self.video.iter_mut().chain(&mut self.audio) {
            track.finish();
        }
        self.ended = true;
        self.settle(i64::MAX);
        self.further.finish(self.settings.started_micros);
        self.window = None;
    }

    /// What can be had now; `None` before the rendition set is settled.
    pub fn window(&mut self) -> Option<Arc<Window>> {
        let targets = self.targets?;
        if self.window.as_ref().is_none_or(|window| self.is_stale(window)) {
            let window = Window {
                targets,
                started_micros: self.settings.started_micros,
                ended: self.ended,
                independent: self.video.is_none() || self.segmenter.is_regular(),
                video: self.video.as_mut().map(|track| track.snapshot(&targets)),
                audio: self.audio.as_mut().map(|track| track.snapshot(&targets)),
                further: self.further.snapshots(&targets),
                planned: Arc::clone(&self.planned),
            };
            self.window = Some(Arc::new(window));
        }
        self.window.clone()
    }

    /// For how long, if the source goes on as it did, no sample will come that makes a part or segment whole. Whoever feeds
    /// the packager may leave it alone for so long.
    pub fn quiet(&self) -> Duration {
        let (Some(_), Some((_, newest))) = (self.targets, self.time) else {
            return Duration::ZERO;
        };
        let tracks = self.video.iter().chain(&self.audio).map(Track::due_micros);
        let key_frame = self.video.iter().map(|_| self.segmenter.next_key_frame());
        let due = tracks.chain(key_frame).map(|due| due.unwrap_or(newest)).min();
        Duration::from_micros(u64::try_from(due.unwrap_or(newest) - newest).unwrap_or(0))
    }

    /// The numbers that come next.
    pub fn numbering(&self) -> Numbering {
        let tracks = self.video.iter().chain(&self.audio).map(Track::numbering);
        let used = tracks
            .chain(self.further.numbering())
            .fold(self.settings.numbering, Numbering::max);
        Numbering {
            discontinuity: used.discontinuity.max(self.discontinuity) + 1,
            ..used
        }
    }

    /// What this broadcast has shown of its encoder so far.
    pub fn learned(&self) -> Option<Learned> {
        let interval = self.segmenter.interval()?;
        Some(Learned {
            key_interval_ms: u32::try_from(interval / 1_000).ok()?,
            stated_ms: self.stated_ms,
        })
    }

    fn is_stale(&self, window: &Window) -> bool {
        let mains = self.video.iter().chain(&self.audio).map(Track::version);
        let versions = window.renditions().map(|rendition| rendition.version);
        !mains.chain(self.further.versions()).eq(versions)
    }

    fn track(&mut self, kind: Kind) -> Option<&mut Track> {
        match kind {
            Kind::Video => self.video.as_mut(),
            Kind::Audio => self.audio.as_mut(),
        }
    }

    fn lose(&mut self, track: TrackId) {
        let like = self.video.as_ref().or(self.audio.as_ref()).map(Track::parameters);
        if let Some(like) = like.filter(|_| !track.is_main()).cloned() {
            self.further.lose(track, &like, &self.settings, self.discontinuity);
        }
    }

    /// The further tracks follow to where the leader is.
    fn lead(&mut self, clock: i64) {
        let Some(leader) = self.video.as_ref().or(self.audio.as_ref()) else {
            return;
        };
        let newest = rescale(leader.newest_dts(), leader.timescale(), 1_000_000);
        self.further.advance(newest, clock);
    }

    /// The track that decides where segments begin.
    fn leader(&self) -> Kind {
        if self.video.is_some() { Kind::Video } else { Kind::Audio }
    }

    /// A new source: all tracks go on with a discontinuity of the same number.
    fn cut(&mut self) {
        let mut tracks = self.video.iter().chain(&self.audio);
        let begun = tracks.clone().any(Track::has_begun);
        // A source that was gone before its first frame leaves no trace.
        if !begun || tracks.all(|track| track.awaits_cut() || !track.has_begun()) {
            return;
        }
        self.discontinuity += 1;
        for track in self.video.iter_mut().chain(&mut self.audio) {
            track.cut(self.discontinuity);
        }
        self.segmenter.restart();
    }

    fn configure(&mut self, parameters: Parameters) {
        let (kind, settled) = (parameters.kind(), self.targets.is_some());
        let discontinuity = self.discontinuity;
        let Some(track) = self.track(kind) else {
            // The rendition set is fixed: a track that comes later is for the next broadcast.
            if !settled {
                let track = Some(Track::new(
                    TrackId::main(kind),
                    parameters,
                    &self.settings,
                    discontinuity,
                ));
                match kind {
                    Kind::Video => self.video = track,
                    Kind::Audio => self.audio = track,
                }
            }
            return;
        };
        if track.is_configured(&parameters) {
            return;
        }
        if track.has_begun() && !track.awaits_cut() {
            self.begin_discontinuity(kind);
        }
        let discontinuity = self.discontinuity;
        if let Some(track) = self.track(kind) {
            track.configure(parameters, discontinuity);
        }
    }

    /// A track changes while its source stays: it goes on with a discontinuity at its next sample, and the other track
    /// follows at the same time. If the other has just changed too, both share one.
    fn begin_discontinuity(&mut self, kind: Kind) {
        let other = match kind {
            Kind::Video => &self.audio,
            Kind::Audio => &self.video,
        };
        if !other.as_ref().is_some_and(Track::awaits_cut) {
            self.discontinuity += 1;
        }
        let discontinuity = self.discontinuity;
        if let Some(track) = self.track(kind) {
            track.cut(discontinuity);
        }
    }

    fn sample(&mut self, kind: Kind, sample: Sample, clock: i64) {
        let pause = self.targets.map_or(PAUSE_MICROS, |targets| {
            i64::try_from(targets.segment_max().as_micros()).unwrap_or(i64::MAX)
        });
        let Some(track) = self.track(kind) else { return };
        if sample.data.is_empty() || track.needs_key() && !sample.keyframe {
            return;
        }
        let (gap, timescale) = (track.gap(sample.dts), track.timescale());
        let mut sample = sample;
        if gap < 0 {
            // The timeline never goes back; a sample that does is put where it can be.
            sample.dts = sample.dts.max(track.newest_dts() + 1);
        } else if gap > pause {
            self.cut();
            if kind == Kind::Video && !sample.keyframe {
                return;
            }
        }
        self.note(kind, &sample, timescale);
        let begins = self.begins(kind, &sample);
        let Some(track) = self.track(kind) else { return };
        if let Some(began) = track.push(sample, begins, clock) {
            self.tell_others(kind, began, clock);
        }
        if let Some((first, newest)) = self.time
            && self.targets.is_none()
        {
            self.settle(newest - first);
        }
    }

    fn note(&mut self, kind: Kind, sample: &Sample, timescale: u32) {
        let micros = rescale(sample.dts, timescale, 1_000_000);
        let (first, newest) = self.time.unwrap_or((micros, micros));
        self.time = Some((first, newest.max(micros)));
        if kind == Kind::Video && sample.keyframe && !is_held(kind, sample) {
            self.segmenter.key_frame(micros);
            if self.targets.is_none() && self.stated_frames.is_none() {
                self.stated_frames = key_interval::stated(&sample.data);
            }
        }
    }

    fn begins(&mut self, kind: Kind, sample: &Sample) -> Option<Begins> {
        let leads = kind == self.leader();
        let track = self.track(kind)?;
        let due = track.takes_due(sample.pts());
        let (elapsed, number) = (track.elapsed(sample.dts), track.growing());
        let time = rescale(sample.pts(), track.timescale(), 1_000_000);
        let arriving = Arriving {
            elapsed,
            longest: elapsed,
            frame: track.sample_micros(sample),
            keyframe: sample.keyframe,
            held: is_held(kind, sample),
        };
        if due.is_some() || !leads || !track.has_begun() {
            return due;
        }
        let follower = self
            .audio
            .as_ref()
            .filter(|audio| kind == Kind::Video && audio.growing() == number);
        let followers = follower.map_or(0, |audio| audio.until(time));
        let arriving = Arriving {
            longest: elapsed.max(followers),
            ..arriving
        };
        self.segmenter.begins(arriving).then(Begins::default)
    }

    fn tell_others(&mut self, kind: Kind, began: Due, clock: i64) {
        let other = match kind {
            Kind::Video => Kind::Audio,
            Kind::Audio => Kind::Video,
        };
        let leads = kind == self.leader();
        if leads {
            self.further.begun(began);
        }
        let Some(other) = self.track(other) else { return };
        // Audio beside video begins nothing of its own, but for a discontinuity.
        if leads || other.is_behind(began) {
            other.follow(began, clock);
        }
    }

    /// Fixes the rendition set and all targets, once every track that is expected has a part, or has been waited for.
    fn settle(&mut self, waited: i64) {
        if self.targets.is_some() || !self.is_ready(waited) {
            return;
        }
        for track in [&mut self.video, &mut self.audio] {
            track.take_if(|track| !track.is_ready());
        }
        let targets = self.settings.resumed.unwrap_or_else(|| self.choose_targets());
        let expected = targets::expected_interval(self.settings.learned, self.stated_ms);
        self.segmenter.settle(targets.segment_max(), expected);
        for track in self.video.iter_mut().chain(&mut self.audio) {
            track.settle(&targets);
        }
        self.further.settle(targets);
        self.targets = Some(targets);
    }

    fn is_ready(&self, waited: i64) -> bool {
        let tracks = [(&self.video, self.announced.video), (&self.audio, self.announced.audio)];
        let missing = tracks.into_iter().any(|(track, announced)| match track {
            Some(track) => !track.is_ready() && waited < CONFIGURED_MICROS,
            None => announced && waited < ANNOUNCED_MICROS,
        });
        let some = self.video.iter().chain(&self.audio).any(Track::is_ready);
        some && !missing
    }

    fn choose_targets(&mut self) -> Targets {
        let interval = self.video.as_ref().and_then(|video| {
            let rate = video.cadence().rate();
            self.stated_ms = self.stated_frames.map(|frames| key_interval::millis(frames, rate));
            targets::expected_interval(self.settings.learned, self.stated_ms)
        });
        let target_duration = match &self.video {
            Some(_) => targets::target_duration(&self.settings, interval),
            // Audio can end a segment anywhere.
            None => targets::target_duration(&self.settings, Some(self.settings.segment)),
        };
        // Whoever was waited for, the first segment may have grown long.
        let longest = self
            .video
            .as_ref()
            .or(self.audio.as_ref())
            .map_or(0, Track::grown_micros);
        let over = i64::try_from(targets::OVER_TARGET.as_micros()).unwrap_or(0);
        let least = u32::try_from((longest - over).max(0).unsigned_abs().div_ceil(1_000_000)).unwrap_or(u32::MAX);
        let video_part = self.video.as_ref().map(Track::part_target);
        let audio_part = self.audio.as_ref().map(Track::part_target);
        // Where video is too slow for parts, audio has none either: playlists must agree on what the server can do.
        let low_latency = video_part.is_none_or(|part| part.is_some());
        Targets {
            target_duration: target_duration.max(least),
            video_part: video_part.flatten(),
            audio_part: audio_part.flatten().filter(|_| low_latency),
        }
    }
}

/// A picture that says how long it lasts is one that is held while no encoder sends any: it tells nothing of an encoder.
fn is_held(kind: Kind, sample: &Sample) -> bool {
    kind == Kind::Video && sample.duration.is_some()
}
