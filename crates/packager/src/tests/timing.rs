use std::time::Duration;

use media::{FrameRate, TrackId};
use proptest::prelude::*;

use super::promises::Checker;
use crate::testing::{Broadcast, Pictures, Source, input, sound};
use crate::{Input, Learned, Settings};

const RATES: [(u32, u32); 9] = [
    (24_000, 1_001),
    (25, 1),
    (30_000, 1_001),
    (30, 1),
    (50, 1),
    (60_000, 1_001),
    (60, 1),
    (120, 1),
    (15, 1),
];

#[test]
fn every_frame_rate_makes_parts_of_whole_frames() {
    for (frames, seconds) in RATES {
        for rounded in [false, true] {
            let mut pictures = Pictures::new(frames, seconds, u64::from((2 * frames).div_ceil(seconds)));
            pictures.rounded = rounded;
            let source = Source {
                video: Some(pictures),
                ..Source::default()
            };
            let mut broadcast = Broadcast::new(source, Settings::default());
            let mut checker = Checker::default();
            broadcast.run_millis(30_000, |window| checker.look(window));
            let window = broadcast.window();
            let target = window.targets.video_part.expect("parts");
            assert!(
                (280_000..=380_000).contains(&target.micros()),
                "{frames}/{seconds}: {target}"
            );
            assert!(window.rendition(TrackId::VIDEO).expect("video").listed().len() >= 13);
        }
    }
}

#[test]
fn every_key_frame_interval_fits_once_it_is_known() {
    for group in [15_u64, 30, 45, 60, 75, 90, 120, 250, 300] {
        let ms = u32::try_from(group * 1_000 / 30).expect("small");
        let settings = Settings {
            learned: Some(Learned {
                key_interval_ms: ms,
                stated_ms: None,
            }),
            ..Settings::default()
        };
        let source = Source {
            video: Some(Pictures::new(30, 1, group)),
            ..Source::default()
        };
        let mut broadcast = Broadcast::new(source, settings);
        let mut checker = Checker::default();
        broadcast.run_millis(90_000, |window| checker.look(window));
        assert_eq!(
            broadcast.packager.learned().map(|learned| learned.key_interval_ms),
            Some(ms)
        );
    }
}

#[test]
fn without_key_frames_segments_go_on_and_claim_nothing() {
    let source = Source {
        video: Some(Pictures::new(30, 1, 30 * 60)),
        ..Source::default()
    };
    let mut broadcast = Broadcast::new(source, Settings::default());
    let mut checker = Checker {
        dependent_allowed: true,
        ..Checker::default()
    };
    broadcast.run_millis(75_000, |window| checker.look(window));
    let window = broadcast.window();
    let video = window.rendition(TrackId::VIDEO).expect("video");
    let dependent = video.listed().iter().filter(|segment| !segment.independent()).count();
    assert!(dependent > 8);
    let text = crate::hls::media(&window, video, crate::hls::Form::Plain { seconds: None });
    assert!(!text.contains("INDEPENDENT"));
}

#[test]
fn independence_is_not_claimed_before_it_is_known() {
    let mut broadcast = Broadcast::new(Source::default(), Settings::default());
    let mut claims = Vec::new();
    broadcast.run_millis(5_000, |window| {
        let video = window.video.as_ref().expect("video");
        let text = crate::hls::media(window, video, crate::hls::Form::Plain { seconds: None });
        claims.push(text.contains("INDEPENDENT-SEGMENTS"));
    });
    assert_eq!((claims.first(), claims.last()), (Some(&false), Some(&true)));
}

#[test]
fn held_pictures_make_parts_and_segments_as_ever() {
    let mut broadcast = Broadcast::live(Source::default(), 10);
    let mut checker = Checker::default();
    let still = broadcast.source.video.expect("video").frame(270);
    for n in 0..120_i64 {
        let mut sample = still.clone();
        sample.dts = 900_000 + n * 15_000;
        sample.duration = Some(15_000);
        broadcast.push(Input::Sample {
            track: TrackId::VIDEO,
            sample,
        });
        checker.look(&broadcast.window());
    }
    let window = broadcast.window();
    let video = window.video.as_ref().expect("video");
    assert_eq!(video.frame_rate, None);
    let held = &video.listed()[video.listed().len() - 5..];
    assert!(held.iter().all(|segment| segment.span().micros() == 2_000_000));
    let learned = broadcast.packager.learned().expect("what the encoder showed");
    assert_eq!(learned.key_interval_ms, 1_000);
}

