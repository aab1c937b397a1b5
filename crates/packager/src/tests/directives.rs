//! Delivery directives, to the letter.

use std::sync::Arc;

use media::TrackId;

use crate::Window;
use crate::hls::{self, Form, names::File};
use crate::request::{self, BadQuery, Found, Query, Verdict};
use crate::testing::{Broadcast, Source};

/// After 10.4 s, the fifth segment is whole (0 to 4 after 1, 3, 5, 7 and 9 s), and segment 5 has four parts.
fn window() -> Arc<Window> {
    let window = Broadcast::live(Source::default(), 10).window();
    let video = window.video.as_ref().expect("video");
    assert_eq!(video.next_whole(), 5);
    assert_eq!(video.open_parts().len(), 3);
    assert_eq!(video.segment(4).expect("whole").parts.len(), 6);
    window
}

fn judge(window: &Window, query: &str) -> Result<Verdict, BadQuery> {
    let rendition = window.rendition(TrackId::VIDEO).expect("video");
    request::judge(window, rendition, &Query::parse(query)?)
}

#[test]
fn what_is_there_is_served_and_what_comes_is_waited_for() {
    let window = window();
    for (query, verdict) in [
        ("", Verdict::Serve),
        ("_HLS_msn=0", Verdict::Serve),
        ("_HLS_msn=4", Verdict::Serve),
        ("_HLS_msn=5", Verdict::Wait),
        ("_HLS_msn=6", Verdict::Wait),
        ("_HLS_msn=5&_HLS_part=2", Verdict::Serve),
        ("_HLS_msn=5&_HLS_part=3", Verdict::Wait),
        ("_HLS_msn=6&_HLS_part=0", Verdict::Wait),
        ("_HLS_msn=4&_HLS_part=5", Verdict::Serve),
        // Past the last part of a whole segment: the first part of the next.
        ("_HLS_msn=4&_HLS_part=6", Verdict::Serve),
        ("_HLS_msn=4&_HLS_part=1000", Verdict::Serve),
        ("_HLS_skip=YES", Verdict::Serve),
    ] {
        assert_eq!(judge(&window, query), Ok(verdict), "{query}");
    }
}

#[test]
fn past_the_last_part_waits_for_the_next_segments_first() {
    let mut broadcast = Broadcast::live(Source::default(), 9);
    // The key frame at 9 s has come and ended segment 4, which has six parts; segment 5 has none yet.
    broadcast.run_millis(9_001, |_| {});
    let window = broadcast.window();
    assert_eq!(window.video.as_ref().expect("video").open_parts().len(), 0);
    assert_eq!(judge(&window, "_HLS_msn=4&_HLS_part=5"), Ok(Verdict::Serve));
    assert_eq!(judge(&window, "_HLS_msn=4&_HLS_part=6"), Ok(Verdict::Wait));
    assert_eq!(judge(&window, "_HLS_msn=4"), Ok(Verdict::Serve));
}

#[test]
fn what_is_too_far_ahead_or_makes_no_sense_is_refused() {
    let window = window();
    for query in [
        "_HLS_msn=7",
        "_HLS_msn=99999999999999999999999999",
        "_HLS_part=1",
        "_HLS_msn=5&_HLS_part=12",
        "_HLS_msn=6&_HLS_part=9",
        "_HLS_msn=",
        "_HLS_msn=-1",
        "_HLS_msn=5&_HLS_part=x",
    ] {
        assert!(judge(&window, query).is_err(), "{query}");
    }
    assert_eq!(judge(&window, "_HLS_msn=5&_HLS_part=11"), Ok(Verdict::Wait));
    assert_eq!(judge(&window, "_HLS_msn=6&_HLS_part=8"), Ok(Verdict::Wait));
}

