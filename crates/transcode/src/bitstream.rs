//! From what an encoder gives out to what the hub carries: parameters, and frames without start codes.

use bytes::{BufMut, Bytes, BytesMut};
use media::codec::{aac, av1, avc, hevc, opus};
use media::{Parameters, VideoParameters};

use crate::nut::{Class, Stream};

/// How an encoder's frames are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Avc,
    Hevc,
    Av1,
    Aac,
    Opus,
}

/// Turns the frames of one stream into samples' bytes.
#[derive(Debug)]
pub struct Bitstream {
    form: Form,
    parameters: Option<Parameters>,
}

impl Bitstream {
    /// For a stream with this header; `None` if it is of a codec that no ladder asks for.
    pub fn new(stream: &Stream) -> Option<Self> {
        let form = match (stream.class, &stream.fourcc[..]) {
            (Class::Video, b"H264" | b"h264" | b"avc1") => Form::Avc,
            (Class::Video, b"HEVC" | b"hevc" | b"H265" | b"hev1" | b"hvc1") => Form::Hevc,
            (Class::Video, b"AV01" | b"av01") => Form::Av1,
            (Class::Audio, b"\xff\x00\x00\x00" | b"mp4a") => Form::Aac,
            (Class::Audio, b"\x4f\x70\x00\x00" | b"Opus" | b"OPUS") => Form::Opus,
            _ => return None,
        };
        let parameters = match form {
            Form::Aac => aac::parameters(stream.extradata.clone()).ok().map(Parameters::Audio),
            Form::Opus => opus::parameters(stream.extradata.clone()).ok().map(Parameters::Audio),
            Form::Av1 => video(form, &stream.extradata),
            Form::Avc | Form::Hevc => video(form, &lengths(&stream.extradata)),
        };
        Some(Self { form, parameters })
    }

    /// What a decoder must know; `None` before the first key frame, where the header does not say.
    pub fn parameters(&self) -> Option<&Parameters> {
        self.parameters.as_ref()
    }

    /// A frame as the hub carries it.
    pub fn convert(&mut self, frame: Bytes) -> Bytes {
        let frame = match self.form {
            Form::Avc | Form::Hevc => lengths(&frame),
            Form::Av1 => av1::strip_temporal_delimiters(frame),
            Form::Aac | Form::Opus => return frame,
        };
        if self.parameters.is_none() {
            self.parameters = video(self.form, &frame);
        }
        match self.form {
            Form::Avc => avc::without_parameter_sets(frame, 4),
            Form::Hevc => hevc::without_parameter_sets(frame, 4),
            Form::Av1 | Form::Aac | Form::Opus => frame,
        }
    }
}

/// The parameters that `sample` carries.
fn video(form: Form, sample: &[u8]) -> Option<Parameters> {
    let read: Result<VideoParameters, _> = match form {
        Form::Avc => avc::parameters(avc::in_band_parameter_sets(&[], sample)?),
        Form::Hevc => hevc::parameters(hevc::in_band_parameter_sets(&[], sample)?),
        Form::Av1 => av1::parameters(av1::sequence_header_in(&[], sample)?),
        Form::Aac | Form::Opus => return None,
    };
    read.ok().map(Parameters::Video)
}

/// NAL units behind start codes (H.264 annex B), each written behind its length instead.
fn lengths(annex_b: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(annex_b.len() + 16);
    for unit in units(annex_b) {
        out.put_u32(u32::try_from(unit.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(unit);
    }
    out.freeze()
}

fn units(annex_b: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = start_code(annex_b).and_then(|at| annex_b.get(at + 3..));
    std::iter::from_fn(move || {
        let from = rest?;
        let (unit, next) = match start_code(from) {
            Some(at) => (from.get(..at)?, from.get(at + 3..)),
            None => (from, None),
        };
        rest = next;
        Some(unit)
    })
    // Zeros before a start code belong to it (annex B.1.1).
    .filter_map(|unit| unit.get(..=unit.iter().rposition(|byte| *byte != 0)?))
}

fn start_code(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    // The third byte tells how far the next start code is at least.
    while let Some(&byte) = bytes.get(at) {
        match byte {
            1 if bytes.get(at - 2..at) == Some(&[0, 0]) => return Some(at - 2),
            0 => at += 1,
            _ => at += 3,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_codes_of_both_lengths_become_lengths() {
        let annex_b = [0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 0, 0, 0, 0, 1, 0x65, 5, 0, 0, 3, 1];
        let out = lengths(&annex_b);
        assert_eq!(
            &out[..],
            [0, 0, 0, 2, 0x67, 1, 0, 0, 0, 1, 0x68, 0, 0, 0, 6, 0x65, 5, 0, 0, 3, 1]
        );
    }

    #[test]
    fn bytes_without_a_start_code_are_no_unit() {
        assert!(lengths(&[1, 2, 3, 4]).is_empty());
        assert!(lengths(&[0, 0, 1]).is_empty());
        assert!(lengths(&[]).is_empty());
    }
}
