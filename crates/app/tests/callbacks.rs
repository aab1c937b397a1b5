//! A script that was written for nginx-rtmp decides who may publish and play.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use common::{Publisher, SOON, Server, output};

/// The script, and the calls that it gets.
struct Script {
    child: Child,
    port: String,
    calls: Receiver<String>,
}

impl Script {
    fn start() -> Self {
        let mut child = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/on_publish.py"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is installed");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped"))
            .lines()
            .map_while(Result::ok);
        let port = lines.next().expect("it prints its port");
        let (send, calls) = mpsc::channel();
        std::thread::spawn(move || lines.try_for_each(|line| send.send(line)));
        Self { child, port, calls }
    }

    fn next_call(&self) -> String {
        self.calls.recv_timeout(SOON).expect("it is called")
    }

    /// A server that asks this script.
    fn server(&self, data: &std::path::Path, more: &[(&str, &str)]) -> Server {
        let address = |path: &str| format!("http://127.0.0.1:{}/{path}", self.port);
        let (publish, play, end) = (address("publish"), address("play"), address("end"));
        let mut settings = vec![
            ("HEADWATER_PUBLISH_OPEN", "off"),
            ("HEADWATER_PUBLISH_CALLBACK_PUBLISH", &publish),
            ("HEADWATER_PUBLISH_CALLBACK_PLAY", &play),
            ("HEADWATER_PUBLISH_CALLBACK_END", &end),
            ("HEADWATER_PUBLISH_CALLBACK_FORM", "nginx-rtmp"),
            ("HEADWATER_OUTBOUND_ALLOW", "127.0.0.1"),
        ];
        settings.extend_from_slice(more);
        Server::start(data, &settings)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tries to publish; the server sends the publisher away.
fn is_sent_away(server: &Server, key: &str) {
    let mut publisher = Publisher::plain(&server.publish_url(key));
    let status = publisher.0.wait().expect("it ends");
    assert!(!status.success(), "{key} was let in");
}

#[test]
fn a_script_for_nginx_rtmp_allows_denies_and_renames() {
    let script = Script::start();
    let data = tempfile::tempdir().unwrap();
    let server = script.server(data.path(), &[]);

    let publisher = Publisher::plain(&server.publish_url("s3cret?token=t&name=other"));
    server.get_until("/live/ada.m3u8", |answer| answer.status == 200);
    assert_eq!(script.next_call(), "POST /publish publish s3cret stream 127.0.0.1 t");
    assert_eq!(server.get("/live/s3cret.m3u8").status, 404);

    let play = format!(
        "-v error -t 1 -i {} -map 0:v -c copy -f null -",
        server.publish_url("ada")
    );
    output("ffmpeg", &play);
    assert_eq!(script.next_call(), "POST /play play ada stream 127.0.0.1 -");
    assert_eq!(script.next_call(), "POST /end done ada stream 127.0.0.1 -");

    drop(publisher);
    assert_eq!(script.next_call(), "POST /end done s3cret stream 127.0.0.1 t");

    for key in ["wrong", "relay"] {
        is_sent_away(&server, key);
        assert_eq!(
            script.next_call(),
            format!("POST /publish publish {key} stream 127.0.0.1 -")
        );
    }
    let _welcome = Publisher::plain(&server.publish_url("welcome"));
    server.get_until("/live/welcome.m3u8", |answer| answer.status == 200);
}

#[test]
fn a_script_may_be_asked_by_get() {
    let script = Script::start();
    let data = tempfile::tempdir().unwrap();
    let server = script.server(data.path(), &[("HEADWATER_PUBLISH_CALLBACK_METHOD", "get")]);
    let _publisher = Publisher::plain(&server.publish_url("k3y"));
    server.get_until("/live/lin.m3u8", |answer| answer.status == 200);
    assert_eq!(script.next_call(), "GET /publish publish k3y stream 127.0.0.1 -");
}

#[test]
fn a_script_that_is_slow_or_dead_is_replaced_by_the_stated_fallback() {
    let mut script = Script::start();
    let data = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let soon = ("HEADWATER_PUBLISH_CALLBACK_TIMEOUT", "1 s");
    let denies = script.server(data[0].path(), &[soon]);
    let allows = script.server(
        data[1].path(),
        &[soon, ("HEADWATER_PUBLISH_CALLBACK_FALLBACK", "allow")],
    );

    is_sent_away(&denies, "slow");
    let _slow = Publisher::plain(&allows.publish_url("slow"));
    allows.get_until("/live/slow.m3u8", |answer| answer.status == 200);

    script.child.kill().expect("it runs");
    script.child.wait().expect("it ends");
    is_sent_away(&denies, "dead");
    let _dead = Publisher::plain(&allows.publish_url("dead"));
    allows.get_until("/live/dead.m3u8", |answer| answer.status == 200);
}
