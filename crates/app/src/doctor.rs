//! Looks for what would stop the server from working, and says what to do about it.

mod certificates;
mod encoders;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

use crate::config::{Config, Settings};

/// What one look found.
enum Finding {
    Good(String),
    /// Works, yet somebody may miss something.
    Note(String),
    Bad(String),
}

/// Looks at everything and prints a line for each.
///
/// # Errors
/// If anything must be mended before the server can run.
pub fn run(settings: &Settings) -> Result<()> {
    let config = settings.check()?;
    let mut findings = vec![Finding::Good("configuration is good".into())];
    findings.extend(ports(&config));
    findings.extend([data_folder(&config.data_dir), ffmpeg(), clock(), open_files()]);
    findings.extend(certificates::findings(&config));
    findings.extend(encoders::findings(&config));
    findings.push(web_app());
    let bad = findings
        .iter()
        .filter(|finding| matches!(finding, Finding::Bad(_)))
        .count();
    for finding in &findings {
        print(finding);
    }
    if bad > 0 {
        bail!("{bad} to mend");
    }
    Ok(())
}

fn print(finding: &Finding) {
    match finding {
        Finding::Good(text) => println!("ok    {text}"),
        Finding::Note(text) => println!("note  {text}"),
        Finding::Bad(text) => println!("BAD   {text}"),
    }
}

fn ports(config: &Config) -> Vec<Finding> {
    let listeners = [
        ("http.listen", config.http_listen),
        ("https.listen", config.https_listen),
        ("rtmp.listen", config.rtmp_listen),
        ("rtmps.listen", config.rtmps_listen),
    ];
    listeners
        .into_iter()
        .filter_map(|(key, address)| Some(port(key, address?)))
        .collect()
}

fn port(key: &str, address: SocketAddr) -> Finding {
    match std::net::TcpListener::bind(address) {
        Ok(_) => Finding::Good(format!("{address} is free for {key}")),
        Err(error) => Finding::Bad(format!(
            "{address} cannot be used ({error}): is the server running already? else set {key}"
        )),
    }
}

fn data_folder(dir: &Path) -> Finding {
    let probe = dir.join(".probe");
    let tried = std::fs::create_dir_all(dir)
        .and_then(|()| std::fs::write(&probe, b""))
        .and_then(|()| std::fs::remove_file(&probe));
    if let Err(error) = tried {
        return Finding::Bad(format!(
            "{} cannot be written ({error}): set data.dir to a folder of this user",
            dir.display()
        ));
    }
    match rustix::fs::statvfs(dir) {
        Ok(fs) if fs.f_bavail.saturating_mul(fs.f_frsize) < 1 << 30 => {
            Finding::Note(format!("{} has under 1 GiB left", dir.display()))
        }
        _ => Finding::Good(format!("{} can be written", dir.display())),
    }
}

fn ffmpeg() -> Finding {
    let Ok(run) = Command::new("ffmpeg").args(["-hide_banner", "-encoders"]).output() else {
        return Finding::Note("ffmpeg is not installed, the demo needs it: apt-get install ffmpeg".into());
    };
    let encoders = String::from_utf8_lossy(&run.stdout);
    let missing: Vec<_> = ["libx264", "aac"]
        .into_iter()
        .filter(|name| !encoders.contains(&format!(" {name} ")))
        .collect();
    if missing.is_empty() {
        Finding::Good("ffmpeg has libx264 and aac".into())
    } else {
        Finding::Note(format!("ffmpeg lacks {}: the demo needs it", missing.join(" and ")))
    }
}

fn clock() -> Finding {
    // The first release was in 2026: a clock before that was never set.
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    if since_1970 < Duration::from_secs(1_767_225_600) {
        return Finding::Bad("the clock is before 2026: set it, players compare it with theirs".into());
    }
    Finding::Good("the clock is set".into())
}

fn open_files() -> Finding {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile)
        .maximum
        .unwrap_or(u64::MAX);
    if limit < 10_000 {
        return Finding::Note(format!(
            "only {limit} files may be open, and each viewer is one: raise the limit (ulimit -n, LimitNOFILE)"
        ));
    }
    Finding::Good(format!("{limit} files may be open"))
}

fn web_app() -> Finding {
    if web_assets::built() {
        Finding::Good("the web app is built in".into())
    } else {
        Finding::Note("the web app was not built in: install Node 20 or newer and build again".into())
    }
}