#[test]
fn reordered_frames_keep_their_places() {
    let mut pictures = Pictures::new(30, 1, 60);
    pictures.reorders = true;
    let source = Source {
        video: Some(pictures),
        ..Source::default()
    };
    let mut broadcast = Broadcast::new(source, Settings::default());
    let mut checker = Checker::default();
    broadcast.run_millis(20_000, |window| checker.look(window));
    let window = broadcast.window();
    let (video, audio) = (
        &window.video.as_ref().expect("video"),
        &window.audio.as_ref().expect("audio"),
    );
    for segment in video.listed() {
        assert_eq!(segment.presentation_delay, 3_000);
        // Its sound begins with the first frame that is not before its picture.
        let sound = audio.segment(segment.number).expect("the same number");
        let late = sound.date_time.0 - segment.date_time.0;
        assert!((0..=22).contains(&late) || segment.number == 0, "{late} ms");
    }
}

#[test]
fn sound_of_any_rate_follows_the_picture() {
    for rate in [44_100, 48_000] {
        for (frames, seconds) in RATES {
            let source = Source {
                video: Some(Pictures::new(frames, seconds, u64::from(frames / seconds))),
                audio: Some(rate),
            };
            let mut broadcast = Broadcast::new(source, Settings::default());
            let mut checker = Checker::default();
            broadcast.run_millis(20_000, |window| checker.look(window));
            let window = broadcast.window();
            let (video, audio) = (
                window.video.as_ref().expect("video"),
                window.audio.as_ref().expect("audio"),
            );
            for (picture, sound) in video.listed().iter().zip(audio.listed()) {
                assert_eq!(picture.number, sound.number);
                assert!((0..=24).contains(&(sound.date_time.0 - picture.date_time.0)));
            }
        }
    }
}

#[test]
fn sound_that_began_before_its_picture_fits_into_the_target_too() {
    let mut pictures = Pictures::new(15, 1, 132);
    pictures.reorders = true;
    let source = Source {
        video: Some(pictures),
        audio: Some(44_100),
    };
    let settings = Settings {
        segment: Duration::from_secs(1),
        ..Settings::default()
    };
    let mut checker = Checker {
        dependent_allowed: true,
        ..Checker::default()
    };
    Broadcast::new(source, settings).run_millis(20_000, |window| checker.look(window));
}

#[test]
fn sound_alone_cuts_itself() {
    let source = Source {
        video: None,
        audio: Some(44_100),
    };
    let mut broadcast = Broadcast::new(source, Settings::default());
    let mut checker = Checker::default();
    broadcast.run_millis(30_000, |window| checker.look(window));
    let window = broadcast.window();
    assert_eq!(window.targets.target_duration, 2);
    let listed = window.audio.as_ref().expect("audio").listed();
    assert!(listed[0].span().micros() < 400_000);
    assert!(
        listed[1..]
            .iter()
            .all(|segment| (1_980_000..2_030_000).contains(&segment.span().micros()))
    );
}

#[test]
fn below_6_frames_a_second_there_are_no_parts() {
    for (frames, seconds) in [(1, 1), (5, 1), (1, 2)] {
        let mut pictures = Pictures::new(frames, seconds, 4);
        pictures.rounded = true;
        let source = Source {
            video: Some(pictures),
            ..Source::default()
        };
        let mut broadcast = Broadcast::new(source, Settings::default());
        let mut checker = Checker {
            dependent_allowed: true,
            ..Checker::default()
        };
        broadcast.run_millis(40_000, |window| checker.look(window));
        assert!(!broadcast.window().targets.low_latency(), "{frames}/{seconds}");
    }
}

#[test]
fn the_first_part_comes_early() {
    let mut broadcast = Broadcast::new(Source::default(), Settings::default());
    broadcast.run_millis(190, |_| {});
    let window = broadcast.window();
    assert_eq!(window.video.as_ref().expect("video").newest(), Some((0, 0)));
    assert_eq!(window.audio.as_ref().expect("audio").newest(), Some((0, 0)));
}

#[test]
fn a_part_closes_when_its_last_frame_has_come() {
    let source = Source {
        audio: None,
        ..Source::default()
    };
    let mut broadcast = Broadcast::new(source, Settings::default());
    broadcast.run_millis(1_500, |_| {});
    let frames = |broadcast: &mut Broadcast| {
        broadcast
            .window()
            .video
            .as_ref()
            .expect("video")
            .segments()
            .map(|segment| segment.frames())
            .sum::<u32>()
    };
    let (before, mut after) = (frames(&mut broadcast), 0);
    let mut sent = 45;
    while after <= before {
        broadcast.run_millis(sent * 1_000 / 30 + 1, |_| {});
        sent += 1;
        after = frames(&mut broadcast);
    }
    assert_eq!(u64::from(after), sent, "the newest frame is in it");
}

