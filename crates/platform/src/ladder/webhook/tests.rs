//! Ladders from a small program.

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use hub::{Codec, Protocol};
use serde_json::{Value, json};

use super::*;
use crate::outbound::testing::{Server, answer, local};
use crate::testing::World;

fn webhook(server: &Server) -> Webhook {
    let options = Options {
        url: server.url("/ladder"),
        secret: Secret::new("s3cret"),
    };
    Webhook::new(local(), Clock::manual(Time(1_700_000_000_000_000)), options)
}

fn question() -> Question {
    Question {
        stream_id: None,
        name: Some("ada".into()),
        broadcast_id: None,
        preview: false,
        input: Input::from(&Source::default()),
    }
}

fn json_answer(body: &Value) -> String {
    answer("200 OK", "content-type: application/json\r\n", &body.to_string())
}

async fn asked(answer: &str) -> Result<Vec<hub::Rung>, String> {
    let server = Server::saying(answer).await;
    webhook(&server)
        .ask(&question())
        .await
        .map_err(|error| error.to_string())
}

fn rung(name: &str, size: u32) -> Value {
    json!({"name": name, "size": size, "frame_rate_max": 60, "bitrate": 2_000_000, "codec": "hevc"})
}

#[tokio::test]
async fn the_program_is_told_what_the_source_sends_and_answers_with_rungs() {
    let server = Server::saying(&json_answer(
        &json!({"rungs": [rung("low", 240), rung("best", 720)], "more": 1}),
    ))
    .await;
    let rungs = webhook(&server).ask(&question()).await.expect("a ladder");
    assert_eq!(rungs.len(), 2);
    assert_eq!(
        rungs[0],
        hub::Rung {
            name: "best".into(),
            size: 720,
            frame_rate_max: 60,
            bitrate: 2_000_000,
            codec: Codec::Hevc,
        }
    );
    let heard = server.last();
    assert!(heard.head.starts_with("POST /ladder "), "{heard:?}");
    let (id, timestamp) = (
        heard.header("webhook-id").unwrap(),
        heard.header("webhook-timestamp").unwrap(),
    );
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(format!("{id}.{timestamp}.{}", heard.body).as_bytes());
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(
        heard.header("webhook-signature"),
        Some(format!("v1,{signature}").as_str())
    );
    let body: Value = serde_json::from_str(&heard.body).unwrap();
    let whole = json!({
        "id": id, "at": "2023-11-14T22:13:20.000Z", "event": "ladder", "stream_id": null, "name": "ada", "broadcast_id": null,
        "preview": false,
        "input": {"video_codec": "avc1", "width": 1920, "height": 1080, "frame_rate": 30.0, "bitrate": 6_000_000, "audio_codec": null},
    });
    assert_eq!(body, whole);
}

#[tokio::test]
async fn no_rung_at_all_is_an_answer() {
    assert_eq!(asked(&json_answer(&json!({"rungs": []}))).await, Ok(Vec::new()));
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_refused_in_words() {
    let nine: Vec<Value> = (0..9).map(|at| rung(&format!("r{at}"), 240)).collect();
    for (answered, reason) in [
        (answer("500 Internal Server Error", "", "{}"), "with status 500"),
        (answer("302 Found", "location: /elsewhere\r\n", ""), "with status 302"),
        (answer("200 OK", "", "{\"rungs\": ["), "cannot be used: EOF"),
        (json_answer(&json!({"ladder": []})), "missing field `rungs`"),
        (
            json_answer(&json!({"rungs": [{"name": "a", "size": 240}]})),
            "missing field",
        ),
        (
            json_answer(&json!({"rungs": [rung("a", 9)]})),
            "/rungs/0/size: must be 120 to 4320",
        ),
        (
            json_answer(&json!({"rungs": [rung("a", 240), rung("a", 480)]})),
            "/rungs/1/name: another rung has this name",
        ),
        (json_answer(&json!({"rungs": nine})), "/rungs: at most 8 rungs"),
    ] {
        let refused = asked(&answered).await.expect_err("no ladder");
        assert!(refused.contains(reason), "{refused}");
    }
}

#[tokio::test]
async fn who_is_slow_gone_or_talks_too_much_did_not_answer() {
    let away = Err("the program that chooses the qualities did not answer".to_owned());
    let silent = Server::start(|_| None).await;
    let mut slow = webhook(&silent);
    slow.limits.time_max = Duration::from_millis(30);
    assert_eq!(slow.ask(&question()).await.map_err(|error| error.to_string()), away);
    assert_eq!(silent.count(), 1);

    let long = json!({"rungs": [], "more": "x".repeat(ANSWER_BYTES_MAX)});
    assert_eq!(asked(&json_answer(&long)).await, away);

    let server = Server::saying("").await;
    let gone = webhook(&server);
    drop(server);
    assert_eq!(gone.ask(&question()).await.map_err(|error| error.to_string()), away);
}

#[tokio::test]
async fn a_question_that_gets_no_turn_is_not_asked() {
    let server = Server::saying(&json_answer(&json!({"rungs": []}))).await;
    let mut crowded = webhook(&server);
    crowded.limits.time_max = Duration::from_millis(30);
    let all = u32::try_from(QUESTIONS_MAX).expect("a small number");
    let turns = crowded.slots.acquire_many(all).await.expect("nobody asks yet");
    assert!(matches!(crowded.ask(&question()).await, Err(Error::Away)));
    assert_eq!(server.count(), 0);
    drop(turns);
    crowded.limits.time_max = TIME_MAX;
    assert_eq!(crowded.ask(&question()).await.expect("its turn"), []);
}

#[tokio::test]
async fn a_server_that_asks_nobody_says_so() {
    let world = World::new().await;
    let hub = hub::Hub::new(
        std::sync::Arc::new(hub::authority::Local::new(true, hub::Settings::default())),
        hub::Limits::default(),
    );
    let request = hub::PublishRequest {
        key: hub::StreamKey::new("colors"),
        caller: hub::Caller::at(([127, 0, 0, 1], 4_000).into(), Protocol::Rtmp),
        clock: hub::SourceClock::RTMP,
    };
    let publisher = hub.publish(request).await.expect("this machine may");
    let answer = world.platform.ask_for_ladder(publisher.broadcast()).await;
    assert!(matches!(answer, Err(Error::Nobody)), "{answer:?}");
    let question = world.platform.question_of(publisher.broadcast());
    assert_eq!((question.name.as_deref(), question.stream_id), (Some("colors"), None));
}
