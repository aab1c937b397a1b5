//! Short films that ffmpeg makes, frame by frame as a source sends them.

use std::process::{Command, Stdio};

use bytes::Bytes;
use media::codec::{aac, ac3, flac, mp3, opus};
use media::{AudioCodec, Parameters};

use crate::bitstream::Bitstream;
use crate::nut::{Event, Limits, Reader, Stream};

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

/// Noise in another codec: what is heard when can be told from it. An encoder's priming must not come before time 0, which NUT cannot say.
pub fn audio(seconds: u32, codec: AudioCodec, encoder: &str) -> Clip {
    let input = format!(
        "-f lavfi -i anoisesrc=sample_rate=48000:color=pink:seed=7 -t {seconds} -ac 2 -c:a {encoder} -output_ts_offset 1"
    );
    let (stream, frames) = run(&input);
    let parameters = match codec {
        AudioCodec::Opus => opus::parameters(stream.extradata.clone()),
        AudioCodec::Aac => aac::parameters(stream.extradata.clone()),
        AudioCodec::Flac => flac::parameters(stream.extradata.clone()),
        AudioCodec::Mp3 => mp3::parameters(&frames[0].2),
        _ => ac3::parameters(&frames[0].2),
    };
    Clip {
        parameters: Parameters::Audio(parameters.expect("parameters")),
        frames: timed(frames, i64::from(stream.timescale)),
    }
}

fn make(arguments: &str) -> Clip {
    let (stream, mut frames) = run(arguments);
    let mut bitstream = Bitstream::new(&stream).expect("a known codec");
    for (_, _, data) in &mut frames {
        *data = bitstream.convert(data.clone());
    }
    Clip {
        parameters: bitstream.parameters().cloned().expect("parameters"),
        frames: timed(frames, i64::from(stream.timescale)),
    }
}

/// Presentation time, key frame, bytes.
type Coded = (i64, bool, Bytes);

fn run(arguments: &str) -> (Stream, Vec<Coded>) {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-loglevel", "error"])
        .args(arguments.split(' '))
        .args(["-f", "nut", "pipe:1"])
        .stderr(Stdio::inherit())
        .output()
        .expect("ffmpeg is installed");
    let mut reader = Reader::new(Limits::default());
    reader.buffer().extend_from_slice(&output.stdout);
    let (mut header, mut frames) = (None, Vec::new());
    while let Some(event) = reader.poll_event().expect("ffmpeg writes NUT") {
        match event {
            Event::Stream(stream) => header = Some(stream),
            Event::Frame { pts, keyframe, data } => frames.push((pts, keyframe, data)),
        }
    }
    (header.expect("a stream"), frames)
}

/// NUT has no decode times: they are the presentation times in order, as much earlier as makes none late.
fn timed(frames: Vec<Coded>, timescale: i64) -> Vec<Frame> {
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
    let frame = |((pts, keyframe, data), dts): (Coded, i64)| {
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
