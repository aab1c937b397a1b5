//! A channel goes live with its key, the key is rotated, and the channel becomes private: the real binary, a real ffmpeg.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::accounts::{Database, PASSWORD, owner_token, request};
use common::{SOON, Server, output};
use serde_json::{Value, json};

/// A channel of the owner's, on a running server.
struct Studio<'a> {
    server: &'a Server,
    token: &'a str,
    channel: Value,
}

impl<'a> Studio<'a> {
    fn open(server: &'a Server, token: &'a str) -> Self {
        let body = json!({ "handle": "ada", "title": "Ada live" });
        let (answer, channel) = request(server.http, token, "POST", "/api/v1/channels", Some(&body));
        assert_eq!(answer.status, 201, "{}", answer.text());
        Self { server, token, channel }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (answer, value) = request(self.server.http, self.token, method, path, Some(body));
        assert!(
            (200..300).contains(&answer.status),
            "{method} {path}: {}",
            answer.text()
        );
        value
    }

    fn stream(&self, rest: &str) -> String {
        format!(
            "/api/v1/streams/{}{rest}",
            self.channel["stream_id"].as_str().expect("a stream")
        )
    }

    /// The id of the stream's key, and the key.
    fn key(&self) -> (String, String) {
        let keys = self.ask("GET", &self.stream("/keys"), &Value::Null);
        let id = keys["items"][0]["id"].as_str().expect("a key").to_owned();
        let shown = self.ask("POST", &self.stream(&format!("/keys/{id}/reveal")), &json!({}));
        (id, shown["secret"].as_str().expect("the key itself").to_owned())
    }

