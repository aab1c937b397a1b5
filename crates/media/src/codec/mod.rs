//! Codec headers: from a configuration record to [`Parameters`](crate::Parameters), and what else a server must know
//! of a bitstream: where decoding can start, how long an audio frame lasts, what silence is made of.
//!
//! All bytes here come from strangers, so nothing indexes, unwraps or computes unchecked, every loop is bounded by
//! its input, and sizes that no player could use are refused.
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "every codec's `parameters` takes its record alike, whether it keeps the bytes or writes them anew"
)]

pub mod aac;
pub mod ac3;
pub mod av1;
pub mod avc;
mod bits;
mod bytes;
pub mod flac;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod hevc;
mod limits;
pub mod mp3;
mod nal;
pub mod opus;
pub mod vp9;

use ::bytes::Bytes;

use crate::{AudioCodec, AudioParameters, VideoCodec, VideoParameters};

/// One coded frame of silence of exactly this configuration, to fill a gap without a decoder noticing.
///
/// `None` where none can be made (AC-3 and E-AC-3, AAC of an unusual channel layout).
pub fn silence(parameters: &AudioParameters) -> Option<Bytes> {
    match parameters.codec {
        AudioCodec::Aac => aac::silence(parameters),
        AudioCodec::Opus => opus::silence(parameters),
        AudioCodec::Mp3 => mp3::silence(parameters),
        AudioCodec::Flac => flac::silence(parameters),
        AudioCodec::Ac3 | AudioCodec::Eac3 => None,
    }
}

/// How long one coded audio frame lasts, in samples per channel at the track's sample rate.
///
/// `None` if the frame does not say so or is damaged.
pub fn frame_samples(parameters: &AudioParameters, frame: &[u8]) -> Option<u32> {
    match parameters.codec {
        AudioCodec::Opus => opus::packet_samples(frame),
        AudioCodec::Flac => flac::frame_samples(frame),
        _ => (parameters.frame_samples != 0).then_some(parameters.frame_samples),
    }
}

/// Whether decoding can start at this sample, from the bitstream itself: encoders' own flags are not always true.
pub fn is_keyframe(parameters: &VideoParameters, sample: &[u8]) -> bool {
    match parameters.codec {
        VideoCodec::Avc => avc::is_keyframe(sample, avc::length_size(&parameters.config)),
        VideoCodec::Hevc => hevc::is_keyframe(sample, hevc::length_size(&parameters.config)),
        VideoCodec::Av1 => av1::is_keyframe(sample),
        VideoCodec::Vp9 => vp9::is_keyframe(sample),
    }
}

/// The configuration record that `sample` switches to, if its own parameter sets differ from those of `parameters`.
///
/// Give it to the codec's `parameters` function. VP9 carries its parameters in every keyframe's header instead:
/// see [`vp9::parameters`].
pub fn in_band_config(parameters: &VideoParameters, sample: &[u8]) -> Option<Bytes> {
    match parameters.codec {
        VideoCodec::Avc => avc::in_band_parameter_sets(&parameters.config, sample),
        VideoCodec::Hevc => hevc::in_band_parameter_sets(&parameters.config, sample),
        VideoCodec::Av1 => av1::sequence_header_in(&parameters.config, sample),
        VideoCodec::Vp9 => None,
    }
}

/// Bytes written as hexadecimal digits, for the tables of the tests.
#[cfg(test)]
fn hex(digits: &str) -> Bytes {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(byte).collect()
}
