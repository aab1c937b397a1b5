//! Sessions of real publishers, replayed.

use std::time::Instant;

use media::{AudioCodec, Kind, VideoCodec};
use rtmp::flv::{Audio, Metadata, Packet, Video};
use rtmp::server::{Event, Options, Session};

/// What a publisher's session came to.
#[derive(Debug, Default, PartialEq)]
struct Replay {
    events: Vec<Event>,
}

impl Replay {
    /// Feeds a session with the recorded bytes in pieces of `piece` bytes, and says yes to everything.
    fn of(bytes: &[u8], piece: usize) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "an Instant can be had from the clock only; any will do"
        )]
        let now = Instant::now();
        let mut session = Session::new(Options::default(), 1, now);
        let mut replay = Self::default();
        for input in bytes.chunks(piece) {
            session.handle_input(input, now).expect("a real publisher speaks RTMP");
            while let Some(event) = session.poll_event() {
                match &event {
                    Event::Connect(_) => session.accept_connect(now).unwrap(),
                    Event::Publish(_) => session.accept_publish(now).unwrap(),
                    _ => {}
                }
                replay.events.push(event);
            }
            while session.poll_transmit().is_some() {}
        }
        replay
    }

    fn videos(&self) -> impl Iterator<Item = Packet<Video>> {
        let packets = self.tags(Kind::Video).flat_map(Video::read);
        packets.map(|packet| packet.expect("a real tag can be read"))
    }

    fn audios(&self) -> impl Iterator<Item = Packet<Audio>> {
        let packets = self.tags(Kind::Audio).flat_map(Audio::read);
        packets.map(|packet| packet.expect("a real tag can be read"))
    }

    /// Configurations and frames of a video track, and whether they are of this codec alone.
    fn video_track(&self, track: u8, wanted: VideoCodec) -> (usize, usize, bool) {
        let (mut configs, mut frames, mut alike) = (0, 0, true);
        for packet in self.videos().filter(|packet| packet.track == track) {
            match packet.body {
                Video::Config { codec, .. } => (configs, alike) = (configs + 1, alike && codec == wanted),
                Video::Frame { codec, .. } => (frames, alike) = (frames + 1, alike && codec == wanted),
                _ => {}
            }
        }
        (configs, frames, alike)
    }

    /// The same of an audio track.
    fn audio_track(&self, track: u8, wanted: AudioCodec) -> (usize, usize, bool) {
        let (mut configs, mut frames, mut alike) = (0, 0, true);
        for packet in self.audios().filter(|packet| packet.track == track) {
            match packet.body {
                Audio::Config { codec, .. } => (configs, alike) = (configs + 1, alike && codec == wanted),
                Audio::Frame { codec, .. } => (frames, alike) = (frames + 1, alike && codec == wanted),
                _ => {}
            }
        }
        (configs, frames, alike)
    }

    fn tags(&self, wanted: Kind) -> impl Iterator<Item = &bytes::Bytes> {
        self.events.iter().filter_map(move |event| match event {
            Event::Media { kind, tag, .. } if *kind == wanted => Some(tag),
            _ => None,
        })
    }

    fn times(&self, wanted: Kind) -> Vec<u32> {
        let times = self.events.iter().filter_map(|event| match event {
            Event::Media { kind, timestamp, .. } if *kind == wanted => Some(*timestamp),
            _ => None,
        });
        times.collect()
    }

    fn metadata(&self) -> Option<&Metadata> {
        self.events.iter().find_map(|event| match event {
            Event::Metadata(metadata) => Some(metadata),
            _ => None,
        })
    }
}

fn capture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/captures/{name}.bin", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

const CAPTURES: [(&str, VideoCodec, AudioCodec); 7] = [
    ("ffmpeg-5.1", VideoCodec::Avc, AudioCodec::Aac),
    ("ffmpeg-9-hevc-opus", VideoCodec::Hevc, AudioCodec::Opus),
    ("ffmpeg-9-av1-flac", VideoCodec::Av1, AudioCodec::Flac),
    ("ffmpeg-9-vp9-ac3", VideoCodec::Vp9, AudioCodec::Ac3),
    ("ffmpeg-9-multitrack", VideoCodec::Avc, AudioCodec::Aac),
    ("gstreamer-rtmp2sink", VideoCodec::Avc, AudioCodec::Aac),
    ("librtmp", VideoCodec::Avc, AudioCodec::Aac),
];

#[test]
fn every_publisher_gets_through_from_connect_to_unpublish() {
    for (name, video_codec, audio_codec) in CAPTURES {
        let replay = Replay::of(&capture(name), 4_096);
        let Some(Event::Connect(connect)) = replay.events.first() else {
            panic!("{name}: connect is first")
        };
        assert_eq!(connect.app, "live", "{name}");
        let Some(Event::Publish(publish)) = replay.events.get(1) else {
            panic!("{name}: publish is second")
        };
        assert_eq!(publish.name, "capture", "{name}");
        assert_eq!(
            replay.events.iter().filter(|event| **event == Event::Unpublish).count(),
            1,
            "{name}"
        );
        assert!(
            replay
                .metadata()
                .is_some_and(|data| data.has_video() && data.has_audio()),
            "{name}"
        );

        let (configs, frames, alike) = replay.video_track(0, video_codec);
        assert_eq!(frames, 20, "{name}: two seconds of ten frames");
        assert!(configs >= 1 && alike, "{name}");
        let (_, sound, alike) = replay.audio_track(0, audio_codec);
        assert!(sound > 10 && alike, "{name}");
    }
}

#[test]
fn where_the_bytes_are_cut_makes_no_difference() {
    for (name, ..) in CAPTURES {
        let bytes = capture(name);
        let whole = Replay::of(&bytes, usize::MAX);
        for piece in [1, 1_460, 65_536] {
            assert_eq!(Replay::of(&bytes, piece), whole, "{name} in pieces of {piece}");
        }
    }
}

#[test]
fn decode_times_never_go_back() {
    for (name, ..) in CAPTURES {
        let replay = Replay::of(&capture(name), 4_096);
        assert!(replay.times(Kind::Audio).is_sorted(), "{name}");
        assert!(replay.times(Kind::Video).is_sorted(), "{name}");
    }
}

#[test]
fn a_second_track_is_told_apart_from_the_first() {
    let replay = Replay::of(&capture("ffmpeg-9-multitrack"), 4_096);
    assert!(replay.videos().all(|packet| packet.track <= 1 && packet.offset_ns == 0));
    for track in [0, 1] {
        let (configs, frames, alike) = replay.video_track(track, VideoCodec::Avc);
        assert!(
            configs >= 1 && frames == 20 && alike,
            "video {track}: {configs}, {frames}"
        );
        let (configs, frames, alike) = replay.audio_track(track, AudioCodec::Aac);
        assert!(
            configs >= 1 && frames > 10 && alike,
            "audio {track}: {configs}, {frames}"
        );
    }
    assert!(replay.videos().all(|packet| !matches!(packet.body, Video::Unused(_))));
}
