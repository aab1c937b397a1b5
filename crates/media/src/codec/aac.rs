//! AAC: the `AudioSpecificConfig` of ISO/IEC 14496-3 §1.6.2, and frames of silence.

mod config;

use bytes::Bytes;

use super::{bits::BitWriter, limits};
use crate::{AudioCodec, AudioParameters, Error};
use config::{Config, Element};

/// The parameters of a track whose `AudioSpecificConfig` is `asc`.
///
/// Sample rate, channels and frame length are those at the decoder's output: spectral band replication and parametric
/// stereo are counted in where the configuration signals them.
pub fn parameters(asc: Bytes) -> Result<AudioParameters, Error> {
    let config = Config::read(&asc)?;
    let sample_rate = limits::sample_rate(config.output_rate)?;
    let upsampling = config
        .output_rate
        .checked_div(config.core_rate)
        .unwrap_or(1)
        .clamp(1, 2);
    Ok(AudioParameters {
        codec: AudioCodec::Aac,
        config: asc,
        sample_rate,
        channels: limits::channels(config.output_channels())?,
        frame_samples: config.core_frame_samples.saturating_mul(upsampling),
        codec_string: format!("mp4a.40.{}", config.signalled_object_type()),
    })
}

/// One frame of silence of this configuration: every channel element with no spectral data at all.
///
/// It has no SBR or PS payload: a decoder then fills the high band and the side with nothing, which is silence too.
pub fn silence(parameters: &AudioParameters) -> Option<Bytes> {
    let config = Config::read(&parameters.config).ok()?;
    let mut writer = BitWriter::default();
    for element in &config.elements {
        write_silent_element(&mut writer, element);
    }
    writer.put(7, 3); // ID_END
    (!config.elements.is_empty()).then(|| writer.finish().into())
}

fn write_silent_element(writer: &mut BitWriter, element: &Element) {
    match *element {
        Element::Single { tag } => {
            writer.put(0, 3);
            writer.put(u32::from(tag), 4);
            write_silent_channel(writer, true);
        }
        Element::Pair { tag } => {
            writer.put(1, 3);
            writer.put(u32::from(tag), 4);
            writer.put(1, 1); // common_window
            write_window(writer);
            writer.put(0, 2); // ms_mask_present
            write_silent_channel(writer, false);
            write_silent_channel(writer, false);
        }
        Element::LowFrequency { tag } => {
            writer.put(3, 3);
            writer.put(u32::from(tag), 4);
            write_silent_channel(writer, true);
        }
    }
}

/// §4.4.2.7 with no scale factor band in use, so that sections, scale factors and spectrum are empty.
fn write_silent_channel(writer: &mut BitWriter, own_window: bool) {
    writer.put(0, 8); // global_gain
    if own_window {
        write_window(writer);
    }
    writer.put(0, 3); // no pulses, no noise shaping, no gain control
}

/// §4.4.2.1: one long window, `max_sfb` 0, no prediction.
fn write_window(writer: &mut BitWriter) {
    writer.put(0, 4);
    writer.put(0, 6);
    writer.put(0, 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;

    /// Name, configuration, sample rate, channels, frame length, codec string.
    type Row = (&'static str, &'static str, u32, u16, u32, &'static str);
    const CONFIGURATIONS: [Row; 13] = [
        ("ffmpeg, mono", "118856e500", 48_000, 1, 1_024, "mp4a.40.2"),
        ("ffmpeg, stereo", "119056e500", 48_000, 2, 1_024, "mp4a.40.2"),
        ("ffmpeg, 5.1", "11b056e500", 48_000, 6, 1_024, "mp4a.40.2"),
        (
            "ffmpeg, hexagonal in a program config element",
            HEXAGONAL,
            48_000,
            6,
            1_024,
            "mp4a.40.2",
        ),
        (
            "ffmpeg, 6.1 in a program config element",
            SIX_ONE,
            48_000,
            7,
            1_024,
            "mp4a.40.2",
        ),
        ("OBS, stereo, two bytes", "1210", 44_100, 2, 1_024, "mp4a.40.2"),
        ("frames of 960", "1214", 44_100, 2, 960, "mp4a.40.2"),
        ("HE-AAC, explicit", "2b920800", 44_100, 2, 2_048, "mp4a.40.5"),
        (
            "HE-AAC, backward compatible",
            "139056e5a0",
            44_100,
            2,
            2_048,
            "mp4a.40.5",
        ),
        ("HE-AAC v2, explicit", "eb8a0800", 44_100, 2, 2_048, "mp4a.40.29"),
        (
            "HE-AAC v2, backward compatible",
            "138856e5a54880",
            44_100,
            2,
            2_048,
            "mp4a.40.29",
        ),
        ("an explicit sample rate", "1780562210", 44_100, 2, 1_024, "mp4a.40.2"),
        ("7.1", "11b8", 48_000, 8, 1_024, "mp4a.40.2"),
    ];
    const HEXAGONAL: &str = "118004c808002008840d4c61766335392e33372e31303056e500";
    const SIX_ONE: &str = "118004c848002000c4400d4c61766335392e33372e31303056e500";

    #[test]
    fn configurations_of_real_encoders_are_read() {
        for (name, asc, sample_rate, channels, frame_samples, codec_string) in CONFIGURATIONS {
            let parameters = parameters(hex(asc)).expect(name);
            assert_eq!(parameters.sample_rate, sample_rate, "{name}");
            assert_eq!(parameters.channels, channels, "{name}");
            assert_eq!(parameters.frame_samples, frame_samples, "{name}");
            assert_eq!(parameters.codec_string, codec_string, "{name}");
            assert_eq!(parameters.config, hex(asc), "{name}");
        }
    }

    #[test]
    fn configurations_that_no_browser_plays_are_refused() {
        for (name, asc) in [
            ("nothing", ""),
            ("cut off", "12"),
            ("object type 0", "0210"),
            ("low delay", "ba10"),
            ("reserved sample rate", "1690"),
            ("reserved channels", "1240"),
            ("a sample rate of 1 Hz", "1780000090"),
        ] {
            assert!(parameters(hex(asc)).is_err(), "{name}");
        }
    }

    #[test]
    fn silence_has_an_element_for_every_speaker_and_no_spectrum() {
        for (asc, frame) in [("1210", "21000000001c"), ("1208", "00000007")] {
            let parameters = parameters(hex(asc)).unwrap();
            assert_eq!(silence(&parameters), Some(hex(frame)), "{asc}");
        }
    }
}
