use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::authorize::Role;
use crate::channels::FORMER_KEPT;
use crate::platform::Change;
use crate::settings::Creators;
use crate::testing::{Answer, Person, World};
use crate::{one, run};

const CHANNELS: &str = "/api/v1/channels";

async fn make(world: &World, who: &Person, handle: &str) -> Answer {
    world
        .post(
            CHANNELS,
            Some(who),
            json!({"handle": handle, "title": format!("The channel of {handle}")}),
        )
        .await
}

async fn patch(world: &World, who: &Person, channel: &str, body: Value) -> Answer {
    let path = format!("{CHANNELS}/{channel}");
    world.call(Method::PATCH, &path, Some(who), Some(body)).await
}

fn set_creators(world: &World, creators: Creators) {
    let mut settings = (**world.platform.settings()).clone();
    settings.creators = creators;
    world.platform.set_settings(settings);
}

fn handles(list: &Answer) -> Vec<&str> {
    let items = list.body["items"].as_array().expect("a list");
    items
        .iter()
        .map(|item| item["handle"].as_str().expect("a handle"))
        .collect()
}

#[tokio::test]
async fn a_creator_makes_a_channel_that_can_be_published_at_once() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let made = make(&world, &ada, "Ada-Live").await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        assert_eq!(made.body["handle"], "ada-live");
        assert_eq!(
            (&made.body["role"], &made.body["visibility"]),
            (&json!("owner"), &json!("public"))
        );
        let stream = made.body["stream_id"].as_str().unwrap();
        let stream = world.get(&format!("/api/v1/streams/{stream}"), Some(&ada)).await.body;
        assert_eq!(stream["channel"]["handle"], "ada-live");
        assert_eq!(stream["playback_ids"][0]["policy"], "public");
        let keys = format!("/api/v1/streams/{}/keys", stream["id"].as_str().unwrap());
        let keys = world.get(&keys, Some(&ada)).await.body;
        assert_eq!(keys["items"][0]["primary"], true);

        let seen = world.get("/api/v1/channels/ADA-live", None).await;
        assert_eq!((seen.status, &seen.body["stream_id"]), (StatusCode::OK, &Value::Null));
        assert_eq!((&seen.body["role"], &seen.body["live"]), (&Value::Null, &Value::Null));
    }
}

#[tokio::test]
async fn only_who_may_stream_makes_channels() {
    let world = World::new().await;
    let bob = world.person("bob", &[]).await;
    assert_eq!(make(&world, &bob, "bob").await.status, StatusCode::FORBIDDEN);
    let nobody = world.post(CHANNELS, None, json!({"handle": "bob", "title": "x"})).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    set_creators(&world, Creators::All);
    assert_eq!(make(&world, &bob, "bob").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn those_who_ask_at_once_get_no_more_channels_than_one_by_one() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let names: Vec<String> = (0..12).map(|n| format!("ada-{n}")).collect();
        let asked = names.iter().map(|name| make(&world, &ada, name));
        let answers = futures_util::future::join_all(asked).await;
        let count = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(StatusCode::CREATED), count(StatusCode::FORBIDDEN)), (3, 9));
        let refused = answers.iter().find(|answer| answer.status == StatusCode::FORBIDDEN);
        assert_eq!(refused.unwrap().body["code"], "quota_exceeded");
    }
}

