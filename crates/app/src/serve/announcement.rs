//! What the server says when it is ready.

use std::io::Write as _;

use platform::Platform;
use tracing::warn;

use crate::config::Config;
use crate::{addresses, admin, demo};

/// Says where everything is, on standard output: for the person who started it.
pub(super) async fn announce(config: &Config, platform: &Platform, with_demo: bool) {
    let setup = admin::users::setup_address(config, platform)
        .await
        .unwrap_or_else(|error| {
            warn!(%error, "the setup link cannot be made: headwater setup-link prints it later");
            None
        });
    // Nobody may be reading.
    let _ = std::io::stdout().write_all(announcement(config, setup, with_demo).as_bytes());
}

fn announcement(config: &Config, setup: Option<String>, with_demo: bool) -> String {
    let mut lines = vec!["\nHeadwater is ready".to_owned()];
    let mut line = |what: &str, address: String| lines.push(format!("  {what:<7} {address}"));
    if let Some(page) = addresses::page(config) {
        line("page", format!("{page}/"));
        if with_demo {
            line("watch", format!("{page}/watch/{}", demo::NAME));
            line("hls", format!("{page}/live/{}.m3u8", demo::NAME));
            line("dash", format!("{page}/live/{}.mpd", demo::NAME));
        }
    }
    if let (Some(page), None) = (addresses::network_page(config), &config.http_public_url) {
        line("network", format!("{page}/"));
    }
    if let Some(secure) = addresses::secure_page(config) {
        line("secure", format!("{secure}/"));
    }
    if let Some(setup) = setup {
        line("set up", format!("{setup}  (once: whoever opens it owns the server)"));
    }
    if let Some(rtmp) = addresses::rtmp(config) {
        if with_demo {
            line("rtmp", format!("{rtmp}/live/{}", demo::NAME));
        }
        line("publish", format!("{rtmp}/live  (stream key: {})", key_hint(config)));
    }
    lines.join("\n") + "\n\n"
}

fn key_hint(config: &Config) -> &'static str {
    match (config.publish_open, &config.publish_keys_file) {
        (true, _) => "any name, from this machine; or a channel's, from anywhere",
        (false, Some(_)) => "one of publish.keys_file, or a channel's",
        (false, None) => "a channel's, from its studio",
    }
}
