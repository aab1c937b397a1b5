//! How streams are encoded: `transcode.…` and `[transcode.presets.NAME]`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use hub::{Codec, Ladder, Rung};
use transcode::ladder::{Preset, RUNGS_MAX, Speed, find};
use transcode::{Family, OwnOptions};

use super::{Settings, value};

/// The section whose names are the operator's own.
pub const PRESETS: &str = "transcode.presets";
/// The keys of one preset.
const PRESET_KEYS: [&str; 3] = ["rungs", "speed", "options"];
const RUNG_KEYS: [&str; 5] = ["name", "size", "frame_rate_max", "bitrate", "codec"];

/// How streams are encoded.
#[derive(Clone, Debug)]
pub struct Transcode {
    /// `transcode.ffmpeg`
    pub ffmpeg: PathBuf,
    /// `transcode.encoder`
    pub family: Family,
    /// `transcode.cpu_budget` in thousandths of a processor; `None` where nothing is said
    pub cpu_budget: Option<u32>,
    /// `transcode.memory_max` in bytes
    pub memory_max: u64,
    /// `transcode.opus`
    pub opus: bool,
    /// `[transcode.presets]`
    pub presets: Vec<Preset>,
}

impl Settings {
    pub(super) fn transcode(&self) -> Result<Transcode> {
        Ok(Transcode {
            ffmpeg: self
                .read("transcode.ffmpeg", value::path)?
                .context("transcode.ffmpeg is empty")?,
            family: match self.choice("transcode.encoder")?.as_str() {
                "nvenc" => Family::Nvenc,
                "vaapi" => Family::Vaapi,
                "qsv" => Family::Qsv,
                _ => Family::Software,
            },
            cpu_budget: self.read("transcode.cpu_budget", processors)?,
            memory_max: self
                .read("transcode.memory_max", mebibytes)?
                .context("transcode.memory_max is empty")?,
            opus: self.choice("transcode.opus")? == "on",
            presets: self.presets()?,
        })
    }

    pub(super) fn ladder(&self) -> Result<Ladder> {
        let own = self.presets()?;
        let parse = |name: &str| match name {
            "off" => Ok(Ladder::Off),
            name if find(&own, name).is_some() => Ok(Ladder::Preset(name.into())),
            _ => bail!("there is no such preset: write [transcode.presets.{name}], or off"),
        };
        self.read("transcode.ladder", parse)?
            .context("transcode.ladder is empty")
    }

    fn presets(&self) -> Result<Vec<Preset>> {
        let named =
            |(name, table): (&String, &toml::Value)| preset(name, table).with_context(|| format!("{PRESETS}.{name}"));
        self.presets.iter().map(named).collect()
    }
}

/// What was said of presets, as it was said.
pub fn print(presets: &toml::Table) -> String {
    let name = |(name, value): (&String, &toml::Value)| {
        let mut named = toml::Table::new();
        named.insert(name.clone(), value.clone());
        let inner = toml::Table::from_iter([("presets".to_owned(), named.into())]);
        let outer = toml::Table::from_iter([("transcode".to_owned(), toml::Value::from(inner))]);
        format!("\n{outer}")
    };
    presets.iter().map(name).collect()
}

fn processors(text: &str) -> Result<u32> {
    let count: f64 = text
        .parse()
        .ok()
        .context("expected a number of processors such as 1.5")?;
    ensure!((0.0..=4_096.0).contains(&count), "must be 0 to 4096");
    Ok((count * 1_000.0) as u32)
}

fn mebibytes(text: &str) -> Result<u64> {
    let count: u64 = text.parse().ok().context("expected a number of MiB such as 1024")?;
    ensure!((64..=65_536).contains(&count), "must be 64 to 65536");
    Ok(count << 20)
}

fn preset(name: &str, value: &toml::Value) -> Result<Preset> {
    let table = value.as_table().context("expected a section with rungs")?;
    known(table, &PRESET_KEYS)?;
    let rungs = table.get("rungs").and_then(toml::Value::as_array);
    let rungs = rungs.context("expected rungs = [{ size = 720, bitrate = 2_500_000 }, …]")?;
    ensure!(
        (1..=RUNGS_MAX).contains(&rungs.len()),
        "must have 1 to {RUNGS_MAX} rungs"
    );
    let rungs: Vec<_> = rungs.iter().map(rung).collect::<Result<_>>()?;
    let best_first = rungs.is_sorted_by(|a, b| a.size >= b.size && a.name != b.name);
    ensure!(
        best_first,
        "rungs go from the largest down, each of its own size or codec"
    );
    let options = table.get("options").map_or(Some(""), toml::Value::as_str);
    Ok(Preset {
        name: name.to_owned(),
        rungs,
        speed: speed(table.get("speed"))?,
        own: true,
        options: OwnOptions::parse(options.context("options is a text")?)?,
    })
}

fn known(table: &toml::Table, keys: &[&str]) -> Result<()> {
    match table.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => bail!("{key} is no key here: there are {}", keys.join(", ")),
        None => Ok(()),
    }
}

