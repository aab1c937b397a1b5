use std::sync::Arc;

use hub::{Codec, Planned, Rung};
use media::{FrameRate, Kind, TrackId, VideoCodec};

use super::level;

/// Rungs of one ladder: as many as a broadcast has made tracks.
pub const RUNGS_MAX: usize = TrackId::MADE_MAX as usize;
/// An AVC rung of at least this size is made of what not every player can play.
const PLAYABLE_SIZE: u32 = 720;
/// A frame rate may be over its cap by this share: 60 is no more than 59.94, nor 30.3 more than 30.
const RATE_TOLERANCE: f64 = 1.02;
/// How far an encoder's rate may rise over its average, in percent.
const PEAK_PERCENT: u64 = 120;

/// What is known of the source's picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its codec.
    pub codec: VideoCodec,
    /// Width of the displayed picture, in pixels.
    pub width: u32,
    /// Height of the displayed picture, in pixels.
    pub height: u32,
    /// Frames per second, where known.
    pub frame_rate: Option<FrameRate>,
    /// Bits per second of its picture, where measured.
    pub bitrate: Option<u32>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The rungs, the best first.
    pub rungs: Vec<Rung>,
    /// Whether a rung of the source's own size is wanted beside the source. It is made in any case of a source that not every
    /// player can play.
    pub own_size: bool,
}

/// One picture to encode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What it is published as.
    pub track: TrackId,
    /// What it is called.
    pub name: Arc<str>,
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// One of so many frames is taken, from each key frame on.
    pub divisor: u32,
    /// Frames per second, where known.
    pub frame_rate: Option<FrameRate>,
    /// Frames per second at most.
    pub frame_rate_max: u32,
    /// Bits per second on average.
    pub bitrate: u32,
    /// How it is encoded.
    pub codec: Codec,
}

impl Shape {
    /// Takes one of more frames if the source was measured to have too many. Returns whether that changes anything.
    pub fn thin_out(&mut self, measured: FrameRate) -> bool {
        let divisor = divisor(Some(measured), self.frame_rate_max);
        // Of a source whose rate changes, never more than it may.
        if divisor <= self.divisor {
            return false;
        }
        self.divisor = divisor;
        self.frame_rate = divided(Some(measured), divisor);
        true
    }

    /// Bits per second at most.
    pub fn peak(&self) -> u32 {
        u32::try_from(u64::from(self.bitrate) * PEAK_PERCENT / 100).unwrap_or(u32::MAX)
    }

    /// The level that the encoder is told to keep, as its codec numbers it: 31 for 3.1 of AVC and HEVC.
    pub fn level(&self) -> u8 {
        level::level(self)
    }

    /// What playlists say of it before its first frame.
    pub fn planned(&self) -> Planned {
        Planned {
            track: self.track,
            name: Arc::clone(&self.name),
            codec_string: level::codec_string(self).into(),
            width: self.width,
            height: self.height,
            frame_rate: self.frame_rate,
            peak: self.peak(),
            average: self.bitrate,
        }
    }

    /// Frames per second, 30 where unknown.
    pub fn frames_per_second(&self) -> f64 {
        self.frame_rate.map_or(30.0, FrameRate::per_second)
    }
}

/// The pictures to make of a source, the best first. A rung keeps its track whatever becomes of those beside it.
pub fn shapes(source: &Source, wanted: &Wanted) -> Vec<Shape> {
    let everywhere = source.codec == VideoCodec::Avc;
    let own_size = wanted.own_size || !everywhere;
    // One more is added where not every player plays the source.
    let most = RUNGS_MAX - usize::from(!everywhere);
    let rungs = wanted.rungs.iter().take(most).zip(TrackId::DERIVED..);
    let fits = |rung: &Rung| fits(rung, source, own_size);
    let mut shapes: Vec<_> = rungs
        .filter(|(rung, _)| fits(rung))
        .map(|(rung, index)| shape(rung, index, source))
        .collect();
    if !everywhere {
        add_playable(&mut shapes, source, wanted);
    }
    shapes.sort_by_key(|shape| std::cmp::Reverse((shape.width.min(shape.height), shape.bitrate)));
    shapes
}

