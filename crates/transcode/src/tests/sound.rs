//! Made sound is heard when the source's is.

use std::io::Write;
use std::process::{Command, Stdio};

use media::{AudioCodec, Kind, Parameters, Sample, TrackId};

use super::clip;
use super::world::{Seen, World, play, push, rungs};
use crate::audio::{AAC, OPUS};
use crate::matroska;

/// What is heard from media time 0 on, one channel of 48 kHz.
fn heard(parameters: &Parameters, samples: &[Sample]) -> Vec<f64> {
    let mut file = matroska::header(parameters).to_vec();
    samples
        .iter()
        .for_each(|sample| file.extend_from_slice(&matroska::frame(parameters.timescale(), sample)));
    let first = matroska::OFFSET_SECONDS * 48_000;
    let filter = format!("aresample=48000:async=1:first_pts={first}");
    let mut ffmpeg = Command::new("ffmpeg")
        .args([
            "-loglevel",
            "error",
            "-copyts",
            "-f",
            "matroska",
            "-i",
            "pipe:0",
            "-af",
            &filter,
        ])
        .args(["-ac", "1", "-f", "s16le", "pipe:1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = ffmpeg.stdin.take().unwrap();
    let writing = std::thread::spawn(move || stdin.write_all(&file));
    let output = ffmpeg.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    let pairs = output.stdout.chunks_exact(2);
    pairs
        .map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])))
        .collect()
}

/// By how many samples `b` is later than `a`.
fn lag(a: &[f64], b: &[f64]) -> i64 {
    let (from, to) = (24_000_i64, 72_000_i64);
    let likeness = |lag: &i64| {
        let product = |n: i64| a[n as usize] * b[(n + lag) as usize];
        (from..to).map(product).sum::<f64>() as i64
    };
    (-3_000..3_000).max_by_key(likeness).unwrap()
}

/// What is made of a clip's sound is heard when that is.
async fn made(codec: AudioCodec, encoder: &str, expected: &[TrackId]) {
    let picture = clip::video("426x240", "30", 1, "libx264 -preset ultrafast -g 30");
    let clip = clip::audio(3, codec, encoder);
    let world = World::with(rungs(&[120]), |options| options.opus = expected.contains(&OPUS));
    let mut publisher = world.publish("song").await;
    let mut seen = Seen::new(publisher.broadcast());
    play(&mut publisher, &mut seen, &picture).await;
    publisher.configure(TrackId::AUDIO, clip.parameters.clone());
    push(&mut publisher, Kind::Audio, &clip.frames, 0);
    for track in expected {
        seen.until(encoder, |seen| seen.count(*track) > 100).await;
        let (source, made) = (&seen.samples[&TrackId::AUDIO], &seen.samples[track]);
        // Opus filters what it encodes, so that its likeness to the source is a tenth of a millisecond off at most.
        let (frame, tolerance) = if *track == OPUS { (960, 5) } else { (1_024, 1) };
        assert!(
            made.windows(2).all(|pair| pair[1].dts - pair[0].dts == frame),
            "{codec:?}"
        );
        let parameters = &seen.parameters[track][0];
        let lag = lag(&heard(&clip.parameters, source), &heard(parameters, made));
        assert!(
            lag.abs() <= tolerance,
            "{track:?} of {codec:?} is late by {lag} samples"
        );
    }
    let made: Vec<_> = seen
        .samples
        .keys()
        .filter(|track| track.kind == Kind::Audio && track.is_derived())
        .collect();
    assert_eq!(made, expected.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn opus_becomes_aac_and_is_heard_at_the_same_sample() {
    made(AudioCodec::Opus, "libopus", &[AAC]).await;
}

#[tokio::test]
async fn flac_becomes_aac_and_is_heard_at_the_same_sample() {
    made(AudioCodec::Flac, "flac", &[AAC]).await;
}

#[tokio::test]
async fn mp3_becomes_aac_and_is_heard_at_the_same_sample() {
    made(AudioCodec::Mp3, "libmp3lame", &[AAC]).await;
}

#[tokio::test]
async fn ac3_becomes_aac_and_is_heard_at_the_same_sample() {
    made(AudioCodec::Ac3, "ac3", &[AAC]).await;
}

#[tokio::test]
async fn aac_becomes_opus_where_that_is_asked_for_and_is_heard_when_the_source_is() {
    made(AudioCodec::Aac, "aac", &[OPUS]).await;
}

#[tokio::test]
async fn one_child_makes_both_of_what_is_neither() {
    made(AudioCodec::Flac, "flac", &[AAC, OPUS]).await;
}