#[tokio::test]
async fn nobody_sets_what_is_not_theirs_to_set() {
    let world = World::new().await;
    let ada = world.person("ada", &[Role::Creator]).await;
    make(&world, &ada, "ada").await;
    for field in [
        "owner_id",
        "environment_id",
        "id",
        "stream_id",
        "created_at",
        "avatar_id",
    ] {
        let mut body = json!({"handle": "other", "title": "x"});
        body[field] = "us22222222222222222222222222".into();
        let made = world.post(CHANNELS, Some(&ada), body).await;
        assert_eq!(made.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        let changed = patch(&world, &ada, "ada", json!({field: "us22222222222222222222222222"})).await;
        assert_eq!(changed.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
    }
}

#[tokio::test]
async fn a_handle_that_was_given_up_leads_on_for_ninety_days_and_nobody_else_gets_it() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let bob = world.person("bob", &[Role::Creator]).await;
        make(&world, &ada, "ada").await;
        assert_eq!(make(&world, &bob, "Ada").await.body["code"], "taken");
        assert_eq!(
            patch(&world, &ada, "ada", json!({"handle": "lovelace"})).await.status,
            StatusCode::OK
        );
        let moved = world.get("/api/v1/channels/ada", None).await;
        assert_eq!(moved.status, StatusCode::MOVED_PERMANENTLY);
        assert_eq!(moved.headers["location"], "/api/v1/channels/lovelace");
        assert_eq!(make(&world, &bob, "ada").await.body["code"], "taken");

        // Its owner may have it back, and gives the other one up.
        assert_eq!(
            patch(&world, &ada, "lovelace", json!({"handle": "ada"})).await.status,
            StatusCode::OK
        );
        assert_eq!(world.get("/api/v1/channels/ada", None).await.status, StatusCode::OK);
        assert_eq!(
            world.get("/api/v1/channels/lovelace", None).await.status,
            StatusCode::MOVED_PERMANENTLY
        );

        world.platform.clock.advance(FORMER_KEPT + Duration::from_secs(1));
        assert_eq!(
            world.get("/api/v1/channels/lovelace", None).await.status,
            StatusCode::NOT_FOUND
        );
        let bob = world.person("bob2", &[Role::Creator]).await;
        assert_eq!(make(&world, &bob, "lovelace").await.status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn what_is_private_is_seen_by_members_only() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let eve = world.person("eve", &[Role::Creator]).await;
        make(&world, &ada, "ada").await;
        let unlisted = patch(&world, &ada, "ada", json!({"visibility": "unlisted"})).await;
        assert_eq!(unlisted.status, StatusCode::OK);
        assert_eq!(world.get("/api/v1/channels/ada", None).await.status, StatusCode::OK);
        assert!(handles(&world.get(CHANNELS, None).await).is_empty());

        let warned = patch(&world, &ada, "ada", json!({"visibility": "private"})).await;
        assert_eq!(
            (warned.status, &warned.body["code"]),
            (StatusCode::CONFLICT, &json!("rotation_warning"))
        );
        let mut changes = world.platform.changes();
        let body = json!({"visibility": "private", "confirm_rotation": true});
        assert_eq!(patch(&world, &ada, "ada", body).await.status, StatusCode::OK);
        assert!(matches!(changes.try_recv(), Ok(Change::Channel(_))));

        for who in [None, Some(&eve)] {
            assert_eq!(
                world.get("/api/v1/channels/ada", who).await.status,
                StatusCode::NOT_FOUND
            );
        }
        // An address that it once had does not tell that it is there either.
        patch(&world, &ada, "ada", json!({"handle": "lovelace"})).await;
        assert_eq!(
            world.get("/api/v1/channels/ada", Some(&eve)).await.status,
            StatusCode::NOT_FOUND
        );
        let path = "/api/v1/channels/lovelace/members";
        let added = world
            .post(path, Some(&ada), json!({"email": "EVE@example.org", "role": "viewer"}))
            .await;
        assert_eq!(added.status, StatusCode::ACCEPTED);
        let seen = world.get("/api/v1/channels/lovelace", Some(&eve)).await;
        assert_eq!((seen.status, &seen.body["role"]), (StatusCode::OK, &json!("viewer")));
        assert_eq!(
            handles(&world.get("/api/v1/channels?mine=1", Some(&eve)).await),
            ["lovelace"]
        );
    }
}

#[tokio::test]
async fn going_private_ends_the_public_playback_ids() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let stream = make(&world, &ada, "ada").await.body["stream_id"].clone();
        let stream = format!("/api/v1/streams/{}", stream.as_str().unwrap());
        let before = world.get(&stream, Some(&ada)).await.body["playback_ids"].clone();
        let body = json!({"visibility": "private", "confirm_rotation": true});
        patch(&world, &ada, "ada", body).await;
        let after = world.get(&stream, Some(&ada)).await.body["playback_ids"].clone();
        assert_eq!(after.as_array().unwrap().len(), 1);
        assert_eq!(after[0]["policy"], "private");
        assert_ne!(after[0]["id"], before[0]["id"]);
        let public = world
            .post(
                &format!("{stream}/playback-ids"),
                Some(&ada),
                json!({"policy": "public"}),
            )
            .await;
        assert_eq!(public.status, StatusCode::CONFLICT);
        // It is private already: nothing more ends.
        let again = patch(&world, &ada, "ada", json!({"visibility": "private"})).await;
        assert_eq!(again.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn channels_are_found_by_words_and_category_page_by_page() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let mut settings = (**world.platform.settings()).clone();
        settings.quotas.channels = 10;
        world.platform.set_settings(settings);
        for handle in ["one", "two", "six", "ten", "red"] {
            make(&world, &ada, handle).await;
            world.platform.clock.advance(Duration::from_secs(1));
        }
        let body = json!({"title": "100% _Chess_", "category": "Games", "tags": ["Blitz"]});
        assert_eq!(patch(&world, &ada, "six", body).await.status, StatusCode::OK);
        for query in [
            "q=chess",
            "q=100%25",
            "q=_CHESS_",
            "q=blitz",
            "q=game",
            "category=Games",
            "q=six",
        ] {
            assert_eq!(
                handles(&world.get(&format!("{CHANNELS}?{query}"), None).await),
                ["six"],
                "{query}"
            );
        }
        for query in ["q=%25nothing", "q=t__o", "category=games", "live=1", "live=true&q=six"] {
            assert!(
                handles(&world.get(&format!("{CHANNELS}?{query}"), None).await).is_empty(),
                "{query}"
            );
        }
        for query in ["q=%00", "category=%00", "limit=0", "limit=x", "cursor=x", "mine=2"] {
            let refused = world.get(&format!("{CHANNELS}?{query}"), None).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        }
        let first = world.get(&format!("{CHANNELS}?limit=2"), None).await;
        assert_eq!(handles(&first), ["red", "ten"]);
        let next = first.body["next_cursor"].as_str().unwrap();
        let second = world.get(&format!("{CHANNELS}?limit=2&cursor={next}"), None).await;
        assert_eq!(handles(&second), ["six", "two"]);
        let next = second.body["next_cursor"].as_str().unwrap();
        let third = world.get(&format!("{CHANNELS}?limit=2&cursor={next}"), None).await;
        assert_eq!(
            (handles(&third), &third.body["next_cursor"]),
            (vec!["one"], &Value::Null)
        );
    }
}

