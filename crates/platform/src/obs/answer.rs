use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::plan::{AUDIO_KBPS, Track};
use super::request::{FramesPerSecond, Request};

/// `GoLiveApi::Config` of OBS Studio (`frontend/utility/models/multitrack-video.hpp`).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ObsConfiguration)]
pub struct Answer {
    /// What it is.
    pub meta: Meta,
    /// Whether OBS may stream.
    pub status: Status,
    /// Where to.
    pub ingest_endpoints: Vec<IngestEndpoint>,
    /// The video tracks: the main one first.
    pub encoder_configurations: Vec<VideoEncoder>,
    /// The audio tracks.
    pub audio_configurations: AudioConfigurations,
}

/// `GoLiveApi::Meta`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ObsMeta)]
pub struct Meta {
    /// Whose it is.
    pub service: &'static str,
    /// Of its form.
    pub schema_version: &'static str,
    /// The same for the same answer; OBS shows it again when it publishes, as `clientConfigId` behind the key.
    pub config_id: String,
}

/// `GoLiveApi::Status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ObsStatus)]
pub struct Status {
    /// How it went.
    pub result: Outcome,
    /// What its user is told.
    pub html_en_us: Option<String>,
}

/// `GoLiveApi::StatusResult`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ObsOutcome)]
pub enum Outcome {
    /// It may.
    Success,
    /// It may not.
    Error,
}

/// `GoLiveApi::IngestEndpoint`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ObsIngestEndpoint)]
pub struct IngestEndpoint {
    /// `RTMP` or `RTMPS`.
    pub protocol: &'static str,
    /// The address, with `{stream_key}` in the key's place.
    pub url_template: String,
}

/// `GoLiveApi::VideoEncoderConfiguration`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ObsVideoEncoder)]
pub struct VideoEncoder {
    /// The encoder's name in OBS.
    pub r#type: &'static str,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// How often it gets a frame.
    pub framerate: FramesPerSecond,
    /// How its picture is made smaller.
    pub gpu_scale_type: &'static str,
    /// Its colours.
    pub colorspace: &'static str,
    /// The range of its samples.
    pub range: &'static str,
    /// The layout of its samples.
    pub format: &'static str,
    /// In the encoder's own words.
    #[schema(value_type = Object)]
    pub settings: Value,
    /// Which canvas it encodes.
    pub canvas_index: u32,
}

/// `GoLiveApi::AudioConfigurations`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = ObsAudioConfigurations)]
pub struct AudioConfigurations {
    /// What viewers hear.
    pub live: Vec<AudioEncoder>,
    /// What recordings have, where its user has a track for them.
    pub vod: Option<Vec<AudioEncoder>>,
}

/// `GoLiveApi::AudioEncoderConfiguration`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ObsAudioEncoder)]
pub struct AudioEncoder {
    /// The codec.
    pub codec: &'static str,
    /// A number for people, from 1.
    pub track_id: u32,
    /// Channels; OBS refuses fewer than it has.
    pub channels: u32,
    /// In the encoder's own words.
    #[schema(value_type = Object)]
    pub settings: Value,
}

/// The newest form that OBS writes; older ones read it.
const SCHEMA: &str = "2025-01-25";
const STEREO: u32 = 2;
/// The most that OBS mixes: 7.1.
const CHANNELS_MAX: u32 = 8;

impl Answer {
    /// OBS may not stream. `reason` becomes a part of HTML: no words of strangers.
    pub(crate) fn refusal(reason: &str) -> Self {
        let status = Status {
            result: Outcome::Error,
            html_en_us: Some(escaped(reason)),
        };
        Self::with(status, Vec::new(), Vec::new(), AudioConfigurations::default())
    }

    pub(super) fn new(request: &Request, tracks: &[Track], addresses: &[String]) -> Self {
        let status = Status {
            result: Outcome::Success,
            html_en_us: None,
        };
        let endpoints = addresses.iter().map(|address| endpoint(address)).collect();
        let encoders = tracks.iter().map(video_encoder).collect();
        Self::with(status, endpoints, encoders, audio(request))
    }

    fn with(
        status: Status,
        ingest_endpoints: Vec<IngestEndpoint>,
        encoder_configurations: Vec<VideoEncoder>,
        audio_configurations: AudioConfigurations,
    ) -> Self {
        let config_id = config_id(&encoder_configurations, &audio_configurations);
        Self {
            meta: Meta {
                service: "Headwater",
                schema_version: SCHEMA,
                config_id,
            },
            status,
            ingest_endpoints,
            encoder_configurations,
            audio_configurations,
        }
    }
}

fn endpoint(address: &str) -> IngestEndpoint {
    let protocol = if address.starts_with("rtmps:") { "RTMPS" } else { "RTMP" };
    IngestEndpoint {
        protocol,
        url_template: format!("{}/{{stream_key}}", address.trim_end_matches('/')),
    }
}

fn video_encoder(track: &Track) -> VideoEncoder {
    VideoEncoder {
        r#type: track.encoder.name,
        width: track.width,
        height: track.height,
        framerate: track.framerate,
        gpu_scale_type: "OBS_SCALE_BICUBIC",
        colorspace: "VIDEO_CS_709",
        range: "VIDEO_RANGE_PARTIAL",
        format: "VIDEO_FORMAT_NV12",
        settings: track.encoder.settings(track.kbps),
        canvas_index: 0,
    }
}

fn audio(request: &Request) -> AudioConfigurations {
    let channels = request.preferences.audio_channels.unwrap_or(STEREO);
    let track = |track_id| AudioEncoder {
        codec: "aac",
        track_id,
        channels: channels.clamp(1, CHANNELS_MAX),
        settings: json!({"bitrate": AUDIO_KBPS}),
    };
    AudioConfigurations {
        live: vec![track(1)],
        vod: request.preferences.vod_track_audio.then(|| vec![track(2)]),
    }
}

/// Eight bytes of the digest of what is to be encoded.
fn config_id(video: &[VideoEncoder], audio: &AudioConfigurations) -> String {
    let text = json!([video, audio]).to_string();
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
