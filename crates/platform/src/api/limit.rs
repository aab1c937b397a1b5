//! How often one may ask: each person, and each address of those who are not signed in.
//!
//! Who asks is known only once a credential was looked up, and looking up is work too. So a request is counted to the person whose
//! credential was right a moment ago, and to its address until then: whoever makes credentials up stays with the address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::extract::shown_digest;
use crate::actor::Client;
use crate::clock::{Clock, Ticks};
use crate::error::Error;
use crate::id::Id;
use crate::platform::Platform;
use crate::secret::Digest;

/// Requests of an address in a minute, and at once.
const ADDRESS_PER_MINUTE: u32 = 600;
const ADDRESS_BURST: u32 = 200;
/// Requests of a person in a second, and at once.
const PERSON_PER_SECOND: u32 = 100;
const PERSON_BURST: u32 = 200;
/// Credentials that are remembered as right.
const KNOWN_MAX: usize = 100_000;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The allowances of everybody, in memory.
#[derive(Debug)]
pub struct Limits {
    addresses: Allowances<Network>,
    people: Allowances<Id>,
    known: Mutex<HashMap<Digest, Id>>,
}

impl Limits {
    /// Everybody has all of their allowance.
    pub fn new(clock: &Clock) -> Self {
        Self {
            addresses: Allowances::new(per_minute(ADDRESS_PER_MINUTE, ADDRESS_BURST), clock),
            people: Allowances::new(
                Quota::per_second(nonzero(PERSON_PER_SECOND)).allow_burst(nonzero(PERSON_BURST)),
                clock,
            ),
            known: Mutex::default(),
        }
    }

    /// A credential was right: from now on its requests count to the person.
    pub(super) fn learn(&self, credential: Digest, user: &Id) {
        let mut known = self.known.lock().expect("nobody panics holding this");
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(credential, user.clone());
    }

    /// A credential was wrong, or is right no more.
    pub(super) fn forget(&self, credential: &Digest) {
        self.known
            .lock()
            .expect("nobody panics holding this")
            .remove(credential);
    }

    fn take(&self, credential: Option<&Digest>, address: IpAddr) -> Result<Left, Duration> {
        let user = credential.and_then(|credential| {
            let known = self.known.lock().expect("nobody panics holding this");
            known.get(credential).cloned()
        });
        match user {
            Some(user) => self.people.take(user),
            None => self.addresses.take(Network::of(address)),
        }
    }
}

/// Takes one request from whoever's allowance it is.
pub(super) async fn limit(State(platform): State<Platform>, request: Request, next: Next) -> Response {
    let Some(client) = request.extensions().get::<Client>() else {
        return next.run(request).await;
    };
    let credential = shown_digest(request.headers(), client.secure);
    match platform.limits.take(credential.as_ref(), client.address) {
        Ok(left) => {
            let mut response = next.run(request).await;
            left.write(response.headers_mut());
            response
        }
        Err(wait) => Error::TooMany(wait).into_response(),
    }
}

/// What counts as one address: an IPv4 address, or the network of 64 bits that an IPv6 subscriber has to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(u64);

impl Network {
    /// Of this address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            // 2002::/16 was 6to4; no subscriber has it, so the two kinds never meet.
            IpAddr::V4(address) => Self(0x2002_0000_0000_0000 | u64::from(u32::from(address))),
            IpAddr::V6(address) => Self((u128::from(address) >> 64) as u64),
        }
    }
}

/// One allowance for each key, by the generic cell rate algorithm.
#[derive(Debug)]
pub struct Allowances<K: std::hash::Hash + Eq + Clone> {
    limiter: RateLimiter<Option<K>, DashMapStateStore<Option<K>>, Ticks, StateInformationMiddleware>,
    clock: Ticks,
    quota: Quota,
    taken: AtomicU32,
}

/// Keys that are remembered; over it, those who are new share one allowance.
const KEYS_MAX: usize = 500_000;
/// Allowances that are full again are forgotten each so many requests.
const SWEEP_EVERY: u32 = 65_536;

