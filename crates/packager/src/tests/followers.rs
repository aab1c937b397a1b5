//! Tracks beside the main ones: their segments follow those of the picture that leads.

use bytes::Bytes;
use media::{Kind, Parameters, Planned, Sample, TrackId, VideoParameters};

use super::promises::Checker;
use crate::hls::{self, Form};
use crate::testing::{self, Broadcast, Pictures, Source};
use crate::window::{Rendition, Segment};
use crate::{Input, Settings, Window};

const RUNG: TrackId = TrackId {
    kind: Kind::Video,
    index: TrackId::DERIVED,
};

/// A broadcast with an encoder that makes another quality of its picture, so many frames late.
pub(super) struct Encoded {
    pub(super) broadcast: Broadcast,
    made: u64,
    /// Frames that the encoder has taken and not given.
    behind: u64,
    pub(super) dead: bool,
}

impl Encoded {
    pub(super) fn new(pictures: Pictures, behind: u64) -> Self {
        let source = Source {
            video: Some(pictures),
            audio: Some(48_000),
        };
        let mut broadcast = Broadcast::new(source, Settings::default());
        broadcast.push(Input::Planned([planned()].into()));
        broadcast.push(Input::Parameters {
            track: RUNG,
            parameters: small(),
        });
        Self {
            broadcast,
            made: 0,
            behind,
            dead: false,
        }
    }

    /// Runs until `millis`, in steps of a hundredth of a second.
    pub(super) fn run_until(&mut self, millis: u64, mut seen: impl FnMut(&Window)) {
        let pictures = self.broadcast.source.video.expect("pictures");
        for at in (0..=millis).step_by(10) {
            self.broadcast.run_millis(at, &mut seen);
            while self.made + self.behind < self.broadcast.frames() {
                if !self.dead {
                    let sample = rung(&pictures, self.made);
                    self.broadcast.push(Input::Sample { track: RUNG, sample });
                }
                self.made += 1;
            }
            if let Some(window) = self.broadcast.packager.window() {
                seen(&window);
            }
        }
    }

    pub(super) fn window(&mut self) -> std::sync::Arc<Window> {
        self.broadcast.window()
    }
}

fn small() -> Parameters {
    let Parameters::Video(video) = testing::video(None) else {
        unreachable!("video is video");
    };
    Parameters::Video(VideoParameters {
        width: 640,
        height: 360,
        codec_string: "avc1.64001E".into(),
        ..video
    })
}

fn planned() -> Planned {
    Planned {
        track: RUNG,
        name: "360p".into(),
        codec_string: "avc1.64001E".into(),
        width: 640,
        height: 360,
        frame_rate: None,
        peak: 900_000,
        average: 700_000,
    }
}

/// A frame that an encoder without reordering makes of the source's: decoded when that is presented.
fn rung(pictures: &Pictures, n: u64) -> Sample {
    let source = pictures.frame(n);
    Sample {
        dts: source.pts(),
        cts: 0,
        data: Bytes::from_static(b"small"),
        ..source
    }
}

fn both(window: &Window) -> (&Rendition, &Rendition) {
    let video = window.rendition(TrackId::VIDEO).expect("the source");
    (video, window.rendition(RUNG).expect("the rung"))
}

fn beginning(segment: &Segment) -> (u64, i64, u64) {
    (
        segment.number,
        segment.start + segment.presentation_delay,
        segment.discontinuity,
    )
}

#[test]
fn segments_of_both_qualities_begin_at_the_same_tick() {
    for (frames, seconds, group, behind) in [
        (30, 1, 60, 2),
        (25, 1, 25, 9),
        (30_000, 1_001, 240, 3),
        (60, 1, 120, 40),
    ] {
        let mut encoded = Encoded::new(Pictures::new(frames, seconds, group), behind);
        let mut checker = Checker {
            // Nobody knows yet how far apart the key frames are.
            dependent_allowed: group == 240,
            ..Checker::default()
        };
        encoded.run_until(30_000, |window| checker.look(window));
        let window = encoded.window();
        let (source, rung) = both(&window);
        let count = rung.listed().len();
        assert!(
            count + 1 >= source.listed().len() && count > 2,
            "{count} of {}",
            source.listed().len()
        );
        for (own, theirs) in rung.listed().iter().zip(source.listed()) {
            assert_eq!(beginning(own), beginning(theirs), "{frames}/{seconds}");
            assert_eq!(own.frames(), theirs.frames(), "{frames}/{seconds}");
            assert!(own.gap.is_none());
            assert_eq!(own.independent(), theirs.independent());
        }
    }
}

