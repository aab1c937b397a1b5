//! A 2.5 Mb/s broadcast whose window is full: one more second of it, and its playlist.

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use media::{AudioCodec, AudioParameters, FrameRate, Parameters, Sample, TrackId, VideoCodec, VideoParameters};
use packager::hls::{self, Form};
use packager::{Input, Packager, Settings};

const FRAME_BYTES: usize = 9_880;
const AUDIO_BYTES: usize = 340;
const AVCC: &[u8] = &[
    1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 4, 0x67, 0x64, 0, 0x1f, 1, 0, 4, 0x68, 0xeb, 0xe3, 0xcb, 0xfd, 0xf8, 0xf8, 0,
];

/// 30 frames a second with a key frame each, and AAC at 48 kHz.
struct Source {
    packager: Packager,
    frames: i64,
    audio_frames: i64,
    picture: Bytes,
    sound: Bytes,
}

impl Source {
    fn with_a_full_window() -> Self {
        let mut source = Self {
            packager: Packager::new(Settings::default()),
            frames: 0,
            audio_frames: 0,
            picture: vec![0x5a; FRAME_BYTES].into(),
            sound: vec![0x5a; AUDIO_BYTES].into(),
        };
        source.push(Input::Announced {
            video: true,
            audio: true,
        });
        source.push(Input::Parameters {
            track: TrackId::VIDEO,
            parameters: video(),
        });
        source.push(Input::Parameters {
            track: TrackId::AUDIO,
            parameters: audio(),
        });
        for _ in 0..70 {
            source.second();
        }
        source
    }

    fn push(&mut self, input: Input) {
        self.packager.push(input, 0);
    }

    /// One second, audio and video as they interleave; the window is looked at after each frame, as the server does.
    fn second(&mut self) -> usize {
        let mut windows = 0;
        for _ in 0..30 {
            let sample = frame(self.frames * 3_000, self.frames % 30 == 0, &self.picture);
            self.push(Input::Sample {
                track: TrackId::VIDEO,
                sample,
            });
            self.frames += 1;
            while self.audio_frames * 1_024 * 30 < self.frames * 48_000 {
                let sample = frame(self.audio_frames * 1_024, true, &self.sound);
                self.push(Input::Sample {
                    track: TrackId::AUDIO,
                    sample,
                });
                self.audio_frames += 1;
            }
            windows += usize::from(self.packager.window().is_some());
        }
        windows
    }
}

fn frame(dts: i64, keyframe: bool, data: &Bytes) -> Sample {
    Sample {
        dts,
        cts: 0,
        duration: None,
        keyframe,
        data: data.clone(),
    }
}

fn video() -> Parameters {
    Parameters::Video(VideoParameters {
        codec: VideoCodec::Avc,
        config: Bytes::from_static(AVCC),
        width: 1_280,
        height: 720,
        frame_rate: Some(FrameRate { frames: 30, seconds: 1 }),
        reorders: false,
        color: None,
        codec_string: "avc1.64001F".into(),
    })
}

fn audio() -> Parameters {
    Parameters::Audio(AudioParameters {
        codec: AudioCodec::Aac,
        config: Bytes::from_static(&[0x11, 0x90]),
        sample_rate: 48_000,
        channels: 2,
        frame_samples: 1_024,
        codec_string: "mp4a.40.2".into(),
    })
}

fn package(c: &mut Criterion) {
    let mut source = Source::with_a_full_window();
    let mut group = c.benchmark_group("packager");
    group.throughput(Throughput::Bytes((30 * FRAME_BYTES + 47 * AUDIO_BYTES) as u64));
    group.bench_function("one second into parts", |b| b.iter(|| source.second()));
    group.finish();
}

fn render(c: &mut Criterion) {
    let window = Source::with_a_full_window().packager.window().expect("a full window");
    let rendition = window.rendition(TrackId::VIDEO).expect("a video rendition");
    let mut group = c.benchmark_group("packager");
    group.bench_function("render a playlist", |b| {
        b.iter(|| hls::media(&window, rendition, Form::LowLatency { delta: false }));
    });
    group.finish();
}

criterion_group!(benches, package, render);
criterion_main!(benches);
