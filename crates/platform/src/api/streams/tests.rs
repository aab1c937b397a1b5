use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::authorize::Role;
use crate::id::Kind;
use crate::platform::Change;
use crate::run;
use crate::store::Json;
use crate::testing::{Answer, Person, World};

const STREAMS: &str = "/api/v1/streams";

async fn make(world: &World, who: &Person, title: &str) -> Answer {
    world.post(STREAMS, Some(who), json!({"title": title})).await
}

fn path(stream: &Answer) -> String {
    format!("{STREAMS}/{}", stream.body["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn a_stream_is_made_changed_disabled_and_deleted() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let settings =
            json!({"latency": "normal", "reconnect_s": 300, "takeover": "refuse", "ladder": {"mode": "off"}});
        let body = json!({"title": "Conference", "settings": settings});
        let made = world.post(STREAMS, Some(&ada), body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        assert_eq!(
            (&made.body["state"], &made.body["channel"]),
            (&json!("idle"), &Value::Null)
        );
        assert_eq!(made.body["settings"], settings);
        assert_eq!(made.body["ingest"]["rtmp_url"], "rtmp://live.example.org:1935/live");
        let at = path(&made);
        let patch = |body| world.call(Method::PATCH, &at, Some(&ada), Some(body));
        let changed = patch(json!({"title": "Party"})).await;
        assert_eq!(
            (&changed.body["title"], &changed.body["settings"]),
            (&json!("Party"), &settings)
        );
        let settings =
            json!({"latency": "low", "reconnect_s": null, "takeover": "replace", "ladder": {"mode": "server"}});
        assert_eq!(patch(json!({"settings": settings})).await.body["settings"], settings);
        let mut changes = world.platform.changes();
        assert_eq!(
            world.post(&format!("{at}/disable"), Some(&ada), json!({})).await.body["disabled"],
            true
        );
        assert!(matches!(changes.try_recv(), Ok(Change::Stream(_))));
        assert_eq!(
            world.post(&format!("{at}/enable"), Some(&ada), json!({})).await.body["disabled"],
            false
        );
        assert_eq!(
            world.call(Method::DELETE, &at, Some(&ada), None).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(world.get(&at, Some(&ada)).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(STREAMS, Some(&ada)).await.body["items"], json!([]));
    }
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused() {
    let world = World::new().await;
    let ada = world.person("ada", &[Role::Creator]).await;
    for settings in [
        json!({"latency": "none"}),
        json!({"reconnect_s": 1_801}),
        json!({"reconnect_s": -1}),
        json!({"takeover": "fight"}),
        json!({"window": 9}),
        json!({"ladder": {"mode": "off", "preset": "high"}}),
        json!({"ladder": "off"}),
    ] {
        let refused = world
            .post(STREAMS, Some(&ada), json!({"title": "x", "settings": settings}))
            .await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{settings}");
    }
    for field in ["owner_id", "environment_id", "disabled_at", "state", "id"] {
        let mut body = json!({"title": "x"});
        body[field] = "us22222222222222222222222222".into();
        let refused = world.post(STREAMS, Some(&ada), body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
    }
}

#[tokio::test]
async fn a_person_has_so_many_streams_at_most() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let asked = (0..15).map(|_| make(&world, &ada, "One of many"));
        let answers = futures_util::future::join_all(asked).await;
        let made = answers
            .iter()
            .filter(|answer| answer.status == StatusCode::CREATED)
            .count();
        assert_eq!(made, 10);
    }
}

#[tokio::test]
async fn a_channels_stream_is_its_owners_whoever_makes_it() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let eve = world.person("eve", &[]).await;
        let body = json!({"handle": "ada", "title": "Ada"});
        let channel = world.post("/api/v1/channels", Some(&ada), body).await.body;
        let more = json!({"title": "Second camera", "channel_id": channel["id"]});
        assert_eq!(
            world.post(STREAMS, Some(&eve), more.clone()).await.status,
            StatusCode::FORBIDDEN
        );
        let member = json!({"email": "eve@example.org", "role": "admin"});
        world.post("/api/v1/channels/ada/members", Some(&ada), member).await;
        let made = world.post(STREAMS, Some(&eve), more).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        assert_eq!(made.body["main"], false);
        for (who, query) in [(&ada, ""), (&eve, ""), (&eve, "?channel=ada")] {
            let list = world.get(&format!("{STREAMS}{query}"), Some(who)).await.body;
            assert_eq!(list["items"].as_array().unwrap().len(), 2, "{query}");
        }
        // The one that the channel shows stays while the channel does.
        let main = format!("{STREAMS}/{}", channel["stream_id"].as_str().unwrap());
        assert_eq!(
            world.call(Method::DELETE, &main, Some(&ada), None).await.status,
            StatusCode::CONFLICT
        );
        assert_eq!(
            world.call(Method::DELETE, &path(&made), Some(&eve), None).await.status,
            StatusCode::NO_CONTENT
        );
    }
}

#[tokio::test]
async fn playback_ids_are_added_and_taken_away() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let stream = make(&world, &ada, "Mine").await;
        let at = format!("{}/playback-ids", path(&stream));
        let added = world.post(&at, Some(&ada), json!({"policy": "private"})).await;
        assert_eq!(
            (added.status, &added.body["policy"]),
            (StatusCode::CREATED, &json!("private"))
        );
        let ids = world.get(&path(&stream), Some(&ada)).await.body["playback_ids"].clone();
        assert_eq!(ids.as_array().unwrap().len(), 2);
        let gone = format!("{at}/{}", stream.body["playback_ids"][0]["id"].as_str().unwrap());
        assert_eq!(
            world.call(Method::DELETE, &gone, Some(&ada), None).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(
            world.call(Method::DELETE, &gone, Some(&ada), None).await.status,
            StatusCode::NOT_FOUND
        );
        let ids = world.get(&path(&stream), Some(&ada)).await.body["playback_ids"].clone();
        assert_eq!(ids, json!([{"id": added.body["id"], "policy": "private"}]));
        for _ in 1..20 {
            let added = world.post(&at, Some(&ada), json!({"policy": "public"})).await;
            assert_eq!(added.status, StatusCode::CREATED);
        }
        let refused = world.post(&at, Some(&ada), json!({"policy": "public"})).await;
        assert_eq!(refused.body["code"], "quota_exceeded");
    }
}