#[test]
fn an_encoder_that_dies_leaves_gaps_in_its_own_playlist_alone() {
    let mut encoded = Encoded::new(Pictures::new(30, 1, 60), 3);
    encoded.run_until(10_000, |_| {});
    encoded.dead = true;
    encoded.run_until(20_000, |_| {});
    encoded.dead = false;
    let mut checker = Checker::default();
    encoded.run_until(30_000, |window| checker.look(window));
    let window = encoded.window();
    let (source, rung) = both(&window);
    assert!(source.listed().iter().all(|segment| segment.gap.is_none()));
    let gaps: Vec<u64> = rung
        .listed()
        .iter()
        .filter(|segment| segment.gap.is_some())
        .map(|segment| segment.number)
        .collect();
    assert_eq!(gaps, [5, 6, 7, 8, 9]);
    for (own, theirs) in rung.listed().iter().zip(source.listed()) {
        assert_eq!((own.number, own.discontinuity), (theirs.number, theirs.discontinuity));
        let died_in_it = own.number == 4;
        assert_eq!(
            own.span().micros() == theirs.span().micros(),
            !died_in_it,
            "segment {}",
            own.number
        );
    }
    let text = hls::media(&window, rung, Form::LowLatency { delta: false });
    assert_eq!(text.matches("#EXT-X-GAP\n").count(), 5, "{text}");
    assert!(!text.contains("EXT-X-DISCONTINUITY\n"));
}

#[test]
fn a_rung_that_is_lost_is_a_gap_at_once_and_one_that_is_late_is_not() {
    let mut encoded = Encoded::new(Pictures::new(30, 1, 60), 45);
    encoded.run_until(8_000, |_| {});
    let window = encoded.window();
    assert!(
        both(&window).1.listed().iter().all(|segment| segment.gap.is_none()),
        "1.5 s late is not missing"
    );
    encoded.broadcast.push(Input::Lost(RUNG));
    encoded.dead = true;
    encoded.run_until(10_050, |_| {});
    let window = encoded.window();
    let (source, rung) = both(&window);
    assert_eq!(rung.next_whole(), source.next_whole(), "it goes on with the others");
}

#[test]
fn a_rung_of_which_nothing_ever_came_has_a_playlist_of_gaps_once_it_is_lost() {
    let mut encoded = Encoded::new(Pictures::new(30, 1, 60), 0);
    encoded.dead = true;
    encoded.run_until(5_000, |_| {});
    assert!(encoded.window().rendition(RUNG).is_none(), "it is waited for");
    encoded.broadcast.push(Input::Lost(RUNG));
    encoded.run_until(9_000, |_| {});
    let window = encoded.window();
    let text = hls::media(&window, both(&window).1, Form::LowLatency { delta: false });
    assert!(text.contains("#EXT-X-GAP\n") && !text.contains("#EXT-X-MAP"), "{text}");
}

#[test]
fn another_source_is_a_discontinuity_of_the_same_number_in_every_rung() {
    let mut encoded = Encoded::new(Pictures::new(30, 1, 60), 4);
    encoded.run_until(10_000, |_| {});
    // The last frames of the old source come out of the encoder after the cut.
    encoded.broadcast.push(Input::Cut);
    encoded.broadcast.announce();
    let mut checker = Checker::default();
    encoded.run_until(20_000, |window| checker.look(window));
    let window = encoded.window();
    let (source, rung) = both(&window);
    assert!(rung.listed().iter().any(|segment| segment.discontinuity == 1));
    for (own, theirs) in rung.listed().iter().zip(source.listed()) {
        assert_eq!(beginning(own), beginning(theirs));
        assert_eq!(
            (own.frames(), own.discontinuities),
            (theirs.frames(), theirs.discontinuities)
        );
    }
}
