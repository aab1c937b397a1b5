use http::StatusCode;
use serde_json::json;

use crate::authorize::Role;
use crate::id::Kind;
use crate::run;
use crate::store::Json;
use crate::testing::World;

#[tokio::test]
async fn what_happened_is_told_newest_first_page_by_page() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let stream = world
            .post("/api/v1/streams", Some(&ada), json!({"title": "Mine"}))
            .await
            .body["id"]
            .clone();
        let stream = stream.as_str().unwrap().to_owned();
        let of = stream.clone();
        let written = world.platform.db.write(move |c| {
            Box::pin(async move {
                for n in 0..5_i64 {
                    run!(
                        c,
                        "insert into broadcasts (id, environment_id, stream_id, started_at, ended_at, end_reason)
                         select $1, environment_id, id, $3, $4, 'unpublished' from streams where id = $2",
                        format!("{}{n}", "a".repeat(25).replace('a', "b")),
                        &of,
                        n,
                        n + 1
                    )?;
                    run!(
                        c,
                        "insert into stream_events (id, environment_id, stream_id, kind, detail, at)
                         select $1, environment_id, id, 'lost', $3, $4 from streams where id = $2",
                        Kind::Event.random(),
                        &of,
                        Json(json!({"reason": format!("reason {n}")})),
                        n
                    )?;
                }
                Ok(())
            })
        });
        written.await.unwrap();
        let path = format!("/api/v1/streams/{stream}");
        let first = world.get(&format!("{path}/events?limit=3"), Some(&ada)).await.body;
        assert_eq!(
            first["items"][0]["text"],
            "the connection to the source was lost: reason 4"
        );
        let next = first["next_cursor"].as_str().unwrap();
        let rest = world
            .get(&format!("{path}/events?cursor={next}"), Some(&ada))
            .await
            .body;
        assert_eq!(rest["items"].as_array().unwrap().len(), 2);
        let first = world.get(&format!("{path}/broadcasts?limit=4"), Some(&ada)).await.body;
        assert_eq!(first["items"][3]["started_at"], "1970-01-01T00:00:00.000Z");
        let next = first["next_cursor"].as_str().unwrap();
        let rest = world
            .get(&format!("{path}/broadcasts?cursor={next}"), Some(&ada))
            .await
            .body;
        assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn health_is_a_sample_a_second_of_the_newest_broadcast() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let stream = world
            .post("/api/v1/streams", Some(&ada), json!({"title": "Mine"}))
            .await
            .body["id"]
            .clone();
        let stream = stream.as_str().unwrap().to_owned();
        let path = format!("/api/v1/streams/{stream}/health");
        let none = world.get(&path, Some(&ada)).await;
        assert_eq!((none.status, &none.body), (StatusCode::OK, &json!({"samples": []})));
        let (old, new) = ("a".repeat(26), "b".repeat(26));
        for (id, at, minute) in [(&old, 0_i64, 0_i64), (&new, 120, 120), (&new, 120, 180)] {
            let (id, stream) = (id.clone(), stream.clone());
            let sample = json!([{"at": minute * 1_000_000, "bitrate": 1_000 + minute, "frame_rate": 30.0}]);
            let written = world.platform.db.write(move |c| {
                Box::pin(async move {
                    run!(
                        c,
                        "insert into broadcasts (id, environment_id, stream_id, started_at)
                         select $1, environment_id, id, $3 from streams where id = $2 on conflict (id) do nothing",
                        &id,
                        stream,
                        at
                    )?;
                    run!(
                        c,
                        "insert into source_health (broadcast_id, minute, samples) values ($1, $2, $3)",
                        &id,
                        minute,
                        Json(sample)
                    )
                })
            });
            written.await.unwrap();
        }
        let rates = |body: &serde_json::Value| -> Vec<u64> {
            let samples = body["samples"].as_array().unwrap();
            samples
                .iter()
                .map(|sample| sample["bitrate"].as_u64().unwrap())
                .collect()
        };
        assert_eq!(rates(&world.get(&path, Some(&ada)).await.body), [1_120, 1_180]);
        assert_eq!(
            rates(&world.get(&format!("{path}?minutes=1"), Some(&ada)).await.body),
            [1_180]
        );
        assert_eq!(
            rates(&world.get(&format!("{path}?broadcast={old}"), Some(&ada)).await.body),
            [1_000]
        );
        for query in ["minutes=0", "minutes=181", "minutes=x", "broadcast=x", "broadcast=%00"] {
            let refused = world.get(&format!("{path}?{query}"), Some(&ada)).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        }
        // A broadcast of another stream is none of this one.
        let other = world
            .post("/api/v1/streams", Some(&ada), json!({"title": "Other"}))
            .await
            .body["id"]
            .clone();
        let path = format!("/api/v1/streams/{}/health?broadcast={old}", other.as_str().unwrap());
        assert_eq!(rates(&world.get(&path, Some(&ada)).await.body), [0; 0]);
    }
}
