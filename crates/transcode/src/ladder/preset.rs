//! The presets that every server has.

use hub::{Codec, Rung};

use crate::own_options::OwnOptions;

/// How much work an encoder puts into a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Speed {
    /// Least processor, least quality for its bits.
    Superfast,
    /// What most ladders use.
    #[default]
    Veryfast,
    /// Two to three times the processor of `Veryfast`.
    Fast,
}

/// A ladder by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What it is asked for by.
    pub name: String,
    /// Its rungs, the best first.
    pub rungs: Vec<Rung>,
    /// How much work goes into each picture.
    pub speed: Speed,
    /// Whether it is the operator's own: what it asks for is made, a rung of the source's own size too.
    pub own: bool,
    /// What the operator adds to the encoders' arguments.
    pub options: OwnOptions,
}

/// Name, speed, and each rung's size, frames per second at most, and kilobits per second.
type Row = (&'static str, Speed, &'static [(u32, u32, u32)]);

const TABLE: [Row; 4] = [
    (
        "default",
        Speed::Veryfast,
        &[
            (1_080, 60, 4_500),
            (720, 60, 2_500),
            (480, 30, 1_100),
            (360, 30, 650),
            (240, 30, 300),
        ],
    ),
    (
        "low-latency",
        Speed::Superfast,
        &[(720, 60, 2_500), (480, 30, 1_100), (240, 30, 300)],
    ),
    (
        "mobile",
        Speed::Veryfast,
        &[(480, 30, 900), (360, 30, 500), (240, 30, 260), (144, 15, 110)],
    ),
    (
        "high",
        Speed::Fast,
        &[
            (1_440, 60, 9_000),
            (1_080, 60, 5_500),
            (720, 60, 3_000),
            (480, 30, 1_300),
            (360, 30, 700),
            (240, 30, 320),
        ],
    ),
];

/// Those that every server has; `default` is the first.
pub fn presets() -> Vec<Preset> {
    TABLE.iter().map(preset).collect()
}

/// The preset of a name: the operator's own go before those that every server has.
pub fn find(own: &[Preset], name: &str) -> Option<Preset> {
    let named = |preset: &&Preset| preset.name == name;
    let built_in = || TABLE.iter().find(|row| row.0 == name).map(preset);
    own.iter().find(named).cloned().or_else(built_in)
}

fn preset(row: &Row) -> Preset {
    let (name, speed, rungs) = row;
    Preset {
        name: (*name).to_owned(),
        rungs: rungs.iter().map(rung).collect(),
        speed: *speed,
        own: false,
        options: OwnOptions::default(),
    }
}

fn rung(&(size, frame_rate_max, kilobits): &(u32, u32, u32)) -> Rung {
    Rung {
        name: format!("{size}p").into(),
        size,
        frame_rate_max,
        bitrate: kilobits * 1_000,
        codec: Codec::Avc,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_goes_from_the_best_rung_down() {
        for preset in presets() {
            assert!(
                preset
                    .rungs
                    .is_sorted_by(|a, b| a.size > b.size && a.bitrate > b.bitrate)
            );
        }
    }

    #[test]
    fn high_frame_rates_are_for_upper_rungs_alone() {
        for rung in presets().iter().flat_map(|preset| &preset.rungs) {
            assert_eq!(rung.frame_rate_max > 30, rung.size >= 720, "{rung:?}");
        }
    }

    #[test]
    fn an_operators_preset_replaces_the_one_of_its_name() {
        let own = Preset {
            rungs: Vec::new(),
            ..find(&[], "mobile").unwrap()
        };
        assert!(find(&[own], "mobile").unwrap().rungs.is_empty());
        assert_eq!(find(&[], "nothing"), None);
    }
}