fn speed(value: Option<&toml::Value>) -> Result<Speed> {
    match value.map(toml::Value::as_str) {
        None => Ok(Speed::default()),
        Some(Some("superfast")) => Ok(Speed::Superfast),
        Some(Some("veryfast")) => Ok(Speed::Veryfast),
        Some(Some("fast")) => Ok(Speed::Fast),
        Some(_) => bail!("speed is one of superfast, veryfast, fast"),
    }
}

fn rung(value: &toml::Value) -> Result<Rung> {
    let table = value
        .as_table()
        .context("a rung is { size = 720, bitrate = 2_500_000 }")?;
    known(table, &RUNG_KEYS)?;
    let number = |key: &str, range: std::ops::RangeInclusive<u32>| {
        let number = table.get(key).map(toml::Value::as_integer);
        let within = |number: &u32| range.contains(number);
        let fault = || format!("{key} of a rung must be {} to {}", range.start(), range.end());
        number
            .map(|number| {
                number
                    .and_then(|number| u32::try_from(number).ok())
                    .filter(within)
                    .with_context(fault)
            })
            .transpose()
    };
    let size = number("size", 16..=4_320)?.context("a rung needs its size")?;
    let bitrate = number("bitrate", 16_000..=200_000_000)?.context("a rung needs its bitrate")?;
    let (codec, suffix) = match table.get("codec").map(toml::Value::as_str) {
        None | Some(Some("h264")) => (Codec::Avc, ""),
        Some(Some("h265")) => (Codec::Hevc, "-h265"),
        Some(Some("av1")) => (Codec::Av1, "-av1"),
        Some(_) => bail!("codec of a rung is one of h264, h265, av1"),
    };
    Ok(Rung {
        name: name(table)?.unwrap_or_else(|| format!("{size}p{suffix}")).into(),
        size,
        frame_rate_max: number("frame_rate_max", 1..=240)?.unwrap_or(if size >= 720 { 60 } else { 30 }),
        bitrate,
        codec,
    })
}

/// Names stand in addresses.
fn name(table: &toml::Table) -> Result<Option<String>> {
    let Some(value) = table.get("name") else {
        return Ok(None);
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let name = value
        .as_str()
        .filter(|name| (1..=32).contains(&name.len()) && name.chars().all(plain));
    Ok(Some(
        name.context("name of a rung has 1 to 32 letters, digits and -")?
            .to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<super::super::Config> {
        let mut settings = Settings::gather(None, &[])?;
        settings.read_toml(text, "test.toml")?;
        settings.check()
    }

    fn fault(text: &str) -> String {
        format!("{:#}", settings(text).unwrap_err())
    }

    const SPORTS: &str = "[transcode]\nladder = 'sports'\ncpu_budget = '1.5'\n[transcode.presets.sports]\nspeed = 'fast'\n\
        rungs = [{ size = 720, bitrate = 3_000_000 }, \
        { size = 480, frame_rate_max = 60, bitrate = 900_000, codec = 'h265' }]\noptions = '-tune film'";

    #[test]
    fn a_preset_of_the_operators_own_is_used_by_its_name() {
        let config = settings(SPORTS).unwrap();
        assert_eq!(config.live.ladder, Ladder::Preset("sports".into()));
        assert_eq!(config.transcode.cpu_budget, Some(1_500));
        let [preset] = &config.transcode.presets[..] else {
            panic!("one preset")
        };
        assert_eq!(
            (&*preset.rungs[1].name, preset.rungs[1].codec),
            ("480p-h265", Codec::Hevc)
        );
        assert_eq!(
            (preset.rungs[0].frame_rate_max, preset.rungs[1].frame_rate_max),
            (60, 60)
        );
    }

    #[test]
    fn what_is_printed_of_presets_can_be_read_again() {
        let mut said = Settings::gather(None, &[]).unwrap();
        said.read_toml(SPORTS, "test.toml").unwrap();
        let again = settings(&said.print()).unwrap();
        assert_eq!(again.transcode.presets, settings(SPORTS).unwrap().transcode.presets);
    }

    #[test]
    fn a_wrong_preset_names_what_is_wrong() {
        let preset = |text: &str| fault(&format!("[transcode.presets.mine]\n{text}"));
        let cases = [
            (fault("[transcode]\nladder = 'best'"), "there is no such preset"),
            (preset("rungs = []"), "must have 1 to 8 rungs"),
            (preset("rungs = [{ size = 720 }]"), "a rung needs its bitrate"),
            (
                preset("rungs = [{ size = 720, bitrate = 1 }]"),
                "bitrate of a rung must be 16000 to 200000000",
            ),
            (
                preset("rungs = [{ size = 240, bitrate = 300_000 }, { size = 480, bitrate = 900_000 }]"),
                "largest down",
            ),
            (
                preset("rungs = [{ size = 240, bitrate = 300_000, kbps = 1 }]"),
                "kbps is no key here",
            ),
            (
                preset("rungs = [{ size = 240, bitrate = 300_000 }]\noptions = '-i /etc/passwd'"),
                "-i",
            ),
            (
                preset("rungs = [{ size = 240, bitrate = 300_000 }]\nspeed = 'slow'"),
                "superfast, veryfast, fast",
            ),
        ];
        for (fault, expected) in cases {
            assert!(fault.contains(expected), "{fault}");
        }
    }
}
