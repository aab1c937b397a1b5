//! What viewers get over HTTP, from a hub with an encoder, under paused time.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::StatusCode;
use hub::Ending;
use tokio::time::{Instant, sleep};

use super::testing::World;

/// Runs an encoder in the background for ever.
macro_rules! keep_running {
    ($encoder:ident) => {
        tokio::spawn(async move {
            loop {
                $encoder.run_millis(1_000).await;
            }
        })
    };
}

#[tokio::test(start_paused = true)]
async fn a_viewer_who_comes_too_early_waits_for_the_first_part() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    let began = Instant::now();
    keep_running!(encoder);
    let answer = world.get("/live/colors.m3u8").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/vnd.apple.mpegurl");
    assert!(began.elapsed() < Duration::from_millis(250), "{:?}", began.elapsed());
    assert!(answer.text().contains("AUDIO=\"audio\""));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_stream_that_is_not_there() {
    let world = World::new();
    let began = Instant::now();
    for path in [
        "/live/nothing.m3u8",
        "/live/..m3u8",
        "/live/x/y/video.m3u8",
        "/live/x/y/video/1.mp4",
        "/live/a/still.mp4",
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_reload_is_answered_when_the_part_is_there() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    keep_running!(encoder);
    let folder = world.folder("colors").await;
    sleep(Duration::from_secs(10)).await;
    let video = world.live.0.directory.channels()[0].window().expect("a window");
    let (number, part) = video.video.as_ref().expect("video").newest().expect("a part");
    let began = Instant::now();
    let answer = world
        .get(&format!("{folder}video.m3u8?_HLS_msn={number}&_HLS_part={}", part + 1))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let waited = began.elapsed();
    assert!(
        waited > Duration::ZERO && waited < Duration::from_millis(450),
        "{waited:?}"
    );
    assert_eq!(answer.header("cache-control"), "public, max-age=24");
    let hint = answer.text();
    let hint = hint
        .lines()
        .find_map(|line| line.strip_prefix("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\""))
        .expect("a hint");
    let part = world.get(&format!("{folder}{}", hint.trim_end_matches('"'))).await;
    assert_eq!(part.status, StatusCode::OK);
    assert_eq!(part.header("content-type"), "video/mp4");
    assert!(part.body.len() > 1_000);
    assert_eq!(world.live.stats().held.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_for_one_part_get_the_same_text() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    keep_running!(encoder);
    let folder = world.folder("colors").await;
    sleep(Duration::from_secs(5)).await;
    let window = world.live.0.directory.channels()[0].window().expect("a window");
    let (number, part) = window.video.as_ref().expect("video").newest().expect("a part");
    let path = format!("{folder}video.m3u8?_HLS_msn={number}&_HLS_part={}", part + 1);
    let before = world.live.stats().rendered.load(Ordering::Relaxed);
    let answers = (0..50).map(|_| world.get(&path));
    let bodies: Vec<_> = join_all(answers).await.into_iter().map(|answer| answer.body).collect();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(world.live.stats().rendered.load(Ordering::Relaxed), before + 1);
}

/// Runs futures side by side.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (future, output) in &mut futures {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        if ready {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_grows_is_sent_as_it_grows() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    keep_running!(encoder);
    let folder = world.folder("colors").await;
    sleep(Duration::from_millis(5_500)).await;
    let window = world.live.0.directory.channels()[0].window().expect("a window");
    let growing = window
        .video
        .as_ref()
        .expect("video")
        .open
        .as_ref()
        .expect("growing")
        .number;
    let began = Instant::now();
    let path = format!("{folder}video/{growing}.mp4");
    let grown = world.get(&path).await;
    assert!(began.elapsed() > Duration::from_millis(300));
    let again = world.get(&path).await;
    assert_eq!(grown.body, again.body);
    assert_eq!(again.header("content-length"), again.body.len().to_string());
    let next = world.get(&format!("{folder}video/{}.mp4", growing + 2)).await;
    assert_eq!(next.status, StatusCode::OK, "the next segment is waited for");
    let far = world.get(&format!("{folder}video/{}.mp4", growing + 25)).await;
    assert_eq!(
        (far.status, far.header("cache-control")),
        (StatusCode::NOT_FOUND, "no-store")
    );
}

#[tokio::test(start_paused = true)]
async fn ranges_tags_and_heads_of_media() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    keep_running!(encoder);
    let folder = world.folder("colors").await;
    sleep(Duration::from_secs(5)).await;
    let path = format!("{folder}audio/0.mp4");
    let whole = world.get(&path).await;
    assert_eq!(whole.header("content-type"), "audio/mp4");
    assert!(whole.header("cache-control").contains("immutable"));
    let part = world.get_with(&path, &[("range", "bytes=100-199")]).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.body, whole.body.slice(100..200));
    assert_eq!(
        part.header("content-range"),
        format!("bytes 100-199/{}", whole.body.len())
    );
    let beyond = world.get_with(&path, &[("range", "bytes=9999999-")]).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    let known = world.get_with(&path, &[("if-none-match", whole.header("etag"))]).await;
    assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let head = http::Request::head(&path)
        .body(axum::body::Body::empty())
        .expect("a request");
    let head = world.send(head).await;
    assert_eq!(head.headers()["content-length"], whole.header("content-length"));
}

