//! Every other encoder and player that can be had: `make test-all` sets `PEERS=all` and installs them.

mod common;

use std::process::{Child, Command, Stdio};

use common::{Publisher, Server, output};

/// Whether the peers are there; says so if not.
fn peers() -> bool {
    let there = std::env::var_os("PEERS").is_some();
    if !there {
        eprintln!("skipped: the peers come with make test-all");
    }
    there
}

fn started() -> (tempfile::TempDir, Server) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    (data, server)
}

/// Video and audio frames that Debian's ffprobe counts in the segments of a rendition, read as a whole file.
fn frames(server: &Server, name: &str, track: &str) -> usize {
    let path = server.media_path(name, track);
    let playlist = server
        .get_until(&path, |answer| answer.text().matches("#EXTINF").count() >= 2)
        .text();
    let folder = path.rsplit_once('/').unwrap().0;
    let file = |uri: &str| server.get(&format!("{folder}/{uri}")).body;
    let map = playlist
        .split("#EXT-X-MAP:URI=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a map");
    let mut bytes = file(map);
    for uri in playlist.lines().filter(|line| line.ends_with(".mp4")) {
        bytes.extend(file(uri));
    }
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole.mp4");
    std::fs::write(&whole, bytes).unwrap();
    let times = output(
        "ffprobe",
        &format!("-v error -show_entries packet=dts -of csv=p=0 {}", whole.display()),
    );
    let times: Vec<i64> = times
        .lines()
        .filter_map(|line| line.trim_matches(',').parse().ok())
        .collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{track} goes back");
    times.len()
}