#[tokio::test]
async fn a_suspended_owners_channels_are_not_seen() {
    let world = World::new().await;
    let ada = world.person("ada", &[Role::Creator]).await;
    make(&world, &ada, "ada").await;
    let suspend = world
        .platform
        .db
        .write(move |c| Box::pin(async move { run!(c, "update users set suspended_at = 1 where id = $1", &ada.id) }));
    suspend.await.unwrap();
    assert_eq!(
        world.get("/api/v1/channels/ada", None).await.status,
        StatusCode::NOT_FOUND
    );
    assert!(handles(&world.get(CHANNELS, None).await).is_empty());
}

#[tokio::test]
async fn texts_have_limits_and_say_which_field_is_wrong() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        make(&world, &ada, "ada").await;
        for (field, value) in [
            ("handle", json!("a")),
            ("handle", json!("studio")),
            ("title", json!("")),
            ("title", json!("x".repeat(141))),
            ("title", json!("a\0b")),
            ("description", json!("x".repeat(5_001))),
            ("category", json!("x".repeat(61))),
            ("tags", json!(vec!["x"; 11])),
            ("language", json!("english")),
        ] {
            let refused = patch(&world, &ada, "ada", json!({field: value})).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}");
            assert_eq!(refused.body["errors"][0]["pointer"], format!("/{field}"));
        }
        let body = json!({"description": "a\nb", "language": "pt-BR", "mature": true, "tags": ["a", "a"]});
        let changed = patch(&world, &ada, "ada", body).await.body;
        assert_eq!((&changed["tags"], &changed["mature"]), (&json!(["a"]), &json!(true)));
        assert_eq!(changed["title"], "The channel of ada");
    }
}

