use hub::authority::Local;
use hub::{Caller, Follow, Follower, Hub, Item, Limits, Protocol, PublishRequest, Settings, StreamKey};
use media::{AudioCodec, ColorInfo, Parameters, Sample, VideoCodec};
use rtmp::flv::write_several;

use super::*;

/// Baseline, 64x64, 30 frames a second.
const AVCC: &[u8] = &[
    1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 23, 0x67, 0x42, 0xc0, 0x0a, 0xd9, 0x04, 0x26, 0xc0, 0x44, 0x00, 0x00, 0x03,
    0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x48, 0x99, 0x20, 1, 0, 5, 0x68, 0xcb, 0x83, 0xcb, 0x20,
];
/// AAC-LC, 48 kHz, stereo.
const ASC: &[u8] = &[0x11, 0x90];

struct Scene {
    ingest: Ingest,
    follower: Follower,
}

impl Scene {
    async fn new() -> Self {
        let hub = Hub::new(Arc::new(Local::new(true, Settings::default())), Limits::default());
        let request = PublishRequest {
            key: StreamKey::new("colors"),
            caller: Caller::at(([127, 0, 0, 1], 0).into(), Protocol::Rtmp),
            clock: Ingest::CLOCK,
        };
        let publisher = hub.publish(request).await.expect("loopback is open");
        let follower = publisher.broadcast().follow(Follow::FromStart);
        Self {
            ingest: Ingest::new(publisher, Arc::default()),
            follower,
        }
    }

    fn video(&mut self, timestamp: u32, track: u8, body: Video) -> Option<String> {
        self.video_at(timestamp, 0, track, body)
    }

    fn video_at(&mut self, timestamp: u32, offset_ns: u32, track: u8, body: Video) -> Option<String> {
        let packet = Packet { track, offset_ns, body };
        let tag = packet.write().expect("it can be written");
        self.ingest.media(Kind::Video, timestamp, &tag.into())
    }

    fn audio(&mut self, timestamp: u32, track: u8, body: Audio) -> Option<String> {
        let packet = Packet {
            track,
            offset_ns: 0,
            body,
        };
        let tag = packet.write().expect("it can be written");
        self.ingest.media(Kind::Audio, timestamp, &tag.into())
    }

    /// Samples of a track that came since the last time.
    async fn samples(&mut self) -> Vec<(TrackId, Sample)> {
        self.ingest.flush();
        let mut items = Vec::new();
        self.follower.next_batch(&mut items).await;
        let samples = items.into_iter().filter_map(|item| match item {
            Item::Sample { track, sample } => Some((track, sample)),
            _ => None,
        });
        samples.collect()
    }

    fn tracks(&self) -> Vec<(TrackId, Parameters)> {
        self.ingest.publisher.broadcast().tracks()
    }

    fn color(&self) -> Option<ColorInfo> {
        match self.ingest.publisher.broadcast().parameters(Kind::Video) {
            Some(Parameters::Video(video)) => video.color,
            other => panic!("no picture: {other:?}"),
        }
    }
}

fn config() -> Video {
    Video::Config {
        codec: VideoCodec::Avc,
        record: Bytes::from_static(AVCC),
    }
}

fn picture(keyframe: bool) -> Video {
    let unit = [0, 0, 0, 2, if keyframe { 0x65 } else { 0x41 }, 9];
    Video::Frame {
        codec: VideoCodec::Avc,
        keyframe,
        cts_ms: 0,
        data: Bytes::copy_from_slice(&unit),
    }
}

fn asc() -> Audio {
    Audio::Config {
        codec: AudioCodec::Aac,
        record: Bytes::from_static(ASC),
    }
}

fn tone(codec: AudioCodec) -> Audio {
    Audio::Frame {
        codec,
        data: Bytes::from_static(b"\xfc\x10\x04"),
    }
}

const fn seen(index: u8) -> TrackId {
    TrackId {
        kind: Kind::Video,
        index,
    }
}

const fn heard(index: u8) -> TrackId {
    TrackId {
        kind: Kind::Audio,
        index,
    }
}

#[tokio::test]
async fn every_track_of_an_encoder_is_a_track_of_the_broadcast_by_the_same_number() {
    let mut scene = Scene::new().await;
    for track in [0, 1, 2] {
        assert_eq!(scene.video(0, track, config()), None);
    }
    for track in [0, 1] {
        assert_eq!(scene.audio(0, track, asc()), None);
    }
    let all = [0, 1, 2].map(|track| Packet {
        track,
        offset_ns: 0,
        body: picture(true),
    });
    let together = write_several(&all).expect("they are alike");
    assert_eq!(scene.ingest.media(Kind::Video, 0, &together.into()), None);
    for track in [0, 1] {
        assert_eq!(scene.audio(0, track, tone(AudioCodec::Aac)), None);
    }
    let tracks: Vec<_> = scene.tracks().into_iter().map(|(track, _)| track).collect();
    assert_eq!(tracks, [seen(0), seen(1), seen(2), heard(0), heard(1)]);
    let samples = scene.samples().await;
    let times = |kind| {
        let of_kind = samples.iter().filter(move |(track, _)| track.kind == kind);
        of_kind
            .map(|(track, sample)| (track.index, sample.dts))
            .collect::<Vec<_>>()
    };
    let (pictures, sounds) = (times(Kind::Video), times(Kind::Audio));
    assert_eq!(pictures, [0, 1, 2].map(|index| (index, pictures[0].1)));
    assert_eq!(sounds, [0, 1].map(|index| (index, sounds[0].1)));
}

