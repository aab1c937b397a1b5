//! Counts viewers over HTTP, who have no connection that lasts.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Viewers that are remembered at most for one broadcast: more are counted, no longer told apart.
const REMEMBERED_MAX: usize = 200_000;

/// The viewers of one broadcast.
///
/// A viewer is an address and a user agent, or the session id that its player sends by CMCD (CTA-5004, `sid`). It counts
/// for as long as its last playlist request is less than two target durations old.
#[derive(Debug)]
pub struct Viewers {
    keys: RandomState,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    last: HashMap<u64, Instant>,
    swept: Option<Instant>,
}

impl Default for Viewers {
    fn default() -> Self {
        Self { keys: RandomState::new(), seen: Mutex::default() }
    }
}

impl Viewers {
    /// Takes note of a playlist request.
    pub fn request(&self, address: IpAddr, agent: &[u8], session: Option<&str>, target: Duration) {
        let viewer = match session {
            Some(session) => self.keys.hash_one(session),
            None => self.keys.hash_one((address.to_canonical(), agent)),
        };
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.last.len() < REMEMBERED_MAX || seen.last.contains_key(&viewer) {
            seen.last.insert(viewer, now);
        }
        if seen.swept.is_none_or(|swept| now - swept > target) {
            seen.sweep(now, target);
        }
    }

    /// How many there are now.
    pub fn count(&self, target: Duration) -> usize {
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.sweep(now, target);
        seen.last.len()
    }
}

impl Seen {
    fn sweep(&mut self, now: Instant, target: Duration) {
        self.swept = Some(now);
        self.last.retain(|_, last| now - *last < 2 * target);
    }
}

/// The session id in a request's CMCD data: the `CMCD-Session` header, or the `CMCD` query parameter.
pub fn session<'a>(header: Option<&'a str>, query: Option<&'a str>) -> Option<std::borrow::Cow<'a, str>> {
    let from_header = header.and_then(|data| sid(data)).map(Into::into);
    from_header.or_else(|| {
        let value = query?.split('&').find_map(|pair| pair.strip_prefix("CMCD="))?;
        // Only quotes and commas are escaped around a session id.
        let data = value.replace("%22", "\"").replace("%2C", ",").replace("%2c", ",").replace("%3D", "=").replace("%3d", "=");
        sid(&data).map(|session| session.to_owned().into())
    })
}

fn sid(data: &str) -> Option<&str> {
    let value = data.split(',').find_map(|pair| pair.trim().strip_prefix("sid="))?;
    let session = value.trim_matches('"');
    // CTA-5004 allows 64 characters.
    (1..=64).contains(&session.len()).then_some(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_secs(2);

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn requests_of_one_player_count_once() {
        let viewers = Viewers::default();
        for _ in 0..10 {
            viewers.request(address(1), b"hls.js", None, TARGET);
        }
        viewers.request(address(1), b"VLC", None, TARGET);
        viewers.request(address(2), b"hls.js", None, TARGET);
        assert_eq!(viewers.count(TARGET), 3);
    }

    #[test]
    fn a_session_id_tells_viewers_of_one_address_apart() {
        let viewers = Viewers::default();
        for session in ["a", "b", "a"] {
            viewers.request(address(1), b"hls.js", Some(session), TARGET);
        }
        assert_eq!(viewers.count(TARGET), 2);
    }

    #[test]
    fn who_asks_no_more_is_gone() {
        let viewers = Viewers::default();
        viewers.request(address(1), b"hls.js", None, TARGET);
        assert_eq!(viewers.count(Duration::ZERO), 0);
    }

    #[test]
    fn the_session_id_is_found_in_header_and_query() {
        let found = |header, query| session(header, query).map(|session| session.into_owned());
        assert_eq!(found(Some(r#"cid="x",sid="6e2fb550""#), None).as_deref(), Some("6e2fb550"));
        assert_eq!(found(None, Some("a=1&CMCD=bl%3D1%2Csid%3D%226e2fb550%22")).as_deref(), Some("6e2fb550"));
        assert_eq!(found(Some("bl=100"), Some("a=1")), None);
        assert_eq!(found(Some(&format!("sid=\"{}\"", "x".repeat(65))), None), None);
    }
}
