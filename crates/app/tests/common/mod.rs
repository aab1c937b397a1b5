//! The real binary, real publishers and a small HTTP client.

#![expect(dead_code, reason = "each test binary uses a part of it")]

pub mod pebble;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub mod accounts;

/// How long anything may take that should happen soon. Nothing waits for it to pass.
pub const SOON: Duration = Duration::from_secs(30);

/// A running server, killed when dropped.
pub struct Server {
    pub child: Child,
    pub http: u16,
    pub https: u16,
    pub rtmp: u16,
}

impl Server {
    /// Starts `headwater serve` on free ports, open to publishers of this machine, with more settings as variables.
    pub fn start(data: &Path, settings: &[(&str, &str)]) -> Self {
        Self::run("serve", data, settings)
    }

    /// Starts a command that serves.
    pub fn run(command: &str, data: &Path, settings: &[(&str, &str)]) -> Self {
        Self::run_at("127.0.0.1:0", command, data, settings)
    }

    /// Starts a command that serves HTTP at an address.
    pub fn run_at(http: &str, command: &str, data: &Path, settings: &[(&str, &str)]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args([command, "--http", http, "--rtmp", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("HEADWATER_PUBLISH_OPEN", "loopback")
            .env("HEADWATER_TRANSCODE_LADDER", "off")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary was built");
        let mut server = Self {
            http: 0,
            https: 0,
            rtmp: 0,
            child,
        };
        server.read_ports();
        server
    }

    fn read_ports(&mut self) {
        let lines = BufReader::new(self.child.stdout.take().expect("it is piped")).lines();
        for line in lines.map_while(Result::ok) {
            if let Some(rest) = line.split("http://localhost:").nth(1) {
                self.http = port(rest);
            }
            if let Some(rest) = line.split("https://localhost:").nth(1) {
                self.https = port(rest);
            }
            if line.trim_start().starts_with("publish") {
                self.rtmp = port(line.split("rtmp://localhost:").nth(1).expect("it takes rtmp"));
                return;
            }
        }
        panic!("the server did not start");
    }

    /// The address that a publisher sends `name` to.
    pub fn publish_url(&self, name: &str) -> String {
        format!("rtmp://127.0.0.1:{}/stream/{name}", self.rtmp)
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.http)
    }

    /// Asks for a path.
    pub fn get(&self, path: &str) -> Answer {
        get(self.http, path)
    }

    /// Asks until the answer pleases.
    pub fn get_until(&self, path: &str, pleases: impl Fn(&Answer) -> bool) -> Answer {
        let began = Instant::now();
        loop {
            let answer = self.get(path);
            if pleases(&answer) {
                return answer;
            }
            assert!(began.elapsed() < SOON, "{path}: {} {}", answer.status, answer.text());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The media playlist of a track, by the path in the multivariant playlist.
    pub fn media_path(&self, name: &str, track: &str) -> String {
        let multivariant = self
            .get_until(&format!("/live/{name}.m3u8"), |answer| answer.status == 200)
            .text();
        let found = multivariant
            .split(['"', '\n'])
            .find(|word| word.ends_with(&format!("{track}.m3u8")));
        format!(
            "/live/{}",
            found.unwrap_or_else(|| panic!("no {track} in {multivariant}"))
        )
    }

    /// Tells it to stop and waits; returns its exit status.
    pub fn terminate(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .expect("kill is there")
                .success()
        );
        self.child.wait().expect("it ends").code()
    }

    /// Kills it as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn port(text: &str) -> u16 {
    text.chars()
        .take_while(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .expect("a port")
}

/// An HTTP answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let fits = |line: &&str| line.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name));
        self.head
            .lines()
            .find(fits)
            .and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim())
    }
}

/// Asks a server of this machine for a path, by HTTP/1.0: the body ends with the connection.
pub fn get(port: u16, path: &str) -> Answer {
    exchange(port, "GET", path, "", "", SOON)
}

/// Sends a request with these header lines, each with its CRLF, and gives every piece of the answer so much time.
pub fn exchange(port: u16, method: &str, path: &str, headers: &str, body: &str, within: Duration) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(within)).expect("a timeout");
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n");
    stream.write_all((head + body).as_bytes()).expect("it reads");
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("it answers");
    answer(&all)
}

/// Takes an answer apart.
pub fn answer(all: &[u8]) -> Answer {
    let split = all.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&all[..split]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a status");
    Answer {
        status,
        head,
        body: all[split + 4..].to_vec(),
    }
}

/// A publishing ffmpeg, killed when dropped.
pub struct Publisher(pub Child);

impl Publisher {
    /// Publishes a moving test pattern with these encoder arguments.
    pub fn start(url: &str, arguments: &str) -> Self {
        let line = format!("-hide_banner -loglevel error -re {arguments} -f flv {url}");
        let child = Command::new("ffmpeg")
            .args(line.split_whitespace())
            .stdin(Stdio::null())
            .spawn();
        Self(child.expect("ffmpeg is installed"))
    }

    /// The plain line of the README: video only, x264's default key-frame interval unless told otherwise.
    pub fn plain(url: &str) -> Self {
        Self::start(
            url,
            "-f lavfi -i testsrc2=size=640x360:rate=30 -c:v libx264 -preset ultrafast -tune zerolatency -g 30",
        )
    }

    /// Picture and tone.
    pub fn with_sound(url: &str) -> Self {
        Self::start(
            url,
            "-f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=sample_rate=48000 \
             -c:v libx264 -preset ultrafast -tune zerolatency -g 30 -c:a aac",
        )
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program to its end and returns what it printed.
pub fn output(program: &str, arguments: &str) -> String {
    let run = Command::new(program)
        .args(arguments.split_whitespace())
        .stdin(Stdio::null())
        .output();
    let run = run.unwrap_or_else(|error| panic!("{program}: {error}"));
    let (out, err) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    assert!(run.status.success(), "{program} {arguments}\n{out}{err}");
    out.into_owned()
}

/// The number behind a playlist's tag.
pub fn tag(playlist: &str, name: &str) -> Option<f64> {
    let line = playlist
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split(',').next()?.parse().ok()
}

/// Makes a certificate for `localhost` that vouches for itself; returns its path and its key's.
pub fn certificate(dir: &Path, name: &str) -> (String, String) {
    let path = |kind: &str| dir.join(format!("{name}-{kind}.pem")).display().to_string();
    let (cert, key) = (path("cert"), path("key"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a fine name");
    std::fs::write(&cert, made.cert.pem()).expect("the folder can be written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("the folder can be written");
    (cert, key)
}
