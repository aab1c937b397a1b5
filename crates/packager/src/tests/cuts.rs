use media::{Kind, Parameters, TrackId};

use super::promises::Checker;
use crate::testing::{self, Broadcast, Source, input};
use crate::window::Rendition;
use crate::{Input, Numbering, Settings, Window};

/// The discontinuity sequence number that a rendition has at a wall-clock time, in milliseconds.
fn discontinuity_at(rendition: &Rendition, millis: i64) -> Option<u64> {
    let at = rendition.segments().rfind(|segment| segment.date_time.0 <= millis)?;
    Some(at.discontinuity)
}

/// Both renditions have the same discontinuity in the middle of each segment.
fn check_agreement(window: &Window) {
    let (video, audio) = (
        window.video.as_ref().expect("video"),
        window.audio.as_ref().expect("audio"),
    );
    for segment in video.listed() {
        let middle = segment.date_time.0 + segment.span().micros() as i64 / 2_000;
        assert_eq!(
            discontinuity_at(audio, middle),
            Some(segment.discontinuity),
            "segment {}",
            segment.number
        );
    }
}

fn hd() -> Parameters {
    let Parameters::Video(mut video) = testing::video(None) else {
        unreachable!("video parameters")
    };
    video.width = 1_920;
    Parameters::Video(video)
}

#[test]
fn another_source_is_a_discontinuity_in_both_renditions() {
    let mut broadcast = Broadcast::live(Source::default(), 10);
    let mut checker = Checker::default();
    for second in 1..=5 {
        broadcast.push(Input::Cut);
        broadcast.announce();
        broadcast.run_millis(10_000 + second * 4_000, |window| checker.look(window));
    }
    let window = broadcast.window();
    check_agreement(&window);
    assert_eq!(
        window.video.as_ref().expect("video").newest().map(|(number, _)| number),
        window.audio.as_ref().expect("audio").newest().map(|(number, _)| number)
    );
    assert_eq!(
        window
            .video
            .as_ref()
            .expect("video")
            .listed()
            .last()
            .expect("one")
            .discontinuity,
        5
    );
    assert_eq!(
        window.video.as_ref().expect("video").init.number,
        1,
        "the same parameters need no other init"
    );
}

#[test]
fn another_resolution_is_a_discontinuity_with_another_init() {
    let mut broadcast = Broadcast::live(Source::default(), 10);
    let mut checker = Checker::default();
    broadcast.push(input::parameters(hd()));
    broadcast.run_millis(20_000, |window| checker.look(window));
    let window = broadcast.window();
    check_agreement(&window);
    let video = window.video.as_ref().expect("video");
    assert_eq!(video.init.number, 2);
    assert!(video.init(1).is_some(), "segments that need it are still there");
    assert_eq!(video.listed().last().expect("one").discontinuity, 1);
}

#[test]
fn sound_of_another_rate_goes_on_after_a_discontinuity() {
    let mut broadcast = Broadcast::live(Source::default(), 10);
    let mut checker = Checker {
        dependent_allowed: true,
        ..Checker::default()
    };
    broadcast.push(Input::Cut);
    broadcast.push(input::parameters(hd()));
    broadcast.push(input::parameters(testing::audio(44_100)));
    broadcast.source.audio = None;
    let mut frames = 300;
    for n in 0..430_u64 {
        let mut sample = testing::sound(n);
        sample.dts += 441_000;
        while frames * 1_000 / 30 < 10_000 + n * 1_024 * 1_000 / 44_100 {
            frames += 1;
            broadcast.run_millis(frames * 1_000 / 30, |window| checker.look(window));
        }
        broadcast.push(Input::Sample {
            track: TrackId::AUDIO,
            sample,
        });
    }
    let window = broadcast.window();
    check_agreement(&window);
    let audio = window.audio.as_ref().expect("audio");
    let last = audio.listed().last().expect("one");
    assert_eq!((last.timescale, last.discontinuity, last.init.number), (44_100, 1, 2));
    assert_eq!(
        window
            .video
            .as_ref()
            .expect("video")
            .listed()
            .last()
            .expect("one")
            .discontinuity,
        1
    );
}

#[test]
fn a_source_that_sends_nothing_leaves_no_trace() {
    let mut broadcast = Broadcast::live(Source::default(), 4);
    for _ in 0..5 {
        broadcast.push(Input::Cut);
        broadcast.announce();
    }
    broadcast.run_millis(10_000, |_| {});
    assert_eq!(
        broadcast
            .window()
            .video
            .as_ref()
            .expect("video")
            .listed()
            .last()
            .expect("one")
            .discontinuity,
        1
    );
}

#[test]
fn a_pause_is_a_discontinuity() {
    let mut broadcast = Broadcast::live(Source::default(), 4);
    let mut checker = Checker::default();
    let pictures = broadcast.source.video.expect("video");
    for n in 600..900 {
        let sample = pictures.frame(n);
        broadcast.push(Input::Sample {
            track: TrackId::VIDEO,
            sample,
        });
        checker.look(&broadcast.window());
    }
    let window = broadcast.window();
    let video = window.video.as_ref().expect("video");
    let after = video
        .listed()
        .iter()
        .find(|segment| segment.discontinuity == 1)
        .expect("a segment after it");
    assert_eq!(after.start, 600 * 3_000);
}

#[test]
fn after_a_restart_numbers_go_on_with_a_discontinuity() {
    let mut before = Broadcast::live(Source::default(), 10);
    let targets = before.window().targets;
    let reserved = Numbering {
        segment: 1_000,
        part: 5_000,
        discontinuity: 100,
    };
    let used = before.packager.numbering();
    assert!(used.segment < reserved.segment && used.part < reserved.part);
    let settings = Settings {
        numbering: reserved,
        resumed: Some(targets),
        ..Settings::default()
    };
    let mut after = Broadcast::new(Source::default(), settings);
    let mut checker = Checker::default();
    after.run_millis(10_000, |window| checker.look(window));
    let window = after.window();
    assert_eq!(window.targets, targets);
    for rendition in window.renditions() {
        let first = &rendition.listed()[0];
        assert_eq!(
            (first.number, first.discontinuity, first.discontinuities),
            (1_000, 101, 1)
        );
        assert_eq!(first.parts[0].number, 5_000);
        assert_eq!(rendition.init.number, 102);
    }
}

#[test]
fn the_end_leaves_whole_segments_and_an_end_list() {
    let mut broadcast = Broadcast::live(Source::default(), 10);
    broadcast.packager.finish();
    let window = broadcast.window();
    assert!(window.ended);
    for rendition in window.renditions() {
        assert!(rendition.open.is_none());
        let text = crate::hls::media(&window, rendition, crate::hls::Form::LowLatency { delta: true });
        assert!(text.ends_with("#EXT-X-ENDLIST\n") && !text.contains("HINT") && !text.contains("EXT-X-SKIP"));
        let samples: u32 = rendition.kept.iter().map(|segment| segment.frames()).sum();
        assert_eq!(samples, if rendition.track.kind == Kind::Video { 300 } else { 469 });
    }
}

#[test]
fn a_broadcast_shorter_than_a_part_is_still_there() {
    let mut broadcast = Broadcast::new(Source::default(), Settings::default());
    broadcast.run_millis(80, |_| {});
    broadcast.packager.finish();
    assert_eq!(broadcast.window().video.as_ref().expect("video").listed().len(), 1);
}
