//! The file of stream keys: read at the start and again whenever it changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow};
use hub::authority::{Keys, Local, parse_keys};
use tracing::{info, warn};

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Reads the file into the authority.
///
/// # Errors
/// Says what is wrong with it; never repeats a key.
pub fn load(path: &Path, authority: &Local) -> Result<()> {
    authority.replace_keys(read(path)?);
    Ok(())
}

/// Takes up changes of the file. A file that is wrong is reported, and the keys stay as they were.
pub async fn watch(path: PathBuf, authority: Arc<Local>) {
    let mut seen = stamp(&path);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = stamp(&path);
        if now == seen {
            continue;
        }
        seen = now;
        match load(&path, &authority) {
            Ok(()) => info!(file = %path.display(), "stream keys were read again"),
            Err(error) => warn!("{error:#}: the stream keys stay as they were"),
        }
    }
}

fn read(path: &Path) -> Result<Keys> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse_keys(&text).map_err(|reason| anyhow!("{}: {reason}", path.display()))
}

fn stamp(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}