#[tokio::test(start_paused = true)]
async fn playlists_are_compressed_for_those_who_ask() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    keep_running!(encoder);
    let folder = world.folder("colors").await;
    sleep(Duration::from_secs(5)).await;
    let path = format!("{folder}video.m3u8");
    let plain = world.get(&path).await;
    let gzip = world.get_with(&path, &[("accept-encoding", "gzip")]).await;
    assert_eq!(
        (plain.header("vary"), gzip.header("content-encoding")),
        ("Accept-Encoding", "gzip")
    );
    assert!(gzip.body.len() * 3 < plain.body.len());
    let known = world.get_with(&path, &[("if-none-match", plain.header("etag"))]).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test(start_paused = true)]
async fn players_that_need_a_whole_segment_wait_for_the_first() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    keep_running!(encoder);
    let began = Instant::now();
    let folder = world.folder("colors").await;
    let path = format!("{folder}video.m3u8");
    let parts = world.get(&path).await;
    assert!(parts.text().contains("EXT-X-PART:") && !parts.text().contains("EXTINF"));
    let browser = world.get_with(&path, &[("user-agent", "Mozilla/5.0")]).await;
    assert!(browser.text().contains("EXTINF"));
    assert!(
        began.elapsed() < Duration::from_millis(1_100),
        "one key-frame interval: {:?}",
        began.elapsed()
    );
    let plain = world.get(&format!("{path}?latency=normal")).await;
    assert!(!plain.text().contains("PART") && !plain.text().contains("SERVER-CONTROL"));
}

