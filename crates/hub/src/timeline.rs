//! The tracks of a broadcast and where each of them stands; gaps in either are filled.

use bytes::Bytes;
use media::{AudioParameters, Kind, Parameters, Sample, VideoParameters};

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

/// Both tracks of one broadcast. A track, once there, never goes away: what its source leaves out is filled.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    video: Option<VideoTrack>,
    audio: Option<AudioTrack>,
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
    pub(crate) fn configure(&mut self, parameters: &Parameters) -> bool {
        match parameters {
            Parameters::Video(video) => self.configure_video(video),
            Parameters::Audio(audio) => self.configure_audio(audio),
        }
    }

    fn configure_video(&mut self, parameters: &VideoParameters) -> bool {
        if self.video.as_ref().is_some_and(|track| track.parameters == *parameters) {
            return false;
        }
        let before = self.video.take().map(|track| (track.clock, track.filled_until));
        let (mut clock, filled_until) = before.unwrap_or_default();
        clock.set_rate(parameters.frame_rate);
        self.video = Some(VideoTrack {
            parameters: parameters.clone(),
            clock,
            still: None,
            filled_until,
        });
        true
    }

    fn configure_audio(&mut self, parameters: &AudioParameters) -> bool {
        if self.audio.as_ref().is_some_and(|track| track.parameters == *parameters) {
            return false;
        }
        let end = self.end(Kind::Audio);
        let mut clock = AudioClock::new(parameters.sample_rate, parameters.frame_samples);
        if let Some(end) = end {
            clock.resume_at(ticks(end, parameters.sample_rate));
        }
        let silence = media::codec::silence(parameters);
        self.audio = Some(AudioTrack {
            parameters: parameters.clone(),
            clock,
            silence,
        });
        true
    }

    /// The parameters of a track as they are now.
    pub(crate) fn parameters(&self, kind: Kind) -> Option<Parameters> {
        match kind {
            Kind::Video => self
                .video
                .as_ref()
                .map(|track| Parameters::Video(track.parameters.clone())),
            Kind::Audio => self
                .audio
                .as_ref()
                .map(|track| Parameters::Audio(track.parameters.clone())),
        }
    }

    /// Whether a track has samples.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.end(kind).is_some()
    }

    /// When a track's next sample is due, in microseconds; `None` before its first.
    pub(crate) fn end(&self, kind: Kind) -> Option<i64> {
        match kind {
            Kind::Video => self
                .video
                .as_ref()
                .and_then(|track| Some(micros(track.clock.end()?, VIDEO))),
            Kind::Audio => {
                let track = self.audio.as_ref()?;
                Some(micros(track.clock.end()?, track.parameters.sample_rate))
            }
        }
    }

    /// The end of the track that is further.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.end(Kind::Video).max(self.end(Kind::Audio))
    }

    /// Puts a video frame on the timeline; `None` if that time is already filled.
    pub(crate) fn place_video(&mut self, frame: Placed) -> Option<Sample> {
        let track = self.video.as_mut()?;
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
    pub(crate) fn place_audio(&mut self, frame: Placed, out: &mut Vec<Sample>) {
        let Some(track) = self.audio.as_mut() else { return };
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

    /// Holds the last key frame until `until` (microseconds): stills that each last half of `part`, so that parts go on.
    pub(crate) fn fill_video(&mut self, until: i64, part: i64, out: &mut Vec<Sample>) {
        let Some(track) = self.video.as_mut() else { return };
        let (Some((data, cts)), Some(mut end)) = (track.still.clone(), track.clock.end()) else {
            return;
        };
        let frame = track.clock.frame_ticks();
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
            track.clock.filled(end, duration);
            end += duration;
            track.filled_until = end;
        }
    }

    /// How far beyond `at` (microseconds) the still was held, in microseconds; negative if it ended before.
    pub(crate) fn filled_beyond(&self, at: i64) -> i64 {
        self.video
            .as_ref()
            .map_or(i64::MIN, |track| micros(track.filled_until, VIDEO).saturating_sub(at))
    }

    /// Fills audio with silence until `until` (microseconds).
    pub(crate) fn fill_audio(&mut self, until: i64, out: &mut Vec<Sample>) {
        let Some(track) = self.audio.as_mut() else { return };
        if track.silence.is_none() {
            return;
        }
        let until = ticks(until, track.parameters.sample_rate);
        if let Some((gap, frames)) = track.clock.fill(until) {
            track.push_silence(gap, frames, out);
        }
    }
}

impl AudioTrack {
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