/// Never larger than the source, and never as many bits. Sound alone is no picture.
fn fits(rung: &Rung, source: &Source, own_size: bool) -> bool {
    let short = source.width.min(source.height);
    let smaller = rung.size < short || own_size && rung.size == short;
    // A source of another codec needs fewer bits for the same picture.
    let lighter = source.codec != VideoCodec::Avc || source.bitrate.is_none_or(|bitrate| rung.bitrate < bitrate);
    (16..=4_320).contains(&rung.size) && smaller && lighter && rung.bitrate > 0
}

fn shape(rung: &Rung, index: u8, source: &Source) -> Shape {
    let (width, height) = scaled(source, rung.size);
    let divisor = divisor(source.frame_rate, rung.frame_rate_max);
    Shape {
        track: TrackId {
            kind: Kind::Video,
            index,
        },
        name: Arc::clone(&rung.name),
        width,
        height,
        divisor,
        frame_rate: divided(source.frame_rate, divisor),
        frame_rate_max: rung.frame_rate_max,
        bitrate: rung.bitrate,
        codec: rung.codec,
    }
}

/// The source's picture with `size` pixels on its shorter side, both sides even.
fn scaled(source: &Source, size: u32) -> (u32, u32) {
    let short = u64::from(source.width.min(source.height).max(1));
    let side = |length: u32| {
        let scaled = (u64::from(length) * u64::from(size) + short) / (2 * short) * 2;
        u32::try_from(scaled.max(2)).unwrap_or(u32::MAX)
    };
    (side(source.width), side(source.height))
}

fn divided(rate: Option<FrameRate>, divisor: u32) -> Option<FrameRate> {
    rate.and_then(|rate| FrameRate::new(rate.frames, rate.seconds.checked_mul(divisor)?))
}

fn divisor(rate: Option<FrameRate>, cap: u32) -> u32 {
    let Some(rate) = rate else { return 1 };
    let most = f64::from(cap.max(1)) * RATE_TOLERANCE;
    (rate.per_second() / most).ceil().clamp(1.0, 60.0) as u32
}

