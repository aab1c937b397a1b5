//! What broadcasts do when their sources come, go, stumble and return, told under paused time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hub::authority::Local;
use hub::*;
use media::{AudioCodec, AudioParameters, FrameRate, Kind, Parameters, Sample, TrackId, VideoCodec, VideoParameters};

const FRAME: Duration = Duration::from_micros(33_333);

fn video(width: u32) -> Parameters {
    Parameters::Video(VideoParameters {
        codec: VideoCodec::Avc,
        config: Bytes::from_static(b"config"),
        width,
        height: 720,
        frame_rate: FrameRate::new(30, 1),
        reorders: false,
        color: None,
        codec_string: "avc1.64001F".into(),
    })
}

fn audio() -> Parameters {
    Parameters::Audio(AudioParameters {
        codec: AudioCodec::Aac,
        config: Bytes::from_static(&[0x11, 0x90]),
        sample_rate: 48_000,
        channels: 2,
        frame_samples: 1_024,
        codec_string: "mp4a.40.2".into(),
    })
}

/// A hub that lets anybody on loopback publish, looked after.
fn hub(takeover: Takeover) -> Hub {
    let settings = Settings {
        takeover,
        ..Settings::default()
    };
    let authority = Local::new(true, settings);
    authority.add_fallback(StreamKey::new("demo-key"), Name::parse("colors").unwrap());
    let hub = Hub::with_clock(
        Arc::new(authority),
        Limits::default(),
        Clock::starting_at(1_800_000_000_000_000),
    );
    tokio::spawn(hub.clone().run());
    hub
}

async fn publish(hub: &Hub, key: &str, peer: [u8; 4]) -> Result<Publisher, Refusal> {
    hub.publish(PublishRequest {
        key: StreamKey::new(key),
        caller: Caller::at((peer, 4_000).into(), Protocol::Rtmp),
        clock: SourceClock::RTMP,
    })
    .await
}

/// An encoder: 30 fps with a key frame every second, 48 kHz AAC, each frame when it is due.
struct Encoder {
    publisher: Publisher,
    /// Raw timestamp of the first frame, in milliseconds.
    base: u64,
    frames: u64,
    sounds: u64,
}

impl Encoder {
    fn new(mut publisher: Publisher, base: u64, width: u32) -> Self {
        publisher.announce(Announced {
            video: true,
            audio: true,
            frame_rate: None,
        });
        publisher.configure(TrackId::VIDEO, video(width));
        publisher.configure(TrackId::AUDIO, audio());
        Self {
            publisher,
            base,
            frames: 0,
            sounds: 0,
        }
    }

    async fn run(&mut self, frames: u64) {
        for _ in 0..frames {
            self.frame();
            tokio::time::sleep(FRAME).await;
        }
    }

    /// Runs while a follower keeps up.
    async fn run_followed(&mut self, frames: u64, follower: &mut Follower, items: &mut Vec<Item>) {
        for _ in 0..frames {
            self.run(1).await;
            items.extend(drain(follower).await);
        }
    }

    fn frame(&mut self) {
        let at = self.frames * 1_000 / 30;
        self.publisher.push(
            TrackId::VIDEO,
            self.base + at,
            0,
            self.frames.is_multiple_of(30),
            Bytes::from_static(b"picture"),
        );
        self.frames += 1;
        while self.sounds * 1_024 * 1_000 / 48_000 <= at {
            let at = self.base + self.sounds * 1_024 * 1_000 / 48_000;
            self.publisher
                .push(TrackId::AUDIO, at, 0, true, Bytes::from_static(b"sound"));
            self.sounds += 1;
        }
        self.publisher.flush();
    }
}

/// Everything a follower has been told so far.
async fn drain(follower: &mut Follower) -> Vec<Item> {
    let mut out = Vec::new();
    let _ = tokio::time::timeout(Duration::from_micros(1), follower.next_batch(&mut out)).await;
    out
}

fn samples(items: &[Item], wanted: Kind) -> Vec<&Sample> {
    let found: Vec<&Sample> = items.iter().filter_map(|item| sample(item, wanted)).collect();
    assert!(
        found.windows(2).all(|pair| pair[0].dts < pair[1].dts),
        "{wanted:?} goes back"
    );
    found
}

