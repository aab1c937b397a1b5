//! What is listed of several qualities and sounds, and what viewers choose of it.

use std::time::Duration;

use media::{AudioCodec, AudioParameters, Kind, Parameters, TrackId};

use super::followers::Encoded;
use crate::dash::Timeline;
use crate::hls::{self, Choice};
use crate::request::Query;
use crate::testing::{self, Broadcast, Pictures, Source};
use crate::{Input, Window};

const SECOND: TrackId = TrackId {
    kind: Kind::Audio,
    index: 1,
};
const MADE: TrackId = TrackId {
    kind: Kind::Audio,
    index: TrackId::DERIVED,
};

fn choice(query: &str) -> Choice {
    Query::parse(query).expect("a query").choice
}

/// The URIs of the variants, in their order.
fn variants(window: &Window, query: &str) -> Vec<String> {
    let text = hls::multivariant(window, "", choice(query));
    let uris = text.lines().filter(|line| !line.starts_with('#'));
    uris.map(str::to_owned).collect()
}

/// Kind, label and codecs of each set of the manifest's last Period.
fn sets(window: &Window, query: &str) -> Vec<(String, Option<String>, String)> {
    let mut timeline = Timeline::new(Duration::from_secs(60), Duration::from_secs(2));
    timeline.observe(window);
    let text = timeline.mpd(window, "x/", choice(query)).expect("something to play");
    let mut ignored = Vec::new();
    let mut reader = quick_xml::de::Deserializer::from_str(&text);
    let mpd: dash_mpd_core::MPD =
        serde_ignored::deserialize(&mut reader, |path| ignored.push(path.to_string())).expect("a manifest");
    ignored.retain(|path| !path.ends_with("xmlns"));
    assert_eq!(ignored, Vec::<String>::new());
    let sets = &mpd.periods.last().expect("a period").adaptations;
    sets.iter()
        .map(|set| {
            let label = set.Label.first().map(|label| label.content.clone());
            let codecs: Vec<_> = set
                .representations
                .iter()
                .filter_map(|one| one.codecs.clone())
                .collect();
            (set.contentType.clone().unwrap_or_default(), label, codecs.join(" "))
        })
        .collect()
}

fn sound(codec: AudioCodec, codec_string: &str) -> Parameters {
    let Parameters::Audio(aac) = testing::audio(48_000) else {
        unreachable!("sound is sound");
    };
    Parameters::Audio(AudioParameters {
        codec,
        codec_string: codec_string.into(),
        ..aac
    })
}

/// Eight seconds with further sounds beside the main one.
fn with_sounds(sounds: &[(TrackId, Parameters)]) -> std::sync::Arc<Window> {
    let mut encoded = Encoded::new(Pictures::new(30, 1, 60), 2);
    for (track, parameters) in sounds {
        let (track, parameters) = (*track, parameters.clone());
        encoded.broadcast.push(Input::Parameters { track, parameters });
    }
    let mut sent = 0;
    for millis in (0..8_000).step_by(100) {
        encoded.run_until(millis, |_| {});
        while sent * 1_024 < millis * 48 {
            for (track, _) in sounds {
                let (track, sample) = (*track, testing::sound(sent));
                encoded.broadcast.push(Input::Sample { track, sample });
            }
            sent += 1;
        }
    }
    encoded.window()
}

#[test]
fn the_multivariant_playlist_lists_what_is_planned_before_it_is_there() {
    let mut encoded = Encoded::new(Pictures::new(30, 1, 60), 0);
    encoded.dead = true;
    encoded.run_until(3_000, |_| {});
    let window = encoded.window();
    let text = hls::multivariant(&window, "x/", Choice::default());
    assert!(
        text.contains("RESOLUTION=640x360,SCORE=2,AUDIO=\"audio\"\nx/video-16.m3u8\n"),
        "{text}"
    );
    assert!(text.contains("SCORE=3,AUDIO=\"audio\"\nx/video.m3u8\n"), "{text}");
}

