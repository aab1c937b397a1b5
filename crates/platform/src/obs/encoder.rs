//! Which of OBS's encoders is used, and with which settings. The names are those that its plugins register; a name that it does not
//! have would keep it from streaming at all (`create_video_encoder` in `MultitrackVideoOutput.cpp`).

use hub::Codec;
use serde_json::{Value, json};

use super::request::Request;

/// What an encoder runs on: each has its own words for its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Nvenc,
    /// NVENC before OBS 31.
    OldNvenc,
    Amf,
    QuickSync,
    VideoToolbox,
    Vaapi,
    X264,
}

/// One of OBS's encoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoder {
    pub(super) name: &'static str,
    pub(super) codec: Codec,
    family: Family,
}

const fn encoder(name: &'static str, codec: Codec, family: Family) -> Encoder {
    Encoder { name, codec, family }
}

/// The software encoder, which every OBS has.
const X264: Encoder = encoder("obs_x264", Codec::Avc, Family::X264);

/// All that are used, the better ones first.
const ALL: [Encoder; 18] = [
    encoder("obs_nvenc_h264_tex", Codec::Avc, Family::Nvenc),
    encoder("obs_nvenc_hevc_tex", Codec::Hevc, Family::Nvenc),
    encoder("obs_nvenc_av1_tex", Codec::Av1, Family::Nvenc),
    encoder("jim_nvenc", Codec::Avc, Family::OldNvenc),
    encoder("jim_hevc_nvenc", Codec::Hevc, Family::OldNvenc),
    encoder("jim_av1_nvenc", Codec::Av1, Family::OldNvenc),
    encoder("h264_texture_amf", Codec::Avc, Family::Amf),
    encoder("h265_texture_amf", Codec::Hevc, Family::Amf),
    encoder("av1_texture_amf", Codec::Av1, Family::Amf),
    encoder("obs_qsv11_v2", Codec::Avc, Family::QuickSync),
    encoder("obs_qsv11_hevc", Codec::Hevc, Family::QuickSync),
    encoder("obs_qsv11_av1", Codec::Av1, Family::QuickSync),
    encoder(
        "com.apple.videotoolbox.videoencoder.ave.avc",
        Codec::Avc,
        Family::VideoToolbox,
    ),
    encoder(
        "com.apple.videotoolbox.videoencoder.ave.hevc",
        Codec::Hevc,
        Family::VideoToolbox,
    ),
    encoder("ffmpeg_vaapi_tex", Codec::Avc, Family::Vaapi),
    encoder("hevc_ffmpeg_vaapi_tex", Codec::Hevc, Family::Vaapi),
    encoder("av1_ffmpeg_vaapi_tex", Codec::Av1, Family::Vaapi),
    X264,
];

const NVIDIA: u32 = 0x10de;
const AMD: u32 = 0x1002;
const INTEL: u32 = 0x8086;

impl Encoder {
    /// The encoder for a codec on this machine; H.264 where there is none.
    pub(super) fn of(request: &Request, codec: Codec) -> Self {
        let wanted = codec_name(codec);
        let knows = request.client.supported_codecs.iter().any(|known| known == wanted);
        let codec = if knows { codec } else { Codec::Avc };
        let found = match &request.client.supported_encoders {
            Some(names) => listed(names, codec).or_else(|| listed(names, Codec::Avc)),
            None => guessed(request, codec),
        };
        found.unwrap_or(X264)
    }

    /// Whether it takes processor cores and not a graphics card.
    pub(super) fn is_software(self) -> bool {
        self.family == Family::X264
    }

    /// Its settings. Key frames come every two seconds in all tracks, from the same frames of the canvas.
    pub(super) fn settings(self, kbps: u32) -> Value {
        let profile = match self.codec {
            Codec::Avc => "high",
            Codec::Hevc | Codec::Av1 => "main",
        };
        let mut settings = json!({
            "rate_control": "CBR",
            "bitrate": kbps,
            "keyint_sec": KEYFRAME_SECONDS,
            "profile": profile,
        });
        let own = match self.family {
            Family::Nvenc => json!({"preset": "p5", "tune": "hq", "multipass": "qres", "bf": 0, "lookahead": false}),
            Family::OldNvenc => {
                json!({"preset2": "p5", "tune": "hq", "multipass": "qres", "bf": 0, "lookahead": false})
            }
            Family::Amf => json!({"preset": "quality", "bf": 0}),
            Family::QuickSync => json!({"target_usage": "TU4", "bframes": 0, "latency": "low"}),
            Family::VideoToolbox => json!({"bframes": false}),
            Family::Vaapi => json!({"bf": 0}),
            Family::X264 => json!({"preset": "veryfast", "tune": "zerolatency"}),
        };
        if let (Value::Object(settings), Value::Object(own)) = (&mut settings, own) {
            settings.extend(own);
        }
        settings
    }
}

const KEYFRAME_SECONDS: u32 = 2;

fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::Avc => "h264",
        Codec::Hevc => "h265",
        Codec::Av1 => "av1",
    }
}

fn listed(names: &[String], codec: Codec) -> Option<Encoder> {
    let mut of_codec = ALL.into_iter().filter(|encoder| encoder.codec == codec);
    of_codec.find(|encoder| names.iter().any(|name| name == encoder.name))
}

/// OBS before 32 names its graphics cards and not its encoders. Where a card does not tell for sure, the software encoder is there.
fn guessed(request: &Request, codec: Codec) -> Option<Encoder> {
    if codec != Codec::Avc || request.capabilities.system.name != "Windows" {
        return None;
    }
    let cards = request.capabilities.gpu.as_deref().unwrap_or_default();
    let index = request.preferences.composition_gpu_index.unwrap_or_default();
    let card = cards.get(usize::try_from(index).ok()?).or(cards.first())?;
    let name = match card.vendor_id {
        NVIDIA if major_version(&request.client.version) >= 31 => "obs_nvenc_h264_tex",
        NVIDIA => "jim_nvenc",
        AMD => "h264_texture_amf",
        INTEL => "obs_qsv11_v2",
        _ => return None,
    };
    ALL.into_iter().find(|encoder| encoder.name == name)
}

fn major_version(version: &str) -> u32 {
    let major = version.split('.').next().unwrap_or_default();
    major.parse().unwrap_or_default()
}
