//! The forms that audio and video messages share: modifiers and several tracks.

use bytes::Bytes;
use media::{AudioCodec, VideoCodec};

use super::{Audio, Error, MODIFIERS_MAX, Packet, TRACKS_MAX, Unused, Video, write_several};

type Read<B> = Result<Vec<Packet<B>>, Error>;

fn video(bytes: &[u8]) -> Read<Video> {
    Video::read(&Bytes::copy_from_slice(bytes)).collect()
}

fn audio(bytes: &[u8]) -> Read<Audio> {
    Audio::read(&Bytes::copy_from_slice(bytes)).collect()
}

fn picture(codec: VideoCodec, cts_ms: i32, data: &'static [u8]) -> Video {
    Video::Frame {
        codec,
        keyframe: true,
        cts_ms,
        data: Bytes::from_static(data),
    }
}

fn sound(codec: AudioCodec, data: &'static [u8]) -> Audio {
    Audio::Frame {
        codec,
        data: Bytes::from_static(data),
    }
}

fn on<B>(track: u8, offset_ns: u32, body: B) -> Packet<B> {
    Packet { track, offset_ns, body }
}

#[test]
fn a_packet_of_one_track_has_its_form_on_the_wire() {
    use VideoCodec::{Av1, Avc, Hevc, Vp9};
    let record = Bytes::from_static(b"record");
    let table: [(&str, Packet<Video>, &[u8]); 7] = [
        (
            "AVC with a composition time",
            on(1, 0, picture(Avc, 66, b"x")),
            b"\x96\x01avc1\x01\0\0\x42x",
        ),
        ("AVC without one", on(2, 0, picture(Avc, 0, b"x")), b"\x96\x03avc1\x02x"),
        (
            "HEVC",
            on(3, 0, picture(Hevc, -1, b"x")),
            b"\x96\x01hvc1\x03\xff\xff\xffx",
        ),
        ("AV1", on(255, 0, picture(Av1, 0, b"x")), b"\x96\x01av01\xffx"),
        (
            "VP9's configuration",
            on(1, 0, Video::Config { codec: Vp9, record }),
            b"\x96\0vp09\x01record",
        ),
        ("the end", on(1, 0, Video::End { codec: Avc }), b"\x96\x02avc1\x01"),
        (
            "a time in nanoseconds",
            on(1, 333_333, picture(Av1, 0, b"x")),
            b"\x97\x02\x05\x16\x15\x06\x01av01\x01x",
        ),
    ];
    for (name, packet, bytes) in table {
        assert_eq!(packet.write().as_deref(), Some(bytes), "{name} written");
        assert_eq!(video(bytes), Ok(vec![packet]), "{name} read");
    }
    let packet = on(1, 20, sound(AudioCodec::Aac, b"x"));
    let bytes = b"\x97\x02\0\0\x14\x05\x01mp4a\x01x";
    assert_eq!(packet.write().as_deref(), Some(&bytes[..]));
    assert_eq!(audio(bytes), Ok(vec![packet]));
}

#[test]
fn a_message_with_many_tracks_of_one_codec_falls_apart_into_them() {
    let tracks = vec![
        on(0, 0, picture(VideoCodec::Avc, 66, b"first")),
        on(1, 0, picture(VideoCodec::Avc, 33, b"second")),
        on(9, 0, picture(VideoCodec::Avc, 66, b"")),
    ];
    let bytes = b"\x96\x11avc1\0\0\0\x08\0\0\x42first\x01\0\0\x09\0\0\x21second\x09\0\0\x03\0\0\x42";
    assert_eq!(write_several(&tracks).as_deref(), Some(&bytes[..]));
    assert_eq!(video(bytes), Ok(tracks));
}

#[test]
fn a_message_with_many_codecs_says_the_codec_of_each_track() {
    let tracks = vec![
        on(0, 7, sound(AudioCodec::Aac, b"a")),
        on(1, 7, sound(AudioCodec::Opus, b"bc")),
    ];
    let bytes = b"\x97\x02\0\0\x07\x05\x21mp4a\0\0\0\x01aOpus\x01\0\0\x02bc";
    assert_eq!(write_several(&tracks).as_deref(), Some(&bytes[..]));
    assert_eq!(audio(bytes), Ok(tracks));
}

#[test]
fn what_one_message_cannot_hold_is_not_written() {
    let frame = || picture(VideoCodec::Av1, 0, b"x");
    let config = Video::Config {
        codec: VideoCodec::Av1,
        record: Bytes::new(),
    };
    assert_eq!(write_several::<Video>(&[]), None, "nothing");
    assert_eq!(
        write_several(&[on(0, 0, frame()), on(1, 1, frame())]),
        None,
        "two times"
    );
    assert_eq!(write_several(&[on(0, 0, frame()), on(1, 0, config)]), None, "two kinds");
    let many: Vec<_> = (0..=TRACKS_MAX).map(|track| on(track as u8, 0, frame())).collect();
    assert_eq!(write_several(&many), None, "too many");
}

#[test]
fn tracks_before_the_one_that_is_cut_off_are_read() {
    let bytes = b"\x96\x11av01\0\0\0\x01a\x01\0\0\x09short";
    let mut packets = Video::read(&Bytes::from_static(bytes));
    let first = on(0, 0, picture(VideoCodec::Av1, 0, b"a"));
    assert_eq!(packets.next(), Some(Ok(first)));
    assert_eq!(packets.next(), Some(Err(Error::Truncated("video"))));
    assert_eq!(packets.next(), None);
}

