//! ffmpeg as the demo's encoder: its own moving test pattern under our clock, and a tone.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use hub::Clock;
use tokio::io::{AsyncWrite, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, MissedTickBehavior};

use super::picture;

const FRAME_RATE: u32 = 30;

/// A running encoder. It is killed when its child is dropped.
pub struct Encoder {
    /// The process.
    pub child: Child,
    /// Where frames of the clock go in.
    pub clock: ChildStdin,
    /// Where FLV comes out.
    pub flv: BufReader<ChildStdout>,
}

impl Encoder {
    /// Starts ffmpeg.
    ///
    /// # Errors
    /// If it is not installed.
    pub fn start() -> Result<Self> {
        let mut child = Command::new("ffmpeg")
            .args(arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start ffmpeg: install it (apt-get install ffmpeg)")?;
        let clock = child.stdin.take().context("ffmpeg has no standard input")?;
        let flv = child.stdout.take().context("ffmpeg has no standard output")?;
        Ok(Self {
            child,
            clock,
            flv: BufReader::with_capacity(64 << 10, flv),
        })
    }
}

fn arguments() -> Vec<String> {
    let band = format!("{}x{}", picture::WIDTH, picture::HEIGHT);
    let line = format!(
        "-hide_banner -loglevel error -probesize 32 -analyzeduration 0 \
         -f rawvideo -pixel_format gray -video_size {band} -framerate {FRAME_RATE} -i pipe:0 \
         -f lavfi -i testsrc2=size=1280x720:rate={FRAME_RATE} -f lavfi -i sine=frequency=440:beep_factor=2:sample_rate=48000 \
         -filter_complex [1:v][0:v]overlay=0:0:eof_action=endall:format=yuv420,format=yuv420p[v] -map [v] -map 2:a \
         -c:v libx264 -preset veryfast -tune zerolatency -profile:v high -b:v 2500k -maxrate 2500k -bufsize 2500k \
         -g {FRAME_RATE} -keyint_min {FRAME_RATE} -sc_threshold 0 -c:a aac -b:a 128k -ac 2 \
         -flush_packets 1 -flvflags no_duration_filesize -f flv pipe:1"
    );
    line.split_whitespace().map(str::to_owned).collect()
}

/// Hands a clock picture to the encoder at each frame's time, for ever. A frame that is late is handed over at once, and
/// still shows the time it was due: as a camera's would.
///
/// # Errors
/// When the encoder takes no more.
pub async fn tick(pictures: &mut (impl AsyncWrite + Unpin), wall: Clock) -> Result<()> {
    let mut ticks = tokio::time::interval_at(Instant::now(), Duration::from_secs(1) / FRAME_RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for frame in 0.. {
        let due = ticks.tick().await;
        let late = i64::try_from(due.elapsed().as_micros()).unwrap_or(i64::MAX);
        let millis = (wall.unix_micros() - late) / 1_000;
        pictures.write_all(&picture::draw(millis.unsigned_abs(), frame)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_is_late_shows_the_time_it_was_due() {
        let size = picture::draw(0, 0).len();
        let (mut pictures, mut encoder) = tokio::io::duplex(size);
        let wall = Clock::starting_at(1_000_000_000);
        tokio::spawn(async move { tick(&mut pictures, wall).await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut drawn = vec![0; size];
        for (frame, due) in [1_000_000, 1_000_033, 1_000_066, 1_000_100].into_iter().enumerate() {
            encoder.read_exact(&mut drawn).await.unwrap();
            assert!(drawn == picture::draw(due, frame as u64), "frame {frame}");
        }
    }
}
