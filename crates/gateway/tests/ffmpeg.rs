//! The ffmpeg of the distribution as publisher and player.

mod support;

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use hub::{Ending, Follow, Item};
use support::Server;
use tokio::process::{Child, Command};

fn ffmpeg(arguments: &str) -> Command {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-hide_banner", "-nostdin", "-v", "error"])
        .args(arguments.split_whitespace())
        .kill_on_drop(true);
    command
}

/// The line of every guide, with a tone.
fn publish(server: &Server, name: &str, options: &str) -> Child {
    let input = "-re -f lavfi -i testsrc2=s=320x180:r=30 -f lavfi -i sine=f=440:r=48000";
    let output = format!("{options} -f flv rtmp://{}/live/{name}", server.address);
    let mut command = ffmpeg(&format!(
        "{input} -pix_fmt yuv420p -c:v libx264 -preset veryfast {output}"
    ));
    command.stdin(Stdio::null()).spawn().expect("ffmpeg is installed")
}

async fn run(mut command: Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    let output = tokio::time::timeout(Duration::from_secs(30), output)
        .await
        .expect("it ends");
    output.expect("ffmpeg is installed")
}

async fn played(server: &Server, name: &str, file: &Path, seconds: u32) -> Output {
    let url = format!("rtmp://{}/live/{name}", server.address);
    let file = file.to_str().unwrap();
    run(ffmpeg(&format!("-i {url} -t {seconds} -c copy -y {file}"))).await
}

/// Presentation order does not matter here: decode times and flags of the packets of one track.
async fn packets(file: &Path, track: &str) -> Vec<(f64, bool)> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-select_streams", track, "-of", "csv=p=0"]);
    command.args(["-show_entries", "packet=dts_time,flags"]).arg(file);
    let output = run(command).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(','));
    lines
        .map(|(time, flags)| (time.parse().unwrap(), flags.starts_with('K')))
        .collect()
}

/// Waits until the broadcast has so many frames of video.
async fn live(server: &Server, name: &str, frames: usize) {
    let mut events = server.hub.subscribe();
    let broadcast = loop {
        if let Ok(hub::Event::Active(broadcast)) = events.recv().await
            && broadcast.name().as_str() == name
        {
            break broadcast;
        }
    };
    let mut follower = broadcast.follow(Follow::FromStart);
    let (mut items, mut seen) = (Vec::new(), 0);
    while seen < frames {
        assert!(follower.next_batch(&mut items).await, "it goes on");
        let video = |item: &Item| {
            matches!(
                item,
                Item::Sample {
                    track: media::TrackId::VIDEO,
                    ..
                }
            )
        };
        seen += items.drain(..).filter(video).count();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ffmpeg_plays_what_ffmpeg_publishes() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("played.flv");
    let mut events = server.hub.subscribe();
    let mut publisher = publish(&server, "colors", "-g 30 -bf 2 -c:a aac -t 6");
    live(&server, "colors", 45).await;

    let output = played(&server, "colors", &file, 2).await;
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let video = packets(&file, "v:0").await;
    assert!(
        (58..=62).contains(&video.len()),
        "{} frames in two seconds",
        video.len()
    );
    assert!(video[0].1, "it begins with a key frame");
    let steps = video.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert!(
        steps.clone().all(|step| (0.030..0.037).contains(&step)),
        "{:?}",
        steps.collect::<Vec<_>>()
    );
    let audio = packets(&file, "a:0").await;
    assert!((88..=98).contains(&audio.len()), "{} frames of 21 ms", audio.len());
    assert!(
        audio
            .windows(2)
            .all(|pair| (0.020..0.023).contains(&(pair[1].0 - pair[0].0)))
    );

    let published = tokio::time::timeout(Duration::from_secs(20), publisher.wait())
        .await
        .expect("it ends");
    assert!(published.unwrap().success());
    assert_eq!(support::ending(&mut events).await, Ending::Unpublished);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_without_pacing_is_slowed_down_and_loses_nothing() {
    let server = Server::start().await;
    let mut events = server.hub.subscribe();
    // So many bytes that one read of the socket, however late it comes, holds no more than a few frames.
    let input = "-f lavfi -i testsrc2=s=320x180:r=30 -t 5 -pix_fmt yuv420p -c:v libx264 -preset ultrafast -g 30 \
        -b:v 4M -minrate 4M -maxrate 4M -bufsize 1M -nal-hrd cbr";
    let mut command = ffmpeg(&format!("{input} -f flv rtmp://{}/live/file", server.address));
    let began = tokio::time::Instant::now();
    let mut publisher = command.stdin(Stdio::null()).spawn().unwrap();
    let broadcast = loop {
        if let hub::Event::Started(broadcast) = events.recv().await.unwrap() {
            break broadcast;
        }
    };
    let mut follower = broadcast.follow(Follow::FromStart);
    let counting = tokio::spawn(async move {
        let (mut items, mut frames) = (Vec::new(), 0);
        while frames < 150 && follower.next_batch(&mut items).await {
            frames += items
                .drain(..)
                .filter(|item| matches!(item, Item::Sample { .. }))
                .count();
        }
        frames
    });
    assert_eq!(support::ending(&mut events).await, Ending::Unpublished);
    assert!(publisher.wait().await.unwrap().success());
    assert_eq!(counting.await.unwrap(), 150);
    assert!(
        began.elapsed() > Duration::from_secs(1),
        "five seconds are taken no faster than three seconds ahead"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_ffmpeg_says_why_and_fails() {
    let server = Server::start().await;
    let child = publish(&server, "..%2fx", "-t 1");
    let output = tokio::time::timeout(Duration::from_secs(20), child.wait_with_output())
        .await
        .expect("it ends");
    assert!(!output.unwrap().status.success());
    let url = format!("rtmp://{}/live/nobody", server.address);
    let output = run(ffmpeg(&format!("-i {url} -f null -"))).await;
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no such stream is live"));
}