#[test]
fn after_the_end_and_in_plain_playlists_directives_are_ignored() {
    let mut broadcast = Broadcast::live(Source::default(), 10);
    for query in ["latency=normal&_HLS_msn=900", "window=20&_HLS_part=3"] {
        assert_eq!(judge(&broadcast.window(), query), Ok(Verdict::Serve), "{query}");
    }
    broadcast.packager.finish();
    for query in ["_HLS_msn=900", "_HLS_part=1", "_HLS_msn=6&_HLS_part=1", "_HLS_skip=YES"] {
        assert_eq!(judge(&broadcast.window(), query), Ok(Verdict::Serve), "{query}");
    }
}

fn segment(number: u64, discontinuity: u64) -> File {
    File::Segment { number, discontinuity }
}

#[test]
fn a_segment_of_another_source_is_not_given_to_who_asked_for_the_last_ones_next() {
    let mut broadcast = Broadcast::live(Source::default(), 10);
    let find =
        |window: &Window, number, discontinuity| request::find(window, TrackId::VIDEO, segment(number, discontinuity));
    let asked = broadcast.window();
    let next = asked.video.as_ref().expect("video").next_segment;
    assert!(matches!(find(&asked, next, 0), Found::Soon));
    broadcast.push(crate::Input::Cut);
    broadcast.run_millis(14_000, |_| {});
    let window = broadcast.window();
    let after = window
        .video
        .as_ref()
        .expect("video")
        .segments()
        .find(|segment| segment.discontinuity == 1)
        .expect("a discontinuity")
        .number;
    assert!(matches!(find(&window, after, 0), Found::Past));
    assert!(matches!(find(&window, after, 1), Found::Segment { .. }));
    assert!(matches!(find(&window, after, 2), Found::Nothing));
    assert!(matches!(find(&window, after - 1, 1), Found::Nothing));
    let plain = hls::media(
        &window,
        window.rendition(TrackId::VIDEO).expect("video"),
        Form::Plain { seconds: None },
    );
    assert!(plain.contains(&format!("\nvideo/{after}-1.mp4\n")), "{plain}");
}

#[test]
fn files_are_found_held_or_not_there() {
    let mut broadcast = Broadcast::live(Source::default(), 10);
    let window = broadcast.window();
    let find = |window: &Window, file| request::find(window, TrackId::VIDEO, file);
    let next_part = window.video.as_ref().expect("video").next_part;
    assert!(matches!(find(&window, File::Init(1)), Found::Init(_)));
    assert!(matches!(find(&window, File::Init(2)), Found::Nothing));
    assert!(matches!(
        find(&window, segment(4, 0)),
        Found::Segment { whole: true, .. }
    ));
    assert!(matches!(
        find(&window, segment(5, 0)),
        Found::Segment { whole: false, .. }
    ));
    assert!(matches!(find(&window, segment(6, 0)), Found::Soon));
    assert!(matches!(find(&window, segment(7, 0)), Found::Nothing));
    assert!(matches!(find(&window, File::Part(0)), Found::Part(_)));
    assert!(matches!(find(&window, File::Part(next_part - 1)), Found::Part(_)));
    assert!(matches!(find(&window, File::Part(next_part)), Found::Soon));
    assert!(matches!(find(&window, File::Part(next_part + 1)), Found::Nothing));
    broadcast.packager.finish();
    let ended = broadcast.window();
    let next_part = ended.video.as_ref().expect("video").next_part;
    assert!(
        matches!(find(&ended, File::Part(next_part)), Found::Nothing),
        "a dropped hint"
    );
    assert!(matches!(find(&ended, segment(6, 0)), Found::Past));
    assert!(matches!(find(&ended, segment(7, 0)), Found::Nothing));
}

#[test]
fn a_segment_is_its_parts_one_after_another() {
    let window = window();
    for rendition in window.renditions() {
        for segment in rendition.listed() {
            let parts = segment
                .parts
                .iter()
                .map(|part| rendition.part(part.number).expect("a part"));
            assert_eq!(parts.map(|part| part.bytes.len() as u64).sum::<u64>(), segment.bytes());
            assert_eq!(&segment.parts[0].bytes[4..8], b"prft");
            assert!(segment.parts[1..].iter().all(|part| &part.bytes[4..8] == b"moof"));
        }
    }
}
