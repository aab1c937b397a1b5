//! The commands as a person types them.

use std::process::{Command, Output};

fn headwater(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(arguments)
        .output()
        .expect("the binary was built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn bad_usage_is_2_and_a_failure_is_1() {
    assert_eq!(headwater(&["serv"]).status.code(), Some(2));
    let failed = headwater(&["config", "check", "--config", "/nowhere.toml"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stderr).contains("cannot read /nowhere.toml"));
}

#[test]
fn a_mistyped_key_is_named_with_the_right_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.toml");
    std::fs::write(&file, "[live]\nwindows = '10 s'\n").unwrap();
    let checked = headwater(&["config", "check", "--config", file.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(text(&checked.stderr).contains("live.windows is no key: did you mean live.window?"));
}

#[test]
fn a_port_that_is_taken_says_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let failed = headwater(&["serve", "--http", &address, "--rtmp", "127.0.0.1:0", "--data", data]);
    assert_eq!(failed.status.code(), Some(1));
    let said = text(&failed.stderr);
    assert!(
        said.contains(&format!("cannot listen on {address}")) && said.contains("set http.listen"),
        "{said}"
    );

    let doctor = headwater(&["doctor", "--http", &address, "--rtmp", "127.0.0.1:0", "--data", data]);
    assert_eq!(doctor.status.code(), Some(1));
    assert!(text(&doctor.stdout).contains(&format!("BAD   {address} cannot be used")));
}

#[test]
fn the_doctor_finds_nothing_wrong_here() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let doctor = headwater(&[
        "doctor",
        "--http",
        "127.0.0.1:0",
        "--rtmp",
        "127.0.0.1:0",
        "--data",
        data,
    ]);
    assert!(doctor.status.success(), "{}", text(&doctor.stdout));
}

#[test]
fn the_manual_of_every_key_is_the_page_in_the_docs() {
    let printed = headwater(&["config", "docs"]);
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    assert_eq!(
        text(&printed.stdout),
        std::fs::read_to_string(page).unwrap(),
        "run: headwater config docs > docs/configuration.md"
    );
}
