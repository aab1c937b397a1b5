use serde::Deserialize;
use utoipa::ToSchema;

/// `GoLiveApi::PostData` of OBS Studio (`frontend/utility/models/multitrack-video.hpp`), as far as it is used here.
#[derive(Clone, Deserialize, ToSchema)]
#[schema(as = ObsRequest)]
pub struct Request {
    /// The stream key, with whatever its user wrote behind a question mark.
    pub authentication: String,
    /// The program.
    #[serde(default)]
    pub client: Client,
    /// The machine.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// What its user wants.
    #[serde(default)]
    pub preferences: Preferences,
}

// It holds a key.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("client", &self.client)
            .field("preferences", &self.preferences)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// The key alone.
    pub fn key(&self) -> &str {
        let key = self.authentication.split_once('?');
        key.map_or(self.authentication.as_str(), |(key, _)| key)
    }

    /// The main canvas. Schema `2024-06-04` has one, beside the other preferences; `2025-01-25` has a list.
    pub(super) fn canvas(&self) -> Option<Canvas> {
        let preferences = &self.preferences;
        let canvas = preferences.canvases.first().copied().or(preferences.canvas())?;
        (canvas.width > 0 && canvas.height > 0 && canvas.framerate.is_some()).then_some(canvas)
    }
}

/// `GoLiveApi::Client`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[schema(as = ObsClient)]
pub struct Client {
    /// `obs-studio`.
    #[serde(default)]
    pub name: String,
    /// `31.0.0`.
    #[serde(default)]
    pub version: String,
    /// Of `h264`, `h265`, `av1`.
    #[serde(default)]
    pub supported_codecs: Vec<String>,
    /// The encoders by their names in OBS; only newer ones say so.
    #[serde(default)]
    pub supported_encoders: Option<Vec<String>>,
}

/// `GoLiveApi::Capabilities`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[schema(as = ObsCapabilities)]
pub struct Capabilities {
    /// The processor.
    #[serde(default)]
    pub cpu: Cpu,
    /// The system.
    #[serde(default)]
    pub system: System,
    /// The graphics cards.
    #[serde(default)]
    pub gpu: Option<Vec<Gpu>>,
}

/// `GoLiveApi::Cpu`.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[schema(as = ObsCpu)]
pub struct Cpu {
    /// Cores.
    #[serde(default)]
    pub physical_cores: i32,
}

/// `GoLiveApi::System`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[schema(as = ObsSystem)]
pub struct System {
    /// `Windows`.
    #[serde(default)]
    pub name: String,
}

/// `GoLiveApi::Gpu`.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[schema(as = ObsGpu)]
pub struct Gpu {
    /// Who made it, by the number of its PCI device.
    #[serde(default)]
    pub vendor_id: u32,
}

/// `GoLiveApi::Preferences`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[schema(as = ObsPreferences)]
pub struct Preferences {
    /// Kilobits per second of all tracks together.
    #[serde(default)]
    pub maximum_aggregate_bitrate: Option<u64>,
    /// Video tracks.
    #[serde(default)]
    pub maximum_video_tracks: Option<u32>,
    /// Whether a second audio track is sent for recordings.
    #[serde(default)]
    pub vod_track_audio: bool,
    /// Which graphics card composes the picture.
    #[serde(default)]
    pub composition_gpu_index: Option<u32>,
    /// Channels of audio.
    #[serde(default)]
    pub audio_channels: Option<u32>,
    /// The canvases, the main one first.
    #[serde(default)]
    pub canvases: Vec<Canvas>,
    /// Of the only canvas.
    #[serde(default)]
    width: Option<u32>,
    /// Of the only canvas.
    #[serde(default)]
    height: Option<u32>,
    /// Of the only canvas.
    #[serde(default)]
    framerate: Option<FramesPerSecond>,
}

impl Preferences {
    fn canvas(&self) -> Option<Canvas> {
        Some(Canvas {
            width: self.width?,
            height: self.height?,
            framerate: self.framerate?,
        })
    }
}

/// `GoLiveApi::Canvas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = ObsCanvas)]
pub struct Canvas {
    /// Pixels across of what it sends.
    pub width: u32,
    /// Pixels down of what it sends.
    pub height: u32,
    /// How often it is drawn.
    pub framerate: FramesPerSecond,
}

/// `media_frames_per_second`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, Deserialize, ToSchema)]
#[schema(as = ObsFramesPerSecond)]
pub struct FramesPerSecond {
    /// Frames in `denominator` seconds.
    pub numerator: u32,
    /// Seconds that `numerator` frames last.
    pub denominator: u32,
}

impl FramesPerSecond {
    fn is_some(self) -> bool {
        self.numerator > 0 && self.denominator > 0
    }

    pub(super) fn per_second(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator.max(1))
    }

    /// Every `divisor`th of its frames, as OBS computes it back (`closest_divisor` in `MultitrackVideoOutput.cpp`).
    pub(super) fn divided(self, divisor: u32) -> Self {
        Self {
            numerator: self.numerator,
            denominator: self.denominator.saturating_mul(divisor),
        }
    }
}