/// One AVC rung of the source's size, or 720p at least, so that every player has a good picture.
fn add_playable(shapes: &mut Vec<Shape>, source: &Source, wanted: &Wanted) {
    let size = source.width.min(source.height).min(PLAYABLE_SIZE) / 2 * 2;
    let plays = |shape: &Shape| shape.codec == Codec::Avc && shape.width.min(shape.height) >= size;
    if shapes.iter().any(plays) || wanted.rungs.is_empty() || size < 16 {
        return;
    }
    // Behind the rungs that were asked for, whose tracks stay as they are.
    let index = TrackId::DERIVED + wanted.rungs.len().min(RUNGS_MAX - 1) as u8;
    let rung = Rung {
        name: format!("{size}p-avc").into(),
        size,
        frame_rate_max: 60,
        // As many bits a pixel as 720p of 2.5 Mbit/s.
        bitrate: (2_500_000 * u64::from(size) * u64::from(size) / (720 * 720)) as u32,
        codec: Codec::Avc,
    };
    shapes.push(shape(&rung, index, source));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ladder::{find, presets};

    fn source(width: u32, height: u32, fps: u32) -> Source {
        Source {
            codec: VideoCodec::Avc,
            width,
            height,
            frame_rate: FrameRate::new(fps, 1),
            bitrate: None,
        }
    }

    fn default() -> Wanted {
        Wanted {
            rungs: find(&[], "default").unwrap().rungs,
            own_size: false,
        }
    }

    fn sizes(shapes: &[Shape]) -> Vec<(&str, u32, u32)> {
        shapes
            .iter()
            .map(|shape| (&*shape.name, shape.width, shape.height))
            .collect()
    }

    #[test]
    fn rungs_are_smaller_than_the_source() {
        let shapes = shapes(&source(1_280, 720, 30), &default());
        assert_eq!(
            sizes(&shapes),
            [("480p", 854, 480), ("360p", 640, 360), ("240p", 426, 240)]
        );
    }

    #[test]
    fn a_rung_of_the_sources_own_size_is_made_where_it_is_asked_for() {
        let wanted = Wanted {
            own_size: true,
            ..default()
        };
        assert_eq!(shapes(&source(1_280, 720, 30), &wanted)[0].width, 1_280);
    }

    #[test]
    fn no_rung_has_as_many_bits_as_the_source() {
        let slow = Source {
            bitrate: Some(700_000),
            ..source(1_280, 720, 30)
        };
        assert_eq!(
            sizes(&shapes(&slow, &default())),
            [("360p", 640, 360), ("240p", 426, 240)]
        );
    }

    #[test]
    fn a_picture_that_stands_upright_goes_by_its_shorter_side() {
        let shapes = shapes(&source(1_080, 1_920, 30), &default());
        assert_eq!(sizes(&shapes)[0], ("720p", 720, 1_280));
    }

    #[test]
    fn odd_sizes_become_even_and_keep_their_aspect() {
        let shapes = shapes(&source(1_363, 765, 30), &default());
        assert_eq!(sizes(&shapes)[0], ("720p", 1_282, 720));
        assert_eq!(sizes(&shapes)[1], ("480p", 856, 480));
    }

    #[test]
    fn many_frames_a_second_are_for_upper_rungs_alone() {
        let rates = |fps| {
            let shapes = shapes(&source(1_920, 1_080, fps), &default());
            shapes
                .iter()
                .map(|shape| shape.frame_rate.unwrap().per_second())
                .collect::<Vec<_>>()
        };
        assert_eq!(rates(60), [60.0, 30.0, 30.0, 30.0]);
        assert_eq!(rates(50), [50.0, 25.0, 25.0, 25.0]);
        assert_eq!(rates(24), [24.0; 4]);
    }

    #[test]
    fn a_rate_of_59_94_is_halved_and_29_97_is_not() {
        let rate = |frames| divisor(FrameRate::new(frames, 1_001), 30);
        assert_eq!((rate(60_000), rate(30_000)), (2, 1));
    }

    #[test]
    fn a_source_that_does_not_say_its_rate_is_thinned_out_once_that_is_measured() {
        let unsaid = Source {
            frame_rate: None,
            ..source(1_280, 720, 60)
        };
        let mut small = shapes(&unsaid, &default()).pop().unwrap();
        assert_eq!((small.divisor, small.frame_rate), (1, None));
        assert!(!small.thin_out(FrameRate::new(30_100, 1_000).unwrap()));
        assert!(small.thin_out(FrameRate::new(59_700, 1_000).unwrap()));
        assert_eq!(small.divisor, 2);
        assert!(!small.thin_out(FrameRate::new(25_000, 1_000).unwrap()), "it stays");
    }

    #[test]
    fn what_not_every_player_plays_gets_an_avc_rung_of_its_size_or_720p() {
        let of = |width, height| Source {
            codec: VideoCodec::Hevc,
            bitrate: Some(1_000_000),
            ..source(width, height, 30)
        };
        assert_eq!(sizes(&shapes(&of(1_280, 720), &default()))[0], ("720p", 1_280, 720));
        assert_eq!(sizes(&shapes(&of(640, 400), &default()))[0], ("400p-avc", 640, 400));
        assert_eq!(
            sizes(&shapes(&of(3_840, 2_160), &default()))[0],
            ("1080p", 1_920, 1_080)
        );
    }

    #[test]
    fn a_rung_keeps_its_track_whatever_the_source_is() {
        let track = |width, height| {
            let shapes = shapes(&source(width, height, 30), &default());
            shapes
                .iter()
                .find(|shape| &*shape.name == "360p")
                .map(|shape| shape.track)
        };
        assert_eq!(track(1_920, 1_080), track(854, 480));
    }

    proptest! {
        #[test]
        fn every_ladder_of_every_source_is_sound(width in 1_u32..8_000, height in 1_u32..8_000, fps in 1_u32..240, codec in 0..4) {
            let codec = [VideoCodec::Avc, VideoCodec::Hevc, VideoCodec::Av1, VideoCodec::Vp9][codec as usize];
            let source = Source { codec, ..source(width, height, fps) };
            for preset in presets() {
                let shapes = shapes(&source, &Wanted { rungs: preset.rungs, own_size: false });
                prop_assert!(shapes.len() <= RUNGS_MAX);
                for shape in &shapes {
                    prop_assert!(shape.width.is_multiple_of(2) && shape.height.is_multiple_of(2));
                    prop_assert!(shape.width.min(shape.height) <= width.min(height).max(2));
                    prop_assert!(shape.track.is_derived() && shape.track.index < TrackId::DERIVED + TrackId::MADE_MAX);
                    prop_assert!(shape.frames_per_second() <= 61.2);
                }
            }
        }
    }
}