#[tokio::test]
async fn nanoseconds_reach_the_timeline_of_the_track() {
    let mut scene = Scene::new().await;
    scene.video(0, 0, config());
    scene.video(0, 0, picture(true));
    scene.video_at(50, 500_000, 0, picture(false));
    let samples = scene.samples().await;
    let step = samples[1].1.dts - samples[0].1.dts;
    assert_eq!(step, 4_545, "50.5 ms in ticks of 90 kHz");
}

#[tokio::test]
async fn a_track_begins_with_its_own_key_frame() {
    let mut scene = Scene::new().await;
    scene.video(0, 0, config());
    scene.video(0, 1, config());
    scene.video(0, 0, picture(true));
    scene.video(33, 1, picture(false));
    scene.video(67, 1, picture(true));
    let samples = scene.samples().await;
    let second: Vec<_> = samples.iter().filter(|(track, _)| *track == seen(1)).collect();
    assert!(second.len() == 1 && second[0].1.keyframe, "{samples:?}");
}

#[tokio::test]
async fn trouble_with_one_track_does_not_keep_the_others_out() {
    let mut scene = Scene::new().await;
    scene.video(0, 0, config());
    let both = [1, 0].map(|track| Packet {
        track,
        offset_ns: 0,
        body: picture(true),
    });
    let tag: Bytes = write_several(&both).expect("they are alike").into();
    let told = scene.ingest.media(Kind::Video, 0, &tag);
    assert_eq!(told.as_deref(), Some("track 1: media came before its configuration"));
    assert_eq!(scene.ingest.media(Kind::Video, 33, &tag), None, "it was told");
    assert_eq!(scene.samples().await.len(), 2);
}

#[tokio::test]
async fn a_track_beyond_the_last_that_may_be_is_told_once_and_left_out() {
    let mut scene = Scene::new().await;
    let told = scene.video(0, TrackId::SENT_MAX, config());
    assert_eq!(
        told.as_deref(),
        Some("track 8: tracks are numbered from 0 to 7: this one is not used")
    );
    assert_eq!(scene.video(0, 255, config()), None);
    assert_eq!(scene.video(0, TrackId::SENT_MAX - 1, config()), None);
    assert_eq!(scene.ingest.pictures.len(), 1);
}

#[tokio::test]
async fn colours_hold_from_the_next_key_frame_on() {
    let color = |transfer| {
        Some(ColorInfo {
            transfer: Some(transfer),
            ..ColorInfo::default()
        })
    };
    let said_of = |codec, color| Video::Color { codec, color };
    let said = |color| said_of(VideoCodec::Avc, color);
    let mut scene = Scene::new().await;
    scene.video(0, 0, said(color(16)));
    scene.video(0, 0, config());
    scene.video(0, 0, picture(true));
    assert_eq!(scene.color(), color(16));
    scene.video(33, 0, said(color(18)));
    scene.video(33, 0, picture(false));
    assert_eq!(scene.color(), color(16));
    scene.video(33, 0, said_of(VideoCodec::Hevc, color(1)));
    scene.video(67, 0, picture(true));
    assert_eq!(scene.color(), color(18));
    scene.video(100, 0, said(None));
    scene.video(100, 0, picture(true));
    assert_eq!(scene.color(), None);
}

#[tokio::test]
async fn opus_without_a_header_has_the_channels_that_were_said_apart() {
    let empty = || Audio::Config {
        codec: AudioCodec::Opus,
        record: Bytes::new(),
    };
    let mono = Audio::Channels {
        codec: AudioCodec::Opus,
        layout: media::ChannelLayout {
            channels: 1,
            order: media::ChannelOrder::Unspecified,
        },
    };
    let mut scene = Scene::new().await;
    scene.ingest.metadata(&Metadata {
        audio_sample_rate: Some(48_000.0),
        ..Metadata::default()
    });
    scene.audio(0, 0, empty());
    scene.audio(0, 1, mono);
    scene.audio(0, 1, empty());
    scene.audio(0, 0, tone(AudioCodec::Opus));
    let channels = scene.tracks().into_iter().map(|(track, parameters)| match parameters {
        Parameters::Audio(audio) => (track, audio.channels),
        Parameters::Video(_) => panic!("a picture"),
    });
    assert_eq!(channels.collect::<Vec<_>>(), [(heard(0), 2), (heard(1), 1)]);
}
