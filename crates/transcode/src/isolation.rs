//! A place without a network, where the kernel lets anybody make one.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;
use tracing::info;

/// A user namespace in which the child owns nothing, and a network namespace without an interface.
const UNSHARE: [&str; 3] = ["/usr/bin/unshare", "--user", "--net"];

/// The words to put before the program so that it has no network; none where the kernel does not let it be.
pub async fn find(ffmpeg: &Path) -> Vec<String> {
    let (program, rest) = (UNSHARE[0], &UNSHARE[1..]);
    let mut command = Command::new(program);
    command
        .args(rest)
        .arg(ffmpeg)
        .args(["-hide_banner", "-version"])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let works = command.status().await.is_ok_and(|status| status.success());
    if works {
        return UNSHARE.map(str::to_owned).to_vec();
    }
    info!("ffmpeg runs without a network namespace: this system lets nobody but root make one");
    Vec::new()
}
