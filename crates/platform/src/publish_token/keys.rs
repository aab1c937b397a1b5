//! The trusted keys, fetched when they are needed and not more often.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::{info, warn};
use url::Url;

use super::Error;
use super::key_set::KeySet;
use crate::outbound::{Limits, Outbound, Request};

/// What the set may cost.
pub(super) const JWKS: Limits = Limits {
    time_max: Duration::from_secs(5),
    body_bytes_max: 256 << 10,
    redirects_max: 3,
};
/// How long keys are used before they are fetched again: a key that left the set is out after it.
pub(super) const FRESH: Duration = Duration::from_secs(600);
/// A key that is not in the set has it fetched again, but not sooner after the last time: anybody can make up a key's name.
pub(super) const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// The same while no set was ever read.
const FIRST_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// The keys of one address.
#[derive(Debug)]
pub(super) struct Keys {
    outbound: Outbound,
    url: Url,
    known: ArcSwapOption<Known>,
    /// When they were last asked for. Held while they are fetched: the others wait for the same answer.
    asked: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Known {
    set: Arc<KeySet>,
    read: Instant,
}

impl Keys {
    pub(super) fn new(outbound: Outbound, url: Url) -> Self {
        Self {
            outbound,
            url,
            known: ArcSwapOption::empty(),
            asked: Mutex::new(None),
        }
    }

    /// The set, fetched anew if it is old or does not hold the key of this id. An old set goes on while there is no newer one.
    pub(super) async fn holding(&self, id: Option<&str>) -> Result<Arc<KeySet>, Error> {
        if let Some(set) = self.current(id) {
            return Ok(set);
        }
        let mut asked = self.asked.lock().await;
        if let Some(set) = self.current(id) {
            return Ok(set);
        }
        let pause = if self.known.load().is_some() {
            AGAIN_AFTER
        } else {
            FIRST_AGAIN_AFTER
        };
        if asked.is_none_or(|at| at.elapsed() >= pause) {
            self.fetch().await;
            *asked = Some(Instant::now());
        }
        let known = self.known.load();
        known
            .as_ref()
            .map(|known| Arc::clone(&known.set))
            .ok_or(Error::Unavailable)
    }

    /// The set, if nothing speaks for another.
    fn current(&self, id: Option<&str>) -> Option<Arc<KeySet>> {
        let known = self.known.load();
        let known = known.as_ref()?;
        (known.read.elapsed() < FRESH && known.set.holds(id)).then(|| Arc::clone(&known.set))
    }

    async fn fetch(&self) {
        let answer = self.outbound.send(Request::get(self.url.clone()), JWKS).await;
        let set = match &answer {
            Ok(response) if response.status.is_success() => KeySet::parse(&response.body),
            Ok(response) => {
                warn!(
                    status = response.status.as_u16(),
                    "the keys of publish tokens were not read"
                );
                return;
            }
            Err(error) => {
                warn!("the keys of publish tokens were not read: {error}");
                return;
            }
        };
        let Some(set) = set else {
            warn!("the keys of publish tokens were not read: the answer is no JWKS");
            return;
        };
        info!("the keys of publish tokens were read");
        self.known.store(Some(Arc::new(Known {
            set: Arc::new(set),
            read: Instant::now(),
        })));
    }
}
