//! Playlists as text.

use media::Kind;

use crate::hls::{self, Form};
use crate::testing::{Broadcast, Pictures, Source};
use crate::{Settings, Window};

fn text(window: &Window, kind: Kind, form: Form) -> String {
    hls::media(
        window,
        window.rendition(media::TrackId::main(kind)).expect("a rendition"),
        form,
    )
}

fn slow() -> Source {
    Source {
        video: Some(Pictures::new(25, 1, 50)),
        ..Source::default()
    }
}

#[test]
fn a_young_broadcast_as_a_low_latency_player_sees_it() {
    let mut broadcast = Broadcast::new(slow(), Settings::default());
    broadcast.run_millis(2_500, |_| {});
    let expected = "\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24.0,PART-HOLD-BACK=1.02400
#EXT-X-PART-INF:PART-TARGET=0.32000
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI=\"video/init-1.mp4\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:07:24.153Z
#EXT-X-PART:DURATION=0.20000,URI=\"video/p0.mp4\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.32000,URI=\"video/p1.mp4\"
#EXT-X-PART:DURATION=0.32000,URI=\"video/p2.mp4\"
#EXT-X-PART:DURATION=0.32000,URI=\"video/p3.mp4\"
#EXT-X-PART:DURATION=0.32000,URI=\"video/p4.mp4\"
#EXT-X-PART:DURATION=0.32000,URI=\"video/p5.mp4\"
#EXT-X-PART:DURATION=0.20000,URI=\"video/p6.mp4\"
#EXTINF:2.00000,
video/0.mp4
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:07:26.153Z
#EXT-X-PART:DURATION=0.32000,URI=\"video/p7.mp4\",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"video/p8.mp4\"
#EXT-X-RENDITION-REPORT:URI=\"audio.m3u8\",LAST-MSN=1,LAST-PART=0
";
    assert_eq!(
        text(&broadcast.window(), Kind::Video, Form::LowLatency { delta: false }),
        expected
    );
}

#[test]
fn the_same_for_an_old_player() {
    let mut broadcast = Broadcast::new(slow(), Settings::default());
    broadcast.run_millis(4_500, |_| {});
    let expected = "\
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI=\"video/init-1.mp4\"
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:07:24.153Z
#EXTINF:2.00000,
video/0.mp4
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:07:26.153Z
#EXTINF:2.00000,
video/1.mp4
";
    assert_eq!(
        text(&broadcast.window(), Kind::Video, Form::Plain { seconds: None }),
        expected
    );
}

#[test]
fn a_cut_shows_as_a_discontinuity_before_its_segment() {
    let mut broadcast = Broadcast::live(slow(), 4);
    broadcast.push(crate::Input::Cut);
    broadcast.run_millis(6_500, |_| {});
    let plain = text(&broadcast.window(), Kind::Audio, Form::Plain { seconds: None });
    let after = plain.split("audio/1.mp4\n").nth(1).expect("a third segment");
    assert_eq!(
        after,
        "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:07:28.163Z\n#EXTINF:2.00533,\naudio/2-1.mp4\n"
    );
}

#[test]
fn parts_leave_after_three_targets_and_segments_after_the_window() {
    let mut broadcast = Broadcast::live(slow(), 100);
    let window = broadcast.window();
    let full = text(&window, Kind::Video, Form::LowLatency { delta: false });
    let listed = full.matches("#EXTINF").count();
    assert_eq!(listed, 29);
    let (_, from_parts) = full.split_once("#EXT-X-PART:").expect("parts");
    let with_parts = from_parts.matches("#EXTINF").count();
    assert!((6..=8).contains(&with_parts), "{with_parts}");
    let first_part: u64 = from_parts
        .split_once("video/p")
        .and_then(|(_, rest)| rest.split_once('.')?.0.parse().ok())
        .expect("a number");
    let video = window.video.as_ref().expect("video");
    assert!(
        video.part(first_part - 3 * 4 * 4).is_some(),
        "parts can be had for three targets more"
    );
}

#[test]
fn a_delta_update_leaves_out_what_is_older_than_six_targets() {
    let mut broadcast = Broadcast::live(slow(), 100);
    let window = broadcast.window();
    let full = text(&window, Kind::Video, Form::LowLatency { delta: false });
    let delta = text(&window, Kind::Video, Form::LowLatency { delta: true });
    let skipped: usize = delta
        .split_once("SKIPPED-SEGMENTS=")
        .and_then(|(_, rest)| rest.split_once('\n')?.0.parse().ok())
        .expect("skipped segments");
    assert_eq!(skipped, 29 - 12);
    assert_eq!(delta.matches("#EXTINF").count(), 12);
    let (_, tail) = delta.split_once("init-1.mp4\"\n").expect("a map");
    assert!(full.ends_with(tail));
}

#[test]
fn a_young_playlist_has_nothing_to_skip() {
    let mut broadcast = Broadcast::live(slow(), 20);
    let window = broadcast.window();
    let [full, delta] = [false, true].map(|delta| text(&window, Kind::Video, Form::LowLatency { delta }));
    assert_eq!(full, delta);
}

#[test]
fn a_shorter_window_lists_fewer_segments() {
    let mut broadcast = Broadcast::live(slow(), 100);
    let window = broadcast.window();
    for (seconds, segments) in [(0, 3), (1, 3), (20, 10), (21, 10), (58, 29), (9_999, 29)] {
        let plain = text(&window, Kind::Video, Form::Plain { seconds: Some(seconds) });
        assert_eq!(plain.matches("#EXTINF").count(), segments, "{seconds} s");
    }
}

#[test]
fn a_still_is_a_file_of_its_own() {
    let still = Broadcast::live(slow(), 10).window().still().expect("a key frame");
    assert_eq!(&still[4..8], b"ftyp");
    assert!(still.len() > 4_000 && still.len() < 6_000);
    let key_frame = Pictures::new(25, 1, 50).frame(200).data;
    assert!(still.ends_with(&key_frame));
}
