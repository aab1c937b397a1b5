//! What comes out stands where what went in does.

use media::{Parameters, Sample, TrackId};

use super::clip;
use super::world::{Seen, World, made, play, rungs, rungs_of};

/// Presentation time, decode time, key frame.
fn times(samples: &[Sample]) -> Vec<(i64, i64, bool)> {
    let mut times: Vec<_> = samples
        .iter()
        .map(|sample| (sample.pts(), sample.dts, sample.keyframe))
        .collect();
    times.sort_unstable();
    times
}

/// The source's times as something without B-frames has them: the n-th shown frame of a group is its n-th decoded. One of
/// `divisor` is taken, from each key frame on.
fn in_order(samples: &[Sample], divisor: usize) -> Vec<(i64, i64, bool)> {
    let mut out = Vec::new();
    for group in samples.chunk_by(|_, next| !next.keyframe) {
        let mut shown: Vec<_> = group.iter().map(|sample| (sample.pts(), sample.keyframe)).collect();
        shown.sort_unstable();
        let decoded = group.iter().map(|sample| sample.dts);
        let placed = shown.into_iter().zip(decoded).map(|((pts, key), dts)| (pts, dts, key));
        out.extend(placed.step_by(divisor));
    }
    out
}

/// Plays a clip; every frame of every rung stands at the tick of the source's.
async fn aligned(size: &str, rate: &str, divisor: usize, encoder: &str) {
    aligned_as(hub::Codec::Avc, &[240, 120], size, rate, divisor, encoder).await;
}

async fn aligned_as(codec: hub::Codec, sizes: &[u32], size: &str, rate: &str, divisor: usize, encoder: &str) {
    let clip = clip::video(size, rate, 3, encoder);
    let count = clip.frames.len();
    let world = World::new(rungs_of(codec, sizes));
    let mut publisher = world.publish("film").await;
    let mut seen = Seen::new(publisher.broadcast());
    play(&mut publisher, &mut seen, &clip).await;
    // The decoder keeps what its order asks for until more comes.
    let enough = (count - 4) / divisor;
    seen.until(rate, |seen| {
        [made(0), made(1)].iter().all(|track| seen.count(*track) >= enough)
    })
    .await;
    let source = in_order(&seen.samples[&TrackId::VIDEO], divisor);
    for track in [made(0), made(1)] {
        let times = times(&seen.samples[&track]);
        assert_eq!(times, source[..times.len()], "{size} {rate} {encoder}");
        let Parameters::Video(parameters) = &seen.parameters[&track][0] else {
            panic!("no picture")
        };
        let planned = seen.plans[0]
            .iter()
            .find(|planned| planned.track == track)
            .expect("it was planned");
        assert_eq!((parameters.width, parameters.height), (planned.width, planned.height));
        assert_eq!(parameters.codec_string, *planned.codec_string);
    }
    assert_eq!(seen.lost, []);
}

#[tokio::test]
async fn every_frame_stands_where_the_sources_does_at_every_rate() {
    for (rate, divisor) in [
        ("24", 1),
        ("25", 1),
        ("30000/1001", 1),
        ("30", 1),
        ("50", 2),
        ("60000/1001", 2),
        ("60", 2),
    ] {
        aligned(
            "426x240",
            rate,
            divisor,
            "libx264 -preset ultrafast -tune zerolatency -g 30",
        )
        .await;
    }
}

#[tokio::test]
async fn so_it_does_where_the_source_has_b_frames() {
    for (rate, divisor) in [("25", 1), ("30000/1001", 1), ("60", 2)] {
        aligned(
            "426x240",
            rate,
            divisor,
            "libx264 -preset veryfast -bf 3 -b_strategy 0 -g 25",
        )
        .await;
    }
}

#[tokio::test]
async fn so_it_does_for_a_source_of_hevc() {
    aligned(
        "426x240",
        "30",
        1,
        "libx265 -preset ultrafast -g 30 -x265-params log-level=error:open-gop=0",
    )
    .await;
}

#[tokio::test]
async fn so_it_does_for_odd_sizes_that_stand_upright() {
    aligned("270x482", "30", 1, "libx264 -preset ultrafast -g 30").await;
}

#[tokio::test]
async fn so_it_does_where_frames_come_irregularly() {
    let clip = clip::video("426x240", "30", 4, "libx264 -preset ultrafast -tune zerolatency -g 30");
    let mut irregular = clip.clone();
    // Later and later, by what no frame rate has.
    for (n, frame) in (0_u64..).zip(&mut irregular.frames) {
        frame.dts += n * n * 7 / 40;
    }
    let world = World::new(rungs(&[120]));
    let mut publisher = world.publish("film").await;
    let mut seen = Seen::new(publisher.broadcast());
    play(&mut publisher, &mut seen, &irregular).await;
    seen.until("all frames", |seen| seen.count(made(0)) >= 110).await;
    let times = times(&seen.samples[&made(0)]);
    assert_eq!(times, in_order(&seen.samples[&TrackId::VIDEO], 1)[..times.len()]);
}

/// Small ones: these encoders take their time, and tests run beside each other.
#[tokio::test]
async fn so_it_does_for_rungs_of_hevc() {
    let source = "libx264 -preset ultrafast -bf 2 -g 30";
    aligned_as(hub::Codec::Hevc, &[96, 64], "170x96", "30", 1, source).await;
}

#[tokio::test]
async fn so_it_does_for_rungs_of_av1() {
    // The SVT-AV1 beside ffmpeg 5.1 takes no key frames from outside, which is told as trouble.
    if std::env::var_os("MODERN_FFMPEG").is_none() {
        eprintln!("skipped: the modern ffmpeg comes with make test-all");
        return;
    }
    let source = "libx264 -preset ultrafast -g 30";
    aligned_as(hub::Codec::Av1, &[96, 64], "170x96", "30", 1, source).await;
}
