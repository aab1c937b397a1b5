//! Which encoders work here: each is asked for two frames.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use media::{FrameRate, TrackId};
use tokio::process::Command;

use super::{ENCODERS, Encoder};
use crate::ladder::{Shape, Speed};
use crate::own_options::OwnOptions;
use crate::priority;

const PATIENCE: Duration = Duration::from_secs(30);
/// A try yields to encoders that are at work, too.
const NICE: i32 = 19;

/// Whether an encoder works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It encoded two frames.
    Works,
    /// It did not, for this reason.
    Fails(String),
}

/// What was found of the encoders.
#[derive(Clone, Debug, Default)]
pub struct Found(pub Vec<(Encoder, Probe)>);

impl Found {
    /// The encoder to use where `wanted` is asked for, and why it is another one.
    pub fn choose(&self, wanted: Encoder) -> (Encoder, Option<String>) {
        let found = self.0.iter().find(|(encoder, _)| *encoder == wanted);
        match found {
            Some((_, Probe::Fails(reason))) if wanted.in_software() != wanted => {
                let name = wanted.name();
                (
                    wanted.in_software(),
                    Some(format!("{name} does not work here: {reason}")),
                )
            }
            _ => (wanted, None),
        }
    }
}

/// Tries every encoder, or those that `which` names.
pub async fn probe(ffmpeg: &Path, which: impl Fn(Encoder) -> bool) -> Found {
    let mut found = Vec::new();
    for encoder in ENCODERS.into_iter().filter(|encoder| which(*encoder)) {
        found.push((encoder, try_encoder(ffmpeg, encoder).await));
    }
    Found(found)
}

/// Whether a program makes Opus.
pub async fn has_opus(ffmpeg: &Path) -> bool {
    let source = "-hide_banner -nostdin -loglevel error -f lavfi -i anullsrc=r=48000:d=0.1 -c:a libopus -f null -";
    matches!(run(ffmpeg, source.split(' ')).await, Probe::Works)
}

async fn try_encoder(ffmpeg: &Path, encoder: Encoder) -> Probe {
    run(ffmpeg, arguments(encoder)).await
}

async fn run(ffmpeg: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Probe {
    let mut command = Command::new(ffmpeg);
    command
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let tried = async {
        let process = command.spawn()?;
        if let Some(id) = process.id() {
            priority::lower(id, NICE);
        }
        process.wait_with_output().await
    };
    match tokio::time::timeout(PATIENCE, tried).await {
        Ok(Ok(output)) if output.status.success() => Probe::Works,
        Ok(Ok(output)) => Probe::Fails(reason(&output.stderr)),
        Ok(Err(error)) => Probe::Fails(error.to_string()),
        Err(_) => Probe::Fails("it does not answer".to_owned()),
    }
}

fn arguments(encoder: Encoder) -> Vec<String> {
    let shape = Shape {
        track: TrackId::VIDEO,
        name: "probe".into(),
        width: 320,
        height: 240,
        divisor: 1,
        frame_rate: FrameRate::new(30, 1),
        frame_rate_max: 30,
        bitrate: 500_000,
        codec: encoder.codec,
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut arguments = words("-hide_banner -nostdin -loglevel error");
    arguments.extend(encoder.device().iter().map(|word| (*word).to_owned()));
    arguments.extend(words("-f lavfi -i color=size=320x240:rate=30 -frames:v 2 -vf"));
    arguments.push(encoder.pixels().to_owned());
    arguments.extend(encoder.arguments(&shape, Speed::Superfast, 1, &OwnOptions::default()));
    arguments.extend(words("-f null -"));
    arguments
}

/// The first line says what is wrong; those after it, what follows from that.
fn reason(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it says nothing");
    // ffmpeg puts the part that speaks, and its address, in front.
    let line = line.split_once("] ").map_or(line, |(_, rest)| rest);
    line.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use hub::Codec;

    use super::*;
    use crate::encoder::Family;

    #[test]
    fn a_broken_encoder_is_replaced_by_software_and_the_reason_told() {
        let nvenc = Encoder::of(Family::Nvenc, Codec::Avc);
        let found = Found(vec![(nvenc, Probe::Fails("Cannot load libcuda.so.1".into()))]);
        let (encoder, notice) = found.choose(nvenc);
        assert_eq!(encoder.name(), "libx264");
        assert_eq!(
            notice.as_deref(),
            Some("h264_nvenc does not work here: Cannot load libcuda.so.1")
        );
        assert_eq!(found.choose(encoder), (encoder, None));
    }

    #[test]
    fn the_reason_is_the_first_line_without_its_speaker() {
        let stderr = b"\n[h264_nvenc @ 0x55] Cannot load libcuda.so.1\nError while opening encoder\n";
        assert_eq!(reason(stderr), "Cannot load libcuda.so.1");
    }
}
