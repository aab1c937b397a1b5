//! A channel with a stream and a key, and a hub that asks for its authority: for tests of what is live.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hub::authority::Local;
use hub::{Caller, Hub, PlayRequest, Protocol, PublishRequest, Publisher, Refusal, SourceClock, StreamKey, Viewing};
use media::{FrameRate, Parameters, TrackId, VideoCodec, VideoParameters};
use tokio::sync::watch;

use crate::authority::Accounts;
use crate::authorize::Role;
use crate::directory::Directory;
use crate::id::{Id, Kind};
use crate::live_state;
use crate::platform::{Change, Platform};
use crate::run;
use crate::secret::Secret;
use crate::settings::Home;
use crate::store::testing;
use crate::streams::keys::{self, Making};
use crate::testing::{Person, World};

/// The world of a test, and what is live in it.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) hub: Hub,
    pub(crate) names: Directory,
    /// Has the channel `ada`.
    pub(crate) ada: Person,
    pub(crate) channel: Id,
    pub(crate) stream: Id,
    pub(crate) playback: Id,
    pub(crate) key: Secret,
    stop: watch::Sender<bool>,
    running: tokio::task::JoinHandle<()>,
}

impl Scene {
    /// One on each engine.
    pub(crate) async fn both() -> [Self; 2] {
        let [sqlite, postgres] = testing::both().await;
        let (sqlite, postgres) = (World::on(sqlite, true).await, World::on(postgres, true).await);
        [Self::of(sqlite).await, Self::of(postgres).await]
    }

    pub(crate) async fn of(world: World) -> Self {
        let ada = world.person("ada", &[Role::Creator]).await;
        let platform = world.platform.clone();
        let channel = channel(&platform, &ada, "ada").await;
        let (stream, playback, key) = stream(&platform, &ada, Some(&channel), "Ada live").await;
        let local = Arc::new(Local::new(true, hub::Settings::default()));
        let accounts = Accounts::new(platform.clone(), local);
        let hub = Hub::new(Arc::new(accounts), hub::Limits::default());
        platform.attach(hub.clone());
        tokio::spawn(hub.clone().run());
        let (stop, stopping) = watch::channel(false);
        Self {
            names: Directory::new(platform.clone()),
            running: tokio::spawn(live_state::run(platform, stopping)),
            world,
            hub,
            ada,
            channel,
            stream,
            playback,
            key,
            stop,
        }
    }

    pub(crate) async fn publish(&self, key: &str) -> Result<Publisher, Refusal> {
        let request = PublishRequest {
            key: StreamKey::new(key),
            caller: Caller::at(([127, 0, 0, 1], 4_000).into(), Protocol::Rtmp),
            clock: SourceClock::RTMP,
        };
        self.hub.publish(request).await
    }

    /// Publishes with the stream's key.
    pub(crate) async fn live(&self) -> Publisher {
        self.publish(self.key.expose()).await.expect("the key is good")
    }

    /// What a publisher with this key is told; it must be refused.
    pub(crate) async fn refusal(&self, key: &str) -> String {
        match self.publish(key).await {
            Ok(_) => panic!("the key was accepted"),
            Err(refusal) => refusal.to_string(),
        }
    }

    pub(crate) async fn play(&self, name: &str) -> Result<Viewing, Refusal> {
        let request = PlayRequest {
            name: name.to_owned(),
            caller: Caller::at(([192, 0, 2, 9], 4_000).into(), Protocol::Rtmp),
        };
        self.hub.play(request).await
    }

    /// Changes rows, and tells of it.
    pub(crate) async fn change(&self, sql: &'static str, id: &Id, change: Change) {
        let (id, now) = (id.clone(), self.world.platform.clock.now());
        self.world
            .platform
            .db
            .write(move |c| Box::pin(async move { run!(c, sql, id, now) }))
            .await
            .expect("the row is there");
        self.world.platform.changed(change);
    }