#[tokio::test]
async fn the_last_refusal_is_told_until_a_source_is_let_in() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let stream = make(&world, &ada, "Mine").await;
        let now = world.platform.clock.now();
        let happened = |kind: &'static str, micros: i64, detail: Value| {
            let stream = stream.body["id"].as_str().unwrap().to_owned();
            world.platform.db.write(move |c| {
                Box::pin(async move {
                    run!(
                        c,
                        "insert into stream_events (id, environment_id, stream_id, kind, detail, at)
                         select $1, environment_id, id, $3, $4, $5 from streams where id = $2",
                        Kind::Event.random(),
                        stream,
                        kind,
                        Json(detail),
                        now.0 + micros
                    )
                })
            })
        };
        happened("refused", 1, json!({"reason": "the stream key has expired"}))
            .await
            .unwrap();
        happened("health", 2, json!({})).await.unwrap();
        let told = world.get(&path(&stream), Some(&ada)).await.body["last_refusal"].clone();
        assert_eq!(told["reason"], "the stream key has expired");
        happened("connected", 3, json!({})).await.unwrap();
        assert_eq!(
            world.get(&path(&stream), Some(&ada)).await.body["last_refusal"],
            Value::Null
        );
        let list = world.get(STREAMS, Some(&ada)).await.body;
        assert_eq!(list["items"][0]["last_refusal"], Value::Null);
    }
}

#[tokio::test]
async fn ids_of_other_shapes_are_not_found() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        for id in [
            "x",
            "%00",
            "st22222222222222222222222222",
            "%F0%9F%98%80",
            "ST22222222222222222222222222",
        ] {
            for rest in ["", "/keys", "/events", "/broadcasts", "/health"] {
                let answer = world.get(&format!("{STREAMS}/{id}{rest}"), Some(&ada)).await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}{rest}");
            }
        }
        for address in ["%00", "a%00b", "%F0%9F%98%80", "x"] {
            let answer = world.get(&format!("/api/v1/channels/{address}"), None).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{address}");
        }
    }
}
