use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::authorize::Role;
use crate::one;
use crate::testing::{Answer, Person, World};

async fn post(world: &World, path: &str, who: Option<&Person>, key: &str, body: &Value) -> Answer {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", key);
    if let Some(who) = who {
        request = request.header(header::COOKIE, &who.cookie);
    }
    world.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn streams(world: &World) -> i64 {
    let count = world
        .platform
        .db
        .read(|c| Box::pin(async move { one!(c, (i64,), "select count(*) from streams") }));
    count.await.unwrap().0
}

const STREAMS: &str = "/api/v1/streams";

#[tokio::test]
async fn fifty_at_once_make_one() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let body = json!({"title": "Mine"});
        let asked = (0..50).map(|_| post(&world, STREAMS, Some(&ada), "k", &body));
        let answers = futures_util::future::join_all(asked).await;
        assert_eq!(streams(&world).await, 1);
        let made: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status == StatusCode::CREATED)
            .collect();
        assert!(made.iter().all(|answer| answer.body == made[0].body) && !made.is_empty());
        let waiting = answers
            .iter()
            .filter(|answer| answer.body["code"] == "in_progress")
            .count();
        assert_eq!(made.len() + waiting, 50);
        let again = post(&world, STREAMS, Some(&ada), "k", &body).await;
        assert_eq!((again.status, &again.body), (StatusCode::CREATED, &made[0].body));
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(again.headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_person_for_a_day() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let eve = world.person("eve", &[Role::Creator]).await;
        let body = json!({"title": "Mine"});
        let first = post(&world, STREAMS, Some(&ada), "k", &body).await;
        let other = post(&world, STREAMS, Some(&ada), "k", &json!({"title": "Other"})).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
        let elsewhere = post(&world, "/api/v1/channels", Some(&ada), "k", &body).await;
        assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY);
        let theirs = post(&world, STREAMS, Some(&eve), "k", &body).await;
        assert_eq!(theirs.status, StatusCode::CREATED);
        assert_ne!(theirs.body["id"], first.body["id"]);
        assert_eq!(
            post(&world, STREAMS, None, "k", &body).await.status,
            StatusCode::UNAUTHORIZED
        );
        world.platform.clock.advance(Duration::from_secs(86_401));
        let later = post(&world, STREAMS, Some(&ada), "k", &body).await;
        assert_eq!(later.status, StatusCode::CREATED);
        assert_ne!(later.body["id"], first.body["id"]);
    }
}

#[tokio::test]
async fn what_was_refused_may_be_tried_again() {
    let world = World::new().await;
    let ada = world.person("ada", &[Role::Creator]).await;
    let wrong = json!({"title": ""});
    for _ in 0..2 {
        let refused = post(&world, STREAMS, Some(&ada), "k", &wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.body["errors"][0]["pointer"], "/title");
    }
    let made = post(&world, STREAMS, Some(&ada), "k", &json!({"title": "Mine"})).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(
        post(&world, STREAMS, Some(&ada), "", &wrong).await.status,
        StatusCode::BAD_REQUEST
    );
    let long = "k".repeat(256);
    assert_eq!(
        post(&world, STREAMS, Some(&ada), &long, &wrong).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_secret_is_kept_sealed_and_given_again_to_a_fresh_sign_in_only() {
    let world = World::new().await;
    let ada = world.person("ada", &[Role::Creator]).await;
    let stream = world.post(STREAMS, Some(&ada), json!({"title": "Mine"})).await.body["id"].clone();
    let path = format!("{STREAMS}/{}/keys", stream.as_str().unwrap());
    let body = json!({"name": "Studio"});
    let made = post(&world, &path, Some(&ada), "k", &body).await;
    let secret = made.body["secret"].as_str().unwrap().as_bytes().to_vec();
    let kept = world
        .platform
        .db
        .read(|c| Box::pin(async move { one!(c, (Vec<u8>,), "select body from idempotency") }));
    let kept = kept.await.unwrap().0;
    assert!(!kept.windows(secret.len()).any(|window| window == secret));
    assert_eq!(post(&world, &path, Some(&ada), "k", &body).await.body, made.body);
    world.platform.clock.advance(Duration::from_secs(601));
    assert_eq!(
        post(&world, &path, Some(&ada), "k", &body).await.body["code"],
        "fresh_sign_in_required"
    );
}

#[tokio::test]
async fn what_was_cut_off_is_done_by_the_next_who_asks() {
    use crate::idempotency::{Claim, Once, claim};
    use crate::secret::Digest;
    for world in World::both().await {
        let once = Once {
            actor: crate::id::Kind::User.random(),
            credential: crate::id::Kind::Session.random(),
            key: "k".into(),
            request: Digest::of(b"request"),
        };
        assert!(matches!(claim(&world.platform, &once).await, Ok(Claim::First)));
        assert!(claim(&world.platform, &once).await.is_err());
        world.platform.clock.advance(Duration::from_secs(61));
        assert!(matches!(claim(&world.platform, &once).await, Ok(Claim::First)));
    }
}

#[test]
fn every_creation_can_be_asked_for_twice() {
    // A registration is asked for once by itself: its challenge is used up. Setup works only until there is an owner.
    const ONCE_ANYWAY: &[&str] = &["/api/v1/me/passkeys", "/api/v1/setup"];
    let document: Value = serde_json::from_str(&crate::api::document()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        let creates = item["post"]["responses"]["201"].is_object();
        if creates && !ONCE_ANYWAY.contains(&path.as_str()) {
            assert!(super::CREATING.iter().any(|(route, _)| route == path), "{path}");
        }
    }
}
