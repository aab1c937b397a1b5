//! Short films that ffmpeg makes, frame by frame as a source sends them.

use std::process::{Command, Stdio};

use bytes::Bytes;
use media::Parameters;

use crate::bitstream::Bitstream;
use crate::nut::{Event, Limits, Reader};

/// One frame, in the order of decoding.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Milliseconds.
    pub dts: u64,
    /// Milliseconds after `dts`.
    pub cts: i32,
    pub keyframe: bool,
    pub data: Bytes,
}

#[derive(Clone, Debug)]
pub struct Clip {
    pub parameters: Parameters,
    pub frames: Vec<Frame>,
}

/// What ffmpeg's own test picture becomes with these encoder arguments.
pub fn video(size: &str, rate: &str, seconds: u32, arguments: &str) -> Clip {
    let input = format!("-f lavfi -i testsrc2=size={size}:rate={rate} -t {seconds} -pix_fmt yuv420p -c:v {arguments}");
    make(&input)
}

/// A tone in another codec.
pub fn audio(seconds: u32, arguments: &str) -> Clip {
    make(&format!(
        "-f lavfi -i sine=frequency=440:sample_rate=48000 -t {seconds} -ac 2 {arguments}"
    ))
}

fn make(arguments: &str) -> Clip {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-loglevel", "error"])
        .args(arguments.split(' '))
        .args(["-f", "nut", "pipe:1"])
        .stderr(Stdio::inherit())
        .output()
        .expect("ffmpeg is installed");
    let mut reader = Reader::new(Limits::default());
    reader.buffer().extend_from_slice(&output.stdout);
    let mut bitstream = None;
    let mut timescale = 1;
    let mut frames = Vec::new();
    while let Some(event) = reader.poll_event().expect("ffmpeg writes NUT") {
        match event {
            Event::Stream(stream) => {
                timescale = i64::from(stream.timescale);
                bitstream = Bitstream::new(&stream);
            }
            Event::Frame { pts, keyframe, data } => {
                let data = bitstream.as_mut().expect("a known codec").convert(data);
                frames.push((pts, keyframe, data));
            }
        }
    }
    Clip {
        parameters: bitstream
            .and_then(|bitstream| bitstream.parameters().cloned())
            .expect("parameters"),
        frames: timed(frames, timescale),
    }
}

/// NUT has no decode times: they are the presentation times in order, as much earlier as makes none late.
fn timed(frames: Vec<(i64, bool, Bytes)>, timescale: i64) -> Vec<Frame> {
    let mut shown: Vec<_> = frames.iter().map(|(pts, ..)| *pts).collect();
    shown.sort_unstable();
    let early = frames
        .iter()
        .zip(&shown)
        .map(|((pts, ..), shown)| shown - pts)
        .max()
        .unwrap_or(0);
    let ms = |ticks: i64| (ticks * 1_000 + timescale / 2) / timescale;
    let first = shown[0] - early;
    let frame = |((pts, keyframe, data), dts): ((i64, bool, Bytes), i64)| {
        let dts = ms(dts - early - first);
        Frame {
            dts: dts as u64,
            cts: (ms(pts - first) - dts) as i32,
            keyframe,
            data,
        }
    };
    frames.into_iter().zip(shown).map(frame).collect()
}