fn sample(item: &Item, wanted: Kind) -> Option<&Sample> {
    match item {
        Item::Sample { track, sample } if *track == TrackId::main(wanted) => Some(sample),
        _ => None,
    }
}

fn cuts(items: &[Item]) -> usize {
    items.iter().filter(|item| matches!(item, Item::Cut)).count()
}

/// The longest step between neighbours, and from the last to `now`, in seconds.
fn longest_gap(samples: &[&Sample], timescale: f64, now: f64) -> f64 {
    let times = samples.iter().map(|sample| sample.dts as f64 / timescale).chain([now]);
    let times: Vec<f64> = times.collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max)
}

/// The longest time between the end of one sample and the next, in seconds.
fn longest_hole(samples: &[&Sample], timescale: f64) -> f64 {
    let lasts = |sample: &Sample| {
        sample
            .duration
            .map_or(if timescale > 60_000.0 { 3_000 } else { 1_024 }, i64::from)
    };
    let hole = |pair: &[&Sample]| (pair[1].dts - pair[0].dts - lasts(pair[0])) as f64 / timescale;
    samples.windows(2).map(hole).fold(0.0, f64::max)
}

#[tokio::test(start_paused = true)]
async fn a_source_that_returns_continues_the_same_timeline() {
    let hub = hub(Takeover::Replace);
    let mut first = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    let broadcast = Arc::clone(first.publisher.broadcast());
    let began = tokio::time::Instant::now();
    let mut follower = broadcast.follow(Follow::FromStart);
    let mut items = Vec::new();
    first.run_followed(90, &mut follower, &mut items).await;
    first.publisher.finish(Ending::Lost);
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        items.extend(drain(&mut follower).await);
    }
    assert_eq!(broadcast.state(), State::Waiting);
    let mut second = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 77_000, 640);
    assert_eq!(second.publisher.broadcast().id(), broadcast.id());
    second.run_followed(60, &mut follower, &mut items).await;

    let now = began.elapsed().as_secs_f64();
    let (pictures, sounds) = (samples(&items, Kind::Video), samples(&items, Kind::Audio));
    assert!(
        longest_gap(&pictures, 90_000.0, now) < 0.3,
        "{}",
        longest_gap(&pictures, 90_000.0, now)
    );
    assert!(
        longest_gap(&sounds, 48_000.0, now) < 0.3,
        "{}",
        longest_gap(&sounds, 48_000.0, now)
    );
    assert!(
        longest_hole(&pictures, 90_000.0) < 0.06,
        "{}",
        longest_hole(&pictures, 90_000.0)
    );
    assert!(
        longest_hole(&sounds, 48_000.0) < 0.06,
        "{}",
        longest_hole(&sounds, 48_000.0)
    );
    assert_eq!(cuts(&items), 1);
    assert!((pictures.last().unwrap().dts as f64 / 90_000.0 - now).abs() < 0.3);
    let stills = pictures.iter().filter(|picture| picture.duration.is_some());
    assert!(stills.clone().count() > 20 && stills.into_iter().all(|still| still.keyframe));
}

