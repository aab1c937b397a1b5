//! A server with an owner, and a client of its API.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::{Answer, SOON};

/// A database that nobody else uses, as settings of the server.
pub struct Database {
    /// For `headwater`: the variable and its value.
    pub settings: Vec<(&'static str, String)>,
    /// `SQLite` or `PostgreSQL`.
    pub engine: &'static str,
}

impl Database {
    /// One of each engine.
    pub fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }

    /// The file in the data folder.
    pub fn sqlite() -> Self {
        Self {
            settings: Vec::new(),
            engine: "SQLite",
        }
    }

    /// A database of its own in the tests' server.
    pub fn postgres() -> Self {
        let server = postgres_server();
        let name = format!("app_{}", platform::id::random_text());
        psql(&server, &format!("create database {name}"));
        Self {
            settings: vec![("HEADWATER_DATABASE_URL", with_database(&server, &name))],
            engine: "PostgreSQL",
        }
    }

    /// The settings with more of them, as the server takes them.
    pub fn with<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let own = self.settings.iter().map(|(name, value)| (*name, value.as_str()));
        own.chain(more.iter().copied()).collect()
    }
}

/// The address of the tests' PostgreSQL.
pub fn postgres_server() -> String {
    std::env::var("TEST_POSTGRES").unwrap_or_else(|_| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres.sh");
        super::output(script, "url").trim().to_owned()
    })
}

fn with_database(server: &str, name: &str) -> String {
    let (address, query) = server
        .split_once('?')
        .map_or((server, None), |(address, query)| (address, Some(query)));
    let (host, _) = address.rsplit_once('/').expect("a path");
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{host}/{name}{query}")
}

/// Runs a statement.
pub fn psql(url: &str, sql: &str) {
    let run = Command::new("psql")
        .args(["-q", "-v", "ON_ERROR_STOP=1", url, "-c", sql])
        .output();
    let run = run.expect("psql is installed");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// Runs a `headwater` command on a data folder; returns what it printed.
pub fn headwater(data: &Path, settings: &[(&str, &str)], arguments: &[&str], input: &str) -> String {
    let (status, out, err) = try_headwater(data, settings, arguments, input);
    assert!(status, "headwater {arguments:?}\n{out}{err}");
    out
}

/// The same, where it may fail: whether it went well, its output and its errors.
pub fn try_headwater(
    data: &Path,
    settings: &[(&str, &str)],
    arguments: &[&str],
    input: &str,
) -> (bool, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(arguments)
        .arg("--data")
        .arg(data)
        .envs(settings.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    child
        .stdin
        .take()
        .expect("it is piped")
        .write_all(input.as_bytes())
        .expect("it reads");
    let run = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (run.status.success(), text(&run.stdout), text(&run.stderr))
}

/// The password of every account that tests make.
pub const PASSWORD: &str = "correct horse battery";

/// Makes an owner and a token of theirs for everything; returns what goes into `Authorization`.
pub fn owner_token(data: &Path, settings: &[(&str, &str)]) -> String {
    let create = [
        "user",
        "create",
        "--email",
        "owner@example.org",
        "--name",
        "Owner",
        "--role",
        "owner",
        "--password-stdin",
    ];
    headwater(data, settings, &create, PASSWORD);
    token(data, settings, "owner@example.org", "read,write,keys,admin")
}

/// Makes a token of somebody.
pub fn token(data: &Path, settings: &[(&str, &str)], email: &str, scopes: &str) -> String {
    let create = [
        "token", "create", "--user", email, "--name", "test", "--scope", scopes, "--json",
    ];
    let made: Value = serde_json::from_str(&headwater(data, settings, &create, "")).expect("it prints JSON");
    format!("Bearer {}", made["secret"].as_str().expect("a secret"))
}

/// A request of the API; the answer's body is JSON, or null.
pub fn request(port: u16, authorization: &str, method: &str, path: &str, body: Option<&Value>) -> (Answer, Value) {
    request_within(port, authorization, method, path, body, SOON)
}

/// The same with less patience.
pub fn request_within(
    port: u16,
    authorization: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
    within: Duration,
) -> (Answer, Value) {
    let body = body.map(Value::to_string).unwrap_or_default();
    let headers = format!("Authorization: {authorization}\r\nContent-Type: application/json\r\n");
    let answer = super::exchange(port, method, path, &headers, &body, within);
    let value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    (answer, value)
}
