//! What was acknowledged is there after a crash.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::accounts::{Database, PASSWORD, headwater, owner_token, request, token};
use common::{SOON, Server};
use serde_json::{Value, json};

/// Writers side by side.
const WRITERS: usize = 8;
/// Acknowledged writes after which the server is killed: at the rate of this many clients a second or two.
const KILLED_AFTER: usize = 300;

#[test]
fn nothing_that_was_acknowledged_is_missing_after_a_kill() {
    for database in Database::both() {
        let data = tempfile::tempdir().unwrap();
        let settings = database.with(&[]);
        let authorization = owner_token(data.path(), &settings);
        // One person asks at most so often: each writer is somebody else.
        let tokens: Vec<_> = (0..WRITERS)
            .map(|number| creator(data.path(), &settings, number))
            .collect();
        let mut server = Server::start(data.path(), &settings);
        request(
            server.http,
            &authorization,
            "PATCH",
            "/api/v1/admin/settings",
            Some(&json!({"quotas":
            {"channels": 100, "streams": 100_000, "keys_per_stream": 10, "broadcasts_at_once": 3}})),
        );
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let writers: Vec<_> = tokens
            .iter()
            .cloned()
            .map(|authorization| {
                let (acknowledged, port) = (Arc::clone(&acknowledged), server.http);
                std::thread::spawn(move || write_until_killed(port, &authorization, &acknowledged))
            })
            .collect();
        let began = Instant::now();
        while acknowledged.lock().unwrap().len() < KILLED_AFTER {
            assert!(
                began.elapsed() < SOON,
                "too slow: {}",
                acknowledged.lock().unwrap().len()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        server.kill();
        for writer in writers {
            writer.join().unwrap();
        }
        let server = Server::start(data.path(), &settings);
        let acknowledged = acknowledged.lock().unwrap();
        for (id, authorization) in acknowledged.iter() {
            let (answer, _) = request(
                server.http,
                authorization,
                "GET",
                &format!("/api/v1/streams/{id}"),
                None,
            );
            assert_eq!(answer.status, 200, "{} lost {id}", database.engine);
        }
    }
}

/// Makes somebody who may have streams; returns what goes into `Authorization`.
fn creator(data: &Path, settings: &[(&str, &str)], number: usize) -> String {
    let (email, name) = (format!("w{number}@example.org"), format!("Writer {number}"));
    let create = [
        "user",
        "create",
        "--email",
        &email,
        "--name",
        &name,
        "--role",
        "creator",
        "--password-stdin",
    ];
    headwater(data, settings, &create, PASSWORD);
    token(data, settings, &email, "read,write")
}

/// Makes streams and notes the id of each that was acknowledged.
fn write_until_killed(port: u16, authorization: &str, acknowledged: &Mutex<Vec<(String, String)>>) {
    loop {
        let Some(answer) = try_post(port, authorization) else {
            return;
        };
        if let Some(id) = answer["id"].as_str() {
            acknowledged
                .lock()
                .unwrap()
                .push((id.to_owned(), authorization.to_owned()));
        }
    }
}

/// One creation; `None` once nobody answers.
fn try_post(port: u16, authorization: &str) -> Option<Value> {
    let body = json!({"title": "durable"}).to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let head = format!(
        "POST /api/v1/streams HTTP/1.0\r\nHost: localhost\r\nAuthorization: {authorization}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).ok()?;
    let mut all = Vec::new();
    stream.read_to_end(&mut all).ok()?;
    let split = all.windows(4).position(|window| window == b"\r\n\r\n")?;
    serde_json::from_slice(&all[split + 4..]).ok()
}

#[test]
fn sqlite_is_on_the_disk_before_the_answer() {
    let data = tempfile::tempdir().unwrap();
    let authorization = owner_token(data.path(), &[]);
    let server = Server::start(data.path(), &[]);
    let trace = data.path().join("trace");
    let mut strace = Command::new("strace")
        .args([
            "-f",
            "-e",
            "trace=fdatasync,fsync,write,writev,sendto,sendmsg",
            "-s",
            "16",
            "-o",
        ])
        .arg(&trace)
        .args(["-p", &server.child.id().to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace is installed");
    let mut told = [0; 64];
    // It says when it is attached.
    let _ = strace.stderr.take().expect("it is piped").read(&mut told).unwrap();
    let (answer, _) = request(
        server.http,
        &authorization,
        "POST",
        "/api/v1/streams",
        Some(&json!({"title": "traced"})),
    );
    assert_eq!(answer.status, 201, "{}", answer.text());
    Command::new("kill")
        .args(["-INT", &strace.id().to_string()])
        .status()
        .unwrap();
    strace.wait().unwrap();
    let trace = std::fs::read_to_string(trace).unwrap();
    let answered = trace
        .find("HTTP/1.0 201")
        .or_else(|| trace.find("HTTP/1.1 201"))
        .expect("the answer is in the trace");
    let synced = trace
        .find("fdatasync(")
        .or_else(|| trace.find("fsync("))
        .expect("it is written to the disk");
    assert!(synced < answered, "{trace}");
}