#[test]
fn a_message_cut_anywhere_before_its_first_track_is_an_error() {
    for bytes in [
        &b"\x96\x11av01\0\0\0\0"[..],
        b"\x96\x21av01\0\0\0\0",
        b"\x97\x02\0\0\0\x06\x01av01\0",
    ] {
        for end in 1..bytes.len() {
            assert_eq!(
                video(&bytes[..end]),
                Err(Error::Truncated("video")),
                "{end} of {bytes:02x?}"
            );
        }
    }
}

#[test]
fn more_tracks_than_anybody_has_are_refused_after_the_last_that_may_be() {
    let mut bytes = b"\x96\x11av01".to_vec();
    (0..=TRACKS_MAX).for_each(|track| bytes.extend([track as u8, 0, 0, 1, b'x']));
    let packets: Vec<_> = Video::read(&Bytes::from(bytes)).collect();
    assert_eq!(packets.len(), TRACKS_MAX + 1);
    assert_eq!(packets.last(), Some(&Err(Error::TooManyTracks)));
    assert_eq!(packets.iter().filter(|packet| packet.is_ok()).count(), TRACKS_MAX);
}

#[test]
fn several_tracks_inside_of_several_tracks_are_refused() {
    assert_eq!(video(b"\x96\x16av01\0\0\0\0"), Err(Error::Nested));
    assert_eq!(audio(b"\x95\x15mp4a\0\0\0\0"), Err(Error::Nested));
}

#[test]
fn a_codec_that_is_not_known_hides_only_its_own_track() {
    let bytes = b"\x96\x21vp08\0\0\0\x01aav01\x01\0\0\x01b";
    let unknown = Video::Unused(Unused::Codec("vp08".into()));
    let known = picture(VideoCodec::Av1, 0, b"b");
    assert_eq!(video(bytes), Ok(vec![on(0, 0, unknown), on(1, 0, known)]));
}

#[test]
fn modifiers_stand_in_a_chain_and_unknown_ones_are_passed_over() {
    let frame = |offset_ns| Ok(vec![on(0, offset_ns, picture(VideoCodec::Av1, 0, b"x"))]);
    assert_eq!(
        video(b"\x97\0\xff\x57\x02\0\0\x05\x01av01x"),
        frame(5),
        "unknown, then a time"
    );
    assert_eq!(
        video(b"\x97\x02\0\0\x05\x07\0\xff\x51av01x"),
        frame(5),
        "a time, then unknown"
    );
    assert_eq!(
        video(b"\x97\x02\0\0\x05\x07\x02\0\0\x06\x01av01x"),
        frame(6),
        "the last time counts"
    );
    assert_eq!(
        video(b"\x97\x03\0\0\x05\xee\x01av01x"),
        frame(5),
        "more bytes than a time needs"
    );
    assert_eq!(video(b"\x97\x01\0\x05\x01av01x"), frame(0), "fewer");
    assert_eq!(video(b"\x97\x02\x0f\x42\x3f\x01av01x"), frame(999_999), "the longest");
    assert_eq!(
        video(b"\x97\x02\x0f\x42\x40\x01av01x"),
        frame(0),
        "a millisecond is none"
    );
}

#[test]
fn a_long_modifier_says_its_length_in_two_more_bytes() {
    let mut bytes = b"\x97\xff\x01\x00".to_vec();
    bytes.extend([0xee; 257]);
    bytes.extend(b"\x51av01x");
    let frame = on(0, 0, picture(VideoCodec::Av1, 0, b"x"));
    assert_eq!(video(&bytes), Ok(vec![frame]));
    assert_eq!(video(&bytes[..200]), Err(Error::Truncated("video")));
}

#[test]
fn a_chain_of_modifiers_has_an_end() {
    let chain = |len: usize| {
        let mut bytes = vec![0x97];
        (1..len).for_each(|_| bytes.extend(b"\0\xff\x57"));
        bytes.extend(b"\0\xff\x51av01x");
        video(&bytes)
    };
    assert!(chain(MODIFIERS_MAX).is_ok());
    assert_eq!(chain(MODIFIERS_MAX + 1), Err(Error::TooManyModifiers));
}

#[test]
fn colours_and_loudspeakers_belong_to_a_track() {
    let color = Video::Color {
        codec: VideoCodec::Hevc,
        color: None,
    };
    let bytes = b"\x86\x04hvc1\x01\x02\0\x09colorInfo\x06";
    assert_eq!(on(1, 0, color.clone()).write().as_deref(), Some(&bytes[..]));
    assert_eq!(video(bytes), Ok(vec![on(1, 0, color)]));
    let channels = Audio::Channels {
        codec: AudioCodec::Opus,
        layout: media::ChannelLayout {
            channels: 2,
            order: media::ChannelOrder::Native(3),
        },
    };
    let bytes = b"\x95\x04Opus\x01\x01\x02\0\0\0\x03";
    assert_eq!(on(1, 0, channels.clone()).write().as_deref(), Some(&bytes[..]));
    assert_eq!(audio(bytes), Ok(vec![on(1, 0, channels)]));
}
