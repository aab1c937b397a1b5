//! A ladder as the settings of a stream ask for it.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PRESET_DEFAULT;
use crate::error::{Error, Result};
use crate::platform::Options;

/// Rungs of one ladder.
pub const RUNGS_MAX: usize = 8;
/// Characters of a rung's name.
pub const RUNG_NAME_MAX: usize = 24;
/// Characters of a preset's name.
pub const PRESET_NAME_MAX: usize = 64;
/// Pixels of the shorter side of a rung's picture.
pub const SIZES: RangeInclusive<u32> = 120..=4_320;
/// Frames per second of a rung, at most.
pub const FRAME_RATES: RangeInclusive<u32> = 1..=240;
/// Bits per second of a rung, on average.
pub const BITRATES: RangeInclusive<u32> = 50_000..=60_000_000;

/// Which qualities viewers get beside the source.
// Variants without fields have braces: serde takes any field beside the tag of one that has none (`deny_unknown_fields`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = StreamLadder)]
pub enum Ladder {
    /// Those that the server's configuration says.
    Server {},
    /// None: the source alone.
    Off {},
    /// Those of a preset.
    Preset {
        /// Its name.
        #[schema(min_length = 1, max_length = 64)]
        preset: String,
    },
    /// These very ones.
    Rungs {
        /// Each with another name.
        #[schema(min_items = 1, max_items = 8)]
        rungs: Vec<Rung>,
    },
    /// Those that the program answers with which the server's configuration names; those of a preset where no answer comes.
    Webhook {},
}

/// One quality that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LadderRung)]
pub struct Rung {
    /// What it is called: `720p`. Letters, digits and hyphens: it stands in addresses.
    #[schema(min_length = 1, max_length = 24, pattern = "^[A-Za-z0-9-]+$")]
    pub name: String,
    /// Pixels of the shorter side of its picture, 120 to 4320.
    #[schema(minimum = 120, maximum = 4320)]
    pub size: u32,
    /// Frames per second at most.
    #[schema(minimum = 1, maximum = 240)]
    pub frame_rate_max: u32,
    /// Bits per second, on average.
    #[schema(minimum = 50000, maximum = 60000000)]
    pub bitrate: u32,
    /// How it is encoded.
    #[serde(default)]
    pub codec: Codec,
}

/// How a rung is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LadderCodec)]
pub enum Codec {
    /// H.264: plays everywhere.
    #[default]
    Avc,
    /// H.265.
    Hevc,
    /// AOMedia Video 1.
    Av1,
}

impl Default for Ladder {
    fn default() -> Self {
        Self::Server {}
    }
}

impl Ladder {
    /// Refuses what cannot be anywhere. `at` is the JSON pointer of the ladder in the request.
    ///
    /// # Errors
    /// [`Error::Field`].
    pub fn check(&self, at: &str) -> Result<()> {
        match self {
            Self::Preset { preset } if !(1..=PRESET_NAME_MAX).contains(&preset.chars().count()) => {
                refuse(format!("{at}/preset"), "must have 1 to 64 characters")
            }
            Self::Rungs { rungs } if rungs.is_empty() => refuse(format!("{at}/rungs"), "must have 1 to 8 rungs"),
            Self::Rungs { rungs } => check_rungs(rungs, &format!("{at}/rungs")),
            _ => Ok(()),
        }
    }

    /// Refuses what this server does not have.
    ///
    /// # Errors
    /// [`Error::Field`].
    pub fn check_here(&self, at: &str, options: &Options) -> Result<()> {
        match self {
            Self::Preset { preset } if !options.ladder_presets.contains(preset) => {
                let known = options.ladder_presets.join(", ");
                refuse(
                    format!("{at}/preset"),
                    format!("this server has no such preset, but these: {known}"),
                )
            }
            Self::Webhook {} if options.ladder_webhook.is_none() => refuse(
                format!("{at}/mode"),
                "this server asks no program: whoever runs it must set transcode.webhook_url",
            ),
            _ => Ok(()),
        }
    }

