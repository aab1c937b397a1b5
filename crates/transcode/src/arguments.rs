//! A child's arguments, from typed values: no shell and no word of a stranger.

use media::{AudioCodec, AudioParameters, VideoCodec, VideoParameters};

use crate::encoder::Encoder;
use crate::ladder::{Shape, Speed};
use crate::own_options::OwnOptions;

/// The first pipe of a child's outputs; the others follow.
pub const FIRST_OUTPUT: i32 = 3;
/// From so many pixels a second on, one thread may not decode in time: 1080p60 is below.
const ONE_THREAD_DECODES: f64 = 1_920.0 * 1_088.0 * 61.0;
/// From so many pixels a second on, an encoder gets two threads, and four from twice as many: 720p30 is below.
const ONE_THREAD_ENCODES: f64 = 1_280.0 * 720.0 * 31.0;

/// One picture to encode, and with what.
#[derive(Clone, Debug)]
pub struct Rendition {
    /// The picture.
    pub shape: Shape,
    /// The encoder.
    pub encoder: Encoder,
}

/// Decodes one picture and encodes it as several.
pub fn video(
    source: &VideoParameters,
    renditions: &[Rendition],
    speed: Speed,
    own: &OwnOptions,
    cores: usize,
) -> Vec<String> {
    let mut out = beginning();
    let mut devices: Vec<_> = renditions.iter().map(|rendition| rendition.encoder.device()).collect();
    devices.dedup();
    devices.iter().for_each(|device| put(&mut out, device));
    put(&mut out, &["-f", "matroska"]);
    decoder(&mut out, source, cores);
    put(
        &mut out,
        &["-i", "pipe:0", "-filter_complex_threads", "1", "-filter_complex"],
    );
    out.push(filters(renditions, own));
    for (nth, rendition) in renditions.iter().enumerate() {
        put(&mut out, &["-map", &format!("[out{nth}]")]);
        let threads = threads(&rendition.shape, cores);
        out.extend(rendition.encoder.arguments(&rendition.shape, speed, threads, own));
        put(&mut out, &["-fps_mode", "passthrough", "-enc_time_base", "1:90000"]);
        output(&mut out, nth);
    }
    out
}

/// Makes AAC or Opus, or both, of another codec's sound.
pub fn audio(source: &AudioParameters, codecs: impl Iterator<Item = AudioCodec>) -> Vec<String> {
    let mut out = beginning();
    put(&mut out, &["-f", "matroska", "-i", "pipe:0"]);
    let channels = source.channels.clamp(1, 2);
    for (nth, codec) in codecs.enumerate() {
        // Where the source left something out, silence keeps what follows at its time.
        put(&mut out, &["-map", "0:a", "-af", "aresample=async=1"]);
        let (encoder, rate, bitrates) = match codec {
            AudioCodec::Opus => ("libopus", 48_000, ["64000", "112000"]),
            _ => ("aac", aac_rate(source.sample_rate), ["96000", "160000"]),
        };
        put(&mut out, &["-c:a", encoder, "-ac", &channels.to_string()]);
        put(&mut out, &["-ar", &rate.to_string(), "-b:a"]);
        put(&mut out, &[bitrates[usize::from(channels) - 1]]);
        output(&mut out, nth);
    }
    out
}

/// The sample rate that sound of `rate` is made in: its own where AAC has it and players know it.
pub fn aac_rate(rate: u32) -> u32 {
    match rate {
        44_100 | 48_000 | 32_000 | 24_000 | 22_050 | 16_000 => rate,
        _ => 48_000,
    }
}

fn beginning() -> Vec<String> {
    let mut out = Vec::new();
    put(
        &mut out,
        &["-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning"],
    );
    put(&mut out, &["-protocol_whitelist", "pipe", "-copyts"]);
    // Nothing is waited for: the header says all there is to know.
    put(&mut out, &["-probesize", "32", "-analyzeduration", "0"]);
    out
}

/// A frame comes out of the decoder as soon as its order allows.
fn decoder(out: &mut Vec<String>, source: &VideoParameters, cores: usize) {
    let fps = source.frame_rate.map_or(30.0, media::FrameRate::per_second);
    if f64::from(source.width) * f64::from(source.height) * fps > ONE_THREAD_DECODES {
        put(out, &["-threads", &cores.clamp(1, 4).to_string()]);
    } else {
        put(out, &["-threads", "1", "-thread_type", "slice"]);
    }
    let in_order = !source.reorders || source.codec == VideoCodec::Av1;
    if in_order {
        put(out, &["-flags", "low_delay"]);
    }
}

fn filters(renditions: &[Rendition], own: &OwnOptions) -> String {
    let count = renditions.len();
    let mut graph = String::from("[0:v]");
    if count > 1 {
        graph.push_str(&format!("split={count}"));
        (0..count).for_each(|nth| graph.push_str(&format!("[in{nth}]")));
        graph.push(';');
    }
    for (nth, rendition) in renditions.iter().enumerate() {
        let shape = &rendition.shape;
        if count > 1 {
            graph.push_str(&format!("[in{nth}]"));
        }
        if shape.divisor > 1 {
            // Counted from each key frame, so that every one of them is taken.
            graph.push_str(&format!(
                "select='st(0,if(key,0,ld(0)+1));not(mod(ld(0),{}))',",
                shape.divisor
            ));
        }
        graph.push_str(&format!("scale={}:{},setsar=1,", shape.width, shape.height));
        own.filters().for_each(|filter| graph.push_str(&format!("{filter},")));
        graph.push_str(&format!("{}[out{nth}]", rendition.encoder.pixels()));
        if nth + 1 < count {
            graph.push(';');
        }
    }
    graph
}

fn threads(shape: &Shape, cores: usize) -> usize {
    let pixels = f64::from(shape.width) * f64::from(shape.height) * shape.frames_per_second();
    let wanted = match pixels / ONE_THREAD_ENCODES {
        share if share <= 1.0 => 1,
        share if share <= 2.5 => 2,
        _ => 4,
    };
    wanted.min(cores.max(1))
}

fn output(out: &mut Vec<String>, nth: usize) {
    let pipe = format!("pipe:{}", FIRST_OUTPUT as usize + nth);
    put(
        out,
        &[
            "-map_metadata",
            "-1",
            "-flush_packets",
            "1",
            "-write_index",
            "0",
            "-f",
            "nut",
            &pipe,
        ],
    );
}

fn put(out: &mut Vec<String>, words: &[&str]) {
    out.extend(words.iter().map(|word| (*word).to_owned()));
}
