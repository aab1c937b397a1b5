//! The server outlives its database: what is on air stays there, and who is known returns.

mod common;

use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::accounts::{Database, owner_token, request, request_within};
use common::{Answer, Publisher, SOON, Server};
use serde_json::{Value, json};

/// How soon whoever asks while the database is away is answered. Not a measurement: twice what a waiting person is promised.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the database is away.
const OUTAGE: Duration = Duration::from_secs(20);

#[test]
fn live_video_and_known_publishers_outlive_a_database_that_cannot_be_reached() {
    let database = Database::postgres();
    let proxy = Proxy::to(&database.settings[0].1);
    let on_air = OnAir::start(&proxy.url);
    let before = on_air.playlist();

    proxy.cut(true);
    on_air.is_told_to_come_again();
    on_air.plays_on_after(&before);
    let returned = on_air.publisher_returns();

    proxy.cut(false);
    returned.recovers();
}

#[test]
fn live_video_and_known_publishers_outlive_a_database_that_is_stopped_for_a_while() {
    let postgres = Postgres::start();
    let on_air = OnAir::start(&postgres.url);
    let mut before = on_air.playlist();

    postgres.stop();
    let stopped = Instant::now();
    on_air.is_told_to_come_again();
    on_air.plays_on_after(&before);
    let returned = on_air.publisher_returns();
    while stopped.elapsed() < OUTAGE {
        returned.is_told_to_come_again();
        before = returned.plays_on_after(&before);
    }

    postgres.start_again();
    returned.recovers();
    returned.plays_on_after(&before);
}

/// A server whose database may go away, and a broadcast that viewers watch.
struct OnAir {
    server: Server,
    authorization: String,
    ingest: String,
    /// The path of the video's media playlist.
    media: String,
    publisher: Option<Publisher>,
    _data: tempfile::TempDir,
}

impl OnAir {
    fn start(database: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let settings = [("HEADWATER_DATABASE_URL", database), ("HEADWATER_PUBLISH_OPEN", "off")];
        let authorization = owner_token(data.path(), &settings);
        let mut on_air = Self {
            server: Server::start(data.path(), &settings),
            authorization,
            ingest: String::new(),
            media: String::new(),
            publisher: None,
            _data: data,
        };
        let (_, channel) = on_air.ask(
            "POST",
            "/api/v1/channels",
            Some(&json!({"handle": "harbour", "title": "Harbour"})),
        );
        let stream = channel["stream_id"].as_str().unwrap_or_else(|| panic!("{channel}"));
        let (_, key) = on_air.ask(
            "POST",
            &format!("/api/v1/streams/{stream}/keys"),
            Some(&json!({"name": "obs"})),
        );
        let secret = key["secret"].as_str().unwrap_or_else(|| panic!("{key}"));
        on_air.ingest = on_air.server.publish_url(secret);
        on_air.publisher = Some(Publisher::plain(&on_air.ingest));
        on_air.media = on_air.server.media_path("harbour", "video");
        on_air
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (Answer, Value) {
        request(self.server.http, &self.authorization, method, path, body)
    }

    fn playlist(&self) -> String {
        let has_segments = |answer: &Answer| answer.status == 200 && answer.text().contains("#EXTINF");
        self.server.get_until(&self.media, has_segments).text()
    }

    /// Whoever asks for what stands in the database hears when to ask again.
    fn is_told_to_come_again(&self) {
        let (port, path) = (self.server.http, "/api/v1/streams");
        let (answer, problem) = request_within(port, &self.authorization, "GET", path, None, PATIENCE);
        assert_eq!(
            (answer.status, &problem["code"]),
            (503, &json!("unavailable")),
            "{problem}"
        );
        assert!(answer.header("retry-after").is_some());
    }

    /// Viewers get more than they had before; returns what they have then.
    fn plays_on_after(&self, before: &str) -> String {
        let moves_on = |answer: &Answer| answer.status == 200 && answer.text() != before;
        self.server.get_until(&self.media, moves_on);
        self.playlist()
    }

    /// The publisher leaves and comes back with the key that the server has seen before.
    fn publisher_returns(mut self) -> Self {
        drop(self.publisher.take());
        self.publisher = Some(Publisher::plain(&self.ingest));
        self.server
            .get_until(&self.media, |answer| answer.text().contains("#EXT-X-DISCONTINUITY\n"));
        self
    }

    /// The API answers as before, and keeps what it is told.
    fn recovers(&self) {
        let began = Instant::now();
        while self.ask("GET", "/api/v1/streams", None).0.status != 200 {
            assert!(began.elapsed() < SOON, "it does not recover");
            std::thread::sleep(Duration::from_millis(100));
        }
        let (made, stream) = self.ask("POST", "/api/v1/streams", Some(&json!({"title": "afterwards"})));
        assert_eq!(made.status, 201, "{stream}");
    }
}

/// A PostgreSQL of this test alone, removed when dropped.
struct Postgres {
    url: String,
}

impl Postgres {
    /// Starts it empty, whatever an earlier run may have left.
    fn start() -> Self {
        script("remove");
        Self { url: script("url") }
    }

    fn stop(&self) {
        script("stop");
    }

    fn start_again(&self) {
        assert_eq!(script("url"), self.url, "it comes back where it was");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        script("remove");
    }
}

/// Runs the script that keeps the tests' PostgreSQL, for the one of this test.
fn script(verb: &str) -> String {
    let run = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres.sh"))
        .args([verb, "outage"])
        .output()
        .expect("the script is there");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8_lossy(&run.stdout).trim().to_owned()
}

/// Stands between the server and its database, and can be cut.
struct Proxy {
    url: String,
    cut: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn to(url: &str) -> Self {
        let (head, rest) = url.split_once("://").unwrap();
        let authority = rest.split('/').next().unwrap();
        let (user, address) = authority
            .rsplit_once('@')
            .map_or(("", authority), |(user, address)| (user, address));
        let target = address.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap();
        let at = if user.is_empty() {
            String::new()
        } else {
            format!("{user}@")
        };
        let proxy = Self {
            url: format!("{head}://{at}{own}{}", &rest[authority.len()..]),
            cut: Arc::default(),
            streams: Arc::default(),
        };
        let (cut, streams) = (Arc::clone(&proxy.cut), Arc::clone(&proxy.streams));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if cut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&target) else {
                    continue;
                };
                streams
                    .lock()
                    .unwrap()
                    .extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                for (from, to) in [(client.try_clone(), server.try_clone()), (Ok(server), Ok(client))] {
                    let (mut from, mut to) = (from.unwrap(), to.unwrap());
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(std::net::Shutdown::Both);
                    });
                }
            }
        });
        proxy
    }

    /// Ends every connection and takes no more, or takes them again.
    fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
        if cut {
            for stream in self.streams.lock().unwrap().drain(..) {
                let _ = stream.shutdown(std::net::Shutdown::Both);
            }
        }
    }
}
