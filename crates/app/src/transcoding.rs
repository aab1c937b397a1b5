//! Starts the encoding of ladders.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hub::{Broadcast, Hub, Ladder, Rung};
use platform::Platform;
use tracing::warn;
use transcode::ladder::{self, Preset};
use transcode::{Answer, Measured, Options, Planner, Transcoder};

use crate::config::Config;

/// Asks the program of `transcode.webhook_url`. It is told what the broadcast shows, which is what was measured.
struct ByWebhook(Platform);

impl Planner for ByWebhook {
    fn plan<'a>(&'a self, broadcast: &'a Arc<Broadcast>, _: &'a Measured) -> Answer<'a> {
        Box::pin(async move {
            let answer = self.0.ask_for_ladder(broadcast).await;
            answer.map_err(|error| error.to_string())
        })
    }
}

/// Encodes what the hub's broadcasts ask for, for as long as the hub lives.
pub fn start(hub: &Hub, config: &Config, platform: &Platform) -> Option<Transcoder> {
    let Some(ffmpeg) = find(&config.transcode.ffmpeg) else {
        warn!(
            ffmpeg = %config.transcode.ffmpeg.display(),
            "streams have no further qualities: install ffmpeg, or set transcode.ffmpeg"
        );
        return None;
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        ffmpeg,
        family: config.transcode.family,
        presets: config.transcode.presets.clone(),
        cpu_budget: config.transcode.cpu_budget.unwrap_or(transcode::cpu_budget_of(cores)),
        memory_max: config.transcode.memory_max,
        folder: config.data_dir.join("transcode"),
    };
    Some(Transcoder::start(
        hub.clone(),
        options,
        Arc::new(ByWebhook(platform.clone())),
    ))
}

/// The names of all presets, those that every server has first.
pub fn names(own: &[Preset]) -> Vec<String> {
    let mut names: Vec<String> = ladder::presets().into_iter().map(|preset| preset.name).collect();
    for preset in own {
        if !names.contains(&preset.name) {
            names.push(preset.name.clone());
        }
    }
    names
}

/// The rungs of a preset, for encoders that make the ladder themselves: those that would be made here of a source without one.
pub fn rungs(presets: &[Preset], ladder: &Ladder) -> Option<Vec<Rung>> {
    match ladder {
        Ladder::Off | Ladder::Rungs(_) => None,
        Ladder::Preset(name) | Ladder::Asked { otherwise: name } => {
            ladder::find(presets, name).map(|preset| preset.rungs)
        }
    }
}

/// Where a program is: children are started without `PATH`.
pub fn find(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return std::path::absolute(program).ok().filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let candidates = folders.into_iter().map(|folder| folder.join(program));
    candidates
        .filter_map(|path| std::path::absolute(path).ok())
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_is_asked_for_the_rungs_of_the_preset() {
        let sizes = |ladder| {
            let rungs = rungs(&[], &ladder)?;
            Some(rungs.iter().map(|rung| rung.size).collect::<Vec<_>>())
        };
        let mobile = Some(vec![480, 360, 240, 144]);
        assert_eq!(sizes(Ladder::Preset("mobile".into())), mobile);
        let otherwise = "mobile".into();
        assert_eq!(sizes(Ladder::Asked { otherwise }), mobile);
        assert_eq!(sizes(Ladder::Off), None);
        assert_eq!(sizes(Ladder::Preset("no such".into())), None);
    }

    #[test]
    fn a_stream_may_ask_for_every_preset_once() {
        let own = |name: &str| Preset {
            name: name.into(),
            ..ladder::find(&[], "mobile").unwrap()
        };
        assert_eq!(names(&[]), platform::ladder::PRESETS);
        let expected = ["default", "low-latency", "mobile", "high", "sports"];
        assert_eq!(names(&[own("high"), own("sports")]), expected);
    }

    #[test]
    fn a_name_is_looked_up_and_a_path_is_not() {
        assert!(find(Path::new("sh")).is_some_and(|path| path.is_absolute()));
        assert_eq!(find(Path::new("./sh")), None);
        assert_eq!(find(Path::new("no-such-program")), None);
    }
}
