use http::StatusCode;
use serde_json::{Value, json};

use crate::all;
use crate::platform::Change;
use crate::scene::Scene;
use crate::store::Json;

const PATH: &str = "/api/v1/obs/multitrack";

/// What OBS sends, with this key.
fn request(key: &str) -> Value {
    let mut request: Value = serde_json::from_str(include_str!("../../obs/request-2025-01-25.json")).expect("JSON");
    request["authentication"] = json!(key);
    request
}

/// `frontend/utility/RemoteTextThread.cpp` of OBS Studio, `GetRemoteFile`: any status but success hides the answer from OBS, so
/// refusals are told inside of it.
async fn told(scene: &Scene, key: &str) -> (String, Value) {
    let answer = scene.world.post(PATH, None, request(key)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let result = answer.body["status"]["result"].as_str().expect("a word");
    (result.to_owned(), answer.body)
}

#[tokio::test]
async fn a_stream_key_is_answered_with_what_to_encode_and_where_to_send_it() {
    for scene in Scene::both().await {
        let key = format!("{}?bandwidthtest=true", scene.key.expose());
        let (result, answer) = told(&scene, &key).await;
        assert_eq!(result, "success");
        assert_eq!(
            answer["ingest_endpoints"],
            json!([{"protocol": "RTMP", "url_template": "rtmp://live.example.org:1935/live/{stream_key}"}])
        );
        assert_eq!(answer["encoder_configurations"].as_array().map(Vec::len), Some(5));
        assert!(!answer.to_string().contains(scene.key.expose()));
    }
}

#[tokio::test]
async fn a_key_that_may_not_publish_gets_the_words_that_its_publisher_would() {
    for scene in Scene::both().await {
        let refusal = |answer: Value| answer["status"]["html_en_us"].as_str().expect("words").to_owned();
        let (result, answer) = told(&scene, "hw_of_somebody_else").await;
        assert_eq!(result, "error");
        assert!(answer["encoder_configurations"].as_array().expect("a list").is_empty());
        assert!(refusal(answer).contains("only this machine may publish without a key"));
        let disable = "update streams set disabled_at = $2 where id = $1";
        scene
            .change(disable, &scene.stream, Change::Stream(scene.stream.clone()))
            .await;
        let (result, answer) = told(&scene, scene.key.expose()).await;
        assert_eq!(result, "error");
        assert!(refusal(answer).contains("the stream is disabled"));
    }
}

#[tokio::test]
async fn who_only_asks_takes_nothing_and_is_not_written_down() {
    for scene in Scene::both().await {
        let publisher = scene.live().await;
        assert_eq!(told(&scene, scene.key.expose()).await.0, "success");
        assert!(
            scene.hub.broadcast(publisher.broadcast().name()).is_some(),
            "it goes on"
        );
        publisher.finish(hub::Ending::Unpublished);
        let stream = scene.stream.clone();
        let (world, ..) = scene.finish().await;
        let rows = world.platform.db.read(|c| {
            Box::pin(async move {
                all!(
                    c,
                    (Json<Value>,),
                    "select detail from stream_events where stream_id = $1 and kind = 'refused'",
                    stream
                )
            })
        });
        assert!(rows.await.expect("the events").is_empty());
    }
}

#[tokio::test]
async fn the_ladder_of_the_broadcast_is_what_is_asked_for() {
    for scene in Scene::both().await {
        scene.world.platform.resolve_ladders_by(|_| {
            let mut rungs = crate::obs::usual_rungs();
            rungs.truncate(1);
            Some(rungs)
        });
        let (_, answer) = told(&scene, scene.key.expose()).await;
        let encoders = answer["encoder_configurations"].as_array().expect("a list");
        let heights: Vec<_> = encoders.iter().map(|encoder| encoder["height"].as_u64()).collect();
        assert_eq!(heights, [Some(1_080), Some(720)]);
    }
}

#[tokio::test]
async fn what_is_no_request_of_obs_is_refused_as_elsewhere() {
    for scene in Scene::both().await {
        let answer = scene.world.post(PATH, None, json!({"authentication": 7})).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}