#[test]
fn a_modern_ffmpeg_sends_every_codec_of_enhanced_rtmp() {
    let Ok(ffmpeg) = std::env::var("MODERN_FFMPEG") else {
        eprintln!("skipped: the modern ffmpeg comes with make test-all");
        return;
    };
    let (_data, server) = started();
    let cases = [
        (
            "hevc",
            "-c:v libx265 -preset ultrafast -x265-params keyint=30:log-level=error -c:a libopus",
            "hvc1.",
            "opus",
        ),
        (
            "av1",
            "-c:v libsvtav1 -preset 12 -g 30 -svtav1-params pred-struct=1 -c:a flac -ar 48000",
            "av01.",
            "fLaC",
        ),
        (
            "vp9",
            "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 30 -c:a ac3",
            "vp09.",
            "ac-3",
        ),
        (
            "avc",
            "-c:v libx264 -preset ultrafast -g 30 -bf 2 -c:a libmp3lame -ar 48000",
            "avc1.",
            "mp4a.6B",
        ),
    ];
    for (name, codecs, video, audio) in cases {
        let arguments =
            format!("-re -f lavfi -i testsrc2=size=320x180:rate=30 -f lavfi -i sine=sample_rate=48000 {codecs}");
        let line = format!(
            "-hide_banner -loglevel error {arguments} -f flv {}",
            server.publish_url(name)
        );
        let _publisher = Publisher(spawn(&ffmpeg, &line));
        let multivariant = server
            .get_until(&format!("/live/{name}.m3u8"), |answer| answer.status == 200)
            .text();
        let codecs = multivariant
            .split("CODECS=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap()
            .to_owned();
        assert!(
            codecs.contains(video) && codecs.to_lowercase().contains(&audio.to_lowercase()),
            "{name}: {codecs}"
        );
        assert!(frames(&server, name, "video") >= 50, "{name}");
        assert!(frames(&server, name, "audio") >= 20, "{name}");
    }
}

/// How long each segment lasts, as a playlist says it.
fn durations(playlist: &str) -> Vec<&str> {
    let lines = playlist.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
    lines.filter_map(|line| line.split(',').next()).collect()
}

#[test]
fn a_modern_ffmpeg_sends_its_own_ladder_and_a_second_sound_and_nothing_is_encoded() {
    let Ok(ffmpeg) = std::env::var("MODERN_FFMPEG") else {
        eprintln!("skipped: the modern ffmpeg comes with make test-all");
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[("HEADWATER_TRANSCODE_LADDER", "default")]);
    let line = format!(
        "-hide_banner -loglevel error -re -f lavfi -i testsrc2=size=640x360:rate=30 \
         -f lavfi -i sine=f=440:sample_rate=48000 -f lavfi -i sine=f=880:sample_rate=48000 \
         -filter_complex [0:v]split=3[a][b][c];[b]scale=426:240[m];[c]scale=256:144[s] \
         -map [a] -map [m] -map [s] -map 1:a -map 2:a -c:v libx264 -preset ultrafast -tune zerolatency -g 30 -pix_fmt yuv420p \
         -c:a aac -f flv {}",
        server.publish_url("ladder")
    );
    let _publisher = Publisher(spawn(&ffmpeg, &line));
    // The pictures, and the sound alone.
    let all = |text: &str| text.matches("#EXT-X-STREAM-INF").count() == 4 && text.matches("TYPE=AUDIO").count() == 2;
    let multivariant = server
        .get_until("/live/ladder.m3u8", |answer| {
            answer.status == 200 && all(&answer.text())
        })
        .text();
    for size in ["640x360", "426x240", "256x144"] {
        assert!(multivariant.contains(size), "{multivariant}");
    }
    for track in ["video", "video-1", "video-2"] {
        assert!(frames(&server, "ladder", track) >= 50, "{track}");
    }
    for track in ["audio", "audio-1"] {
        assert!(frames(&server, "ladder", track) >= 50, "{track}");
    }
    let [main, others @ ..] = ["video", "video-1", "video-2"].map(|track| {
        let path = server.media_path("ladder", track);
        server
            .get_until(&path, |answer| durations(&answer.text()).len() >= 3)
            .text()
    });
    for other in &others {
        assert_eq!(durations(&main)[..3], durations(other)[..3], "{main}{other}");
    }
    let children = Command::new("ps")
        .args(["--ppid", &server.child.id().to_string(), "-o", "comm="])
        .output()
        .expect("ps is there");
    assert!(children.stdout.is_empty(), "the server runs an encoder");
}

#[test]
fn gstreamer_publishes() {
    if !peers() {
        return;
    }
    let (_data, server) = started();
    let line = format!(
        "-q videotestsrc is-live=true ! video/x-raw,width=320,height=180,framerate=30/1 ! x264enc tune=zerolatency key-int-max=30 \
         ! h264parse ! flvmux streamable=true name=mux ! rtmp2sink location={} \
         audiotestsrc is-live=true ! avenc_aac ! mux.",
        server.publish_url("gst")
    );
    let _publisher = Publisher(spawn("gst-launch-1.0", &line));
    assert!(frames(&server, "gst", "video") >= 50);
}

#[test]
fn stock_players_play_hls_and_rtmp() {
    if !peers() {
        return;
    }
    let (_data, server) = started();
    let _publisher = Publisher::with_sound(&server.publish_url("colors"));
    server.media_path("colors", "video");
    let (hls, rtmp) = (server.url("/live/colors.m3u8"), server.publish_url("colors"));
    plays_on(
        "mpv",
        &format!("--no-config --vo=null --ao=null --msg-level=all=error {hls}"),
    );
    plays_on(
        "gst-launch-1.0",
        &format!("-q playbin3 uri={hls} video-sink=fakesink audio-sink=fakesink"),
    );
    // VLC refuses to run as root.
    plays_on(
        "runuser",
        &format!("-u nobody -- env HOME=/tmp cvlc -q -I dummy --vout dummy --aout dummy {hls}"),
    );
    let dir = tempfile::tempdir().unwrap();
    let dump = dir.path().join("dump.flv");
    // It goes on for as long as the stream does.
    let _ = Command::new("timeout")
        .args(["5", "rtmpdump", "-q", "-v", "-r", &rtmp, "-o"])
        .arg(&dump)
        .status();
    let counted = output(
        "ffprobe",
        &format!(
            "-v error -count_packets -show_entries stream=nb_read_packets -of csv=p=0 {}",
            dump.display()
        ),
    );
    let least = counted
        .lines()
        .filter_map(|line| line.trim_matches(',').parse::<u32>().ok())
        .min();
    assert!(least.is_some_and(|packets| packets > 30), "{counted}");
}

/// Plays for a few seconds: a player of a live stream neither ends nor complains.
fn plays_on(program: &str, line: &str) {
    let run = Command::new("timeout")
        .args(["6", program])
        .args(line.split_whitespace())
        .output()
        .expect("timeout is there");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(124), "{program} ended by itself: {said}");
    assert!(!said.to_lowercase().contains("error"), "{program}: {said}");
}

fn spawn(program: &str, line: &str) -> Child {
    let child = Command::new(program)
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    child.unwrap_or_else(|error| panic!("{program}: {error}"))
}