    /// What a broadcast is run with, where `base` is what the configuration says.
    pub fn over(&self, base: &hub::Ladder) -> hub::Ladder {
        match self {
            Self::Server {} => base.clone(),
            Self::Off {} => hub::Ladder::Off,
            Self::Preset { preset } => hub::Ladder::Preset(preset.as_str().into()),
            Self::Rungs { rungs } => hub::Ladder::Rungs(for_hub(rungs).into()),
            Self::Webhook {} => hub::Ladder::Asked {
                otherwise: stand_in(base),
            },
        }
    }
}

/// The preset where no answer comes.
fn stand_in(base: &hub::Ladder) -> Arc<str> {
    match base {
        hub::Ladder::Preset(name) | hub::Ladder::Asked { otherwise: name } => Arc::clone(name),
        hub::Ladder::Off | hub::Ladder::Rungs(_) => PRESET_DEFAULT.into(),
    }
}

impl Rung {
    fn check(&self, at: &str) -> Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !(1..=RUNG_NAME_MAX).contains(&self.name.len()) || !self.name.chars().all(plain) {
            let detail = "must be 1 to 24 letters, digits and hyphens";
            return refuse(format!("{at}/name"), detail);
        }
        if !SIZES.contains(&self.size) {
            return refuse(format!("{at}/size"), "must be 120 to 4320");
        }
        if !FRAME_RATES.contains(&self.frame_rate_max) {
            return refuse(format!("{at}/frame_rate_max"), "must be 1 to 240");
        }
        if !BITRATES.contains(&self.bitrate) {
            return refuse(format!("{at}/bitrate"), "must be 50000 to 60000000");
        }
        Ok(())
    }
}

impl From<&Rung> for hub::Rung {
    fn from(rung: &Rung) -> Self {
        Self {
            name: rung.name.as_str().into(),
            size: rung.size,
            frame_rate_max: rung.frame_rate_max,
            bitrate: rung.bitrate,
            codec: rung.codec.into(),
        }
    }
}

impl From<Codec> for hub::Codec {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Avc => Self::Avc,
            Codec::Hevc => Self::Hevc,
            Codec::Av1 => Self::Av1,
        }
    }
}

impl From<hub::Codec> for Codec {
    fn from(codec: hub::Codec) -> Self {
        match codec {
            hub::Codec::Avc => Self::Avc,
            hub::Codec::Hevc => Self::Hevc,
            hub::Codec::Av1 => Self::Av1,
        }
    }
}

/// Refuses rungs that cannot be; that there is none is for the caller to judge.
pub(super) fn check_rungs(rungs: &[Rung], at: &str) -> Result<()> {
    if rungs.len() > RUNGS_MAX {
        return refuse(at.to_owned(), "at most 8 rungs");
    }
    for (index, rung) in rungs.iter().enumerate() {
        rung.check(&format!("{at}/{index}"))?;
        if rungs.iter().take(index).any(|other| other.name == rung.name) {
            return refuse(format!("{at}/{index}/name"), "another rung has this name");
        }
    }
    Ok(())
}

/// The same for the hub: the best first, in whatever order they were written.
pub(super) fn for_hub(rungs: &[Rung]) -> Vec<hub::Rung> {
    let mut rungs: Vec<hub::Rung> = rungs.iter().map(hub::Rung::from).collect();
    rungs.sort_by_key(|rung| Reverse((rung.size, rung.bitrate)));
    rungs
}