#[tokio::test]
async fn a_deleted_channel_takes_everything_along_and_keeps_its_handle_from_others() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let bob = world.person("bob", &[Role::Creator]).await;
        let stream = make(&world, &ada, "ada").await.body["stream_id"].clone();
        let stream = stream.as_str().unwrap().to_owned();
        let mut changes = world.platform.changes();
        let delete = |who| world.call(Method::DELETE, "/api/v1/channels/ada", Some(who), None);
        assert_eq!(delete(&bob).await.status, StatusCode::FORBIDDEN);
        assert_eq!(delete(&ada).await.status, StatusCode::NO_CONTENT);
        assert!(matches!(changes.try_recv(), Ok(Change::Channel(_))));
        assert!(matches!(changes.try_recv(), Ok(Change::Stream(id)) if id.as_str() == stream));
        assert_eq!(delete(&ada).await.status, StatusCode::NOT_FOUND);
        assert_eq!(
            world.get(&format!("/api/v1/streams/{stream}"), Some(&ada)).await.status,
            StatusCode::NOT_FOUND
        );
        let left = world.platform.db.read(|c| {
            Box::pin(async move { one!(c, (i64,), "select count(*) from stream_keys where revoked_at is null") })
        });
        assert_eq!(left.await.unwrap().0, 0);
        assert_eq!(make(&world, &bob, "ada").await.body["code"], "taken");
        assert_eq!(make(&world, &ada, "ada").await.status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn a_channel_is_deleted_by_a_fresh_sign_in_only() {
    let world = World::new().await;
    let ada = world.person("ada", &[Role::Creator]).await;
    make(&world, &ada, "ada").await;
    world.platform.clock.advance(Duration::from_secs(601));
    let refused = world
        .call(Method::DELETE, "/api/v1/channels/ada", Some(&ada), None)
        .await;
    assert_eq!(refused.body["code"], "fresh_sign_in_required");
}

#[tokio::test]
async fn an_administrator_of_a_channel_runs_it_and_does_not_own_it() {
    let world = World::new().await;
    let ada = world.person("ada", &[Role::Creator]).await;
    let eve = world.person("eve", &[]).await;
    make(&world, &ada, "ada").await;
    let path = "/api/v1/channels/ada/members";
    world
        .post(path, Some(&ada), json!({"email": "eve@example.org", "role": "admin"}))
        .await;
    assert_eq!(
        patch(&world, &eve, "ada", json!({"title": "Ours"})).await.status,
        StatusCode::OK
    );
    assert_eq!(
        patch(&world, &eve, "ada", json!({"handle": "eves"})).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        patch(&world, &eve, "ada", json!({"visibility": "unlisted"}))
            .await
            .status,
        StatusCode::FORBIDDEN
    );
}

/// A source that publishes under a name; it has sent one picture.
async fn on_air(world: &World, name: &str) -> hub::Publisher {
    use bytes::Bytes;
    use media::{Parameters, TrackId, VideoCodec, VideoParameters};
    let authority = hub::authority::Local::new(true, hub::Settings::default());
    let hub = hub::Hub::new(std::sync::Arc::new(authority), hub::Limits::default());
    world.platform.attach(hub.clone());
    let request = hub::PublishRequest {
        key: hub::StreamKey::new(name),
        caller: hub::Caller::at(([127, 0, 0, 1], 4_000).into(), hub::Protocol::Rtmp),
        clock: hub::SourceClock::RTMP,
    };
    let mut publisher = hub.publish(request).await.expect("this machine may publish");
    publisher.announce(hub::Announced {
        video: true,
        audio: false,
        frame_rate: None,
    });
    let parameters = Parameters::Video(VideoParameters {
        codec: VideoCodec::Avc,
        config: Bytes::from_static(b"config"),
        width: 1_280,
        height: 720,
        frame_rate: None,
        reorders: false,
        color: None,
        codec_string: "avc1.64001F".into(),
    });
    publisher.configure(TrackId::VIDEO, parameters);
    publisher.push(TrackId::VIDEO, 0, 0, true, Bytes::from_static(b"picture"));
    publisher.flush();
    publisher
}

#[tokio::test]
async fn a_channel_on_air_says_how_to_watch_it() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let channel = make(&world, &ada, "ada").await.body;
        let stream = channel["stream_id"].as_str().unwrap().to_owned();
        world.platform.count_viewers_by(|_| Some(7));
        let _source = on_air(&world, &stream).await;
        let of = stream.clone();
        let begun = world.platform.db.write(move |c| {
            Box::pin(async move {
                run!(
                    c,
                    "insert into broadcasts (id, environment_id, stream_id, started_at) select $1, environment_id, id, 1 from streams where id = $2",
                    "b".repeat(26),
                    of
                )
            })
        });
        begun.await.unwrap();
        let seen = world.get("/api/v1/channels/ada", None).await.body;
        assert_eq!(
            (&seen["live"]["viewers"], &seen["live"]["name"]),
            (&json!(7), &json!("ada"))
        );
        assert_eq!(seen["play"]["hls"], "/live/ada.m3u8");
        assert_eq!(seen["play"]["still"], "/live/ada/still.mp4");
        assert_eq!(handles(&world.get(&format!("{CHANNELS}?live=1"), None).await), ["ada"]);
        let stream = world.get(&format!("/api/v1/streams/{stream}"), Some(&ada)).await.body;
        assert_eq!(
            (&stream["state"], &stream["live"]["width"]),
            (&json!("live"), &json!(1_280))
        );
        assert_eq!(stream["live"]["video_codec"], "avc1.64001F");
    }
}
