//! What of a broadcast is found in the database afterwards.

use std::sync::Arc;
use std::time::Duration;

use hub::{Advice, Ending, Event, Health, LadderReport, RungReport, RungState};
use media::TrackId;
use serde_json::Value;

use super::follow::Follower;
use super::resume;
use crate::clock::Time;
use crate::id::Id;
use crate::platform::Change;
use crate::scene::{Scene, soon};
use crate::store::Json;
use crate::streams::health::Sample;
use crate::testing::World;
use crate::{all, one, run};

/// The events of a stream: kind and detail, in order.
async fn told(world: &World, stream: &Id) -> Vec<(String, Value)> {
    let stream = stream.clone();
    let read = world.platform.db.read(|c| {
        Box::pin(async move {
            all!(
                c,
                (String, Json<Value>),
                "select kind, detail from stream_events where stream_id = $1 order by at, id",
                stream
            )
        })
    });
    let rows = read.await.unwrap();
    rows.into_iter().map(|(kind, detail)| (kind, detail.0)).collect()
}

/// End and reason of a stream's broadcasts.
async fn broadcasts(world: &World, stream: &Id) -> Vec<(Option<Time>, Option<String>)> {
    let stream = stream.clone();
    let read = world.platform.db.read(|c| {
        Box::pin(async move {
            all!(
                c,
                (Option<Time>, Option<String>),
                "select ended_at, end_reason from broadcasts where stream_id = $1 order by ended_at is null",
                stream
            )
        })
    });
    read.await.unwrap()
}

#[tokio::test]
async fn a_broadcast_is_written_down_from_its_beginning_to_its_end() {
    for scene in Scene::both().await {
        let first = scene.live().await;
        let broadcast = first.broadcast().clone();
        assert!(scene.hub.stop(broadcast.id(), "enough for today"));
        soon(broadcast.ended()).await;
        let clock = &scene.world.platform.clock;
        clock.advance(Duration::from_secs(1));
        soon(async {
            while broadcast.state() != hub::State::Ended || !scene.hub.broadcasts().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        let (world, _, stream) = scene.finish().await;
        let told = told(&world, &stream).await;
        let mut kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["connected", "ended", "lost"]);
        let detail = |wanted: &str| &told.iter().find(|(kind, _)| kind == wanted).unwrap().1;
        assert_eq!(detail("connected")["address"], "127.0.0.1");
        assert_eq!(detail("lost")["text"], "the source was cut off: enough for today");
        assert_eq!(detail("ended")["reason"], "enough for today");
        let rows = broadcasts(&world, &stream).await;
        assert_eq!(rows.len(), 1);
        assert!(
            rows[0].0.is_some() && rows[0].1.as_deref() == Some("enough for today"),
            "{rows:?}"
        );
    }
}

#[tokio::test]
async fn a_source_that_returns_is_told_from_one_that_comes_first() {
    for scene in Scene::both().await {
        let first = scene.live().await;
        let broadcast = first.broadcast().clone();
        drop(scene.rotate().await);
        soon(first.revoked()).await;
        let source = broadcast.source().expect("it is there still");
        first.finish(Ending::Lost);
        let mut follower = Follower::of(scene.world.platform.clone());
        follower.heard(Event::Started(broadcast.clone()));
        follower.heard(Event::Connected(broadcast.clone(), source.clone()));
        follower.heard(Event::Disconnected(broadcast.clone(), Ending::Lost));
        follower.heard(Event::Connected(broadcast.clone(), source.clone()));
        follower.heard(Event::Disconnected(broadcast.clone(), Ending::Unpublished));
        follower.heard(Event::Ended(broadcast));
        let (world, _, stream) = scene.finish().await;
        let told = told(&world, &stream).await;
        for wanted in ["connected", "reconnected", "lost", "ended"] {
            assert!(told.iter().any(|(kind, _)| kind == wanted), "{wanted} in {told:?}");
        }
        let cut = told.iter().find(|(kind, _)| kind == "lost").unwrap();
        assert_eq!(cut.1["reason"], "the stream key was rotated: use the new one");
    }
}

#[tokio::test]
async fn health_is_kept_by_the_minute_and_advice_is_given_once() {
    for scene in Scene::both().await {
        let publisher = scene.live().await;
        let broadcast = publisher.broadcast().clone();
        let platform = scene.world.platform.clone();
        let mut follower = Follower::of(platform.clone());
        follower.heard(Event::Started(broadcast.clone()));
        for second in 0..130_u32 {
            let health = Health {
                bitrate: u64::from(second),
                frame_rate: 29.97,
                keyframe_interval: Some(Duration::from_secs(5)),
                timestamp_jumps: 0,
                backlog: Duration::from_millis(7),
                advice: vec![Advice::KeyframesFarApart],
            };
            follower.heard(Event::Health(broadcast.clone(), Arc::new(health)));
            platform.clock.advance(Duration::from_secs(1));
        }
        follower.finish();
        drop(publisher);
        let (world, _, stream) = scene.finish().await;
        let read = world.platform.db.read(|c| {
            Box::pin(async move {
                all!(
                    c,
                    (Json<Vec<Sample>>,),
                    "select samples from source_health order by minute"
                )
            })
        });
        let minutes: Vec<Vec<Sample>> = read.await.unwrap().into_iter().map(|(samples,)| samples.0).collect();
        assert_eq!(minutes.iter().map(Vec::len).collect::<Vec<_>>(), [60, 60, 10]);
        assert_eq!((minutes[1][0].bitrate, minutes[1][0].keyframe_ms), (60, Some(5_000)));
        let told = told(&world, &stream).await;
        let advice: Vec<_> = told.iter().filter(|(kind, _)| kind == "advice").collect();
        assert_eq!(advice.len(), 1);
        assert_eq!(advice[0].1["code"], "keyframes_far_apart");
    }
}

fn ladder(state: RungState, notice: Option<&str>) -> LadderReport {
    LadderReport {
        rungs: vec![RungReport {
            track: TrackId::VIDEO,
            name: "720p".into(),
            width: 1_280,
            height: 720,
            frame_rate: None,
            bitrate: 2_500_000,
            encoder: "libx264".into(),
            cost: 180,
            state,
        }],
        notice: notice.map(str::to_owned),
    }
}

#[tokio::test]
async fn what_changes_in_a_ladder_is_told_once() {
    for scene in Scene::both().await {
        let publisher = scene.live().await;
        let derived = scene.hub.derive(publisher.broadcast());
        let dropped = || RungState::Dropped("no room".into());
        for report in [
            ladder(RungState::Starting, None),
            ladder(dropped(), Some("it is full")),
            ladder(dropped(), Some("it is full")),
            ladder(RungState::Starting, None),
            ladder(RungState::Running, None),
            ladder(RungState::Running, None),
        ] {
            derived.report(report);
        }
        drop((derived, publisher));
        let (world, _, stream) = scene.finish().await;
        let told = told(&world, &stream).await;
        let news = told.iter().filter(|(kind, _)| kind == "ladder");
        let mut texts: Vec<&str> = news.map(|(_, detail)| detail["text"].as_str().unwrap()).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["720p is made again", "it is full; 720p is not made: no room"]);
    }
}

