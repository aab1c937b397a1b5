//! Where names lead, for whom, and how soon that follows what changes.

use hub::directory::{Access, Credentials};
use hub::{Directory as _, Name};

use crate::authorize::{Role, Scope};
use crate::people::roles;
use crate::platform::Change;
use crate::scene::{Scene, until};
use crate::testing::Person;
use crate::{live_state, run};

fn shows(person: &Person) -> Credentials {
    Credentials {
        cookies: vec![person.cookie.clone()],
        authorization: None,
    }
}

const PRIVATE: &str = "update channels set visibility = 'private', updated_at = $2 where id = $1";

#[tokio::test]
async fn a_live_stream_is_found_by_its_handle_and_playback_id_and_by_no_other_name() {
    for scene in Scene::both().await {
        let open = scene.names.find("ada").expect("an open stream may have the name");
        assert_eq!(open.name.as_str(), "ada", "nothing of the channel is live");
        assert!(scene.names.find(scene.playback.as_str()).is_none());

        let _publisher = scene.live().await;
        let name = Name::parse(scene.stream.as_str()).unwrap();
        for by in ["ada", "ADA", scene.playback.as_str()] {
            let place = scene.names.find(by).expect("it leads there");
            assert_eq!((&place.name, place.access), (&name, Access::Everybody), "{by}");
            assert_eq!(scene.names.access(by, &name), Some(Access::Everybody));
        }
        assert_eq!(scene.names.find("ada").unwrap().title.as_deref(), Some("The title"));
        assert!(scene.names.find(scene.stream.as_str()).is_none());
        assert_eq!(scene.names.access(scene.stream.as_str(), &name), None);
        assert_eq!(scene.names.access("other", &name), None);
        let listed = scene.names.listed(&name).expect("a public channel is listed");
        assert_eq!(&*listed.name, "ada");
    }
}

#[tokio::test]
async fn unlisted_and_private_channels_are_not_listed() {
    for (visibility, access) in [
        (PRIVATE, Access::Members),
        (
            "update channels set visibility = 'unlisted', updated_at = $2 where id = $1",
            Access::Everybody,
        ),
    ] {
        for scene in Scene::both().await {
            let _publisher = scene.live().await;
            let name = Name::parse(scene.stream.as_str()).unwrap();
            assert!(scene.names.listed(&name).is_some());
            scene
                .change(visibility, &scene.channel, Change::Channel(scene.channel.clone()))
                .await;
            until(|| scene.names.listed(&name).is_none()).await;
            assert_eq!(scene.names.find("ada").unwrap().access, access);
        }
    }
}

#[tokio::test]
async fn a_playback_id_that_is_revoked_leads_nowhere_and_a_new_handle_does() {
    for scene in Scene::both().await {
        let _publisher = scene.live().await;
        let revoked = "update playback_ids set revoked_at = $2 where stream_id = $1";
        scene
            .change(revoked, &scene.stream, Change::Stream(scene.stream.clone()))
            .await;
        until(|| scene.names.find(scene.playback.as_str()).is_none()).await;
        let renamed = "update channels set handle = 'lovelace', updated_at = $2 where id = $1";
        scene
            .change(renamed, &scene.channel, Change::Channel(scene.channel.clone()))
            .await;
        until(|| scene.names.find("lovelace").unwrap().name.as_str() == scene.stream.as_str()).await;
    }
}

#[tokio::test]
async fn a_private_channel_is_for_its_members() {
    for scene in Scene::both().await {
        let _publisher = scene.live().await;
        let name = Name::parse(scene.stream.as_str()).unwrap();
        scene
            .change(PRIVATE, &scene.channel, Change::Channel(scene.channel.clone()))
            .await;
        until(|| scene.names.find("ada").unwrap().access == Access::Members).await;

        let (bob, eve) = (
            scene.world.person("bob", &[]).await,
            scene.world.person("eve", &[]).await,
        );
        let (channel, member, now) = (scene.channel.clone(), bob.id.clone(), scene.world.platform.clock.now());
        let platform = scene.world.platform.clone();
        platform
            .db
            .write(move |c| {
                Box::pin(async move {
                    roles::grant(c, &member, Role::Viewer, (Scope::Channel, channel.as_str()), None, now).await
                })
            })
            .await
            .unwrap();
        assert!(scene.names.admit(&name, &shows(&scene.ada)).await, "its owner");
        assert!(scene.names.admit(&name, &shows(&bob)).await, "a member");
        assert!(!scene.names.admit(&name, &shows(&eve)).await, "somebody else");
        assert!(!scene.names.admit(&name, &Credentials::default()).await, "nobody known");
        let forged = Credentials {
            cookies: vec!["session=forged".into()],
            authorization: Some(format!("Bearer {}", scene.ada.cookie)),
        };
        assert!(!scene.names.admit(&name, &forged).await);

        let outside = "delete from role_bindings where scope = 'channel' and scope_id = $1 and created_at <= $2";
        scene
            .change(outside, &scene.channel, Change::Channel(scene.channel.clone()))
            .await;
        let credentials = shows(&bob);
        let mut tries = 0;
        while scene.names.admit(&name, &credentials).await {
            tries += 1;
            assert!(tries < 1_000, "who is no member any more is not let in");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn a_session_that_ended_counts_for_ten_seconds_at_most() {
    for scene in Scene::both().await {
        let _publisher = scene.live().await;
        let name = Name::parse(scene.stream.as_str()).unwrap();
        let platform = scene.world.platform.clone();
        assert!(scene.names.admit(&name, &shows(&scene.ada)).await);
        let (user, now) = (scene.ada.id.clone(), platform.clock.now());
        platform
            .db
            .write(move |c| {
                Box::pin(async move { run!(c, "update sessions set revoked_at = $1 where user_id = $2", now, user) })
            })
            .await
            .unwrap();
        platform.clock.advance(std::time::Duration::from_secs(11));
        assert!(!scene.names.admit(&name, &shows(&scene.ada)).await);
    }
}

#[tokio::test]
async fn while_the_database_is_away_who_watched_may_go_on() {
    for scene in Scene::both().await {
        let _publisher = scene.live().await;
        let name = Name::parse(scene.stream.as_str()).unwrap();
        let eve = scene.world.person("eve", &[]).await;
        let platform = scene.world.platform.clone();
        assert!(scene.names.admit(&name, &shows(&scene.ada)).await);
        platform.db.close().await;
        platform.clock.advance(std::time::Duration::from_secs(30));
        assert!(scene.names.admit(&name, &shows(&scene.ada)).await);
        assert!(!scene.names.admit(&name, &shows(&eve)).await);
        platform.clock.advance(std::time::Duration::from_secs(300));
        assert!(!scene.names.admit(&name, &shows(&scene.ada)).await, "not for ever");
    }
}

#[tokio::test]
async fn after_a_restart_names_lead_to_what_is_restored_at_once() {
    for scene in Scene::both().await {
        let (world, _, stream) = scene.finish().await;
        let platform = &world.platform;
        let name = Name::parse(stream.as_str()).unwrap();
        platform.live.names.remove(&name);
        let hub = platform.hub().unwrap();
        hub.restore(&hub::Restored {
            id: hub::BroadcastId::random(),
            name: name.clone(),
            started: std::time::SystemTime::now(),
            settings: hub::Settings::default(),
            wait: std::time::Duration::from_secs(60),
        });
        live_state::resume(platform).await.unwrap();
        let names = super::Directory::new(platform.clone());
        assert_eq!(names.find("ada").unwrap().name, name);
    }
}
