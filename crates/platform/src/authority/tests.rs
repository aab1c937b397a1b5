//! Who is let in and who is not, and what becomes of them when that changes.

use std::time::Duration;

use hub::{Directory as _, Refusal, Revoked};

use crate::authorize::Role;
use crate::callback::{Fallback, Form};
use crate::outbound::testing::{Server, answer};
use crate::platform::{Change, Platform};
use crate::scene::{Scene, soon, stream, until};
use crate::secret::{KeyRing, Secret};
use crate::store::Json;
use crate::testing::World;
use crate::{all, callback};

/// The reasons of refusals that were written down for a stream, in order.
async fn refusals(world: &World, stream: &crate::id::Id) -> Vec<String> {
    let stream = stream.clone();
    let rows = world.platform.db.read(|c| {
        Box::pin(async move {
            all!(
                c,
                (Json<serde_json::Value>,),
                "select detail from stream_events where stream_id = $1 and kind = 'refused' order by at, id",
                stream
            )
        })
    });
    let rows = rows.await.unwrap();
    let reason = |(detail,): (Json<serde_json::Value>,)| detail.0["reason"].as_str().map(str::to_owned);
    rows.into_iter().filter_map(reason).collect()
}

#[tokio::test]
async fn a_key_publishes_its_stream_and_nobody_may_without() {
    for scene in Scene::both().await {
        let publisher = scene.live().await;
        assert_eq!(publisher.broadcast().name().as_str(), scene.stream.as_str());
        let refusal = scene.publish("hw_nothing-of-the-kind?").await.unwrap_err();
        assert!(
            matches!(refusal, Refusal::BadName { .. }),
            "{refusal}: open to this machine, but no name"
        );
    }
}

#[tokio::test]
async fn each_refusal_says_why_and_is_written_down_once() {
    for scene in Scene::both().await {
        let key = scene.key.expose().to_owned();
        let cases = [
            (
                "update streams set disabled_at = $2 where id = $1",
                "the stream is disabled",
            ),
            (
                "update streams set disabled_at = null, updated_at = $2 where id = $1",
                "",
            ),
            (
                "update users set suspended_at = $2 where id = (select owner_id from streams where id = $1)",
                "the account is suspended",
            ),
            (
                "update users set suspended_at = null, updated_at = $2 where id = (select owner_id from streams where id = $1)",
                "",
            ),
            (
                "update stream_keys set expires_at = $2 where stream_id = $1",
                "the stream key has expired",
            ),
            (
                "update stream_keys set expires_at = null, created_at = $2 where stream_id = $1",
                "",
            ),
            (
                "update stream_keys set revoked_at = $2 + 1 where stream_id = $1",
                "the stream key was revoked",
            ),
            (
                "update stream_keys set revoked_at = null, used_at = $2 where stream_id = $1",
                "",
            ),
            (
                "delete from role_bindings where subject_id = (select owner_id from streams where id = $1) and created_at <= $2",
                "the account may not stream",
            ),
        ];
        let mut told = Vec::new();
        for (sql, reason) in cases {
            scene
                .change(sql, &scene.stream, Change::Stream(scene.stream.clone()))
                .await;
            if reason.is_empty() {
                drop(scene.publish(&key).await.expect("it is good again"));
                continue;
            }
            for _ in 0..2 {
                let refusal = scene.refusal(&key).await;
                assert!(refusal.contains(reason), "{refusal}");
            }
            told.push(reason);
            scene.world.platform.clock.advance(Duration::from_secs(1));
        }
        let (world, _, stream) = scene.finish().await;
        let written = refusals(&world, &stream).await;
        assert_eq!(written.len(), told.len(), "{written:?}");
        for (written, told) in written.iter().zip(told) {
            assert!(written.contains(told), "{written}");
        }
    }
}

