use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use hub::{LadderReport, Revoked, RungReport, RungState};
use media::{FrameRate, Kind, TrackId};
use serde_json::{Value, json};
use tower_service::Service;

use crate::api;
use crate::authorize::Role;
use crate::platform::Change;
use crate::scene::{Scene, picture, soon};
use crate::testing::{Person, client};

#[tokio::test]
async fn a_streams_status_follows_what_happens() {
    for scene in Scene::both().await {
        let path = format!("/api/v1/streams/{}/status", scene.stream);
        let status = scene.world.get(&path, Some(&scene.ada)).await;
        assert_eq!(status.body["state"], "idle", "{}", status.body);
        let disable = "update streams set disabled_at = $2 where id = $1";
        scene
            .change(disable, &scene.stream, Change::Stream(scene.stream.clone()))
            .await;
        scene.refusal(scene.key.expose()).await;
        let status = scene.world.get(&path, Some(&scene.ada)).await;
        assert_eq!(
            status.body["last_refusal"]["reason"], "the stream is disabled",
            "{}",
            status.body
        );
        assert_eq!(status.body["disabled"], true);

        let enable = "update streams set disabled_at = null, updated_at = $2 where id = $1";
        scene
            .change(enable, &scene.stream, Change::Stream(scene.stream.clone()))
            .await;
        let publisher = scene.live().await;
        soon(async {
            loop {
                let status = scene.world.get(&path, Some(&scene.ada)).await;
                if status.body["last_refusal"].is_null() {
                    break assert_eq!(status.body["state"], "waiting", "no picture came yet");
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        scene.rotate().await;
        soon(publisher.revoked()).await;
        let status = scene.world.get(&path, Some(&scene.ada)).await;
        assert_eq!(
            status.body["last_refusal"]["reason"], "the stream key was rotated: use the new one",
            "{}",
            status.body
        );
        let eve = scene.world.person("eve", &[Role::Creator]).await;
        assert_eq!(scene.world.get(&path, Some(&eve)).await.status, StatusCode::NOT_FOUND);
        assert_eq!(scene.world.get(&path, None).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn stopping_a_stream_ends_its_broadcast_and_tells_its_source() {
    for scene in Scene::both().await {
        let path = format!("/api/v1/streams/{}/stop", scene.stream);
        let publisher = scene.live().await;
        let broadcast = publisher.broadcast().clone();
        let eve = scene.world.person("eve", &[Role::Creator]).await;
        assert_eq!(
            scene.world.post(&path, Some(&eve), json!({})).await.status,
            StatusCode::NOT_FOUND
        );
        let stopped = scene.world.post(&path, Some(&scene.ada), json!({})).await;
        assert_eq!(stopped.status, StatusCode::NO_CONTENT, "{}", stopped.body);
        assert_eq!(
            soon(publisher.revoked()).await,
            Revoked::Withdrawn("the stream was stopped in the studio".into())
        );
        let ended = tokio::time::timeout(Duration::from_secs(2), broadcast.ended()).await;
        assert!(ended.is_ok(), "within two seconds");
        let again = scene.world.post(&path, Some(&scene.ada), json!({})).await;
        assert_eq!(again.status, StatusCode::NO_CONTENT, "what is over stays over");
    }
}

#[tokio::test]
async fn a_status_tells_how_the_ladder_does_and_how_much_the_source_sends_itself() {
    for scene in Scene::both().await {
        let path = format!("/api/v1/streams/{}/status", scene.stream);
        let mut publisher = scene.live().await;
        let second = TrackId {
            kind: Kind::Video,
            index: 1,
        };
        picture(&mut publisher, TrackId::VIDEO, (1_280, 720));
        picture(&mut publisher, second, (640, 360));
        let status = scene.world.get(&path, Some(&scene.ada)).await.body;
        assert_eq!(status["live"]["video_tracks"], 2, "{status}");
        assert_eq!(
            (&status["live"]["audio_tracks"], &status["ladder"]),
            (&json!(0), &Value::Null)
        );
        let rung = |name: &str, state| RungReport {
            track: TrackId::VIDEO,
            name: name.into(),
            width: 854,
            height: 480,
            frame_rate: FrameRate::new(30, 1),
            bitrate: 1_100_000,
            encoder: "libx264".into(),
            cost: 80,
            state,
        };
        scene.hub.derive(publisher.broadcast()).report(LadderReport {
            rungs: vec![
                rung("high", RungState::Dropped("no room".into())),
                rung("480p", RungState::Running),
                rung("240p", RungState::Starting),
            ],
            notice: Some("room for 2 of 3".into()),
        });
        let ladder = scene.world.get(&path, Some(&scene.ada)).await.body["ladder"].clone();
        assert_eq!(ladder["notice"], "room for 2 of 3");
        assert_eq!(
            ladder["rungs"][1],
            json!({"name": "480p", "width": 854, "height": 480, "frame_rate": 30.0, "bitrate": 1_100_000, "encoder": "libx264",
                   "cost": 80, "state": "running", "reason": null})
        );
        assert_eq!(
            (&ladder["rungs"][0]["state"], &ladder["rungs"][0]["reason"]),
            (&json!("dropped"), &json!("no room"))
        );
        assert_eq!(ladder["rungs"][2]["state"], "starting");
        drop(publisher);
    }
}

/// Asks for the events of a stream; the body goes on.
async fn watching(scene: &Scene, who: &Person) -> axum::response::Response {
    let mut request = Request::get(format!("/api/v1/streams/{}/watch", scene.stream))
        .header(header::COOKIE, &who.cookie)
        .body(Body::empty())
        .unwrap();
    request.extensions_mut().insert(client());
    let mut router = api::router(scene.world.platform.clone());
    router.call(request).await.unwrap()
}

/// The data of the next event; `None` at the end.
async fn event(body: &mut Body) -> Option<Value> {
    loop {
        let frame = body.frame().await?.unwrap().into_data().unwrap();
        let text = String::from_utf8(frame.to_vec()).unwrap();
        if let Some(data) = text.strip_prefix("event: status\ndata: ") {
            return Some(serde_json::from_str(data).unwrap());
        }
    }
}

#[tokio::test]
async fn who_watches_hears_of_each_change_until_the_server_stops() {
    let [scene, _] = Scene::both().await;
    let response = watching(&scene, &scene.ada).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = response.into_body();
    assert_eq!(soon(event(&mut body)).await.unwrap()["state"], "idle");
    let _publisher = scene.live().await;
    assert_eq!(soon(event(&mut body)).await.unwrap()["state"], "waiting");
    scene.world.platform.live.stop();
    assert_eq!(soon(event(&mut body)).await, None);
}

#[tokio::test]
async fn watching_ends_with_the_session() {
    let [scene, _] = Scene::both().await;
    let mut body = watching(&scene, &scene.ada).await.into_body();
    assert!(soon(event(&mut body)).await.is_some());
    let ended = "update sessions set revoked_at = $2 where user_id = $1";
    scene
        .change(ended, &scene.ada.id, Change::User(scene.ada.id.clone()))
        .await;
    assert_eq!(soon(event(&mut body)).await, None);
}
