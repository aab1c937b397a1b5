//! The tracks of a broadcast and where each of them stands; gaps in either are filled.

use std::collections::BTreeMap;

use bytes::Bytes;
use media::{AudioParameters, Kind, Parameters, Sample, TrackId, VideoParameters};

use crate::audio_clock::{AudioClock, Place};
use crate::video_clock::VideoClock;

/// A frame of a source with its times on the timeline, in microseconds.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) dts: i64,
    pub(crate) pts: i64,
    pub(crate) keyframe: bool,
    pub(crate) data: Bytes,
}

/// The tracks of one broadcast that sources send. A track, once there, stays: what its source leaves out is filled.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    videos: BTreeMap<u8, VideoTrack>,
    audios: BTreeMap<u8, AudioTrack>,
}

#[derive(Debug)]
struct VideoTrack {
    parameters: VideoParameters,
    clock: VideoClock,
    /// The newest key frame and its composition offset.
    still: Option<(Bytes, i32)>,
    /// Up to where the still was held last, in ticks.
    filled_until: i64,
}

#[derive(Debug)]
struct AudioTrack {
    parameters: AudioParameters,
    clock: AudioClock,
    silence: Option<Bytes>,
}

impl Timeline {
    /// Takes a track's parameters; `false` if they are what they were.
    pub(crate) fn configure(&mut self, index: u8, parameters: &Parameters) -> bool {
        match parameters {
            Parameters::Video(video) => self.configure_video(index, video),
            Parameters::Audio(audio) => self.configure_audio(index, audio),
        }
    }

    fn configure_video(&mut self, index: u8, parameters: &VideoParameters) -> bool {
        if self
            .videos
            .get(&index)
            .is_some_and(|track| track.parameters == *parameters)
        {
            return false;
        }
        let before = self
            .videos
            .remove(&index)
            .map(|track| (track.clock, track.filled_until));
        self.videos.insert(index, VideoTrack::new(parameters, before));
        true
    }

    fn configure_audio(&mut self, index: u8, parameters: &AudioParameters) -> bool {
        if self
            .audios
            .get(&index)
            .is_some_and(|track| track.parameters == *parameters)
        {
            return false;
        }
        let end = self.end(TrackId {
            kind: Kind::Audio,
            index,
        });
        let mut clock = AudioClock::new(parameters.sample_rate, parameters.frame_samples);
        if let Some(end) = end {
            clock.resume_at(ticks(end, parameters.sample_rate));
        }
        let track = AudioTrack {
            parameters: parameters.clone(),
            clock,
            silence: media::codec::silence(parameters),
        };
        self.audios.insert(index, track);
        true
    }

    /// Takes a track off that no source sends any more.
    pub(crate) fn remove(&mut self, track: TrackId) {
        match track.kind {
            Kind::Video => drop(self.videos.remove(&track.index)),
            Kind::Audio => drop(self.audios.remove(&track.index)),
        }
    }

    /// All tracks, video first.
    pub(crate) fn tracks(&self) -> Vec<TrackId> {
        let id = |kind| move |&index: &u8| TrackId { kind, index };
        let videos = self.videos.keys().map(id(Kind::Video));
        videos.chain(self.audios.keys().map(id(Kind::Audio))).collect()
    }

    /// The parameters of a track as they are now.
    pub(crate) fn parameters(&self, track: TrackId) -> Option<Parameters> {
        match track.kind {
            Kind::Video => {
                let video = self.videos.get(&track.index)?;
                Some(Parameters::Video(video.parameters.clone()))
            }
            Kind::Audio => {
                let audio = self.audios.get(&track.index)?;
                Some(Parameters::Audio(audio.parameters.clone()))
            }
        }
    }

    /// Ticks per second of a track.
    pub(crate) fn timescale(&self, track: TrackId) -> Option<u32> {
        match track.kind {
            Kind::Video => self.videos.get(&track.index).map(|_| VIDEO),
            Kind::Audio => self.audios.get(&track.index).map(|audio| audio.parameters.sample_rate),
        }
    }

    /// Whether a track has samples.
    pub(crate) fn has(&self, track: TrackId) -> bool {
        self.end(track).is_some()
    }

    /// When a track's next sample is due, in microseconds; `None` before its first.
    pub(crate) fn end(&self, track: TrackId) -> Option<i64> {
        match track.kind {
            Kind::Video => Some(micros(self.videos.get(&track.index)?.clock.end()?, VIDEO)),
            Kind::Audio => {
                let audio = self.audios.get(&track.index)?;
                Some(micros(audio.clock.end()?, audio.parameters.sample_rate))
            }
        }
    }

