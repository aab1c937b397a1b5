//! How many viewers a channel has: distinct ones that asked for a playlist lately.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{LazyLock, Mutex, PoisonError};

use http::{HeaderMap, header};
use tokio::time::Instant;

/// More are not told apart.
const VIEWERS_MAX: usize = 1_000_000;

#[derive(Default)]
pub(super) struct Viewers(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    /// Until when each counts.
    until: HashMap<u64, Instant>,
    /// Those who left are looked for when there are so many.
    sweep_at: usize,
}

impl Viewers {
    /// Takes note of a viewer, who counts until then.
    pub(super) fn seen(&self, viewer: u64, until: Instant) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.until.len() >= seen.sweep_at.max(64) {
            seen.sweep(Instant::now());
            seen.sweep_at = 2 * seen.until.len();
        }
        if seen.until.len() < VIEWERS_MAX || seen.until.contains_key(&viewer) {
            seen.until.insert(viewer, until);
        }
    }

    pub(super) fn count(&self, now: Instant) -> usize {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.sweep(now);
        seen.until.len()
    }
}

impl Seen {
    fn sweep(&mut self, now: Instant) {
        self.until.retain(|_, until| *until > now);
    }
}

/// Who asks: the session that the player names (CTA-5004 CMCD), otherwise its address and agent.
pub(super) fn identity(peer: Option<IpAddr>, headers: &HeaderMap, query: &str) -> u64 {
    static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let of_header = headers
        .get("cmcd-session")
        .and_then(|value| session(value.to_str().ok()?));
    if let Some(session) = of_header.or_else(|| session_of_query(query)) {
        return HASHER.hash_one(("session", session));
    }
    HASHER.hash_one((peer, headers.get(header::USER_AGENT).map(|agent| agent.as_bytes())))
}

fn session_of_query(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("CMCD="))?;
    session(&percent_decoded(value))
}

/// The value of `sid` in CMCD's list of keys and values.
fn session(list: &str) -> Option<String> {
    let value = list.split(',').find_map(|pair| pair.trim().strip_prefix("sid="))?;
    let value = value.trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn agent(name: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::USER_AGENT, name.parse().expect("a value"))])
    }

    #[tokio::test(start_paused = true)]
    async fn a_viewer_counts_for_a_while() {
        let viewers = Viewers::default();
        let until = Instant::now() + Duration::from_secs(4);
        for viewer in [1, 1, 2] {
            viewers.seen(viewer, until);
        }
        assert_eq!(viewers.count(Instant::now()), 2);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(viewers.count(Instant::now()), 0);
    }

    #[test]
    fn a_session_id_tells_viewers_apart_wherever_it_stands() {
        let peer = Some("127.0.0.1".parse().expect("an address"));
        let query = |sid: &str| format!("_HLS_msn=1&CMCD=bl%3D2000%2Csid%3D%22{sid}%22");
        let mut by_header = agent("player");
        by_header.insert("cmcd-session", "cid=\"x\",sid=\"one\"".parse().expect("a value"));
        let one = identity(peer, &agent("player"), &query("one"));
        assert_eq!(one, identity(None, &by_header, ""));
        assert_ne!(one, identity(peer, &agent("player"), &query("two")));
    }

    #[test]
    fn otherwise_address_and_agent_do() {
        let [a, b] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().ok());
        assert_eq!(identity(a, &agent("x"), "_HLS_msn=1"), identity(a, &agent("x"), ""));
        assert_ne!(identity(a, &agent("x"), ""), identity(b, &agent("x"), ""));
        assert_ne!(identity(a, &agent("x"), ""), identity(a, &agent("y"), ""));
    }

    #[test]
    fn broken_percent_signs_are_taken_as_they_are() {
        assert_eq!(percent_decoded("a%2Cb%2"), "a,b%2");
        assert_eq!(percent_decoded("%%41%"), "%A%");
    }
}
