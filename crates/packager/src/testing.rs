//! Sources that tests and fuzz targets are fed from.

use std::sync::Arc;

use bytes::Bytes;
use media::{AudioCodec, AudioParameters, FrameRate, Kind, Parameters, Sample, VideoCodec, VideoParameters};

use crate::{Input, Packager, Settings, Window};

/// 2026-11-20T09:07:24.153Z
pub(crate) const STARTED: i64 = 1_795_165_644_153_000;

const AVCC: &[u8] = &[
    1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 4, 0x67, 0x64, 0, 0x1f, 1, 0, 4, 0x68, 0xeb, 0xe3, 0xcb, 0xfd, 0xf8, 0xf8, 0,
];

pub(crate) fn video(frame_rate: Option<FrameRate>) -> Parameters {
    Parameters::Video(VideoParameters {
        codec: VideoCodec::Avc,
        config: Bytes::from_static(AVCC),
        width: 1_280,
        height: 720,
        frame_rate,
        reorders: false,
        color: None,
        codec_string: "avc1.64001F".into(),
    })
}

pub(crate) fn audio(sample_rate: u32) -> Parameters {
    let index = if sample_rate == 44_100 { 4_u16 } else { 3 };
    let config = (2 << 11 | index << 7 | 2 << 3).to_be_bytes();
    Parameters::Audio(AudioParameters {
        codec: AudioCodec::Aac,
        config: Bytes::copy_from_slice(&config),
        sample_rate,
        channels: 2,
        frame_samples: 1_024,
        codec_string: "mp4a.40.2".into(),
    })
}

/// Parameters of every codec, with the names of its sample entry and configuration box.
#[cfg(test)]
pub(crate) fn every_codec() -> Vec<(Parameters, &'static [u8; 4], &'static [u8; 4])> {
    let (Parameters::Video(picture), Parameters::Audio(sound)) = (video(None), audio(48_000)) else {
        unreachable!("one of each kind");
    };
    let videos = [
        (VideoCodec::Avc, b"avc1", b"avcC"),
        (VideoCodec::Hevc, b"hvc1", b"hvcC"),
        (VideoCodec::Av1, b"av01", b"av1C"),
        (VideoCodec::Vp9, b"vp09", b"vpcC"),
    ];
    let audios = [
        (AudioCodec::Aac, b"mp4a", b"esds"),
        (AudioCodec::Mp3, b"mp4a", b"esds"),
        (AudioCodec::Opus, b"Opus", b"dOps"),
        (AudioCodec::Flac, b"fLaC", b"dfLa"),
        (AudioCodec::Ac3, b"ac-3", b"dac3"),
        (AudioCodec::Eac3, b"ec-3", b"dec3"),
    ];
    let videos = videos.into_iter().map(|(codec, entry, config)| {
        let parameters = VideoParameters {
            codec,
            ..picture.clone()
        };
        (Parameters::Video(parameters), entry, config)
    });
    let audios = audios.into_iter().map(|(codec, entry, config)| {
        let parameters = AudioParameters { codec, ..sound.clone() };
        (Parameters::Audio(parameters), entry, config)
    });
    videos.chain(audios).collect()
}

/// A segment without content.
#[cfg(test)]
pub(crate) fn segment(number: u64) -> crate::window::Segment {
    use crate::window::{Init, Segment};
    let parameters = video(None);
    Segment {
        number,
        discontinuity: 0,
        discontinuities: 0,
        init: Arc::new(Init {
            number: 1,
            bytes: Bytes::new(),
            parameters,
        }),
        timescale: 90_000,
        start: 0,
        presentation_delay: 0,
        date_time: crate::DateTime(0),
        parts: Vec::new(),
        gap: None,
    }
}

/// What happens to the main tracks.
pub(crate) mod input {
    use media::{Kind, Parameters, Sample, TrackId};

    use crate::Input;

    pub(crate) fn parameters(parameters: Parameters) -> Input {
        let track = TrackId::main(parameters.kind());
        Input::Parameters { track, parameters }
    }

    pub(crate) fn sample(kind: Kind, sample: Sample) -> Input {
        let track = TrackId::main(kind);
        Input::Sample { track, sample }
    }
}

/// An encoder.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) video: Option<Pictures>,
    /// The sample rate.
    pub(crate) audio: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pictures {
    pub(crate) rate: FrameRate,
    /// Frames from one key frame to the next.
    pub(crate) group: u64,
    /// Two B-frames between the others.
    pub(crate) reorders: bool,
    /// Timestamps are rounded to milliseconds, and the rate is not stated.
    pub(crate) rounded: bool,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            video: Some(Pictures::new(30, 1, 30)),
            audio: Some(48_000),
        }
    }
}