#[test]
fn it_may_be_left_alone_until_a_part_is_due() {
    let mut broadcast = Broadcast::live(Source::default(), 10);
    let mut left_alone = 0;
    for n in 0..200 {
        let from = 10_000 + n * 50;
        let quiet = u64::try_from(broadcast.packager.quiet().as_millis()).expect("short");
        assert!(quiet < 334);
        // The newest frame came up to one frame ago.
        let quiet = quiet.saturating_sub(34);
        left_alone += quiet.min(50);
        let before = broadcast.window();
        broadcast.run_millis(from + quiet.min(50), |_| {});
        assert!(std::sync::Arc::ptr_eq(&before, &broadcast.window()), "after {from} ms");
        broadcast.run_millis(from + 50, |_| {});
    }
    assert!(left_alone > 3_000, "{left_alone} of 10,000 ms");
}

#[test]
fn one_track_that_stops_does_not_stop_the_other() {
    let mut broadcast = Broadcast::live(Source::default(), 5);
    broadcast.source.audio = None;
    broadcast.run_millis(40_000, |_| {});
    assert!(
        broadcast
            .window()
            .video
            .as_ref()
            .expect("video")
            .newest()
            .expect("parts")
            .0
            > 16
    );
    let mut broadcast = Broadcast::live(Source::default(), 5);
    broadcast.source.video = None;
    broadcast.run_millis(40_000, |_| {});
    let window = broadcast.window();
    let audio = window.audio.as_ref().expect("audio");
    assert!(audio.listed().last().expect("segments").span().micros() < 4_500_000);
}

#[test]
fn a_track_that_is_announced_and_does_not_come_is_left_out() {
    let source = Source {
        audio: None,
        ..Source::default()
    };
    let mut broadcast = Broadcast::new(source, Settings::default());
    broadcast.push(Input::Announced {
        video: true,
        audio: true,
    });
    broadcast.run_millis(290, |_| {});
    assert!(broadcast.packager.window().is_none());
    broadcast.run_millis(350, |_| {});
    assert!(broadcast.window().audio.is_none());
    broadcast.push(input::parameters(crate::testing::audio(48_000)));
    broadcast.push(Input::Sample {
        track: TrackId::AUDIO,
        sample: sound(20),
    });
    broadcast.run_millis(1_000, |_| {});
    assert!(broadcast.window().audio.is_none(), "the rendition set is fixed");
}

#[test]
fn a_variable_rate_keeps_parts_within_their_target() {
    let mut broadcast = Broadcast::new(
        Source {
            audio: None,
            ..Source::default()
        },
        Settings::default(),
    );
    let mut checker = Checker {
        short_parts_allowed: true,
        ..Checker::default()
    };
    let mut dts = 0;
    for n in 0..2_000_u64 {
        let mut sample = Pictures::new(30, 1, 30).frame(n);
        // A screen that is still for up to 0.7 s now and then.
        dts += if n % 17 == 16 { 63_000 } else { 3_000 };
        sample.dts = dts;
        broadcast.push(Input::Sample {
            track: TrackId::VIDEO,
            sample,
        });
        if let Some(window) = broadcast.packager.window() {
            checker.look(&window);
        }
    }
    let window = broadcast.window();
    let newest = window
        .video
        .as_ref()
        .expect("video")
        .segments()
        .last()
        .expect("one")
        .clone();
    let end = newest.start + newest.span().ticks as i64;
    assert!((dts - end).abs() < 90_000, "the timeline stays with the source's");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_the_source_promises_hold(
        rate in prop::sample::select(RATES.to_vec()),
        group_tenths in 5_u64..120,
        reorders: bool,
        rounded: bool,
        audio in prop::sample::select(vec![None, Some(44_100), Some(48_000)]),
        part_ms in 150_u64..600,
        segment_ms in 1_000_u64..6_000,
    ) {
        let rate = FrameRate::new(rate.0, rate.1).expect("a rate");
        let group = ((rate.per_second() * group_tenths as f64 / 10.0) as u64).max(1);
        let pictures = Pictures { rate, group, reorders, rounded };
        let settings = Settings {
            part: Duration::from_millis(part_ms),
            segment: Duration::from_millis(segment_ms),
            ..Settings::default()
        };
        let mut broadcast = Broadcast::new(Source { video: Some(pictures), audio }, settings);
        let mut checker = Checker { dependent_allowed: true, ..Checker::default() };
        broadcast.run_millis(40_000, |window| checker.look(window));
        let window = broadcast.window();
        let video = window.video.as_ref().expect("video");
        prop_assert!(video.listed().len() >= 3);
    }
}