fn refuse(pointer: String, detail: impl Into<Cow<'static, str>>) -> Result<()> {
    Err(Error::Field {
        pointer: pointer.into(),
        detail: detail.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(ladder: Value) -> serde_json::Result<Ladder> {
        serde_json::from_value(ladder)
    }

    fn rung(name: &str, size: u32) -> Value {
        json!({"name": name, "size": size, "frame_rate_max": 30, "bitrate": 1_000_000})
    }

    fn preset(name: &str) -> hub::Ladder {
        hub::Ladder::Preset(name.into())
    }

    #[test]
    fn each_mode_is_what_the_hub_runs_a_broadcast_with() {
        let over = |ladder: Value, base: &hub::Ladder| read(ladder).expect("a ladder").over(base);
        let base = preset("mobile");
        assert_eq!(over(json!({"mode": "server"}), &base), base);
        assert_eq!(over(json!({"mode": "off"}), &base), hub::Ladder::Off);
        assert_eq!(over(json!({"mode": "preset", "preset": "high"}), &base), preset("high"));
        let asked = |otherwise: &str| hub::Ladder::Asked {
            otherwise: otherwise.into(),
        };
        for (base, otherwise) in [(base, "mobile"), (asked("high"), "high"), (hub::Ladder::Off, "default")] {
            assert_eq!(over(json!({"mode": "webhook"}), &base), asked(otherwise));
        }
    }

    #[test]
    fn the_hub_gets_the_best_rung_first() {
        let ladder = json!({"mode": "rungs", "rungs": [rung("low", 240), rung("sound", 0), rung("high", 1_080)]});
        let hub::Ladder::Rungs(rungs) = read(ladder).expect("a ladder").over(&hub::Ladder::Off) else {
            panic!("rungs stay rungs");
        };
        let names: Vec<&str> = rungs.iter().map(|rung| &*rung.name).collect();
        assert_eq!(names, ["high", "low", "sound"]);
        assert_eq!(rungs[0].codec, hub::Codec::Avc);
    }

    #[test]
    fn what_belongs_to_another_mode_is_refused() {
        for ladder in [
            json!({"mode": "off", "preset": "high"}),
            json!({"mode": "server", "rungs": []}),
            json!({"mode": "preset"}),
            json!({"mode": "preset", "preset": "high", "rungs": []}),
            json!({"mode": "nothing"}),
            json!({"mode": "rungs", "rungs": [{"name": "a", "size": 240, "frame_rate_max": 30, "bitrate": 90_000, "crf": 20}]}),
            json!({}),
        ] {
            assert!(read(ladder.clone()).is_err(), "{ladder}");
        }
    }

    #[test]
    fn rungs_that_cannot_be_are_refused_with_the_place() {
        let with = |field: &str, value: Value| {
            let mut rung = rung("480p", 480);
            rung[field] = value;
            json!([rung])
        };
        let many = |count: u32| (0..count).map(|at| rung(&format!("r{at}"), 240)).collect::<Vec<_>>();
        for (rungs, pointer) in [
            (json!([]), "/x/rungs"),
            (json!(many(9)), "/x/rungs"),
            (json!([rung("a", 240), rung("a", 480)]), "/x/rungs/1/name"),
            (with("name", json!("")), "/x/rungs/0/name"),
            (with("name", json!("a b")), "/x/rungs/0/name"),
            (with("name", json!("..")), "/x/rungs/0/name"),
            (with("name", json!("x".repeat(25))), "/x/rungs/0/name"),
            (with("size", json!(0)), "/x/rungs/0/size"),
            (with("size", json!(119)), "/x/rungs/0/size"),
            (with("size", json!(4_321)), "/x/rungs/0/size"),
            (with("frame_rate_max", json!(0)), "/x/rungs/0/frame_rate_max"),
            (with("frame_rate_max", json!(241)), "/x/rungs/0/frame_rate_max"),
            (with("bitrate", json!(49_999)), "/x/rungs/0/bitrate"),
            (with("bitrate", json!(60_000_001)), "/x/rungs/0/bitrate"),
        ] {
            let ladder = read(json!({"mode": "rungs", "rungs": rungs})).expect("a ladder");
            match ladder.check("/x") {
                Err(Error::Field { pointer: at, .. }) => assert_eq!(at, pointer),
                other => panic!("{pointer}: {other:?}"),
            }
        }
        for rungs in [json!(many(8)), with("size", json!(120)), with("size", json!(4_320))] {
            let ladder = read(json!({"mode": "rungs", "rungs": rungs})).expect("a ladder");
            assert!(ladder.check("/x").is_ok(), "{ladder:?}");
        }
    }
}