#[tokio::test]
async fn a_key_that_is_rotated_ends_the_push_and_the_new_one_goes_on() {
    for scene in Scene::both().await {
        let publisher = scene.live().await;
        let broadcast = publisher.broadcast().id().clone();
        let new = scene.rotate().await;
        let revoked = tokio::time::timeout(Duration::from_secs(1), publisher.revoked()).await;
        assert_eq!(
            revoked.expect("within a second"),
            Revoked::Withdrawn("the stream key was rotated: use the new one".into())
        );
        let refusal = scene.refusal(scene.key.expose()).await;
        assert!(refusal.contains("rotated"), "{refusal}");
        let again = scene.publish(new.expose()).await.expect("the new key is good");
        assert_eq!(again.broadcast().id(), &broadcast, "it is the same broadcast");
    }
}

#[tokio::test]
async fn what_may_not_be_on_air_any_more_ends() {
    let ends = [
        (
            "update streams set disabled_at = $2 where id = $1",
            "the stream is disabled",
        ),
        (
            "update streams set deleted_at = $2 where id = $1",
            "the stream was deleted",
        ),
        (
            "update users set suspended_at = $2 where id = (select owner_id from streams where id = $1)",
            "the account is suspended",
        ),
    ];
    for (sql, reason) in ends {
        for scene in Scene::both().await {
            let publisher = scene.live().await;
            let broadcast = publisher.broadcast().clone();
            let change = if sql.contains("users") {
                Change::User(scene.ada.id.clone())
            } else {
                Change::Stream(scene.stream.clone())
            };
            scene.change(sql, &scene.stream, change).await;
            assert_eq!(soon(publisher.revoked()).await, Revoked::Withdrawn(reason.into()));
            soon(broadcast.ended()).await;
            assert_eq!(broadcast.stopped().as_deref(), Some(reason));
            assert!(scene.names.find("ada").is_none_or(|place| place.name.as_str() == "ada"));
        }
    }
}

#[tokio::test]
async fn a_person_has_as_many_broadcasts_at_once_as_allowed() {
    for scene in Scene::both().await {
        let platform = &scene.world.platform;
        let mut settings = crate::settings::Settings::clone(&platform.settings());
        settings.quotas.broadcasts_at_once = 1;
        platform.set_settings(settings);
        let (_, _, second) = stream(platform, &scene.ada, None, "another").await;
        let first = scene.live().await;
        let again = scene.publish(scene.key.expose()).await;
        assert!(
            !matches!(again, Err(Refusal::Unauthorized { .. })),
            "the same stream is no other"
        );
        let refusal = scene.refusal(second.expose()).await;
        assert!(refusal.contains("1 broadcasts on air"), "{refusal}");
        let bob = scene.world.person("bob", &[Role::Creator]).await;
        let (_, _, of_bob) = stream(platform, &bob, None, "of somebody else").await;
        drop(scene.publish(of_bob.expose()).await.expect("others have their own"));
        drop((first, again));
    }
}

#[tokio::test]
async fn without_a_key_nobody_takes_a_channels_name_or_an_id() {
    for scene in Scene::both().await {
        for name in ["ada", "Ada", scene.stream.as_str(), scene.playback.as_str()] {
            let refusal = scene.publish(name).await.unwrap_err();
            assert!(matches!(refusal, Refusal::BadName { .. }), "{name}: {refusal}");
        }
        drop(
            scene
                .publish("colors")
                .await
                .expect("a free name is open to this machine"),
        );
    }
}

#[tokio::test]
async fn while_the_database_is_away_known_publishers_return_and_others_are_told_to_wait() {
    for scene in Scene::both().await {
        let platform = scene.world.platform.clone();
        let (_, _, other) = stream(&platform, &scene.ada, None, "never live").await;
        drop(scene.live().await);
        platform.db.close().await;
        let back = scene
            .publish(scene.key.expose())
            .await
            .expect("it was good a moment ago");
        assert_eq!(back.broadcast().name().as_str(), scene.stream.as_str());
        for unknown in [other.expose(), "colors"] {
            let refusal = scene.publish(unknown).await.unwrap_err();
            assert!(matches!(refusal, Refusal::Unavailable { .. }), "{refusal}");
        }
        drop(back);
        platform.clock.advance(Duration::from_secs(86_401));
        let refusal = scene.publish(scene.key.expose()).await.unwrap_err();
        assert!(
            matches!(refusal, Refusal::Unavailable { .. }),
            "a day is the most: {refusal}"
        );
    }
}