#[tokio::test(start_paused = true)]
async fn directives_that_make_no_sense_are_refused_at_once() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    keep_running!(encoder);
    let folder = world.folder("colors").await;
    sleep(Duration::from_secs(3)).await;
    let began = Instant::now();
    for query in ["_HLS_part=1", "_HLS_msn=1000", "_HLS_msn=x", "window=-1"] {
        let answer = world.get(&format!("{folder}video.m3u8?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_ends_ends_the_playlist_and_the_next_is_another_broadcast() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    encoder.run_millis(5_000).await;
    let folder = world.folder("colors").await;
    encoder.publisher.finish(Ending::Unpublished);
    sleep(Duration::from_secs(7)).await;
    let over = world.get(&format!("{folder}video.m3u8?_HLS_msn=900")).await;
    assert!(over.text().ends_with("#EXT-X-ENDLIST\n"));
    assert!(
        world.get("/live/colors.m3u8").await.status.is_success(),
        "those who are behind can still load it"
    );
    assert_eq!(world.get("/api/v1/live/colors").await.status, StatusCode::NOT_FOUND);
    let mut encoder = world.encoder("colors").await;
    keep_running!(encoder);
    assert_ne!(world.folder("colors").await, folder);
    sleep(Duration::from_secs(150)).await;
    assert_eq!(
        world.get(&format!("{folder}video.m3u8")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_source_the_playlist_goes_on_with_stills() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    encoder.run_millis(5_000).await;
    let folder = world.folder("colors").await;
    encoder.publisher.finish(Ending::Lost);
    for _ in 0..10 {
        let before = world.get(&format!("{folder}video.m3u8")).await.text();
        sleep(Duration::from_secs(2)).await;
        assert_ne!(world.get(&format!("{folder}video.m3u8")).await.text(), before);
    }
    let mut encoder = world.encoder("colors").await;
    encoder.run_millis(5_000).await;
    for playlist in ["video.m3u8", "audio.m3u8"] {
        let text = world.get(&format!("{folder}{playlist}")).await.text();
        assert_eq!(text.matches("EXT-X-DISCONTINUITY\n").count(), 1, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_the_broadcast_goes_on_under_higher_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = World::at(folder.path());
    let mut encoder = first.encoder("colors").await;
    encoder.run_millis(5_000).await;
    let path = first.folder("colors").await;
    let before = first.get(&format!("{path}video.m3u8")).await.text();
    let second = World::at(folder.path());
    sleep(Duration::from_millis(100)).await;
    let waiting = second.get("/live/colors.m3u8").await;
    assert_eq!(
        (waiting.status, waiting.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "2")
    );
    let mut encoder = second.encoder("colors").await;
    encoder.run_millis(5_000).await;
    assert_eq!(second.folder("colors").await, path, "it is the same broadcast");
    let after = second.get(&format!("{path}video.m3u8")).await.text();
    for tag in ["EXT-X-TARGETDURATION", "EXT-X-PART-INF"] {
        let line = |text: &str| text.lines().find(|line| line.contains(tag)).map(str::to_owned);
        assert_eq!(line(&before), line(&after));
    }
    assert!(after.contains("#EXT-X-MEDIA-SEQUENCE:1000\n"), "{after}");
    assert!(
        after.contains("#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"video/init-1002.mp4\"\n"),
        "{after}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_learned_sizes_the_next_broadcast() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    encoder.run_millis(6_000).await;
    let folder = world.folder("colors").await;
    assert!(
        world
            .get(&format!("{folder}video.m3u8"))
            .await
            .text()
            .contains("TARGETDURATION:4\n")
    );
    encoder.publisher.finish(Ending::Unpublished);
    sleep(Duration::from_secs(7)).await;
    let mut encoder = world.encoder("colors").await;
    encoder.run_millis(3_000).await;
    let folder = world.folder("colors").await;
    assert!(
        world
            .get(&format!("{folder}video.m3u8"))
            .await
            .text()
            .contains("TARGETDURATION:2\n")
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_live_is_told_as_json() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    keep_running!(encoder);
    let folder = world.folder("colors").await;
    sleep(Duration::from_secs(3)).await;
    world
        .get_with(&format!("{folder}video.m3u8"), &[("user-agent", "a")])
        .await;
    world
        .get_with(&format!("{folder}video.m3u8"), &[("user-agent", "b")])
        .await;
    let list: serde_json::Value = serde_json::from_slice(&world.get("/api/v1/live").await.body).expect("json");
    let stream = &list["streams"][0];
    assert_eq!((&stream["name"], &stream["state"]), (&"colors".into(), &"live".into()));
    assert_eq!((&stream["width"], &stream["viewers"]), (&1_280.into(), &3.into()));
    let one: serde_json::Value = serde_json::from_slice(&world.get("/api/v1/live/colors").await.body).expect("json");
    assert_eq!(one["hls"], "/live/colors.m3u8");
    assert_eq!(world.live.viewers(), 3);
    let still = world.get("/live/colors/still.mp4").await;
    assert_eq!(
        (still.status, still.header("content-type")),
        (StatusCode::OK, "video/mp4")
    );
    assert_eq!(world.get("/time").await.text().len(), "2026-11-20T09:07:24.153Z".len());
}

#[tokio::test(start_paused = true)]
async fn browsers_of_any_origin_may_ask() {
    let world = World::new();
    let request = http::Request::options("/live/colors.m3u8")
        .body(axum::body::Body::empty())
        .expect("a request");
    let answer = world.send(request).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let request = http::Request::post("/live/colors.m3u8")
        .body(axum::body::Body::empty())
        .expect("a request");
    assert_eq!(world.send(request).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(start_paused = true)]
async fn the_manifest_of_a_broadcast_comes_with_its_first_segment_and_ends_with_it() {
    let world = World::new();
    let mut encoder = world.encoder("colors").await;
    let publishing = async {
        encoder.run_millis(5_000).await;
        encoder
    };
    let (answer, encoder) = tokio::join!(world.get("/live/colors.mpd"), publishing);
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/dash+xml");
    assert!(
        answer.text().contains("availabilityTimeComplete=\"false\""),
        "{}",
        answer.text()
    );
    let normal = world.get("/live/colors.mpd?latency=normal").await;
    assert!(!normal.text().contains("availabilityTime"));

    encoder.publisher.finish(Ending::Unpublished);
    sleep(Duration::from_secs(10)).await;
    let text = world.get("/live/colors.mpd").await.text();
    assert!(text.contains("type=\"static\""), "{text}");
    let (folder, last) = last_of(&text);
    let past = world.get(&format!("/live/{folder}/{}.mp4", last + 1)).await;
    assert_eq!(
        (past.status, past.text().len()),
        (StatusCode::OK, 8),
        "a player that knows only the rule"
    );
    let beyond = world.get(&format!("/live/{folder}/{}.mp4", last + 2)).await;
    assert_eq!(beyond.status, StatusCode::NOT_FOUND);
}

/// The folder of the first rendition in a manifest, and the number of its last segment.
fn last_of(mpd: &str) -> (String, u64) {
    let attribute = |name: &str| {
        let (_, rest) = mpd.split_once(&format!(" {name}=\"")).expect("the attribute");
        rest.split('"').next().expect("its end").to_owned()
    };
    let folder = attribute("media").replace("/$Number$.mp4", "");
    (folder, attribute("endNumber").parse().expect("a number"))
}