#[test]
fn viewers_choose_which_qualities_are_listed() {
    let mut encoded = Encoded::new(Pictures::new(30, 1, 60), 2);
    encoded.run_until(8_000, |_| {});
    let window = encoded.window();
    let listed = |query| variants(&window, query);
    assert_eq!(listed(""), ["video.m3u8", "video-16.m3u8", "audio.m3u8"]);
    assert_eq!(
        listed("rendition_order=asc"),
        ["audio.m3u8", "video-16.m3u8", "video.m3u8"]
    );
    assert_eq!(listed("max_resolution=480p"), ["video-16.m3u8", "audio.m3u8"]);
    assert_eq!(listed("min_resolution=480p"), ["video.m3u8"], "sound alone is less");
    assert_eq!(
        listed("max_resolution=144p"),
        ["video-16.m3u8", "audio.m3u8"],
        "the nearest"
    );
    assert_eq!(listed("max_resolution=0"), ["audio.m3u8"]);
}

#[test]
fn sound_alone_costs_what_the_sound_costs_and_is_the_least_of_all() {
    let mut encoded = Encoded::new(Pictures::new(30, 1, 60), 2);
    encoded.run_until(8_000, |_| {});
    let window = encoded.window();
    let peak = window.audio.as_ref().expect("sound").bandwidth.peak;
    let text = hls::multivariant(&window, "", Choice::default());
    let (head, _) = text.split_once("\naudio.m3u8\n").expect("sound alone");
    let variant = head.lines().last().expect("its line");
    assert!(
        variant.starts_with(&format!("#EXT-X-STREAM-INF:BANDWIDTH={peak},")),
        "{variant}"
    );
    assert!(
        variant.ends_with(",CODECS=\"mp4a.40.2\",SCORE=1,AUDIO=\"audio\""),
        "{variant}"
    );
}

#[test]
fn a_broadcast_of_sound_is_listed_whatever_pictures_a_viewer_wants() {
    let source = Source {
        video: None,
        ..Source::default()
    };
    let window = Broadcast::live(source, 8).window();
    for query in ["", "min_resolution=360p", "max_resolution=720p", "max_resolution=0"] {
        assert_eq!(variants(&window, query), ["audio.m3u8"], "{query}");
    }
}

#[test]
fn every_sound_is_a_choice_in_both_kinds_of_playlist() {
    let window = with_sounds(&[(SECOND, testing::audio(48_000))]);
    let text = hls::multivariant(&window, "", Choice::default());
    assert!(text.contains("NAME=\"Audio\",LANGUAGE=\"und\",DEFAULT=YES"), "{text}");
    assert!(text.contains("NAME=\"Audio 2\",LANGUAGE=\"und\",DEFAULT=NO"), "{text}");
    let set = |kind: &str, label: Option<&str>, codecs: &str| (kind.into(), label.map(str::to_owned), codecs.into());
    assert_eq!(
        sets(&window, ""),
        [
            set("video", None, "avc1.64001F avc1.64001E"),
            set("audio", Some("Audio"), "mp4a.40.2"),
            set("audio", Some("Audio 2"), "mp4a.40.2"),
        ]
    );
    assert_eq!(sets(&window, "max_resolution=0").len(), 2, "no picture");
}

#[test]
fn what_everybody_can_decode_comes_before_what_it_was_made_of() {
    let ac3 = (TrackId::AUDIO, sound(AudioCodec::Ac3, "ac-3"));
    let window = with_sounds(&[ac3, (MADE, testing::audio(48_000))]);
    let codecs = |window| {
        let sets = sets(window, "").into_iter().skip(1);
        sets.map(|(_, _, codecs)| codecs).collect::<Vec<_>>()
    };
    assert_eq!(codecs(&window), ["mp4a.40.2", "ac-3"]);
    let text = hls::multivariant(&window, "", Choice::default());
    assert!(text.contains("audio-16.m3u8") && !text.contains("audio.m3u8"), "{text}");
    // Opus beside AAC is for those who take what DASH lists.
    let window = with_sounds(&[(MADE, sound(AudioCodec::Opus, "opus"))]);
    assert_eq!(codecs(&window), ["mp4a.40.2", "opus"]);
    let text = hls::multivariant(&window, "", Choice::default());
    assert!(text.contains("audio.m3u8") && !text.contains("audio-16.m3u8"), "{text}");
}