#[tokio::test]
async fn players_come_by_a_public_name_and_go_when_it_becomes_private() {
    for scene in Scene::both().await {
        let _publisher = scene.live().await;
        for name in [scene.stream.as_str(), "nothing"] {
            assert_eq!(scene.play(name).await.unwrap_err(), Refusal::NotFound, "{name}");
        }
        let by_id = scene
            .play(scene.playback.as_str())
            .await
            .expect("the playback id is public");
        let by_handle = scene.play("ada").await.expect("the channel is public");
        assert_eq!(by_handle.revoked(), None);
        let private = "update channels set visibility = 'private', updated_at = $2 where id = $1";
        scene
            .change(private, &scene.channel, Change::Channel(scene.channel.clone()))
            .await;
        until(|| by_handle.revoked().is_some()).await;
        assert_eq!(by_id.revoked(), None, "a playback id follows its own policy");
        assert_eq!(scene.play("ada").await.unwrap_err(), Refusal::NotFound);
    }
}

/// A platform that asks a script.
async fn asking(mut world: World, server: &Server) -> Scene {
    let mut options = world.platform.options.clone();
    options.callbacks = Some(callback::Options {
        publish: Some(server.url("/auth")),
        play: Some(server.url("/play")),
        end: Some(server.url("/done")),
        form: Form::NginxPost,
        time_max: Duration::from_secs(5),
        cache: Duration::ZERO,
        fallback: Fallback::Deny,
    });
    let db = world.platform.db.clone();
    let platform = Platform::start(db, KeyRing::random(), world.platform.clock.clone(), options);
    world.platform = platform.await.expect("the platform starts");
    Scene::of(world).await
}

#[tokio::test]
async fn a_script_is_asked_about_keys_that_nobody_knows_and_told_of_their_end() {
    for world in World::both().await {
        let server = Server::start(|heard| {
            let says = |pair: &str| heard.body.split('&').any(|own| own == pair);
            Some(match () {
                () if says("name=good") => answer("200 OK", "", ""),
                () if says("name=key") => answer("302 Found", "Location: stage\r\n", ""),
                () if says("name=thief") => answer("302 Found", "Location: ada\r\n", ""),
                () if says("call=done") => answer("200 OK", "", ""),
                () => answer("403 Forbidden", "", ""),
            })
        })
        .await;
        let scene = asking(world, &server).await;
        drop(scene.live().await);
        assert!(
            server.heard.lock().unwrap().is_empty(),
            "a known key is nobody else's business"
        );

        assert!(matches!(scene.publish("bad").await, Err(Refusal::Unauthorized { .. })));
        assert!(
            matches!(scene.publish("thief").await, Err(Refusal::BadName { .. })),
            "a channel keeps its name"
        );
        assert_eq!(scene.publish("key").await.unwrap().broadcast().name().as_str(), "stage");
        let good = scene.publish("good").await.unwrap();
        let playing = scene.play("good").await.unwrap();
        let done = || {
            let heard = server.heard.lock().unwrap();
            heard
                .iter()
                .filter(|heard| heard.body.contains("call=done&name=good"))
                .count()
        };
        assert_eq!(done(), 0);
        drop(good);
        until(|| done() == 1).await;
        drop(playing);
        until(|| done() == 2).await;
        let key = Secret::new("key");
        assert!(!format!("{:?}", scene.publish(key.expose()).await.map(drop)).contains("key"));
    }
}
