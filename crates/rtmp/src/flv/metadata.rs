use media::FrameRate;

use super::TRACKS_MAX;
use crate::amf0::{self, Value};

/// What `onMetaData` says of a stream. Encoders leave it out and get it wrong: nothing may depend on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Pixels across.
    pub width: Option<f64>,
    /// Pixels down.
    pub height: Option<f64>,
    /// Frames per second.
    pub frame_rate: Option<f64>,
    /// Kilobits per second of video.
    pub video_kbps: Option<f64>,
    /// Kilobits per second of audio.
    pub audio_kbps: Option<f64>,
    /// The video codec: an FLV number, or a FourCC as a number.
    pub video_codec: Option<f64>,
    /// The audio codec: an FLV number, or a FourCC as a number.
    pub audio_codec: Option<f64>,
    /// Samples per second of audio.
    pub audio_sample_rate: Option<f64>,
    /// Whether audio has two channels.
    pub stereo: Option<bool>,
    /// The encoder's name.
    pub encoder: Option<String>,
    /// Further video tracks, and where the main one differs from the above.
    pub video_tracks: Vec<TrackHint>,
    /// Further audio tracks, and where the main one differs from the above.
    pub audio_tracks: Vec<TrackHint>,
}

/// What `videoTrackIdInfoMap` or `audioTrackIdInfoMap` says of a track (Enhanced RTMP v2, "Enhancing onMetaData").
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackHint {
    /// The track.
    pub track: u8,
    /// Pixels across.
    pub width: Option<f64>,
    /// Pixels down.
    pub height: Option<f64>,
    /// Kilobits per second.
    pub kbps: Option<f64>,
    /// Channels of audio.
    pub channels: Option<f64>,
}

impl Metadata {
    // More than any encoder's name needs.
    const TEXT_BYTES_MAX: usize = 200;

    /// Reads a data message's values: `@setDataFrame` or not, then `onMetaData`, then an object. `None` for other data.
    pub fn read(values: &[Value]) -> Option<Self> {
        let mut rest = values
            .iter()
            .skip_while(|value| value.as_str() == Some("@setDataFrame"));
        if rest.next()?.as_str()? != "onMetaData" {
            return None;
        }
        let object = rest.find(|value| value.properties().is_some())?;
        let number = |name| object.property(name).and_then(Value::as_number);
        let codec = |name| object.property(name).and_then(codec_number);
        Some(Self {
            width: number("width"),
            height: number("height"),
            frame_rate: number("framerate").or_else(|| number("fps")),
            video_kbps: number("videodatarate"),
            audio_kbps: number("audiodatarate"),
            video_codec: codec("videocodecid"),
            audio_codec: codec("audiocodecid"),
            audio_sample_rate: number("audiosamplerate"),
            stereo: object.property("stereo").and_then(Value::as_bool),
            encoder: object.property("encoder").and_then(Value::as_str).map(shortened),
            video_tracks: hints(object, "videoTrackIdInfoMap", "videodatarate"),
            audio_tracks: hints(object, "audioTrackIdInfoMap", "audiodatarate"),
        })
    }

