//! A source, as far as its ladder goes by it: what a stream shows now, or showed last.

use hub::Broadcast;
use media::{FrameRate, Kind, Parameters, VideoCodec};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::status::per_second;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::optional;
use crate::platform::Platform;
use crate::store::{self, Conn, Json};
use crate::streams::{health, live};

/// A source, as far as its ladder goes by it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LadderSource)]
pub struct Source {
    /// Its codec.
    #[serde(default)]
    pub codec: SourceCodec,
    /// Pixels across.
    #[schema(minimum = 16, maximum = 8192)]
    pub width: u32,
    /// Pixels down.
    #[schema(minimum = 16, maximum = 8192)]
    pub height: u32,
    /// Frames a second.
    #[schema(minimum = 1, maximum = 240)]
    pub frame_rate: f64,
    /// Bits per second of all that it sends.
    #[schema(minimum = 50000, maximum = 200000000)]
    pub bitrate: u32,
}

/// How a source's picture is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceCodec {
    /// H.264.
    #[default]
    Avc,
    /// H.265.
    Hevc,
    /// AOMedia Video 1.
    Av1,
    /// VP9.
    Vp9,
}

impl From<VideoCodec> for SourceCodec {
    fn from(codec: VideoCodec) -> Self {
        match codec {
            VideoCodec::Avc => Self::Avc,
            VideoCodec::Hevc => Self::Hevc,
            VideoCodec::Av1 => Self::Av1,
            VideoCodec::Vp9 => Self::Vp9,
        }
    }
}

impl From<SourceCodec> for VideoCodec {
    fn from(codec: SourceCodec) -> Self {
        match codec {
            SourceCodec::Avc => Self::Avc,
            SourceCodec::Hevc => Self::Hevc,
            SourceCodec::Av1 => Self::Av1,
            SourceCodec::Vp9 => Self::Vp9,
        }
    }
}

/// What most send: where a stream never showed anything.
impl Default for Source {
    fn default() -> Self {
        Self {
            codec: SourceCodec::Avc,
            width: 1_920,
            height: 1_080,
            frame_rate: 30.0,
            bitrate: 6_000_000,
        }
    }
}

impl Source {
    /// Refuses what no source can be. `at` is the JSON pointer of the source in the request.
    ///
    /// # Errors
    /// [`Error::Field`].
    pub fn check(&self, at: &str) -> Result<()> {
        let side = 16..=8_192;
        for (fits, name, detail) in [
            (side.contains(&self.width), "width", "must be 16 to 8192"),
            (side.contains(&self.height), "height", "must be 16 to 8192"),
            (
                (1.0..=240.0).contains(&self.frame_rate),
                "frame_rate",
                "must be 1 to 240",
            ),
            (
                (50_000..=200_000_000).contains(&self.bitrate),
                "bitrate",
                "must be 50000 to 200000000",
            ),
        ] {
            if !fits {
                return Err(Error::Field {
                    pointer: format!("{at}/{name}").into(),
                    detail: detail.into(),
                });
            }
        }
        Ok(())
    }

    /// Its frame rate as a fraction: 29.97 is 30000/1001.
    pub fn rate(&self) -> Option<FrameRate> {
        let whole = self.frame_rate.round();
        if (self.frame_rate - whole).abs() < 0.001 {
            return FrameRate::new(whole as u32, 1);
        }
        if (self.frame_rate - whole * 1_000.0 / 1_001.0).abs() < 0.005 {
            return FrameRate::new(whole as u32 * 1_000, 1_001);
        }
        FrameRate::new((self.frame_rate * 1_000.0).round() as u32, 1_000)
    }

    /// What a broadcast shows now; `None` before its first picture. `otherwise` stands in for what is not known of it.
    fn of(broadcast: &Broadcast, otherwise: Self) -> Option<Self> {
        let Some(Parameters::Video(video)) = broadcast.parameters(Kind::Video) else {
            return None;
        };
        let health = broadcast.health();
        let measured = health.as_ref().map(|health| health.frame_rate.round());
        let stated = video.frame_rate.map(per_second);
        let bitrate = health.map(|health| u32::try_from(health.bitrate).unwrap_or(u32::MAX));
        Some(Self {
            codec: video.codec.into(),
            width: video.width,
            height: video.height,
            frame_rate: stated
                .or(measured.filter(|rate| *rate >= 1.0))
                .unwrap_or(otherwise.frame_rate),
            bitrate: bitrate.filter(|bitrate| *bitrate > 0).unwrap_or(otherwise.bitrate),
        })
    }
}

/// What a broadcast shows, as its event `active` keeps it.
pub(crate) fn shown(broadcast: &Broadcast) -> Value {
    let audio = broadcast.parameters(Kind::Audio);
    let mut detail = json!({ "audio_codec": audio.as_ref().map(Parameters::codec_string) });
    if let Some(Parameters::Video(video)) = broadcast.parameters(Kind::Video) {
        detail["video_codec"] = json!(video.codec_string);
        detail["codec"] = json!(SourceCodec::from(video.codec));
        detail["width"] = json!(video.width);
        detail["height"] = json!(video.height);
        detail["frame_rate"] = json!(video.frame_rate.map(per_second));
    }
    detail
}

/// What an event `active` says of a picture.
#[derive(Deserialize)]
struct Shown {
    codec: SourceCodec,
    width: u32,
    height: u32,
    frame_rate: Option<f64>,
}

/// What a stream shows now, or showed last.
///
/// # Errors
/// Those of the database.
pub(crate) async fn of_stream(platform: &Platform, stream: &Id) -> Result<Source> {
    let id = stream.clone();
    let last = platform
        .db
        .read(|c| Box::pin(async move { last_shown(c, &id).await }))
        .await?;
    let broadcast = live::broadcast(platform, stream.as_str());
    let now = broadcast.and_then(|broadcast| Source::of(&broadcast, last));
    Ok(now.unwrap_or(last))
}

async fn last_shown(conn: &mut Conn<'_>, stream: &Id) -> store::Result<Source> {
    let event = optional!(
        conn,
        (Json<Value>,),
        "select detail from stream_events where stream_id = $1 and kind = 'active' order by at desc, id desc limit 1",
        stream
    )?;
    let shown = event.and_then(|(detail,)| serde_json::from_value::<Shown>(detail.0).ok());
    let usual = Source::default();
    // What was measured of a picture that nobody knows says nothing about another.
    let Some(shown) = shown else { return Ok(usual) };
    let mut bitrates: Vec<u64> = health::of(conn, stream, None, 1)
        .await?
        .iter()
        .map(|sample| sample.bitrate)
        .filter(|bitrate| *bitrate > 0)
        .collect();
    bitrates.sort_unstable();
    let median = bitrates.get(bitrates.len() / 2);
    Ok(Source {
        codec: shown.codec,
        width: shown.width,
        height: shown.height,
        frame_rate: shown.frame_rate.unwrap_or(usual.frame_rate),
        bitrate: median.map_or(usual.bitrate, |bitrate| u32::try_from(*bitrate).unwrap_or(u32::MAX)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_rates_of_television_are_fractions() {
        let rate = |frame_rate| {
            Source {
                frame_rate,
                ..Source::default()
            }
            .rate()
        };
        assert_eq!(rate(30.0), FrameRate::new(30, 1));
        assert_eq!(rate(29.97), FrameRate::new(30_000, 1_001));
        assert_eq!(rate(23.976), FrameRate::new(24_000, 1_001));
        assert_eq!(rate(59.94), FrameRate::new(60_000, 1_001));
        assert_eq!(rate(12.5), FrameRate::new(12_500, 1_000));
    }
}
