//! What encoding costs, in thousandths of a processor: docs/transcoding.md says what of it was measured.

use hub::Codec;
use media::VideoCodec;

use crate::encoder::{Encoder, Family};
use crate::ladder::{Shape, Source, Speed};

/// A child that makes sound alone.
pub const AUDIO: u32 = 30;

/// Scaling, for each megapixel of the source.
const SCALING: f64 = 0.73;

/// Decoding a source.
pub fn decode(source: &Source) -> u32 {
    let fps = source.frame_rate.map_or(30.0, media::FrameRate::per_second);
    let per_megapixel = match source.codec {
        VideoCodec::Avc => 3.0,
        VideoCodec::Hevc => 4.0,
        VideoCodec::Av1 | VideoCodec::Vp9 => 4.0,
    };
    thousandths(source.width, source.height, fps, per_megapixel)
}

/// Scaling a source to one rung and encoding that. Scaling costs by what is read, most of all for small rungs of large sources.
pub fn encode(source: &Source, shape: &Shape, encoder: Encoder, speed: Speed) -> u32 {
    let scaling = match (source.width, source.height) == (shape.width, shape.height) {
        true => 0,
        false => thousandths(source.width, source.height, shape.frames_per_second(), SCALING),
    };
    scaling + encoding(shape, encoder, speed)
}

fn encoding(shape: &Shape, encoder: Encoder, speed: Speed) -> u32 {
    let per_megapixel = match (encoder.family, encoder.codec, speed) {
        (Family::Software, Codec::Avc, Speed::Superfast) => 6.0,
        (Family::Software, Codec::Avc, Speed::Veryfast) => 9.0,
        (Family::Software, Codec::Avc, Speed::Fast) => 25.0,
        (Family::Software, Codec::Hevc, Speed::Superfast) => 16.0,
        (Family::Software, Codec::Hevc, Speed::Veryfast) => 24.0,
        (Family::Software, Codec::Hevc, Speed::Fast) => 40.0,
        (Family::Software, Codec::Av1, Speed::Superfast) => 16.0,
        (Family::Software, Codec::Av1, Speed::Veryfast) => 24.0,
        (Family::Software, Codec::Av1, Speed::Fast) => 40.0,
        // The copy to the device.
        _ => 1.5,
    };
    thousandths(shape.width, shape.height, shape.frames_per_second(), per_megapixel)
}

fn thousandths(width: u32, height: u32, fps: f64, per_megapixel: f64) -> u32 {
    let megapixels = f64::from(width) * f64::from(height) * fps / 1e6;
    (megapixels * per_megapixel).ceil() as u32
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use media::{FrameRate, TrackId};

    use super::*;

    #[test]
    fn costs_are_near_what_was_measured() {
        let source = Source {
            codec: VideoCodec::Avc,
            width: 1_920,
            height: 1_080,
            frame_rate: FrameRate::new(30, 1),
            bitrate: None,
        };
        // As docs/transcoding.md has them.
        for (width, height, measured) in [(1_280, 720, 311), (854, 480, 153), (640, 360, 112), (426, 240, 73)] {
            let shape = Shape {
                track: TrackId::VIDEO,
                name: Arc::from("x"),
                width,
                height,
                divisor: 1,
                frame_rate: source.frame_rate,
                frame_rate_max: 30,
                bitrate: 1_000_000,
                codec: Codec::Avc,
            };
            let cost = encode(
                &source,
                &shape,
                Encoder::of(Family::Software, Codec::Avc),
                Speed::Veryfast,
            );
            assert!(cost.abs_diff(measured) * 10 <= measured, "{height}p: {cost}");
        }
    }
}
