//! A source that changes, and what a server has no room for.

use hub::{Ladder, RungState};
use media::{Kind, Parameters, TrackId};

use super::clip;
use super::world::{Seen, World, made, play, push, report, rungs};

const ENCODER: &str = "libx264 -preset ultrafast -tune zerolatency -g 30";

#[tokio::test]
async fn a_source_of_another_size_has_another_ladder_from_its_first_key_frame_on() {
    let (small, large) = (
        clip::video("426x240", "30", 2, ENCODER),
        clip::video("320x480", "25", 2, ENCODER),
    );
    let world = World::new(rungs(&[240, 120]));
    let mut publisher = world.publish("film").await;
    let mut seen = Seen::new(publisher.broadcast());
    play(&mut publisher, &mut seen, &small).await;
    seen.until("the first", |seen| seen.count(made(1)) >= 56).await;
    publisher.configure(TrackId::VIDEO, large.parameters.clone());
    push(&mut publisher, Kind::Video, &large.frames, 2_000);
    seen.until("the second", |seen| seen.count(made(1)) >= 60 + 46).await;
    let widths: Vec<_> = seen.parameters[&made(1)]
        .iter()
        .map(|parameters| match parameters {
            Parameters::Video(video) => (video.width, video.height),
            Parameters::Audio(_) => panic!("no picture"),
        })
        .collect();
    assert_eq!(widths, [(214, 120), (120, 180)]);
    let source: Vec<_> = seen.samples[&TrackId::VIDEO]
        .iter()
        .map(|sample| (sample.dts, sample.keyframe))
        .collect();
    let rung: Vec<_> = seen.samples[&made(1)]
        .iter()
        .map(|sample| (sample.dts, sample.keyframe))
        .collect();
    assert_eq!(rung, source[..rung.len()], "not a frame is missing where it changes");
    assert_eq!(seen.lost, []);
}

#[tokio::test]
async fn a_source_that_sends_several_pictures_gets_no_encoder() {
    let clip = clip::video("426x240", "30", 2, ENCODER);
    let world = World::new(rungs(&[120]));
    let mut publisher = world.publish("film").await;
    let second = TrackId {
        kind: Kind::Video,
        index: 1,
    };
    publisher.configure(second, clip.parameters.clone());
    publisher.configure(TrackId::VIDEO, clip.parameters.clone());
    let mut seen = Seen::new(publisher.broadcast());
    for frame in &clip.frames {
        for track in [TrackId::VIDEO, second] {
            publisher.push(track, frame.dts, frame.cts, frame.keyframe, frame.data.clone());
        }
    }
    publisher.flush();
    seen.until("the source", |seen| seen.count(second) >= 60).await;
    // A broadcast with a ladder begins and is planned: by then the one before it was looked at.
    let mut after = world.publish("other").await;
    let mut beside = Seen::new(after.broadcast());
    play(&mut after, &mut beside, &clip).await;
    beside.until("the other's rung", |seen| seen.count(made(0)) > 30).await;
    assert_eq!(publisher.broadcast().ladder_report(), None);
    assert_eq!(seen.count(made(0)), 0);
}

#[tokio::test]
async fn what_a_server_has_no_room_for_is_left_out_from_the_top_and_told() {
    let clip = clip::video("426x240", "30", 2, ENCODER);
    let world = World::with(rungs(&[240, 120]), |options| options.cpu_budget = 20);
    let mut publisher = world.publish("film").await;
    let broadcast = publisher.broadcast().clone();
    let mut seen = Seen::new(&broadcast);
    play(&mut publisher, &mut seen, &clip).await;
    seen.until("the lower rung", |seen| seen.count(made(1)) > 30).await;
    let told = report(&broadcast, |report| !report.rungs.is_empty()).await;
    assert!(matches!(told.rungs[0].state, RungState::Dropped(_)), "{told:?}");
    assert!(told.notice.as_deref().unwrap().contains("room for 1 of 2"), "{told:?}");
    assert_eq!(seen.plans[0].len(), 1, "only what will come is planned");
    assert!(world.transcoder.load().used <= 20);
    drop(publisher);
}

#[tokio::test]
async fn a_broadcast_without_a_ladder_has_no_encoder() {
    let clip = clip::video("426x240", "30", 1, ENCODER);
    let world = World::new(Ladder::Off);
    let mut publisher = world.publish("film").await;
    publisher.configure(TrackId::VIDEO, clip.parameters.clone());
    push(&mut publisher, Kind::Video, &clip.frames, 0);
    let mut seen = Seen::new(publisher.broadcast());
    seen.until("the source", |seen| seen.count(TrackId::VIDEO) >= 30).await;
    assert_eq!(world.transcoder.load().used, 0);
}

#[tokio::test]
async fn an_unknown_preset_is_replaced_and_its_owner_told() {
    let clip = clip::video("426x360", "30", 1, ENCODER);
    let world = World::new(Ladder::Preset("nothing".into()));
    let mut publisher = world.publish("film").await;
    let broadcast = publisher.broadcast().clone();
    let mut seen = Seen::new(&broadcast);
    play(&mut publisher, &mut seen, &clip).await;
    let told = report(&broadcast, |report| report.notice.is_some()).await;
    assert_eq!(
        told.notice.as_deref(),
        Some("there is no preset nothing: default stands in")
    );
    assert_eq!(&*told.rungs[0].name, "240p");
}
