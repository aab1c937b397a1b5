//! What befalls a child is seen by its rungs alone.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use hub::{Publisher, RungState};
use media::{Kind, TrackId};
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::clip::{self, Clip};
use super::world::{Seen, World, made, report, rungs};

fn film() -> Clip {
    clip::video("426x240", "30", 2, "libx264 -preset ultrafast -tune zerolatency -g 30")
}

/// Sends a clip over and over, as fast as it plays; `spoil` may change the bytes of the n-th frame.
fn send(mut publisher: Publisher, clip: Clip, spoil: impl Fn(u64, Bytes) -> Bytes + Send + 'static) -> JoinHandle<()> {
    publisher.configure(TrackId::main(clip.parameters.kind()), clip.parameters.clone());
    tokio::spawn(async move {
        let mut tick = interval(Duration::from_millis(1_000) / 30);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut n = 0;
        loop {
            for frame in &clip.frames {
                tick.tick().await;
                let data = spoil(n, frame.data.clone());
                publisher.push(TrackId::main(Kind::Video), n * 100 / 3, frame.cts, frame.keyframe, data);
                publisher.flush();
                n += 1;
            }
        }
    })
}

fn whole(_: u64, data: Bytes) -> Bytes {
    data
}

/// The processes that run in a folder.
fn children(folder: &Path) -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let here = processes.filter(|entry| std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder));
    here.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// A program that stands in for ffmpeg.
fn program(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("ffmpeg");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The source's frames come without a hole.
fn assert_whole(seen: &Seen, track: TrackId) {
    let samples = &seen.samples[&track];
    let holes = samples
        .windows(2)
        .filter(|pair| pair[1].dts - pair[0].dts > 4_000)
        .count();
    assert_eq!(holes, 0, "{track:?} of {} frames has holes", samples.len());
}

/// A child is hurt; its rungs end and come again, and nobody else sees anything.
async fn survives(signal: Signal) {
    let world = World::new(rungs(&[120]));
    let (film, other) = (world.publish("film").await, world.publish("other").await);
    let (mut seen, mut beside) = (Seen::new(film.broadcast()), Seen::new(other.broadcast()));
    let _film = send(film, self::film(), whole);
    seen.until("the rung", |seen| seen.count(made(0)) > 30).await;
    let hurt = children(world.folder());
    let _other = send(other, self::film(), whole);
    beside.until("the other's rung", |seen| seen.count(made(0)) > 30).await;
    for pid in hurt {
        kill_process(pid, signal).unwrap();
    }
    seen.until("its end", |seen| !seen.lost.is_empty()).await;
    let frames = seen.count(made(0));
    seen.until("its return", |seen| seen.count(made(0)) > frames + 30).await;
    let again = &seen.samples[&made(0)][frames];
    assert!(again.keyframe, "it returns with a key frame");
    assert_eq!(seen.parameters[&made(0)].len(), 2);
    assert_whole(&seen, TrackId::VIDEO);
    beside.until("all", |seen| seen.count(made(0)) > 90).await;
    assert_eq!(beside.lost, []);
    assert_whole(&beside, made(0));
    assert_whole(&beside, TrackId::VIDEO);
}

#[tokio::test]
async fn a_child_that_is_killed_comes_again_at_a_key_frame() {
    survives(Signal::KILL).await;
}

#[tokio::test]
async fn a_child_that_is_stopped_comes_again_at_a_key_frame() {
    survives(Signal::STOP).await;
}

#[tokio::test]
async fn a_spoiled_stretch_of_the_source_ends_with_the_next_good_frames() {
    let world = World::new(rungs(&[120]));
    let publisher = world.publish("film").await;
    let mut seen = Seen::new(publisher.broadcast());
    let spoil = |n: u64, data: Bytes| match n {
        60..150 => Bytes::from(
            data.iter()
                .map(|byte| byte.wrapping_mul(n as u8 | 1))
                .collect::<Vec<_>>(),
        ),
        _ => data,
    };
    let _film = send(publisher, film(), spoil);
    seen.until("the source goes on", |seen| seen.count(TrackId::VIDEO) > 240)
        .await;
    let frames = seen.count(made(0));
    seen.until("so does the rung", |seen| seen.count(made(0)) > frames + 30)
        .await;
    assert_whole(&seen, TrackId::VIDEO);
}

#[tokio::test]
async fn a_child_that_is_ten_times_too_slow_loses_its_topmost_rungs_and_then_rests() {
    let tools = tempfile::tempdir().unwrap();
    let slow = program(tools.path(), "exec /usr/bin/ffmpeg -readrate 0.1 \"$@\"");
    let world = World::with(rungs(&[240, 120]), |options| options.ffmpeg = slow);
    let publisher = world.publish("film").await;
    let broadcast = publisher.broadcast().clone();
    let mut seen = Seen::new(&broadcast);
    let _film = send(publisher, film(), whole);
    let dropped = |state: &RungState| matches!(state, RungState::Dropped(_));
    let first = report(&broadcast, |report| {
        report.rungs.iter().any(|rung| dropped(&rung.state))
    })
    .await;
    assert!(
        dropped(&first.rungs[0].state) && !dropped(&first.rungs[1].state),
        "{first:?}"
    );
    let rests = report(&broadcast, |report| {
        report.rungs.iter().all(|rung| dropped(&rung.state))
    })
    .await;
    let notice = rests.notice.as_deref().unwrap();
    assert!(notice.contains("tried again in 30 s"), "{notice}");
    seen.until("the source", |seen| seen.count(TrackId::VIDEO) > 60).await;
    assert_whole(&seen, TrackId::VIDEO);
}

#[tokio::test]
async fn a_child_that_needs_more_memory_than_it_may_have_ends_alone() {
    let world = World::with(rungs(&[120]), |options| options.memory_max = 8 << 20);
    let publisher = world.publish("film").await;
    let broadcast = publisher.broadcast().clone();
    let mut seen = Seen::new(&broadcast);
    let _film = send(publisher, film(), whole);
    let failed = report(&broadcast, |report| report.notice.is_some()).await;
    assert!(
        failed.notice.as_deref().unwrap().starts_with("the encoder ended"),
        "{failed:?}"
    );
    let frames = seen.count(TrackId::VIDEO);
    seen.until("the source goes on", |seen| seen.count(TrackId::VIDEO) > frames + 60)
        .await;
    assert_whole(&seen, TrackId::VIDEO);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told_of() {
    let world = World::with(rungs(&[120]), |options| options.ffmpeg = "/nowhere/ffmpeg".into());
    let publisher = world.publish("film").await;
    let broadcast = publisher.broadcast().clone();
    let _film = send(publisher, film(), whole);
    let failed = report(&broadcast, |report| report.notice.is_some()).await;
    assert!(failed.notice.as_deref().unwrap().contains("No such file"), "{failed:?}");
}