impl<K: std::hash::Hash + Eq + Clone> Allowances<K> {
    /// None has been used.
    pub fn new(quota: Quota, clock: &Clock) -> Self {
        let ticks = Ticks(clock.clone());
        Self {
            limiter: RateLimiter::dashmap_with_clock(quota, ticks.clone()).with_middleware(),
            clock: ticks,
            quota,
            taken: AtomicU32::new(0),
        }
    }

    /// Takes one from the allowance of `key`; where nothing is left, says how long to wait.
    ///
    /// # Errors
    /// How long until there is one again.
    pub fn take(&self, key: K) -> Result<Left, Duration> {
        let key = if self.full() { None } else { Some(key) };
        let snapshot = self.limiter.check_key(&key).map_err(|not_until| {
            use governor::clock::Clock as _;
            not_until.wait_time_from(self.clock.now())
        })?;
        let (burst, left) = (self.quota.burst_size().get(), snapshot.remaining_burst_capacity());
        let reset = self.quota.replenish_interval() * (burst - left.min(burst));
        Ok(Left {
            quota: self.quota,
            left,
            reset,
        })
    }

    /// Whether no new key can be remembered; sweeps now and then.
    fn full(&self) -> bool {
        let taken = self.taken.fetch_add(1, Ordering::Relaxed);
        if taken.is_multiple_of(SWEEP_EVERY) && taken > 0 {
            self.limiter.retain_recent();
        }
        self.limiter.len() >= KEYS_MAX
    }
}

/// What is left of an allowance.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    quota: Quota,
    left: u32,
    reset: Duration,
}

impl Left {
    fn write(&self, headers: &mut HeaderMap) {
        let burst = self.quota.burst_size().get();
        let window = (self.quota.replenish_interval() * burst).as_secs().max(1);
        let limit = format!("limit={burst}, remaining={}, reset={}", self.left, self.reset.as_secs());
        let policy = format!("{burst};w={window}");
        for (name, value) in [(LIMIT, limit), (POLICY, policy)] {
            headers.insert(name, HeaderValue::try_from(value).expect("numbers are plain text"));
        }
    }
}

/// So many a minute, and so many at once.
pub fn per_minute(rate: u32, burst: u32) -> Quota {
    Quota::per_minute(nonzero(rate)).allow_burst(nonzero(burst))
}

fn nonzero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("an allowance is more than nothing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[tokio::test]
    async fn an_address_that_asks_too_often_is_told_when_to_come_back() {
        let world = World::new().await.limited();
        for asked in 0..ADDRESS_BURST {
            let answer = world.get("/api/v1/server", None).await;
            let left = format!("limit=200, remaining={}, reset=", ADDRESS_BURST - 1 - asked);
            assert!(answer.headers[LIMIT].to_str().unwrap().starts_with(&left));
            assert_eq!(answer.headers[POLICY], "200;w=20");
        }
        let refused = world.get("/api/v1/server", None).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (429, &"rate_limited".into())
        );
        assert!(refused.headers.contains_key("retry-after"));
        world.platform.clock.advance(Duration::from_millis(100));
        assert_eq!(world.get("/api/v1/server", None).await.status, 200);
    }

    #[test]
    fn a_made_up_credential_counts_to_its_address_and_a_right_one_to_its_person() {
        let limits = Limits::new(&Clock::manual(crate::clock::Time(1)));
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let made_up = |n: u32| Digest::of(&n.to_be_bytes());
        for n in 0..ADDRESS_BURST {
            limits.take(Some(&made_up(n)), address).unwrap();
        }
        limits.take(Some(&made_up(9_999)), address).unwrap_err();
        limits.learn(made_up(7), &crate::id::Kind::User.random());
        limits.take(Some(&made_up(7)), address).unwrap();
        limits.forget(&made_up(7));
        limits.take(Some(&made_up(7)), address).unwrap_err();
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let of = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
