//! The ladder of a broadcast as its journal keeps it.

use hub::{Codec, Ladder, Rung};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedLadder {
    #[default]
    Off,
    Preset(String),
    Rungs(Vec<SavedRung>),
    Asked {
        otherwise: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedRung {
    name: String,
    size: u32,
    frame_rate_max: u32,
    bitrate: u32,
    codec: SavedCodec,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedCodec {
    Avc,
    Hevc,
    Av1,
}

impl SavedLadder {
    pub(super) fn of(ladder: &Ladder) -> Self {
        match ladder {
            Ladder::Off => Self::Off,
            Ladder::Preset(name) => Self::Preset(name.to_string()),
            Ladder::Rungs(rungs) => Self::Rungs(rungs.iter().map(SavedRung::of).collect()),
            Ladder::Asked { otherwise } => Self::Asked {
                otherwise: otherwise.to_string(),
            },
        }
    }

    pub(super) fn restored(&self) -> Ladder {
        match self {
            Self::Off => Ladder::Off,
            Self::Preset(name) => Ladder::Preset(name.as_str().into()),
            Self::Rungs(rungs) => Ladder::Rungs(rungs.iter().map(SavedRung::restored).collect()),
            Self::Asked { otherwise } => Ladder::Asked {
                otherwise: otherwise.as_str().into(),
            },
        }
    }
}

impl SavedRung {
    fn of(rung: &Rung) -> Self {
        Self {
            name: rung.name.to_string(),
            size: rung.size,
            frame_rate_max: rung.frame_rate_max,
            bitrate: rung.bitrate,
            codec: match rung.codec {
                Codec::Avc => SavedCodec::Avc,
                Codec::Hevc => SavedCodec::Hevc,
                Codec::Av1 => SavedCodec::Av1,
            },
        }
    }

    fn restored(&self) -> Rung {
        Rung {
            name: self.name.as_str().into(),
            size: self.size,
            frame_rate_max: self.frame_rate_max,
            bitrate: self.bitrate,
            codec: match self.codec {
                SavedCodec::Avc => Codec::Avc,
                SavedCodec::Hevc => Codec::Hevc,
                SavedCodec::Av1 => Codec::Av1,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let rung = |name: &str, codec| Rung {
            name: name.into(),
            size: 720,
            frame_rate_max: 60,
            bitrate: 3_000_000,
            codec,
        };
        let rungs = [Codec::Avc, Codec::Hevc, Codec::Av1].map(|codec| rung("720p", codec));
        for ladder in [
            Ladder::Off,
            Ladder::Preset("default".into()),
            Ladder::Rungs(rungs.into()),
            Ladder::Asked {
                otherwise: "mobile".into(),
            },
        ] {
            let kept = serde_json::to_string(&SavedLadder::of(&ladder)).unwrap();
            let read: SavedLadder = serde_json::from_str(&kept).unwrap();
            assert_eq!(read.restored(), ladder);
        }
    }
}