    /// Asks for the stream's status until it pleases.
    fn status_until(&self, pleases: impl Fn(&Value) -> bool) -> Value {
        let began = std::time::Instant::now();
        loop {
            let status = self.ask("GET", &self.stream("/status"), &Value::Null);
            if pleases(&status) {
                return status;
            }
            assert!(began.elapsed() < SOON, "{status}");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
}

/// A publishing ffmpeg whose words are kept.
fn push(server: &Server, key: &str) -> Child {
    let url = server.publish_url(key);
    let line = format!(
        "-hide_banner -loglevel verbose -re -f lavfi -i testsrc2=size=320x180:rate=30 \
         -c:v libx264 -preset ultrafast -tune zerolatency -g 30 -f flv {url}"
    );
    let child = Command::new("ffmpeg")
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    child.expect("ffmpeg is installed")
}

/// What ffmpeg said until it ended; it must not have ended well.
fn last_words(ffmpeg: Child) -> String {
    let output = ffmpeg.wait_with_output().expect("it ends");
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The cookie of a sign-in with the password.
fn sign_in(port: u16) -> String {
    let body = json!({ "email": "owner@example.org", "password": PASSWORD }).to_string();
    let head = format!(
        "POST /api/v1/auth/sign-in HTTP/1.0\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = exchange(port, &(head + &body));
    let cookie = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("set-cookie")
            .then(|| value.split(';').next())?
    });
    cookie.unwrap_or_else(|| panic!("no cookie in {answer}")).to_owned()
}

/// Status and head of an answer for somebody with a cookie.
fn get_as(port: u16, path: &str, cookie: &str) -> String {
    exchange(
        port,
        &format!("GET {path} HTTP/1.0\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"),
    )
}

fn exchange(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(SOON)).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

fn start(data: &Path, database: &Database) -> (Server, String) {
    let settings = database.with(&[("HEADWATER_PUBLISH_OPEN", "off")]);
    let token = owner_token(data, &settings);
    (Server::start(data, &settings), token)
}

#[test]
fn a_key_that_is_rotated_ends_the_push_and_ffmpeg_is_told_why() {
    for database in Database::both() {
        let data = tempfile::tempdir().unwrap();
        let (server, token) = start(data.path(), &database);
        let studio = Studio::open(&server, &token);
        let (id, old) = studio.key();
        let first = push(&server, &old);
        studio.status_until(|status| status["state"] == "live");
        server.get_until("/live/ada.m3u8", |answer| answer.status == 200);
        assert!(!server.get("/api/v1/live/ada").text().contains(&old));

        let rotated = studio.ask("POST", &studio.stream(&format!("/keys/{id}/rotate")), &json!({}));
        let words = last_words(first);
        assert!(
            words.contains("the stream key was rotated"),
            "{}: {words}",
            database.engine
        );
        let refused = last_words(push(&server, &old));
        assert!(
            refused.contains("the stream key was rotated"),
            "{}: {refused}",
            database.engine
        );
        let status = studio.status_until(|status| !status["last_refusal"].is_null());
        assert_eq!(
            status["last_refusal"]["reason"],
            "the stream key was rotated: use the new one"
        );

        let second = push(&server, rotated["secret"].as_str().expect("the new key"));
        studio.status_until(|status| status["state"] == "live" && status["last_refusal"].is_null());
        studio.ask("POST", &studio.stream("/stop"), &json!({}));
        studio.status_until(|status| status["state"] == "idle");
        assert!(last_words(second).contains("the stream was stopped in the studio"));
        let told = studio.ask("GET", &studio.stream("/events"), &Value::Null).to_string();
        for kind in ["connected", "active", "lost", "refused", "reconnected", "ended"] {
            assert!(told.contains(&format!("\"kind\":\"{kind}\"")), "{kind} in {told}");
        }
    }
}

#[test]
fn a_private_channel_plays_for_its_people_and_is_absent_for_others() {
    for database in Database::both() {
        let data = tempfile::tempdir().unwrap();
        let (mut server, token) = start(data.path(), &database);
        let (key, cookie) = {
            let studio = Studio::open(&server, &token);
            let (_, key) = studio.key();
            let channel = format!("/api/v1/channels/{}", studio.channel["id"].as_str().expect("an id"));
            let private = json!({ "visibility": "private", "confirm_rotation": true });
            studio.ask("PATCH", &channel, &private);
            (key, sign_in(server.http))
        };
        let mut publisher = push(&server, &key);
        let began = std::time::Instant::now();
        while !get_as(server.http, "/live/ada.m3u8", &cookie).contains(" 200 ") {
            assert!(
                began.elapsed() < SOON,
                "{}",
                get_as(server.http, "/live/ada.m3u8", &cookie)
            );
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let mine = get_as(server.http, "/live/ada.m3u8", &cookie).to_ascii_lowercase();
        assert!(mine.contains("cache-control: private, no-store"), "{mine}");
        for path in [
            "/live/ada.m3u8",
            "/live/ada.mpd",
            "/live/ada/still.mp4",
            "/api/v1/live/ada",
        ] {
            assert_eq!(server.get(path).status, 404, "{path}");
        }
        assert!(!server.get("/api/v1/live").text().contains("ada"));
        let address = server.url("/live/ada.m3u8");
        let read = format!("-v error -headers Cookie:{cookie}\r\n -t 3 -i {address} -map 0:v -c copy -f framecrc -");
        let frames = output("ffmpeg", &read)
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count();
        assert!((60..=100).contains(&frames), "{frames} frames in 3 s");

        // A restart changes nothing of it.
        assert_eq!(server.terminate(), Some(0));
        let _ = publisher.kill();
        let _ = publisher.wait();
        let settings = database.with(&[("HEADWATER_PUBLISH_OPEN", "off")]);
        let server = Server::start(data.path(), &settings);
        assert_eq!(server.get("/live/ada.m3u8").status, 404);
        let mut publisher = push(&server, &key);
        let began = std::time::Instant::now();
        while !get_as(server.http, "/live/ada.m3u8", &cookie).contains(" 200 ") {
            assert!(began.elapsed() < SOON, "it is not back");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        assert_eq!(server.get("/live/ada.m3u8").status, 404);
        let _ = publisher.kill();
        let _ = publisher.wait();
    }
}