impl Pictures {
    pub(crate) fn new(frames: u32, seconds: u32, group: u64) -> Self {
        Self {
            rate: FrameRate::new(frames, seconds).expect("a rate"),
            group,
            reorders: false,
            rounded: false,
        }
    }

    /// The `n`th frame in decode order.
    pub(crate) fn frame(&self, n: u64) -> Sample {
        let at = |n: u64| {
            let ticks = n * 90_000 * u64::from(self.rate.seconds) / u64::from(self.rate.frames);
            i64::try_from(if self.rounded { (ticks + 45) / 90 * 90 } else { ticks }).expect("small")
        };
        let in_group = n % self.group;
        // Decoded I P b b P b b, presented I b b P b b P.
        let late = match (self.reorders, in_group % 3) {
            (false, _) => 0,
            (true, 0) if in_group == 0 => 1,
            (true, 1) => 3,
            (true, _) => 0,
        };
        let keyframe = in_group == 0;
        Sample {
            dts: at(n),
            cts: i32::try_from(at(n + late) - at(n)).expect("small"),
            duration: None,
            keyframe,
            data: Bytes::from(vec![n as u8; if keyframe { 4_000 } else { 700 }]),
        }
    }
}

/// A packager and what it is fed with.
#[derive(Debug)]
pub(crate) struct Broadcast {
    pub(crate) packager: Packager,
    pub(crate) source: Source,
    frames: u64,
    sounds: u64,
}

impl Broadcast {
    /// A broadcast before its first sample.
    pub(crate) fn new(source: Source, settings: Settings) -> Self {
        let mut broadcast = Self {
            packager: Packager::new(Settings {
                started_micros: STARTED,
                ..settings
            }),
            source,
            frames: 0,
            sounds: 0,
        };
        broadcast.announce();
        broadcast
    }

    /// A broadcast that has run for so many seconds.
    pub(crate) fn live(source: Source, seconds: u64) -> Self {
        let mut broadcast = Self::new(source, Settings::default());
        broadcast.run_millis(seconds * 1_000, |_| {});
        broadcast
    }

    /// Sends parameters, as a source does that connects.
    pub(crate) fn announce(&mut self) {
        let announced = Input::Announced {
            video: self.source.video.is_some(),
            audio: self.source.audio.is_some(),
        };
        self.push(announced);
        if let Some(pictures) = self.source.video {
            let rate = Some(pictures.rate).filter(|_| !pictures.rounded);
            self.push(input::parameters(video(rate)));
        }
        if let Some(rate) = self.source.audio {
            self.push(input::parameters(audio(rate)));
        }
    }

    pub(crate) fn push(&mut self, input: Input) {
        self.packager.push(input, STARTED);
    }

    /// Sends all frames before `millis`; `seen` looks at every new window.
    pub(crate) fn run_millis(&mut self, millis: u64, mut seen: impl FnMut(&Window)) {
        let mut last: Option<Arc<Window>> = None;
        while let Some((at, kind)) = self.next() {
            if at >= millis * 1_000 {
                break;
            }
            self.send(kind);
            if let Some(window) = self.packager.window()
                && last.as_ref().is_none_or(|last| !Arc::ptr_eq(last, &window))
            {
                seen(&window);
                last = Some(window);
            }
        }
    }

    /// When the next frame comes, in microseconds, and of which track it is.
    fn next(&self) -> Option<(u64, Kind)> {
        let picture = self.source.video.map(|pictures| {
            let rate = pictures.rate;
            (
                self.frames * 1_000_000 * u64::from(rate.seconds) / u64::from(rate.frames),
                Kind::Video,
            )
        });
        let sound = self
            .source
            .audio
            .map(|rate| (self.sounds * 1_024 * 1_000_000 / u64::from(rate), Kind::Audio));
        picture.into_iter().chain(sound).min_by_key(|(at, _)| *at)
    }

    fn send(&mut self, kind: Kind) {
        let sample = match (kind, self.source.video) {
            (Kind::Video, Some(pictures)) => {
                self.frames += 1;
                pictures.frame(self.frames - 1)
            }
            _ => {
                self.sounds += 1;
                sound(self.sounds - 1)
            }
        };
        self.push(input::sample(kind, sample));
    }

    /// How many pictures were sent.
    #[cfg(test)]
    pub(crate) fn frames(&self) -> u64 {
        self.frames
    }

    pub(crate) fn window(&mut self) -> Arc<Window> {
        self.packager.window().expect("a settled broadcast")
    }
}

/// The `n`th frame of sound.
pub(crate) fn sound(n: u64) -> Sample {
    Sample {
        dts: i64::try_from(n * 1_024).expect("small"),
        cts: 0,
        duration: None,
        keyframe: true,
        data: Bytes::from(vec![n as u8; 340]),
    }
}
