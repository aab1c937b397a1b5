use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::authorize::Role;
use crate::platform::Change;
use crate::settings::days;
use crate::streams::keys::{self, Found};
use crate::testing::{Answer, Person, World};
use crate::{all, one};

/// Somebody with a stream; answers the path of its keys.
async fn stream(world: &World) -> (Person, String) {
    let ada = world.person("ada", &[Role::Creator]).await;
    let made = world
        .post("/api/v1/streams", Some(&ada), json!({"title": "Mine"}))
        .await;
    let keys = format!("/api/v1/streams/{}/keys", made.body["id"].as_str().expect("an id"));
    (ada, keys)
}

async fn make(world: &World, who: &Person, keys: &str, body: Value) -> Answer {
    world.post(keys, Some(who), body).await
}

/// As a publisher who shows the key.
async fn shown(world: &World, key: &str) -> Option<Found> {
    let lookup = keys::lookup(&world.platform.ring(), key);
    let found = world
        .platform
        .db
        .read(|c| Box::pin(async move { keys::find(c, &lookup).await }));
    found.await.unwrap()
}

async fn refusal(world: &World, key: &Answer) -> Option<&'static str> {
    let key = key.body["secret"].as_str().expect("a key");
    shown(world, key)
        .await
        .expect("it is known")
        .refusal(world.platform.clock.now())
}

fn id(key: &Answer) -> &str {
    key.body["key"]["id"].as_str().expect("an id")
}

#[tokio::test]
async fn a_key_is_found_until_it_is_revoked_or_expires() {
    for world in World::both().await {
        let (ada, path) = stream(&world).await;
        let short = make(&world, &ada, &path, json!({"name": "Phone", "expires_in_days": 1})).await;
        assert_eq!(short.status, StatusCode::CREATED, "{}", short.body);
        let long = make(&world, &ada, &path, json!({"name": "Studio"})).await;
        assert_eq!(
            (refusal(&world, &short).await, refusal(&world, &long).await),
            (None, None)
        );
        assert!(shown(&world, "hw_of_somebody_else").await.is_none());

        let mut changes = world.platform.changes();
        let gone = format!("{path}/{}", id(&long));
        assert_eq!(
            world.call(Method::DELETE, &gone, Some(&ada), None).await.status,
            StatusCode::NO_CONTENT
        );
        assert!(matches!(changes.try_recv(), Ok(Change::Key(key)) if key.as_str() == id(&long)));
        assert_eq!(refusal(&world, &long).await, Some("the stream key was revoked"));
        assert_eq!(
            world.call(Method::DELETE, &gone, Some(&ada), None).await.status,
            StatusCode::NOT_FOUND
        );
        world.platform.clock.advance(days(1));
        assert_eq!(refusal(&world, &short).await, Some("the stream key has expired"));
    }
}

#[tokio::test]
async fn a_key_of_a_stream_that_is_disabled_or_deleted_is_refused() {
    for world in World::both().await {
        let (ada, path) = stream(&world).await;
        let key = make(&world, &ada, &path, json!({"name": "Studio"})).await;
        let stream = path.trim_end_matches("/keys");
        world.post(&format!("{stream}/disable"), Some(&ada), json!({})).await;
        assert_eq!(refusal(&world, &key).await, Some("the stream is disabled"));
        world.call(Method::DELETE, stream, Some(&ada), None).await;
        assert_eq!(refusal(&world, &key).await, Some("the stream key was revoked"));
    }
}

#[tokio::test]
async fn a_key_is_shown_to_its_owner_and_the_audit_log_tells() {
    for world in World::both().await {
        let (ada, path) = stream(&world).await;
        let keys = world.get(&path, Some(&ada)).await;
        let primary = keys.body["items"][0]["id"].as_str().unwrap();
        assert_eq!(keys.body["items"][0]["primary"], true);
        assert!(!keys.body.to_string().contains("hw_"));
        let revealed = world
            .post(&format!("{path}/{primary}/reveal"), Some(&ada), json!({}))
            .await;
        let secret = revealed.body["secret"].as_str().unwrap();
        assert_eq!(shown(&world, secret).await.unwrap().key_id.as_str(), primary);
        let audit = world.platform.db.read(|c| {
            Box::pin(async move { one!(c, (String,), "select target_id from audit where action = 'key.reveal'") })
        });
        assert_eq!(audit.await.unwrap().0, primary);
    }
}

