//! Which encoders work here.

use transcode::{Family, Probe};

use super::Finding;
use crate::config::Config;
use crate::transcoding;

/// A line for each encoder: one that is asked for and does not work is to be known of.
pub fn findings(config: &Config) -> Vec<Finding> {
    let Some(ffmpeg) = transcoding::find(&config.transcode.ffmpeg) else {
        return vec![Finding::Note(format!(
            "{} is not installed: streams have no further qualities without it (apt-get install ffmpeg)",
            config.transcode.ffmpeg.display()
        ))];
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Vec::new();
    };
    let found = runtime.block_on(transcode::probe(&ffmpeg, |_| true));
    let asked = config.transcode.family;
    let finding = |(encoder, probe): (transcode::Encoder, Probe)| match probe {
        Probe::Works => Finding::Good(format!("{} encodes", encoder.name())),
        Probe::Fails(reason) if encoder.family == asked && asked != Family::Software => Finding::Note(format!(
            "{} does not work here, processors encode in its place: {reason}",
            encoder.name()
        )),
        Probe::Fails(reason) => Finding::Good(format!("{} is not to be had here: {reason}", encoder.name())),
    };
    let mut findings: Vec<_> = found.0.into_iter().map(finding).collect();
    if config.transcode.opus && !runtime.block_on(transcode::has_opus(&ffmpeg)) {
        findings.push(Finding::Note(
            "this ffmpeg has no libopus: transcode.opus makes nothing".to_owned(),
        ));
    }
    findings
}
