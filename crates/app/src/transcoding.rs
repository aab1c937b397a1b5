//! Starts the encoding of ladders.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hub::Hub;
use tracing::warn;
use transcode::{NoPlanner, Options, Transcoder};

use crate::config::Config;

/// Encodes what the hub's broadcasts ask for, for as long as the hub lives.
pub fn start(hub: &Hub, config: &Config) -> Option<Transcoder> {
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
    Some(Transcoder::start(hub.clone(), options, Arc::new(NoPlanner)))
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
    fn a_name_is_looked_up_and_a_path_is_not() {
        assert!(find(Path::new("sh")).is_some_and(|path| path.is_absolute()));
        assert_eq!(find(Path::new("./sh")), None);
        assert_eq!(find(Path::new("no-such-program")), None);
    }
}
