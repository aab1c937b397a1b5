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
