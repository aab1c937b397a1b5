//! A real ffmpeg publishes, real players watch.

mod common;

use common::{Publisher, SOON, Server, output, tag};

#[test]
fn a_plain_push_plays_as_hls_dash_and_rtmp() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let _publisher = Publisher::plain(&server.publish_url("colors"));
    server.get_until("/live/colors.m3u8", |answer| answer.status == 200);
    let addresses = [
        server.url("/live/colors.m3u8"),
        server.url("/live/colors.mpd"),
        server.publish_url("colors"),
    ];
    for address in addresses {
        let read = format!("-v error -t 3 -i {address} -map 0:v -c copy -f framecrc -");
        let frames = output("ffmpeg", &read)
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count();
        assert!((60..=100).contains(&frames), "{address}: {frames} frames in 3 s");
    }
}

#[test]
fn a_source_that_returns_continues_the_same_playlist() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let first = Publisher::with_sound(&server.publish_url("colors"));
    let path = server.media_path("colors", "video");
    server.get_until(&path, |answer| answer.text().matches("#EXTINF").count() >= 2);
    drop(first);
    let before = server.get(&path).text();
    server.get_until(&path, |answer| {
        tag(&answer.text(), "#EXT-X-MEDIA-SEQUENCE") != tag(&before, "")
            && answer.text().matches("#EXTINF").count() >= 4
    });
    let _second = Publisher::plain(&server.publish_url("colors"));
    let after = server
        .get_until(&path, |answer| answer.text().contains("#EXT-X-DISCONTINUITY\n"))
        .text();
    assert!(!after.contains("#EXT-X-ENDLIST"));
    assert_eq!(server.media_path("colors", "video"), path, "it is the same broadcast");
}

#[test]
fn a_clean_end_ends_the_playlist_after_a_while() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[("HEADWATER_LIVE_RECONNECT", "1 s")]);
    let publisher = Publisher::plain(&server.publish_url("colors"));
    let path = server.media_path("colors", "video");
    drop(publisher);
    server.get_until(&path, |answer| answer.text().contains("#EXT-X-ENDLIST"));
    let _again = Publisher::plain(&server.publish_url("colors"));
    server.get_until("/live/colors.m3u8", |answer| {
        answer.status == 200 && !path.contains(&first_child(&answer.text()))
    });
}

fn first_child(multivariant: &str) -> String {
    multivariant
        .lines()
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn after_a_crash_numbers_never_go_back() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path(), &[]);
    let publisher = Publisher::plain(&server.publish_url("colors"));
    let path = server.media_path("colors", "video");
    let before = server
        .get_until(&path, |answer| answer.text().matches("#EXTINF").count() >= 3)
        .text();
    server.kill();
    drop(publisher);

    let server = Server::start(data.path(), &[]);
    let _publisher = Publisher::plain(&server.publish_url("colors"));
    let again = server
        .get_until(&path, |answer| answer.text().contains("#EXTINF"))
        .text();
    let last = tag(&before, "#EXT-X-MEDIA-SEQUENCE").unwrap() + before.matches("#EXTINF").count() as f64;
    assert!(tag(&again, "#EXT-X-MEDIA-SEQUENCE").unwrap() >= last, "{again}");
    assert!(
        tag(&again, "#EXT-X-DISCONTINUITY-SEQUENCE").is_some_and(|number| number > 0.0),
        "{again}"
    );
    for promise in ["#EXT-X-TARGETDURATION", "#EXT-X-PART-INF"] {
        let line = |text: &str| text.lines().find(|line| line.starts_with(promise)).map(str::to_owned);
        assert_eq!(line(&before), line(&again));
    }
}

#[test]
fn only_keys_of_the_file_may_publish_and_a_key_that_leaves_it_is_cut_off() {
    let data = tempfile::tempdir().unwrap();
    let keys = data.path().join("keys");
    std::fs::write(&keys, "colors canary-secret\n").unwrap();
    let settings = [
        ("HEADWATER_PUBLISH_OPEN", "off"),
        ("HEADWATER_PUBLISH_KEYS_FILE", keys.to_str().unwrap()),
    ];
    let server = Server::start(data.path(), &settings);
    let mut stranger = Publisher::plain(&server.publish_url("colors"));
    assert!(!stranger.0.wait().unwrap().success());
    assert_eq!(server.get("/live/colors.m3u8").status, 404);

    let mut publisher = Publisher::plain(&server.publish_url("canary-secret"));
    let playlist = server.get_until("/live/colors.m3u8", |answer| answer.status == 200);
    assert!(!playlist.text().contains("canary-secret"));
    assert!(!server.get("/metrics").text().contains("canary-secret"));
    std::fs::write(&keys, "# nobody\n").unwrap();
    let began = std::time::Instant::now();
    while publisher.0.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < SOON, "the publisher was not cut off");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
fn it_stops_with_0_while_somebody_publishes_and_somebody_waits() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path(), &[]);
    let _publisher = Publisher::plain(&server.publish_url("colors"));
    server.get_until("/live/colors.m3u8", |answer| answer.status == 200);
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn metrics_tell_what_happens() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let _publisher = Publisher::with_sound(&server.publish_url("colors"));
    server.get_until("/live/colors.m3u8", |answer| answer.status == 200);
    let page = server
        .get_until("/metrics", |answer| {
            answer.text().contains("headwater_source_frame_rate{")
        })
        .text();
    for expected in [
        "headwater_broadcasts{state=\"live\"} 1",
        "headwater_sources{protocol=\"rtmp\"} 1",
        "headwater_source_bitrate_bits{broadcast=\"colors\"}",
        "# EOF",
    ] {
        assert!(page.contains(expected), "{expected} is not in\n{page}");
    }
}

#[test]
fn a_source_may_return_smaller_and_without_sound() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let first = Publisher::with_sound(&server.publish_url("colors"));
    let (video, audio) = (
        server.media_path("colors", "video"),
        server.media_path("colors", "audio"),
    );
    server.get_until(&video, |answer| answer.text().contains("#EXTINF"));
    drop(first);
    let _second = Publisher::start(
        &server.publish_url("colors"),
        "-f lavfi -i testsrc2=size=320x180:rate=25 -c:v libx264 -preset ultrafast -tune zerolatency -g 25",
    );
    let playlist = server
        .get_until(&video, |answer| answer.text().contains("init-2.mp4"))
        .text();
    let (_, after) = playlist.split_once("#EXT-X-DISCONTINUITY\n").expect("a discontinuity");
    assert!(after.contains("init-2.mp4"), "{playlist}");
    // Silence goes on where the sound was, and is cut at the same place.
    let segments = |text: &str| tag(text, "#EXT-X-MEDIA-SEQUENCE").unwrap() as usize + text.matches("#EXTINF").count();
    let cut = server
        .get_until(&audio, |answer| answer.text().contains("#EXT-X-DISCONTINUITY\n"))
        .text();
    server.get_until(&audio, |answer| segments(&answer.text()) >= segments(&cut) + 2);
    server.get_until("/live/colors.m3u8", |answer| {
        answer.text().contains("RESOLUTION=320x180")
    });
}
