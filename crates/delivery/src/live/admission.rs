//! Which broadcast an address leads to, and whether whoever asks may watch it.

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, header};
use hub::Name;
use hub::directory::{Access, Credentials};

use super::channel::Channel;
use super::{Live, answer};

/// Where a path leads.
pub(super) struct Way<'a> {
    pub(super) channel: Arc<Channel>,
    /// The name in the path.
    pub(super) name: &'a str,
    pub(super) access: Access,
}

impl<'a> Way<'a> {
    /// Where this path below `/live/` leads. With the id of a broadcast in it, it is that one; else the newest of the name, or the last one
    /// while it can still be had.
    pub(super) fn find(live: &Live, path: &'a str) -> Option<Self> {
        let mut folders = path.splitn(3, '/');
        let (first, second) = (folders.next()?, folders.next());
        match second {
            None => Self::newest(live, first.strip_suffix(".m3u8").or(first.strip_suffix(".mpd"))?),
            Some("still.mp4") => Self::newest(live, first),
            Some(id) => {
                let (channel, access) = by_id(live, first, id)?;
                Some(Self {
                    channel,
                    name: first,
                    access,
                })
            }
        }
    }

    fn newest(live: &Live, name: &'a str) -> Option<Self> {
        let place = live.0.names.find(name)?;
        Some(Self {
            channel: live.newest(&place.name)?,
            name,
            access: place.access,
        })
    }
}

/// A broadcast that everybody may watch, by its id and the name in the path. Without a copy of either: most requests come by here.
pub(super) fn open_to_everybody(live: &Live, name: &str, id: &str) -> Option<Arc<Channel>> {
    let (channel, access) = by_id(live, name, id)?;
    (access == Access::Everybody).then_some(channel)
}

fn by_id(live: &Live, name: &str, id: &str) -> Option<(Arc<Channel>, Access)> {
    let channel = live.0.directory.by_id(id)?;
    let access = live.0.names.access(name, channel.broadcast().name())?;
    Some((channel, access))
}

/// What a request shows of who makes it, where that matters.
pub(super) fn shown(access: Access, headers: &HeaderMap) -> Option<Credentials> {
    let text = |value: &http::HeaderValue| value.to_str().ok().map(str::to_owned);
    (access == Access::Members).then(|| Credentials {
        cookies: headers.get_all(header::COOKIE).iter().filter_map(text).collect(),
        authorization: headers.get(header::AUTHORIZATION).and_then(text),
    })
}

/// Whether whoever shows this may watch the broadcasts of a name.
pub(super) async fn admits(live: &Live, name: &Name, shown: Option<Credentials>) -> bool {
    match shown {
        Some(credentials) => live.0.names.admit(name, &credentials).await,
        None => true,
    }
}