    /// The end of the main track that is further.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.end(TrackId::VIDEO).max(self.end(TrackId::AUDIO))
    }

    /// Puts a video frame on the timeline; `None` if that time is already filled.
    pub(crate) fn place_video(&mut self, index: u8, frame: Placed) -> Option<Sample> {
        let track = self.videos.get_mut(&index)?;
        let (dts, pts) = (ticks(frame.dts, VIDEO), ticks(frame.pts, VIDEO));
        let (dts, cts) = track.clock.place(dts, pts);
        if frame.keyframe {
            track.still = Some((frame.data.clone(), cts));
        }
        Some(Sample {
            dts,
            cts,
            duration: None,
            keyframe: frame.keyframe,
            data: frame.data,
        })
    }

    /// Puts an audio frame on the timeline, after the silence that its gap needs.
    pub(crate) fn place_audio(&mut self, index: u8, frame: Placed, out: &mut Vec<Sample>) {
        let Some(track) = self.audios.get_mut(&index) else {
            return;
        };
        let time = ticks(frame.dts, track.parameters.sample_rate);
        let duration = media::codec::frame_samples(&track.parameters, &frame.data).map(i64::from);
        let at = match track.clock.place(time, duration) {
            Place::At(at) => at,
            Place::After { gap, frames, at } => {
                track.push_silence(gap, frames, out);
                at
            }
            Place::Late => return,
        };
        out.push(Sample {
            dts: at,
            cts: 0,
            duration: None,
            keyframe: true,
            data: frame.data,
        });
    }

    /// Fills a track until `until` (microseconds): with its last key frame, held, or with silence. A still lasts half of
    /// `part`, so that parts go on.
    pub(crate) fn fill(&mut self, track: TrackId, until: i64, part: i64, out: &mut Vec<Sample>) {
        match track.kind {
            Kind::Video => {
                if let Some(video) = self.videos.get_mut(&track.index) {
                    video.hold(until, part, out);
                }
            }
            Kind::Audio => {
                if let Some(audio) = self.audios.get_mut(&track.index) {
                    audio.fill(until, out);
                }
            }
        }
    }

    /// How far beyond `at` (microseconds) the still was held, in microseconds; negative if it ended before.
    pub(crate) fn filled_beyond(&self, index: u8, at: i64) -> i64 {
        self.videos
            .get(&index)
            .map_or(i64::MIN, |track| micros(track.filled_until, VIDEO).saturating_sub(at))
    }
}

impl VideoTrack {
    fn new(parameters: &VideoParameters, before: Option<(VideoClock, i64)>) -> Self {
        let (mut clock, filled_until) = before.unwrap_or_default();
        clock.set_rate(parameters.frame_rate);
        Self {
            parameters: parameters.clone(),
            clock,
            still: None,
            filled_until,
        }
    }

    fn hold(&mut self, until: i64, part: i64, out: &mut Vec<Sample>) {
        let (Some((data, cts)), Some(mut end)) = (self.still.clone(), self.clock.end()) else {
            return;
        };
        let frame = self.clock.frame_ticks();
        let duration = (ticks(part, VIDEO) / 2 / frame).max(1) * frame;
        while end <= ticks(until, VIDEO) {
            let duration_hint = u32::try_from(duration).ok();
            out.push(Sample {
                dts: end,
                cts,
                duration: duration_hint,
                keyframe: true,
                data: data.clone(),
            });
            self.clock.filled(end, duration);
            end += duration;
            self.filled_until = end;
        }
    }
}

impl AudioTrack {
    fn fill(&mut self, until: i64, out: &mut Vec<Sample>) {
        if self.silence.is_none() {
            return;
        }
        let until = ticks(until, self.parameters.sample_rate);
        if let Some((gap, frames)) = self.clock.fill(until) {
            self.push_silence(gap, frames, out);
        }
    }

    fn push_silence(&self, from: i64, frames: i64, out: &mut Vec<Sample>) {
        let Some(silence) = &self.silence else { return };
        let frame = self.clock.frame();
        let sample = |n: i64| Sample {
            dts: from + n * frame,
            cts: 0,
            duration: u32::try_from(frame).ok(),
            keyframe: true,
            data: silence.clone(),
        };
        out.extend((0..frames).map(sample));
    }
}

const VIDEO: u32 = Parameters::VIDEO_TIMESCALE;

/// Microseconds as ticks of a timescale, rounded.
pub(crate) fn ticks(micros: i64, timescale: u32) -> i64 {
    let wide = i128::from(micros) * i128::from(timescale) + 500_000;
    i64::try_from(wide.div_euclid(1_000_000)).unwrap_or(0)
}

/// Ticks of a timescale as microseconds, rounded.
pub(crate) fn micros(ticks: i64, timescale: u32) -> i64 {
    let scale = i128::from(timescale.max(1));
    let wide = i128::from(ticks) * 1_000_000 + scale / 2;
    i64::try_from(wide.div_euclid(scale)).unwrap_or(0)
}