#[tokio::test]
async fn a_rotated_key_keeps_its_place_and_the_old_one_ends() {
    for world in World::both().await {
        let (ada, path) = stream(&world).await;
        let old = make(&world, &ada, &path, json!({"name": "Studio", "expires_in_days": 9})).await;
        let mut changes = world.platform.changes();
        let new = world
            .post(&format!("{path}/{}/rotate", id(&old)), Some(&ada), json!({}))
            .await;
        assert_eq!(new.status, StatusCode::OK, "{}", new.body);
        assert!(matches!(changes.try_recv(), Ok(Change::Key(key)) if key.as_str() == id(&old)));
        assert_eq!(new.body["key"]["name"], "Studio");
        assert_eq!(new.body["key"]["expires_at"], old.body["key"]["expires_at"]);
        assert_ne!(new.body["secret"], old.body["secret"]);
        assert_eq!(
            (refusal(&world, &new).await, refusal(&world, &old).await),
            (None, Some("the stream key was revoked"))
        );
        for act in ["rotate", "reveal"] {
            let again = world
                .post(&format!("{path}/{}/{act}", id(&old)), Some(&ada), json!({}))
                .await;
            assert_eq!(again.status, StatusCode::NOT_FOUND, "{act}");
        }
    }
}

#[tokio::test]
async fn a_stream_has_so_many_valid_keys_at_most() {
    for world in World::both().await {
        let (ada, path) = stream(&world).await;
        let asked = (0..15).map(|_| make(&world, &ada, &path, json!({"name": "One of many"})));
        let answers = futures_util::future::join_all(asked).await;
        let made: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status == StatusCode::CREATED)
            .collect();
        // The primary key counts.
        assert_eq!(made.len(), 9);
        world
            .call(Method::DELETE, &format!("{path}/{}", id(made[0])), Some(&ada), None)
            .await;
        assert_eq!(
            make(&world, &ada, &path, json!({"name": "Next"})).await.status,
            StatusCode::CREATED
        );
    }
}

#[tokio::test]
async fn keys_ask_for_a_fresh_sign_in_and_for_their_owner() {
    let world = World::new().await;
    let (ada, path) = stream(&world).await;
    let key = make(&world, &ada, &path, json!({"name": "Studio"})).await;
    let boss = world.person("boss", &[Role::Owner]).await;
    let reveal = format!("{path}/{}/reveal", id(&key));
    assert_eq!(
        world.post(&reveal, Some(&boss), json!({})).await.status,
        StatusCode::FORBIDDEN
    );
    world.platform.clock.advance(Duration::from_secs(601));
    for (method, path) in [
        (Method::POST, &path),
        (Method::POST, &reveal),
        (Method::POST, &format!("{path}/{}/rotate", id(&key))),
        (Method::DELETE, &format!("{path}/{}", id(&key))),
    ] {
        let refused = world.call(method, path, Some(&ada), Some(json!({"name": "x"}))).await;
        assert_eq!(refused.body["code"], "fresh_sign_in_required", "{path}");
    }
}

#[tokio::test]
async fn keys_that_cannot_be_are_refused() {
    let world = World::new().await;
    let (ada, path) = stream(&world).await;
    for body in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "x".repeat(81)}),
        json!({"name": "x", "expires_in_days": 0}),
        json!({"name": "x", "expires_in_days": 3_651}),
        json!({"name": "x", "secret": "mine"}),
        json!({"name": "x", "is_primary": true}),
    ] {
        let refused = make(&world, &ada, &path, body.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
}

#[tokio::test]
async fn the_database_does_not_hold_the_key() {
    let world = World::new().await;
    let (ada, path) = stream(&world).await;
    let key = make(&world, &ada, &path, json!({"name": "Studio"})).await;
    let secret = key.body["secret"].as_str().unwrap().as_bytes().to_vec();
    let rows = world
        .platform
        .db
        .read(|c| Box::pin(async move { all!(c, (Vec<u8>, Vec<u8>), "select sealed, lookup from stream_keys") }));
    for (sealed, lookup) in rows.await.unwrap() {
        for bytes in [sealed, lookup] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }
    let count = world
        .platform
        .db
        .read(|c| Box::pin(async move { one!(c, (i64,), "select count(*) from stream_keys") }));
    assert_eq!(count.await.unwrap().0, 2);
}