/// Says who else may have an answer: everybody, or nobody.
pub(super) fn seal(access: Access, response: Response) -> Response {
    match access {
        Access::Everybody => answer::open(response),
        Access::Members => answer::closed(response),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use http::StatusCode;
    use hub::directory::{Admission, Listed, Place};
    use tokio::time::sleep;

    use super::super::testing::World;
    use super::*;

    /// The channel `ada` and the playback id `pb1` lead to the broadcasts of `st1`.
    struct Names {
        access: Mutex<Access>,
        listed: bool,
        members: Mutex<Vec<&'static str>>,
    }

    impl Names {
        fn new(access: Access, listed: bool) -> Arc<Self> {
            Arc::new(Self {
                access: Mutex::new(access),
                listed,
                members: Mutex::new(vec!["session=member"]),
            })
        }
    }

    impl hub::Directory for Names {
        fn find(&self, name: &str) -> Option<Place> {
            ["ada", "pb1"].contains(&name).then(|| Place {
                name: Name::parse("st1").expect("a name"),
                access: *self.access.lock().expect("the lock"),
                title: Some("Ada & friends".into()),
            })
        }

        fn access(&self, name: &str, to: &Name) -> Option<Access> {
            let place = self.find(name)?;
            (place.name == *to).then_some(place.access)
        }

        fn listed(&self, _: &Name) -> Option<Listed> {
            self.listed.then(|| Listed {
                name: "ada".into(),
                title: Some("Ada & friends".into()),
            })
        }

        fn admit<'a>(&'a self, name: &'a Name, credentials: &'a Credentials) -> Admission<'a> {
            assert_eq!(name.as_str(), "st1");
            let members = self.members.lock().expect("the lock").clone();
            let known = credentials
                .cookies
                .iter()
                .any(|cookie| members.contains(&cookie.as_str()));
            Box::pin(async move {
                // As a question to a database takes.
                sleep(Duration::from_millis(1)).await;
                known
            })
        }
    }

    /// A server with the stream `st1` live for a while.
    async fn live(names: Arc<Names>) -> World {
        let world = World::with(names);
        let mut encoder = world.encoder("st1").await;
        encoder.run_millis(5_000).await;
        tokio::spawn(async move {
            loop {
                encoder.run_millis(1_000).await;
            }
        });
        world
    }

    /// One address of every kind below `/live`, as the playlists of that name lead to them.
    async fn addresses(world: &World, name: &str) -> Vec<String> {
        let cookie = [("cookie", "session=member")];
        let multivariant = world.get_with(&format!("/live/{name}.m3u8"), &cookie).await.text();
        let line = multivariant.lines().find(|line| line.ends_with("video.m3u8"));
        let folder = format!("/live/{}", line.expect("a variant").trim_end_matches("video.m3u8"));
        let media = world.get_with(&format!("{folder}video.m3u8"), &cookie).await.text();
        let quoted = |tag: &str| {
            let line = media.lines().rfind(|line| line.starts_with(tag)).expect("the tag");
            let (_, rest) = line.split_once("URI=\"").expect("an address");
            format!("{folder}{}", rest.split('"').next().expect("its end"))
        };
        let segment = media.lines().find(|line| line.ends_with(".mp4")).expect("a segment");
        let mut addresses = vec![
            quoted("#EXT-X-MAP"),
            quoted("#EXT-X-PART:"),
            format!("{folder}{segment}"),
            format!("{folder}video.m3u8"),
            format!("{folder}video.m3u8?_HLS_msn=2"),
            format!("{folder}audio.m3u8"),
            format!("/live/{name}/still.mp4"),
            format!("/api/v1/live/{name}"),
        ];
        addresses.extend(["m3u8", "mpd"].map(|kind| format!("/live/{name}.{kind}")));
        addresses.push(format!("/hls/{name}.m3u8"));
        addresses
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_for_members_is_absent_to_all_others_under_every_address() {
        let world = live(Names::new(Access::Members, false)).await;
        for address in addresses(&world, "ada").await {
            let absent = world.get("/live/nothing.m3u8").await;
            for cookie in ["", "session=stranger", "other=session=member"] {
                let refused = world.get_with(&address, &[("cookie", cookie)]).await;
                assert_eq!(refused.status, StatusCode::NOT_FOUND, "{address} with {cookie}");
                assert_eq!(refused.header("cache-control"), "no-store", "{address}");
                if !address.starts_with("/api") {
                    assert_eq!(
                        (&refused.headers, &refused.body),
                        (&absent.headers, &absent.body),
                        "{address}"
                    );
                }
            }
            let answer = world.get_with(&address, &[("cookie", "session=member")]).await;
            assert_eq!(answer.status, StatusCode::OK, "{address}");
            assert_eq!(answer.header("cache-control"), "private, no-store", "{address}");
            assert_eq!(answer.header("access-control-allow-origin"), "", "{address}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_for_members_is_answered_without_the_question() {
        let world = live(Names::new(Access::Members, false)).await;
        let playlist = addresses(&world, "ada").await.swap_remove(3);
        let request = http::Request::get(&playlist)
            .header("cookie", "session=member")
            .body(())
            .expect("a request");
        assert!(world.live.at_once(&request).is_none());
        assert!(world.live.playback("ada", None).is_none(), "nor is a page's head");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_a_member_no_longer_gets_nothing_more() {
        let names = Names::new(Access::Members, false);
        let world = live(Arc::clone(&names)).await;
        let addresses = addresses(&world, "ada").await;
        names.members.lock().expect("the lock").clear();
        for address in addresses {
            let refused = world.get_with(&address, &[("cookie", "session=member")]).await;
            assert_eq!(refused.status, StatusCode::NOT_FOUND, "{address}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_becomes_private_is_closed_to_those_who_watch() {
        let names = Names::new(Access::Everybody, true);
        let world = live(Arc::clone(&names)).await;
        let playlist = addresses(&world, "ada").await.swap_remove(3);
        assert!(
            world
                .live
                .at_once(&http::Request::get(&playlist).body(()).expect("a request"))
                .is_some()
        );
        *names.access.lock().expect("the lock") = Access::Members;
        assert!(
            world
                .live
                .at_once(&http::Request::get(&playlist).body(()).expect("a request"))
                .is_none()
        );
        assert_eq!(world.get(&playlist).await.status, StatusCode::NOT_FOUND);
    }

    #[tokio::test(start_paused = true)]
    async fn playlists_lead_on_under_the_name_that_was_asked_for() {
        let world = live(Names::new(Access::Everybody, true)).await;
        for name in ["ada", "pb1"] {
            let folder = world.folder(name).await;
            assert!(folder.starts_with(&format!("/live/{name}/")), "{folder}");
            assert_eq!(world.get(&format!("{folder}video.m3u8")).await.status, StatusCode::OK);
            let manifest = world.get(&format!("/live/{name}.mpd")).await.text();
            assert!(manifest.contains(&format!("media=\"{name}/")), "{manifest}");
        }
        let folder = world.folder("ada").await.replace("/ada/", "/st1/");
        for address in ["/live/st1.m3u8", &format!("{folder}video.m3u8"), "/api/v1/live/st1"] {
            assert_eq!(world.get(address).await.status, StatusCode::NOT_FOUND, "{address}");
        }
        let before = world.live.stats().rendered.load(std::sync::atomic::Ordering::Relaxed);
        for name in ["ada", "pb1", "ada"] {
            world.folder(name).await;
        }
        let after = world.live.stats().rendered.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(before, after, "each name's playlist is written once");
    }

    #[tokio::test(start_paused = true)]
    async fn the_public_list_names_what_is_listed_and_nothing_else() {
        for (listed, expected) in [(true, 1), (false, 0)] {
            let world = live(Names::new(Access::Everybody, listed)).await;
            let list: serde_json::Value = serde_json::from_slice(&world.get("/api/v1/live").await.body).expect("json");
            let streams = list["streams"].as_array().expect("a list");
            assert_eq!(streams.len(), expected);
            if let Some(stream) = streams.first() {
                assert_eq!(
                    (&stream["name"], &stream["title"]),
                    (&"ada".into(), &"Ada & friends".into())
                );
            }
            let one = world.get("/api/v1/live/pb1").await.text();
            assert!(
                one.contains("\"hls\":\"/live/pb1.m3u8\"") && !one.contains("st1"),
                "{one}"
            );
        }
    }
}
