//! What yields to whom.

use rustix::process::{Pid, setpriority_process};
use tracing::debug;

/// Lowers the priority of a process; what the kernel refuses is told in the log.
pub fn lower(process: u32, nice: i32) {
    // None would be the server itself.
    let Some(id) = i32::try_from(process).ok().and_then(Pid::from_raw) else {
        return;
    };
    if let Err(error) = setpriority_process(Some(id), nice) {
        debug!(%error, "ffmpeg's priority could not be lowered");
    }
}
