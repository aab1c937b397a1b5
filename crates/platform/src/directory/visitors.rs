//! Who asks to watch what is for members: remembered for a moment, since each part of a stream is asked for.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use hub::directory::Credentials;
use tracing::debug;

use crate::actor::{Actor, Client};
use crate::api;
use crate::clock::Time;
use crate::error::Error;
use crate::id::Id;
use crate::platform::Platform;
use crate::secret::Digest;
use crate::store;

/// How long an answer holds.
const FRESH: Duration = Duration::from_secs(10);
/// While the database is away, who was let in lately may go on for so long.
const STALE: Duration = Duration::from_secs(300);
/// How soon the database is asked again for somebody while it is away.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// Visitors that are remembered.
const VISITORS_MAX: usize = 10_000;

/// Answers by the digest of what was shown.
#[derive(Debug, Default)]
pub(crate) struct Visitors(Mutex<HashMap<Digest, Seen>>);

#[derive(Clone, Debug)]
struct Seen {
    /// None for somebody who is not signed in, whatever they show.
    actor: Option<Arc<Actor>>,
    /// When the database said so.
    at: Time,
    /// Until when it is not asked again.
    until: Time,
}

impl Visitors {
    /// What is said of somebody is asked anew.
    pub(crate) fn forget(&self, user: &Id) {
        self.change(|seen| seen.retain(|_, seen| seen.actor.as_ref().is_none_or(|actor| actor.user != *user)));
    }

    /// The same of everybody.
    pub(crate) fn forget_all(&self) {
        self.change(HashMap::clear);
    }

    fn recall(&self, shown: &Digest) -> Option<Seen> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(shown).cloned()
    }

    fn keep(&self, shown: Digest, visitor: Seen, now: Time) {
        self.change(|seen| {
            if seen.len() >= VISITORS_MAX {
                seen.retain(|_, seen| now < seen.until);
            }
            if seen.len() >= VISITORS_MAX {
                seen.clear();
            }
            seen.insert(shown, visitor);
        });
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<Digest, Seen>)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The person who shows these; `None` for nobody known.
pub(super) async fn find(platform: &Platform, credentials: &Credentials) -> Option<Arc<Actor>> {
    let headers = headers(credentials);
    let shown = digest(&headers)?;
    let now = platform.clock.now();
    let before = platform.live.visitors.recall(&shown);
    if let Some(seen) = before.as_ref().filter(|seen| now < seen.until) {
        return seen.actor.clone();
    }
    let epoch = platform.live.changes();
    let seen = match api::who(platform, &headers, &nowhere(&headers)).await {
        Ok(actor) => Seen {
            actor: Some(Arc::new(actor)),
            at: now,
            until: now.plus(FRESH),
        },
        Err(Error::Store(store::Error::Unavailable(reason))) => {
            debug!(%reason, "a visitor is judged from memory");
            let known = before.filter(|seen| now.since(seen.at) < STALE)?;
            Seen {
                until: now.plus(AGAIN_AFTER),
                ..known
            }
        }
        Err(_) => Seen {
            actor: None,
            at: now,
            until: now.plus(FRESH),
        },
    };
    let actor = seen.actor.clone();
    // What changed while it was looked up may speak against it: then it holds for this request only.
    if platform.live.changes() == epoch {
        platform.live.visitors.keep(shown, seen, now);
    }
    actor
}

fn headers(credentials: &Credentials) -> HeaderMap {
    let value = |text: &String| HeaderValue::from_str(text).ok();
    let mut headers = HeaderMap::new();
    for cookie in credentials.cookies.iter().filter_map(value) {
        headers.append(header::COOKIE, cookie);
    }
    if let Some(authorization) = credentials.authorization.as_ref().and_then(value) {
        headers.insert(header::AUTHORIZATION, authorization);
    }
    headers
}

/// What tells visitors apart: the token, else the session.
fn digest(headers: &HeaderMap) -> Option<Digest> {
    if let Some(token) = headers.get(header::AUTHORIZATION) {
        return Some(Digest::of(&[b"token ", token.as_bytes()].concat()));
    }
    let cookie = api::session_cookie(headers, true).or_else(|| api::session_cookie(headers, false))?;
    Some(Digest::of(&[b"session ", cookie.expose().as_bytes()].concat()))
}

/// Whoever watches is not asked where from. Browsers keep the cookie of HTTPS from pages that are not, so that its presence says it.
fn nowhere(headers: &HeaderMap) -> Client {
    Client {
        address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        secure: api::session_cookie(headers, true).is_some(),
        host: None,
    }
}