#[tokio::test(start_paused = true)]
async fn missing_audio_becomes_silence() {
    let hub = hub(Takeover::Replace);
    let mut first = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    let mut follower = first.publisher.broadcast().follow(Follow::FromStart);
    first.run(30).await;
    let mut second = publish(&hub, "colors", [127, 0, 0, 2]).await.unwrap();
    second.configure(TrackId::VIDEO, video(1280));
    for frame in 0..300u64 {
        second.push(
            TrackId::VIDEO,
            frame * 1_000 / 30,
            0,
            frame.is_multiple_of(30),
            Bytes::from_static(b"picture"),
        );
        second.flush();
        tokio::time::sleep(FRAME).await;
    }
    let mut items = Vec::new();
    while tokio::time::timeout(Duration::from_micros(1), follower.next_batch(&mut items))
        .await
        .is_ok()
    {}
    let (pictures, sounds) = (samples(&items, Kind::Video), samples(&items, Kind::Audio));
    let behind = pictures.last().unwrap().dts as f64 / 90_000.0 - sounds.last().unwrap().dts as f64 / 48_000.0;
    assert!(behind.abs() < 0.1, "silence is {behind} s behind the picture");
    assert!(
        longest_hole(&sounds, 48_000.0) < 0.03,
        "{}",
        longest_hole(&sounds, 48_000.0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_clean_end_ends_the_broadcast_after_5_s_and_a_loss_after_the_window() {
    let hub = hub(Takeover::Replace);
    for (ending, wait) in [(Ending::Unpublished, 5), (Ending::Lost, 60)] {
        let mut encoder = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
        let broadcast = Arc::clone(encoder.publisher.broadcast());
        encoder.run(30).await;
        let left = tokio::time::Instant::now();
        encoder.publisher.finish(ending);
        broadcast.ended().await;
        assert_eq!(left.elapsed().as_secs(), wait);
        assert!(hub.broadcast(broadcast.name()).is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_is_always_told() {
    let hub = hub(Takeover::Replace);
    let mut encoder = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    let mut follower = encoder.publisher.broadcast().follow(Follow::FromStart);
    encoder.run(30).await;
    encoder.publisher.finish(Ending::Unpublished);
    let mut items = Vec::new();
    while follower.next_batch(&mut items).await {}
    assert!(samples(&items, Kind::Video).len() >= 30);
}

#[tokio::test(start_paused = true)]
async fn a_second_source_takes_over_and_the_first_cannot_take_back() {
    let hub = hub(Takeover::Replace);
    let mut first = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    first.run(10).await;
    let mut second = Encoder::new(publish(&hub, "colors", [127, 0, 0, 2]).await.unwrap(), 0, 1280);
    assert_eq!(first.publisher.revoked().await, Revoked::Displaced);
    drop(first);
    for _ in 0..40 {
        second.run(90).await;
        assert_eq!(
            publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap_err(),
            Refusal::Busy
        );
    }
    second.publisher.finish(Ending::Lost);
    assert!(publish(&hub, "colors", [127, 0, 0, 1]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_second_source_is_refused_where_that_is_configured() {
    let hub = hub(Takeover::Refuse);
    let mut first = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    first.run(10).await;
    assert_eq!(
        publish(&hub, "colors", [127, 0, 0, 2]).await.unwrap_err(),
        Refusal::Busy
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(
        publish(&hub, "colors", [127, 0, 0, 2]).await.is_ok(),
        "a dead source is no reason to refuse"
    );
}

#[tokio::test(start_paused = true)]
async fn the_demos_own_picture_yields_and_comes_back() {
    let hub = hub(Takeover::Replace);
    let mut demo = Encoder::new(publish(&hub, "demo-key", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    demo.run(10).await;
    let mut user = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    assert_eq!(demo.publisher.revoked().await, Revoked::Displaced);
    user.run(10).await;
    assert_eq!(
        publish(&hub, "demo-key", [127, 0, 0, 1]).await.unwrap_err(),
        Refusal::Busy
    );
    user.publisher.finish(Ending::Unpublished);
    assert!(publish(&hub, "demo-key", [127, 0, 0, 1]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_stalled_source_is_held_as_a_still_and_goes_on_at_the_live_edge() {
    let hub = hub(Takeover::Replace);
    let mut encoder = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    let mut follower = encoder.publisher.broadcast().follow(Follow::FromStart);
    let mut items = Vec::new();
    encoder.run_followed(60, &mut follower, &mut items).await;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        items.extend(drain(&mut follower).await);
    }
    // What the encoder made meanwhile comes at once, and then it keeps pace.
    for _ in 0..120 {
        encoder.frame();
    }
    encoder.run_followed(60, &mut follower, &mut items).await;
    let pictures = samples(&items, Kind::Video);
    assert!(
        longest_gap(&pictures, 90_000.0, 8.0) < 1.1,
        "{}",
        longest_gap(&pictures, 90_000.0, 8.0)
    );
    assert!(
        (pictures.last().unwrap().dts as f64 / 90_000.0 - 8.0).abs() < 0.2,
        "{:?}",
        pictures.last()
    );
    assert_eq!(cuts(&items), 0);
}

#[tokio::test(start_paused = true)]
async fn a_file_pushed_without_pacing_is_slowed_after_3_s() {
    let hub = hub(Takeover::Replace);
    let mut encoder = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    let began = tokio::time::Instant::now();
    for _ in 0..300 {
        encoder.frame();
        if let Some(wait) = encoder.publisher.pace() {
            tokio::time::sleep(wait).await;
        }
    }
    let took = began.elapsed().as_secs_f64();
    assert!((6.0..7.5).contains(&took), "10 s of media in {took} s");
}

#[tokio::test(start_paused = true)]
async fn audio_alone_begins_by_itself() {
    let hub = hub(Takeover::Replace);
    let mut publisher = publish(&hub, "radio", [127, 0, 0, 1]).await.unwrap();
    let mut follower = publisher.broadcast().follow(Follow::FromStart);
    publisher.configure(TrackId::AUDIO, audio());
    let mut items = Vec::new();
    for sound in 0..100u64 {
        publisher.push(
            TrackId::AUDIO,
            sound * 1_024 * 1_000 / 48_000,
            0,
            true,
            Bytes::from_static(b"sound"),
        );
        publisher.flush();
        items.extend(drain(&mut follower).await);
    }
    assert!(samples(&items, Kind::Audio).len() > 70);
}

#[tokio::test(start_paused = true)]
async fn a_late_follower_starts_at_the_newest_key_frame_with_the_parameters() {
    let hub = hub(Takeover::Replace);
    let mut encoder = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    encoder.run(100).await;
    let mut follower = encoder
        .publisher
        .broadcast()
        .follow(Follow::NewestKeyframe { sub_second: true });
    let items = drain(&mut follower).await;
    assert!(matches!(
        &items[..2],
        [
            Item::Parameters {
                track: TrackId::VIDEO,
                ..
            },
            Item::Parameters {
                track: TrackId::AUDIO,
                ..
            }
        ]
    ));
    let pictures = samples(&items, Kind::Video);
    assert!(pictures[0].keyframe && pictures.len() == 10, "{}", pictures.len());
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_is_too_slow_is_told_and_goes_on_at_a_key_frame() {
    let hub = hub(Takeover::Replace);
    let mut encoder = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    let mut follower = encoder.publisher.broadcast().follow(Follow::FromStart);
    encoder.run(10).await;
    drain(&mut follower).await;
    encoder.run(600).await;
    let items = drain(&mut follower).await;
    assert!(matches!(items[0], Item::Lagged));
    assert!(samples(&items, Kind::Video)[0].keyframe);
}

#[tokio::test(start_paused = true)]
async fn a_restored_broadcast_goes_on_where_the_clock_is() {
    let hub = hub(Takeover::Replace);
    let restored = Restored {
        id: BroadcastId::random(),
        name: Name::parse("colors").unwrap(),
        started: std::time::UNIX_EPOCH + Duration::from_secs(1_800_000_000 - 100),
        settings: Settings::default(),
        wait: Duration::from_secs(60),
    };
    hub.restore(&restored);
    let mut encoder = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    assert_eq!(encoder.publisher.broadcast().id(), &restored.id);
    let mut follower = encoder.publisher.broadcast().follow(Follow::FromStart);
    encoder.run(30).await;
    let items = drain(&mut follower).await;
    assert_eq!(cuts(&items), 1);
    let first = samples(&items, Kind::Video)[0].dts as f64 / 90_000.0;
    assert!((first - 100.0).abs() < 0.1, "{first}");
}

#[tokio::test(start_paused = true)]
async fn health_is_told_once_a_second() {
    let hub = hub(Takeover::Replace);
    let mut events = hub.subscribe();
    let mut encoder = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    encoder.run(160).await;
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let Event::Health(_, health) = event {
            told.push(health);
        }
    }
    assert!((4..=6).contains(&told.len()), "{}", told.len());
    let last = told.last().unwrap();
    assert!((28.0..32.0).contains(&last.frame_rate), "{last:?}");
    assert_eq!(last.keyframe_interval, Some(Duration::from_secs(1)));
    assert_eq!(last.advice, []);
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_that_is_stopped_ends_at_once_and_its_source_hears_why() {
    let hub = hub(Takeover::Replace);
    let mut encoder = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    encoder.run(30).await;
    let broadcast = Arc::clone(encoder.publisher.broadcast());
    let mut events = hub.subscribe();
    assert!(hub.stop(broadcast.id(), "enough"));
    assert!(!hub.stop(broadcast.id(), "again"), "it is stopped already");
    assert!(
        matches!(
            publish(&hub, "colors", [127, 0, 0, 2]).await,
            Err(Refusal::Unavailable { .. })
        ),
        "nobody keeps it going"
    );
    assert_eq!(encoder.publisher.revoked().await, Revoked::Withdrawn("enough".into()));
    let began = tokio::time::Instant::now();
    broadcast.ended().await;
    assert!(began.elapsed() < Duration::from_millis(300), "{:?}", began.elapsed());
    assert_eq!(broadcast.stopped().as_deref(), Some("enough"));
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        told.push(event);
    }
    // Of the publisher that was turned away meanwhile, too, and of nothing else.
    let (refused, told): (Vec<_>, Vec<_>) = told
        .into_iter()
        .partition(|event| matches!(event, Event::Refused { .. }));
    assert_eq!(refused.len(), 1);
    assert!(
        matches!(told[..], [Event::Disconnected(_, Ending::Unpublished), Event::Ended(_)]),
        "{told:?}"
    );
    let next = publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap();
    assert_ne!(next.broadcast().id(), broadcast.id(), "a later source begins another");
}

#[tokio::test(start_paused = true)]
async fn what_is_made_from_a_broadcast_reaches_those_who_follow_all_of_it_alone() {
    let hub = hub(Takeover::Replace);
    let mut encoder = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    let broadcast = Arc::clone(encoder.publisher.broadcast());
    let mut all = broadcast.follow(Follow::FromStart);
    let mut main = broadcast.follow(Follow::NewestKeyframe { sub_second: false });
    encoder.run(1).await;
    drop((drain(&mut all).await, drain(&mut main).await));
    let (derived, rung) = (hub.derive(&broadcast), derived_track());
    let made = Sample {
        dts: 3_000,
        cts: 0,
        duration: None,
        keyframe: true,
        data: Bytes::from_static(b"made"),
    };
    derived.push(rung, made.clone());
    derived.configure(rung, video(640));
    derived.push(rung, made);
    derived.lost(rung);
    let items = drain(&mut all).await;
    let [
        Item::Parameters { track, .. },
        Item::Sample { sample, .. },
        Item::Lost(lost),
    ] = &items[..]
    else {
        panic!("{items:?}");
    };
    assert_eq!(
        (*track, *lost, sample.dts),
        (rung, rung, 3_000),
        "and nothing before its parameters"
    );
    assert!(drain(&mut main).await.is_empty());
}

fn derived_track() -> TrackId {
    TrackId {
        kind: Kind::Video,
        index: TrackId::DERIVED,
    }
}

#[tokio::test(start_paused = true)]
async fn the_further_pictures_of_a_source_are_held_with_the_main_one_and_lost_with_another_source() {
    let hub = hub(Takeover::Replace);
    let mut encoder = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    let second = TrackId {
        kind: Kind::Video,
        index: 1,
    };
    let mut follower = encoder.publisher.broadcast().follow(Follow::FromStart);
    // Before the first main frame: it waits for it.
    encoder.publisher.configure(second, video(640));
    encoder
        .publisher
        .push(second, 0, 0, true, Bytes::from_static(b"second"));
    encoder.run(1).await;
    let items = drain(&mut follower).await;
    let of_second = |items: &[Item]| {
        let found = items.iter().filter_map(|item| match item {
            Item::Sample { track, sample } if *track == second => Some(sample.dts),
            _ => None,
        });
        found.collect::<Vec<_>>()
    };
    assert_eq!(of_second(&items), [samples(&items, Kind::Video)[0].dts]);
    encoder.publisher.finish(Ending::Lost);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let items = drain(&mut follower).await;
    assert!(of_second(&items).len() > 5, "it is held as the main one is");
    let mut other = Encoder::new(publish(&hub, "colors", [127, 0, 0, 1]).await.unwrap(), 0, 1280);
    other.run(1).await;
    let items = drain(&mut follower).await;
    assert!(
        items
            .iter()
            .any(|item| matches!(item, Item::Lost(track) if *track == second))
    );
    let after = items.iter().skip_while(|item| !matches!(item, Item::Lost(_)));
    assert_eq!(of_second(&after.cloned().collect::<Vec<_>>()).len(), 0);
}
