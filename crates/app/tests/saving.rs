//! Backup, restore, copy and key rotation, as an operator does them.

mod common;

use std::path::Path;

use common::Server;
use common::accounts::{Database, headwater, owner_token, request, try_headwater};
use serde_json::{Value, json};

/// Makes a channel with its stream and key; returns the stream's id and the key's.
fn furnish(server: &Server, authorization: &str) -> (String, String) {
    let api =
        |method: &str, path: &str, body: Option<&Value>| request(server.http, authorization, method, path, body).1;
    let channel = api(
        "POST",
        "/api/v1/channels",
        Some(&json!({"handle": "harbour", "title": "Harbour"})),
    );
    let stream = channel["stream_id"]
        .as_str()
        .unwrap_or_else(|| panic!("{channel}"))
        .to_owned();
    let keys = api("GET", &format!("/api/v1/streams/{stream}/keys"), None);
    let key = keys["items"][0]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{keys}"))
        .to_owned();
    (stream, key)
}

fn revealed(server: &Server, authorization: &str, (stream, key): &(String, String)) -> Value {
    let path = format!("/api/v1/streams/{stream}/keys/{key}/reveal");
    request(server.http, authorization, "POST", &path, Some(&json!({}))).1["secret"].clone()
}

#[test]
fn a_backup_of_a_running_server_comes_back_on_another_machine() {
    let data = tempfile::tempdir().unwrap();
    let authorization = owner_token(data.path(), &[]);
    let server = Server::start(data.path(), &[]);
    let ids = furnish(&server, &authorization);
    let secret = revealed(&server, &authorization, &ids);
    assert!(secret.is_string());
    let (plain, whole) = (data.path().join("plain.hwb"), data.path().join("whole.hwb"));
    headwater(data.path(), &[], &["backup", text(&plain)], "");
    headwater(data.path(), &[], &["backup", text(&whole), "--with-key-ring"], "");
    let (again, _, why) = try_headwater(data.path(), &[], &["backup", text(&plain)], "");
    assert!(!again && why.contains("does not exist yet"), "{why}");

    for (file, revealed_again) in [(&whole, secret), (&plain, Value::Null)] {
        for database in Database::both() {
            let other = tempfile::tempdir().unwrap();
            let settings = database.with(&[]);
            let told = headwater(other.path(), &settings, &["restore", text(file)], "");
            assert_eq!(
                told.contains("lost without the key ring"),
                revealed_again.is_null(),
                "{told}"
            );
            let server = Server::start(other.path(), &settings);
            assert_eq!(
                revealed(&server, &authorization, &ids),
                revealed_again,
                "{}",
                database.engine
            );
            let (answer, channel) = request(server.http, &authorization, "GET", "/api/v1/channels/harbour", None);
            assert_eq!((answer.status, &channel["title"]), (200, &json!("Harbour")));
            let (refused, _, why) = try_headwater(other.path(), &settings, &["restore", text(file)], "");
            assert!(!refused && why.contains("--replace"), "{why}");
        }
    }
}

#[test]
fn a_server_moves_from_sqlite_to_postgresql() {
    let data = tempfile::tempdir().unwrap();
    let authorization = owner_token(data.path(), &[]);
    let ids = {
        let server = Server::start(data.path(), &[]);
        furnish(&server, &authorization)
    };
    let database = Database::postgres();
    let told = headwater(data.path(), &[], &["database", "copy", &database.settings[0].1], "");
    assert!(told.contains("from SQLite to PostgreSQL"), "{told}");
    let server = Server::start(data.path(), &database.with(&[]));
    assert!(revealed(&server, &authorization, &ids).is_string());
}

#[test]
fn the_key_ring_is_renewed_under_a_running_server() {
    let data = tempfile::tempdir().unwrap();
    let authorization = owner_token(data.path(), &[]);
    let server = Server::start(data.path(), &[]);
    let ids = furnish(&server, &authorization);
    let secret = revealed(&server, &authorization, &ids);
    let told = headwater(data.path(), &[], &["keyring", "rotate"], "");
    assert!(told.contains("key 2 seals from now on"), "{told}");
    let began = std::time::Instant::now();
    while revealed(&server, &authorization, &ids) != secret {
        assert!(began.elapsed() < common::SOON, "the server does not take the ring up");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    headwater(data.path(), &[], &["keyring", "retire"], "");
    drop(server);
    let server = Server::start(data.path(), &[]);
    assert_eq!(revealed(&server, &authorization, &ids), secret);
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}