    /// Puts another key in the place of the stream's.
    pub(crate) async fn rotate(&self) -> Secret {
        let (platform, stream) = (self.world.platform.clone(), self.stream.clone());
        let (db, ring, now) = (platform.db.clone(), platform.ring(), platform.clock.now());
        let (old, new) = db
            .write(move |c| {
                Box::pin(async move {
                    let old = keys::list(c, &stream).await?.swap_remove(0).id;
                    let making = Making {
                        ring: &ring,
                        by: None,
                        quota: 10,
                        now,
                    };
                    let (_, secret) = keys::rotate(c, making, &stream, &old).await?;
                    Ok((old, secret))
                })
            })
            .await
            .expect("the key can be rotated");
        platform.changed(Change::Key(old));
        new
    }

    /// Waits until everything that happened is written down.
    pub(crate) async fn finish(self) -> (World, Person, Id) {
        self.stop.send_replace(true);
        self.running.await.expect("it ends");
        (self.world, self.ada, self.stream)
    }
}

/// Sends a picture of H.265 at 29.97 frames a second on a track.
pub(crate) fn picture(publisher: &mut Publisher, track: TrackId, (width, height): (u32, u32)) {
    let parameters = Parameters::Video(VideoParameters {
        codec: VideoCodec::Hevc,
        config: Bytes::new(),
        width,
        height,
        frame_rate: FrameRate::new(30_000, 1_001),
        reorders: false,
        codec_string: "hvc1.1.6.L93.90".into(),
        color: None,
    });
    publisher.configure(track, parameters);
    publisher.push(track, 0, 0, true, Bytes::from_static(b"frame"));
    publisher.flush();
}

/// Does not wait for ever: nothing here takes more than a moment.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(5), future)
        .await
        .expect("it happens within a moment")
}

/// Asks again until it is so.
pub(crate) async fn until(mut so: impl FnMut() -> bool) {
    soon(async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

fn home(platform: &Platform) -> Home {
    platform.settings().home.clone().expect("the world is set up")
}

/// A public channel.
pub(crate) async fn channel(platform: &Platform, owner: &Person, handle: &'static str) -> Id {
    let (id, now) = (Kind::Channel.random(), platform.clock.now());
    let (made, owner, home) = (id.clone(), owner.id.clone(), home(platform));
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                run!(
                    c,
                    "insert into channels (id, environment_id, owner_id, handle, title, description, category, tags, language, mature,
                                           visibility, created_at, updated_at)
                     values ($1, $2, $3, $4, 'The title', '', '', '[]', '', $5, 'public', $6, $6)",
                    made,
                    home.environment,
                    owner,
                    handle,
                    false,
                    now
                )
            })
        })
        .await
        .expect("a channel for the test");
    id
}

/// A stream with a playback id and a key; the one that its channel shows.
pub(crate) async fn stream(
    platform: &Platform,
    owner: &Person,
    channel: Option<&Id>,
    title: &'static str,
) -> (Id, Id, Secret) {
    let (stream, playback, now) = (Kind::Stream.random(), Kind::Playback.random(), platform.clock.now());
    let (made, shown, owner, channel) = (stream.clone(), playback.clone(), owner.id.clone(), channel.cloned());
    let (home, ring) = (home(platform), platform.ring());
    let key = platform
        .db
        .write(move |c| {
            Box::pin(async move {
                run!(
                    c,
                    "insert into streams (id, environment_id, owner_id, channel_id, title, settings, created_at, updated_at)
                     values ($1, $2, $3, $4, $5, '{}', $6, $6)",
                    &made,
                    &home.environment,
                    owner,
                    &channel,
                    title,
                    now
                )?;
                run!(c, "update channels set stream_id = $1 where id = $2", &made, channel)?;
                run!(
                    c,
                    "insert into playback_ids (id, environment_id, stream_id, policy, created_at) values ($1, $2, $3, 'public', $4)",
                    shown,
                    home.environment,
                    &made,
                    now
                )?;
                let making = Making {
                    ring: &ring,
                    by: None,
                    quota: 10,
                    now,
                };
                keys::create_primary(c, making, &made).await
            })
        })
        .await
        .expect("a stream for the test");
    (stream, playback, key)
}
