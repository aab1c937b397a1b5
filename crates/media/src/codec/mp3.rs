//! MP3: the frame header of ISO/IEC 11172-3 §2.4.1.3 (and 13818-3, and the unofficial MPEG-2.5).

use bytes::Bytes;

use super::limits;
use crate::{AudioCodec, AudioParameters, Error};

/// The parameters of a track whose first frame is `first_frame`.
pub fn parameters(first_frame: &Bytes) -> Result<AudioParameters, Error> {
    let header = Header::read(first_frame)?;
    Ok(AudioParameters {
        codec: AudioCodec::Mp3,
        config: Bytes::new(),
        sample_rate: limits::sample_rate(header.sample_rate())?,
        channels: if header.mono { 1 } else { 2 },
        frame_samples: header.version.frame_samples(),
        codec_string: "mp4a.6B".to_owned(),
    })
}

/// How many bytes the frame that begins with these bytes has, header included.
pub fn frame_length(frame: &[u8]) -> Option<usize> {
    let header = Header::read(frame).ok()?;
    usize::try_from(header.frame_length()?).ok()
}

/// A frame of silence: all its side information is zero, so that no channel has any spectrum.
pub fn silence(parameters: &AudioParameters) -> Option<Bytes> {
    let header = Header::of(parameters)?;
    let mut frame = header.write().to_vec();
    frame.resize(usize::try_from(header.frame_length()?).ok()?, 0);
    Some(frame.into())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Mpeg1,
    Mpeg2,
    Mpeg25,
}

impl Version {
    const ALL: [Self; 3] = [Self::Mpeg1, Self::Mpeg2, Self::Mpeg25];

    fn code(self) -> u8 {
        match self {
            Self::Mpeg1 => 3,
            Self::Mpeg2 => 2,
            Self::Mpeg25 => 0,
        }
    }

    fn sample_rates(self) -> [u32; 3] {
        match self {
            Self::Mpeg1 => [44_100, 48_000, 32_000],
            Self::Mpeg2 => [22_050, 24_000, 16_000],
            Self::Mpeg25 => [11_025, 12_000, 8_000],
        }
    }

    fn kilobits(self) -> [u32; 15] {
        match self {
            Self::Mpeg1 => [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
            _ => [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        }
    }

    fn frame_samples(self) -> u32 {
        if self == Self::Mpeg1 { 1_152 } else { 576 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    version: Version,
    bitrate_index: u8,
    rate_index: u8,
    padded: bool,
    mono: bool,
}

impl Header {
    fn read(frame: &[u8]) -> Result<Self, Error> {
        const LAYER_3: u8 = 1;
        const MONO: u8 = 3;
        let Some(&[0xff, second, third, fourth]) = frame.first_chunk::<4>() else {
            return Err(Error::Invalid { what: "MP3 frame" });
        };
        let invalid = Error::Invalid { what: "MP3 frame" };
        if second & 0xe0 != 0xe0 || (second >> 1) & 3 != LAYER_3 {
            return Err(invalid);
        }
        let code = (second >> 3) & 3;
        let version = Version::ALL
            .into_iter()
            .find(|version| version.code() == code)
            .ok_or(invalid.clone())?;
        let (bitrate_index, rate_index) = (third >> 4, (third >> 2) & 3);
        if bitrate_index == 15 || rate_index == 3 {
            return Err(invalid);
        }
        Ok(Self {
            version,
            bitrate_index,
            rate_index,
            padded: third & 2 != 0,
            mono: fourth >> 6 == MONO,
        })
    }

    /// The header of a frame with these parameters, and room for its side information.
    fn of(parameters: &AudioParameters) -> Option<Self> {
        let indexed = |version: Version| {
            let rates = version.sample_rates();
            let index = rates.iter().position(|rate| *rate == parameters.sample_rate)?;
            Some((version, index as u8))
        };
        let (version, rate_index) = Version::ALL.into_iter().find_map(indexed)?;
        Some(Self {
            version,
            bitrate_index: 5,
            rate_index,
            padded: false,
            mono: parameters.channels == 1,
        })
    }

    fn write(self) -> [u8; 4] {
        // Layer III, no checksum; mono or plain stereo.
        let second = 0xe0 | (self.version.code() << 3) | 0b011;
        [
            0xff,
            second,
            (self.bitrate_index << 4) | (self.rate_index << 2),
            if self.mono { 0xc0 } else { 0 },
        ]
    }

    fn sample_rate(self) -> u32 {
        self.version
            .sample_rates()
            .get(usize::from(self.rate_index))
            .copied()
            .unwrap_or_default()
    }

    /// `None` for the free format, whose frames do not say how long they are.
    fn frame_length(self) -> Option<u32> {
        let kilobits = *self
            .version
            .kilobits()
            .get(usize::from(self.bitrate_index))
            .filter(|rate| **rate > 0)?;
        let bits = kilobits.checked_mul(1_000)?;
        let length = self
            .version
            .frame_samples()
            .checked_div(8)?
            .checked_mul(bits)?
            .checked_div(self.sample_rate())?;
        length.checked_add(u32::from(self.padded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;

    #[test]
    fn frames_of_real_encoders_are_read() {
        for (name, frame, sample_rate, channels, frame_samples, length) in [
            ("lame, 128 kbit/s", "fffb946464", 48_000, 2, 1_152, 384),
            ("lame, MPEG-2, 64 kbit/s", "fff3806455", 22_050, 2, 576, 208),
            ("lame, MPEG-2, padded", "fff3826455", 22_050, 2, 576, 209),
            ("mono", "fffb90c4", 44_100, 1, 1_152, 417),
        ] {
            let parameters = parameters(&hex(frame)).expect(name);
            let read = (parameters.sample_rate, parameters.channels, parameters.frame_samples);
            assert_eq!(read, (sample_rate, channels, frame_samples), "{name}");
            assert_eq!(frame_length(&hex(frame)), Some(length), "{name}");
        }
    }

    #[test]
    fn what_is_no_layer_iii_frame_is_refused() {
        for (name, frame) in [
            ("nothing", ""),
            ("no sync word", "00fb9064"),
            ("layer II", "fffd9064"),
            ("reserved version", "ffeb9064"),
            ("reserved bit rate", "fffbf064"),
            ("reserved sample rate", "fffb9c64"),
        ] {
            assert!(parameters(&hex(frame)).is_err(), "{name}");
        }
        assert_eq!(frame_length(&hex("fffb0064")), None, "the free format");
    }

    #[test]
    fn silence_is_a_whole_frame_of_the_same_kind() {
        for frame in ["fffb9464", "fff38064", "fffb90c4", "ffe38864"] {
            let parameters = parameters(&hex(frame)).unwrap();
            let silence = silence(&parameters).unwrap();
            assert_eq!(super::parameters(&silence), Ok(parameters), "{frame}");
            assert_eq!(frame_length(&silence), Some(silence.len()), "{frame}");
        }
    }
}
