use std::sync::{Arc, Mutex};

use hub::Publisher;
use media::{FrameRate, TrackId};
use serde_json::{Value, json};

use crate::ladder::{Budget, PlannedRung, Preview, Question};
use crate::outbound::testing::{Server, answer};
use crate::platform::{Options, Platform};
use crate::scene::{Scene, picture, soon, until};
use crate::store::Json;
use crate::streams::health::Sample;
use crate::testing::{Answer, World};
use crate::{ladder, run};

/// Foresees one rung of everything, and keeps what it was asked.
fn foreseen(platform: &Platform) -> Arc<Mutex<Vec<Question>>> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&asked);
    platform.preview_ladder_by(move |question| {
        keep.lock().expect("nobody panics").push(question.clone());
        Preview {
            rungs: vec![PlannedRung {
                name: "480p".into(),
                width: 854,
                height: 480,
                frame_rate: question.source.rate().map(FrameRate::per_second),
                bitrate: 1_100_000,
                encoder: "libx264".into(),
                cost: 80,
                reason: Some("this server has no room for it".into()),
            }],
            decode_cost: 50,
            budget: Budget {
                total: 1_000,
                used: 990,
            },
            notice: Some("it is full".into()),
        }
    });
    asked
}

async fn preview(scene: &Scene, body: Value) -> Answer {
    let path = format!("/api/v1/streams/{}/ladder/preview", scene.stream);
    scene.world.post(&path, Some(&scene.ada), body).await
}

fn last(asked: &Mutex<Vec<Question>>) -> Question {
    asked
        .lock()
        .expect("nobody panics")
        .last()
        .cloned()
        .expect("it was asked")
}

#[tokio::test]
async fn a_ladder_that_is_not_saved_is_foreseen_for_any_source() {
    for scene in Scene::both().await {
        let asked = foreseen(&scene.world.platform);
        let rung = json!({"name": "480p", "size": 480, "frame_rate_max": 30, "bitrate": 1_100_000});
        let source = json!({"width": 1280, "height": 720, "frame_rate": 29.97, "bitrate": 3_000_000});
        let body = json!({"source": source, "ladder": {"mode": "rungs", "rungs": [rung]}});
        let answer = preview(&scene, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["source"]["codec"], "avc");
        assert_eq!(answer.body["rungs"][0]["cost"], 80);
        assert_eq!(answer.body["rungs"][0]["reason"], "this server has no room for it");
        assert_eq!(answer.body["budget"], json!({"total": 1_000, "used": 990}));
        assert_eq!(answer.body["decode_cost"], 50);
        assert_eq!(answer.body["presets"], json!(ladder::PRESETS));
        assert_eq!(answer.body["webhook"], false);
        let question = last(&asked);
        assert!(matches!(&question.ladder, hub::Ladder::Rungs(rungs) if &*rungs[0].name == "480p"));
        assert_eq!(question.source.rate(), FrameRate::new(30_000, 1_001));
        assert_eq!(question.running, None);
    }
}

#[tokio::test]
async fn without_a_word_it_is_the_streams_own_ladder_of_what_it_shows_or_showed_last() {
    for scene in Scene::both().await {
        let asked = foreseen(&scene.world.platform);
        assert_eq!(
            preview(&scene, json!({})).await.body["source"],
            json!({"codec": "avc", "width": 1920, "height": 1080, "frame_rate": 30.0, "bitrate": 6_000_000}),
            "nothing was shown yet"
        );
        assert_eq!(last(&asked).ladder, hub::Ladder::Off, "the server's own");
        let path = format!("/api/v1/streams/{}", scene.stream);
        let settings = json!({"settings": {"ladder": {"mode": "preset", "preset": "mobile"}}});
        let saved = scene
            .world
            .call(http::Method::PATCH, &path, Some(&scene.ada), Some(settings))
            .await;
        assert_eq!(saved.status, 200, "{}", saved.body);

        let mut publisher = scene.live().await;
        picture(&mut publisher, TrackId::VIDEO, (1_280, 720));
        let mut shown = json!({"codec": "hevc", "width": 1280, "height": 720, "frame_rate": 29.97});
        let source = preview(&scene, json!({})).await.body["source"].clone();
        for (field, value) in shown.as_object().expect("an object") {
            assert_eq!(&source[field], value, "{field}");
        }
        let question = last(&asked);
        assert_eq!(question.ladder, hub::Ladder::Preset("mobile".into()));
        assert_eq!(question.running.as_ref(), Some(publisher.broadcast().id()));

        measured(&scene.world, &publisher, &[1, 4_000_000, 9_000_000]).await;
        let broadcast = publisher.broadcast().clone();
        scene.hub.stop(broadcast.id(), "over");
        until(|| scene.hub.broadcasts().is_empty()).await;
        written(&scene).await;
        shown["bitrate"] = json!(4_000_000);
        assert_eq!(
            preview(&scene, json!({})).await.body["source"],
            shown,
            "what it showed last"
        );
        assert_eq!(last(&asked).running, None);
    }
}