    /// The object behind `onMetaData`.
    pub fn to_value(&self) -> Value {
        let numbers = [
            ("width", self.width),
            ("height", self.height),
            ("framerate", self.frame_rate),
            ("videodatarate", self.video_kbps),
            ("audiodatarate", self.audio_kbps),
            ("videocodecid", self.video_codec),
            ("audiocodecid", self.audio_codec),
            ("audiosamplerate", self.audio_sample_rate),
        ];
        let numbers = numbers
            .into_iter()
            .filter_map(|(name, number)| Some((name, Value::Number(number?))));
        let stereo = self.stereo.map(|stereo| ("stereo", Value::Boolean(stereo)));
        let encoder = self.encoder.as_deref().map(|encoder| ("encoder", Value::from(encoder)));
        let tracks = [
            ("videoTrackIdInfoMap", &self.video_tracks, "videodatarate"),
            ("audioTrackIdInfoMap", &self.audio_tracks, "audiodatarate"),
        ];
        let tracks = tracks.into_iter().filter(|(_, hints, _)| !hints.is_empty());
        let tracks = tracks.map(|(name, hints, rate)| (name, hints_value(hints, rate)));
        let all = numbers.chain(stereo).chain(encoder).chain(tracks);
        Value::EcmaArray(all.map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The payload of a data message to players.
    pub fn to_payload(&self) -> Vec<u8> {
        let mut out = Vec::new();
        amf0::write(&mut out, &Value::from("onMetaData"));
        amf0::write(&mut out, &self.to_value());
        out
    }

    /// Whether the encoder announced video: a codec, or a picture's size.
    pub fn has_video(&self) -> bool {
        is_set(self.video_codec) || is_set(self.width)
    }

    /// Whether the encoder announced audio: a codec, or a sample rate.
    pub fn has_audio(&self) -> bool {
        is_set(self.audio_codec) || is_set(self.audio_sample_rate)
    }

    /// The frame rate as a fraction: 29.97 becomes 30000/1001.
    pub fn frame_rate(&self) -> Option<FrameRate> {
        let rate = self.frame_rate.filter(|rate| (0.1..=1_000.0).contains(rate))?;
        // A float-to-integer cast saturates, and the range is checked.
        let whole = rate.round() as u32;
        if (rate - f64::from(whole)).abs() < 0.001 {
            return FrameRate::new(whole, 1);
        }
        let ntsc = FrameRate::new(whole.saturating_mul(1_000), 1_001)?;
        if (rate - ntsc.per_second()).abs() < 0.01 {
            return Some(ntsc);
        }
        FrameRate::new((rate * 1_000.0).round() as u32, 1_000)
    }
}

/// What is said of each track; `rate` is the name of its data rate.
fn hints(object: &Value, map: &str, rate: &str) -> Vec<TrackHint> {
    let tracks = object.property(map).and_then(Value::properties).unwrap_or_default();
    let hint = |(track, of): &(String, Value)| {
        let number = |name| of.property(name).and_then(Value::as_number);
        Some(TrackHint {
            track: track.parse().ok()?,
            width: number("width"),
            height: number("height"),
            kbps: number(rate),
            channels: number("channels"),
        })
    };
    tracks.iter().filter_map(hint).take(TRACKS_MAX).collect()
}

fn hints_value(hints: &[TrackHint], rate: &str) -> Value {
    let tracks = hints.iter().map(|hint| {
        let numbers = [
            ("width", hint.width),
            ("height", hint.height),
            (rate, hint.kbps),
            ("channels", hint.channels),
        ];
        let numbers = numbers
            .into_iter()
            .filter_map(|(name, number)| Some((name.to_owned(), number?.into())));
        (hint.track.to_string(), Value::Object(numbers.collect()))
    });
    Value::Object(tracks.collect())
}

fn is_set(number: Option<f64>) -> bool {
    number.is_some_and(|number| number > 0.0)
}

/// Codecs are numbers, yet some encoders write the FourCC as text.
fn codec_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::String(text) => {
            let fourcc = text.as_bytes().first_chunk::<4>()?;
            Some(f64::from(u32::from_be_bytes(*fourcc)))
        }
        _ => None,
    }
}

fn shortened(text: &str) -> String {
    let printable = text.chars().filter(|char| !char.is_control());
    printable.take(Metadata::TEXT_BYTES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        Metadata {
            width: Some(1280.0),
            height: Some(720.0),
            frame_rate: Some(30.0),
            video_codec: Some(7.0),
            audio_codec: Some(10.0),
            stereo: Some(true),
            encoder: Some("Lavf".into()),
            video_tracks: vec![TrackHint {
                track: 2,
                width: Some(640.0),
                kbps: Some(800.0),
                ..TrackHint::default()
            }],
            audio_tracks: vec![TrackHint {
                track: 1,
                channels: Some(6.0),
                ..TrackHint::default()
            }],
            ..Metadata::default()
        }
    }

    #[test]
    fn what_is_written_is_read_with_and_without_set_data_frame() {
        let plain = vec![Value::from("onMetaData"), metadata().to_value()];
        assert_eq!(Metadata::read(&plain), Some(metadata()));
        let mut set = vec![Value::from("@setDataFrame")];
        set.extend(plain);
        assert_eq!(Metadata::read(&set), Some(metadata()));
    }

    #[test]
    fn other_data_is_not_metadata() {
        assert_eq!(Metadata::read(&[]), None);
        assert_eq!(Metadata::read(&["onTextData".into(), Value::Object(vec![])]), None);
        assert_eq!(Metadata::read(&["onMetaData".into()]), None);
    }

    #[test]
    fn frame_rates_become_fractions() {
        let rate = |rate| {
            Metadata {
                frame_rate: Some(rate),
                ..Metadata::default()
            }
            .frame_rate()
        };
        assert_eq!(rate(30.0), FrameRate::new(30, 1));
        assert_eq!(rate(29.97), FrameRate::new(30_000, 1_001));
        assert_eq!(rate(59.94005994), FrameRate::new(60_000, 1_001));
        assert_eq!(rate(12.5), FrameRate::new(12_500, 1_000));
        assert_eq!(rate(0.0), None);
        assert_eq!(rate(f64::NAN), None);
        assert_eq!(rate(1e300), None);
    }

    #[test]
    fn announcements_go_by_codec_and_size() {
        assert!(metadata().has_video() && metadata().has_audio());
        let audio_only = Metadata {
            width: None,
            video_codec: None,
            ..metadata()
        };
        assert!(!audio_only.has_video() && audio_only.has_audio());
    }
}
