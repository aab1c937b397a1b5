//! What encoding costs, in thousandths of a processor: docs/transcoding.md says what of it was measured.

use hub::Codec;
use media::VideoCodec;

use crate::encoder::{Encoder, Family};
use crate::ladder::{Shape, Source, Speed};

/// A child that makes sound alone.
pub const AUDIO: u32 = 30;

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

/// Scaling and encoding one rung.
pub fn encode(shape: &Shape, encoder: Encoder, speed: Speed) -> u32 {
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
        // Scaling and the copy to the device.
        _ => 1.5,
    };
    thousandths(shape.width, shape.height, shape.frames_per_second(), per_megapixel)
}

fn thousandths(width: u32, height: u32, fps: f64, per_megapixel: f64) -> u32 {
    let megapixels = f64::from(width) * f64::from(height) * fps / 1e6;
    (megapixels * per_megapixel).ceil() as u32
}