#[tokio::test]
async fn a_ladder_that_was_reported_unheard_is_looked_at() {
    let [scene, _] = Scene::both().await;
    let publisher = scene.live().await;
    let derived = scene.hub.derive(publisher.broadcast());
    derived.report(ladder(RungState::Running, Some("the preset stands in")));
    let mut follower = Follower::of(scene.world.platform.clone());
    follower.look_around(&scene.hub, false);
    follower.look_around(&scene.hub, false);
    drop((derived, publisher));
    let (world, _, stream) = scene.finish().await;
    let told = told(&world, &stream).await;
    let texts = told
        .iter()
        .filter(|(_, detail)| detail["text"] == "the preset stands in");
    assert_eq!(texts.count(), 2, "once by the scene's own follower, once by this one");
}

#[tokio::test]
async fn while_the_database_is_away_events_wait_and_health_is_given_up() {
    let scene = Scene::of(World::new().await).await;
    let (world, _, stream) = scene.finish().await;
    let platform = &world.platform;
    let reports = &platform.live.reports;
    let entry = {
        let stream = stream.clone();
        let read = platform
            .db
            .read(|c| Box::pin(async move { crate::directory::load(c, &stream).await }));
        read.await.unwrap().unwrap()
    };
    for number in 0..10_001 {
        reports.happened(
            &entry,
            None,
            ("active", serde_json::json!({ "number": number })),
            Time(number),
        );
    }
    let taken = reports.take(50);
    assert_eq!(taken.len(), 50);
    reports.put_back(taken);
    let mut rest = 0;
    while !reports.is_empty() {
        rest += reports.take(1_000).len();
    }
    assert_eq!(rest, 10_000, "the oldest made room");
}

#[tokio::test]
async fn broadcasts_that_a_crash_left_open_are_closed_at_the_next_start() {
    for scene in Scene::both().await {
        let publisher = scene.live().await;
        let running = publisher.broadcast().id().to_string();
        // Stopping is no end: it goes on after a restart.
        let (world, _, stream) = scene.finish().await;
        let platform = world.platform.clone();
        let (now, lost) = (platform.clock.now(), stream.clone());
        platform
            .db
            .write(move |c| {
                Box::pin(async move {
                    run!(
                        c,
                        "insert into broadcasts (id, environment_id, stream_id, started_at)
                         select 'lost', environment_id, id, $2 from streams where id = $1",
                        lost,
                        now.minus(Duration::from_secs(900))
                    )?;
                    run!(
                        c,
                        "insert into source_health (broadcast_id, minute, samples) values ('lost', $1, '[]')",
                        now.minus(Duration::from_secs(600))
                    )
                })
            })
            .await
            .unwrap();
        assert_eq!(resume::close_lost(&platform).await.unwrap(), 1);
        assert_eq!(resume::close_lost(&platform).await.unwrap(), 0);
        let rows = broadcasts(&world, &stream).await;
        let closed = (
            Some(now.minus(Duration::from_secs(540))),
            Some("the server was stopped".to_owned()),
        );
        assert_eq!(rows, [closed, (None, None)], "{running} goes on");
        drop(publisher);
    }
}

#[tokio::test]
async fn a_key_shows_when_it_was_last_used() {
    for scene in Scene::both().await {
        drop(scene.live().await);
        scene.world.platform.changed(Change::Stream(scene.stream.clone()));
        let (world, _, stream) = scene.finish().await;
        let read = world.platform.db.read(|c| {
            Box::pin(async move {
                one!(
                    c,
                    (Option<Time>,),
                    "select used_at from stream_keys where stream_id = $1",
                    stream
                )
            })
        });
        assert_eq!(read.await.unwrap().0, Some(world.platform.clock.now()));
    }
}