/// Writes down what a source sent in three seconds, as the newest that is known.
async fn measured(world: &World, publisher: &Publisher, bitrates: &[u64]) {
    let sample = |(at, bitrate): (usize, &u64)| Sample {
        at: at as i64,
        bitrate: *bitrate,
        frame_rate: 29.97,
        keyframe_ms: None,
        backlog_ms: 0,
        timestamp_jumps: 0,
    };
    let samples: Vec<Sample> = bitrates.iter().enumerate().map(sample).collect();
    let broadcast = publisher.broadcast().id().to_string();
    soon(async {
        loop {
            let (samples, broadcast) = (samples.clone(), broadcast.clone());
            let insert = world.platform.db.write(move |c| {
                Box::pin(async move {
                    run!(
                        c,
                        "insert into source_health (broadcast_id, minute, samples)
                         select id, cast($2 as bigint), $3 from broadcasts where id = $1",
                        broadcast,
                        i64::MAX,
                        Json(samples)
                    )
                })
            });
            if insert.await.expect("the table is there") == 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Waits until the first picture of the stream stands in the database.
async fn written(scene: &Scene) {
    let path = format!("/api/v1/streams/{}/events", scene.stream);
    soon(async {
        loop {
            let events = scene.world.get(&path, Some(&scene.ada)).await.body;
            let items = events["items"].as_array().expect("a list");
            if let Some(active) = items.iter().find(|item| item["kind"] == "active") {
                assert_eq!(active["detail"]["video_codec"], "hvc1.1.6.L93.90");
                break assert_eq!(active["text"], "the first picture arrived");
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn where_nobody_makes_ladders_the_answer_is_the_source_alone() {
    let [scene, _] = Scene::both().await;
    let answer = preview(&scene, json!({"ladder": {"mode": "preset", "preset": "high"}})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["rungs"], json!([]));
    assert!(
        answer.body["notice"]
            .as_str()
            .expect("a notice")
            .contains("source alone")
    );
}

#[tokio::test]
async fn what_cannot_be_or_is_not_here_is_refused_with_the_place() {
    let [scene, _] = Scene::both().await;
    let source = |field: &str, value: Value| {
        let mut source = json!({"width": 1280, "height": 720, "frame_rate": 30, "bitrate": 3_000_000});
        source[field] = value;
        json!({ "source": source })
    };
    for (body, pointer) in [
        (source("width", json!(15)), "/source/width"),
        (source("height", json!(8_193)), "/source/height"),
        (source("frame_rate", json!(0.5)), "/source/frame_rate"),
        (source("bitrate", json!(0)), "/source/bitrate"),
        (
            json!({"ladder": {"mode": "preset", "preset": "best"}}),
            "/ladder/preset",
        ),
        (json!({"ladder": {"mode": "preset", "preset": ""}}), "/ladder/preset"),
        (json!({"ladder": {"mode": "rungs", "rungs": []}}), "/ladder/rungs"),
        (json!({"ladder": {"mode": "webhook"}}), "/ladder/mode"),
    ] {
        let refused = preview(&scene, body.clone()).await;
        assert_eq!(refused.status, 422, "{body}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.body);
    }
    for body in [source("codec", json!("mpeg2")), json!({"sources": []}), json!([])] {
        assert_eq!(preview(&scene, body).await.status, 422);
    }
}

#[tokio::test]
async fn settings_with_a_ladder_that_is_not_here_are_not_saved() {
    for scene in Scene::both().await {
        let at = format!("/api/v1/streams/{}", scene.stream);
        let patch = async |ladder: &Value| {
            let body = json!({"settings": {"ladder": ladder}});
            scene
                .world
                .call(http::Method::PATCH, &at, Some(&scene.ada), Some(body))
                .await
        };
        let rung = json!({"name": "a", "size": 240, "frame_rate_max": 30, "bitrate": 300_000, "codec": "av1"});
        for ladder in [
            json!({"mode": "off"}),
            json!({"mode": "preset", "preset": "low-latency"}),
            json!({"mode": "rungs", "rungs": [rung]}),
            json!({"mode": "server"}),
        ] {
            let saved = patch(&ladder).await;
            assert_eq!(saved.status, 200, "{}", saved.body);
            assert_eq!(saved.body["settings"]["ladder"], ladder);
        }
        for (ladder, pointer) in [
            (json!({"mode": "preset", "preset": "best"}), "/settings/ladder/preset"),
            (json!({"mode": "webhook"}), "/settings/ladder/mode"),
            (json!({"mode": "rungs", "rungs": []}), "/settings/ladder/rungs"),
        ] {
            let refused = patch(&ladder).await;
            assert_eq!(refused.status, 422, "{ladder}: {}", refused.body);
            assert_eq!(refused.body["errors"][0]["pointer"], pointer);
            let title = json!({"title": "Other", "settings": {"ladder": ladder}});
            let made = scene.world.post("/api/v1/streams", Some(&scene.ada), title).await;
            assert_eq!(made.body["errors"][0]["pointer"], pointer, "{}", made.body);
        }
    }
}

/// The same scene, whose server asks a program about ladders.
async fn asking(url: url::Url) -> Scene {
    let world = World::with(|options: &mut Options| {
        options.live.ladder = hub::Ladder::Preset("mobile".into());
        options.ladder_webhook = Some(ladder::webhook::Options {
            url,
            secret: crate::secret::Secret::new("s3cret"),
        });
    })
    .await;
    Scene::of(world).await
}

#[tokio::test]
async fn the_program_is_asked_for_a_preview_and_the_preset_stands_in() {
    let server = Server::start(|heard| {
        let small = heard.body.contains("\"width\":1280");
        let rung = json!({"name": "only", "size": 360, "frame_rate_max": 30, "bitrate": 500_000});
        Some(if small {
            answer("200 OK", "", &json!({"rungs": [rung]}).to_string())
        } else {
            answer("503 Service Unavailable", "", "")
        })
    })
    .await;
    let scene = asking(server.url("/ladder")).await;
    let asked = foreseen(&scene.world.platform);
    let ladder = json!({"mode": "webhook"});
    let source = json!({"width": 1280, "height": 720, "frame_rate": 30, "bitrate": 3_000_000});
    let answer = preview(&scene, json!({"ladder": ladder, "source": source})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        (&answer.body["webhook"], &answer.body["notice"]),
        (&json!(true), &json!("it is full"))
    );
    assert!(matches!(last(&asked).ladder, hub::Ladder::Rungs(rungs) if &*rungs[0].name == "only"));
    let told: Value = serde_json::from_str(&server.last().body).expect("JSON");
    assert_eq!((&told["preview"], &told["name"]), (&json!(true), &json!("ada")));
    assert_eq!(told["stream_id"], scene.stream.as_str());

    let answer = preview(&scene, json!({ "ladder": ladder })).await;
    assert_eq!(
        answer.body["notice"],
        "the ladder is the preset's: the program that chooses the qualities answered with status 503; it is full"
    );
    assert_eq!(last(&asked).ladder, hub::Ladder::Preset("mobile".into()));
}

#[tokio::test]
async fn the_program_is_told_of_the_broadcast_that_runs() {
    let server = Server::saying(&answer("200 OK", "", r#"{"rungs": []}"#)).await;
    let scene = asking(server.url("/")).await;
    let mut publisher = scene.live().await;
    picture(&mut publisher, TrackId::VIDEO, (720, 1_280));
    let rungs = scene.world.platform.ask_for_ladder(publisher.broadcast()).await;
    assert_eq!(rungs.expect("an answer"), []);
    let told: Value = serde_json::from_str(&server.last().body).expect("JSON");
    assert_eq!(told["stream_id"], scene.stream.as_str());
    assert_eq!((&told["name"], &told["preview"]), (&json!("ada"), &json!(false)));
    assert_eq!(told["broadcast_id"], publisher.broadcast().id().to_string());
    assert_eq!(
        told["input"],
        json!({"video_codec": "hvc1.1.6.L93.90", "width": 720, "height": 1280, "frame_rate": 29.97, "bitrate": null,
               "audio_codec": null})
    );
}
