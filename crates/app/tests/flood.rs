//! Ten thousand sign-ins a minute, from a thousand addresses, against a thousand accounts: what is too much is refused before a password is
//! hashed, and everybody else goes on as if nothing were.

mod common;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::accounts::{PASSWORD, owner_token, request};
use common::{Answer, SOON, Server, exchange};
use serde_json::json;

/// Ten seconds of the flood.
const ATTEMPTS: usize = 1_667;
const EVERY: Duration = Duration::from_millis(6);
const ADDRESSES: usize = 1_000;
const ACCOUNTS: usize = 1_000;
/// Who tries at once: more than the server lets wait for a hash, so that nobody is late because others wait.
const ATTACKERS: usize = 128;
/// Passwords of strangers that are hashed, at once and in a second: as `docs/limits.md` says it.
const HASHES_BURST: u64 = 60;
const HASHES_PER_SECOND: u64 = 15;
/// How often the owner of an account that is attacked signs in meanwhile: fewer than a known browser may at once.
const RETURNS: usize = 8;
/// The time between two reads of somebody who looks on.
const LOOKS_EVERY: Duration = Duration::from_millis(20);

#[test]
fn a_flood_of_sign_ins_is_refused_before_it_costs_anything_and_nobody_else_feels_it() {
    let data = tempfile::tempdir().unwrap();
    let authorization = owner_token(data.path(), &[]);
    make_accounts(data.path());
    // A proxy on this machine says who asks, so that a thousand addresses can be had.
    let server = Server::start(data.path(), &[("HEADWATER_HTTP_TRUSTED_PROXIES", "127.0.0.1")]);
    let device = device(&sign_in(server.http, "203.0.113.9", &account(0), PASSWORD, ""));
    let hashed_before = hashes(&server);

    let began = Instant::now();
    let attackers = flood(server.http, began);
    let (mut looks, mut returns) = (0, 0);
    while attackers.iter().any(|attacker| !attacker.is_finished()) {
        let (read, _) = request(server.http, &authorization, "GET", "/api/v1/me", None);
        assert_eq!(read.status, 200, "{}", read.text());
        if looks % 50 == 10 && returns < RETURNS {
            let known = sign_in(server.http, "203.0.113.10", &account(0), PASSWORD, &device);
            assert_eq!(known.status, 200, "{}", known.text());
            returns += 1;
        }
        looks += 1;
        std::thread::sleep(LOOKS_EVERY);
    }
    let answers: Vec<Answer> = attackers
        .into_iter()
        .flat_map(|attacker| attacker.join().unwrap())
        .collect();
    let seconds = began.elapsed().as_secs() + 1;

    assert_eq!(answers.len(), ATTEMPTS);
    assert!(returns > 0, "the flood was over before its owner came");
    let refused = answers.iter().filter(|answer| answer.status == 429);
    for answer in refused.clone() {
        assert!(answer.header("retry-after").is_some(), "{}", answer.head);
    }
    let wrong = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(refused.count() + wrong, ATTEMPTS, "nothing but 401 and 429");
    assert!(
        wrong as u64 <= HASHES_BURST + HASHES_PER_SECOND * seconds,
        "{wrong} in {seconds} s"
    );
    // Every hash is accounted for: whoever got 429 caused none.
    assert_eq!(hashes(&server) - hashed_before, (wrong + returns) as u64);
}

/// A thousand accounts with the owner's password. Made by the API they would cost a thousand hashes.
fn make_accounts(data: &Path) {
    let script = format!(
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1])
db.execute(\"\"\"insert into users (id, email, email_key, email_verified_at, name, password_hash, locale, created_at, updated_at)
with recursive n(i) as (select 0 union all select i + 1 from n where i < {ACCOUNTS} - 1)
select printf('us%026d', i), 'person' || i || '@example.org', 'person' || i || '@example.org', 1, 'Person ' || i,
(select password_hash from users where email_key = 'owner@example.org'), 'en', 1, 1 from n\"\"\"); db.commit()"
    );
    let run = Command::new("python3")
        .args(["-c", &script])
        .arg(data.join("headwater.db"))
        .status();
    assert!(run.expect("python3 is installed").success());
}

fn account(number: usize) -> String {
    format!("person{}@example.org", number % ACCOUNTS)
}

/// Signs in from an address, as a proxy tells it, with what the browser has.
fn sign_in(port: u16, address: &str, email: &str, password: &str, cookie: &str) -> Answer {
    let body = json!({"email": email, "password": password}).to_string();
    let headers = format!(
        "X-Forwarded-For: {address}\r\nContent-Type: application/json\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\n"
    );
    exchange(port, "POST", "/api/v1/auth/sign-in", &headers, &body, SOON)
}

/// The cookie by which a browser is known that has signed in.
fn device(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookies = answer.head.lines().filter_map(|line| line.split_once(": "));
    let found = cookies
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .find_map(|(_, cookie)| cookie.starts_with("device=").then(|| cookie.split(';').next()));
    found.flatten().expect("a cookie for the browser").to_owned()
}

/// Everybody tries at the times of the flood; each returns what they were answered.
fn flood(port: u16, began: Instant) -> Vec<std::thread::JoinHandle<Vec<Answer>>> {
    let next = Arc::new(AtomicUsize::new(0));
    let attack = move |next: Arc<AtomicUsize>| {
        let mut answers = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= ATTEMPTS {
                return answers;
            }
            let due = began + EVERY * number as u32;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let address = format!("198.18.{}.{}", number % ADDRESSES / 250, number % ADDRESSES % 250);
            // Seven shares no factor with the number of accounts: each is met, and the second time from another address.
            let account = account(number * 7 + number / ADDRESSES);
            answers.push(sign_in(port, &address, &account, "not the password", ""));
        }
    };
    (0..ATTACKERS)
        .map(|_| {
            let next = Arc::clone(&next);
            std::thread::spawn(move || attack(next))
        })
        .collect()
}

/// How many passwords the server has hashed.
fn hashes(server: &Server) -> u64 {
    let page = server.get("/metrics").text();
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix("headwater_password_hashes_total{} "));
    line.and_then(|count| count.trim().parse().ok())
        .unwrap_or_else(|| panic!("{page}"))
}
