//! Who may publish and play, on a server with accounts.
//!
//! A publisher is asked for what it shows, in this order: a key of the server's own list, a stream key of an account, a publish token, what
//! somebody else's program says, and at last whether this machine may publish without a key. Rights that were given are looked at again
//! whenever something about them changes.

mod candidate;
mod grants;
mod known;
mod outside;
pub(crate) mod preview;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use hub::authority::{Judgement, Local};
use hub::directory::Access;
use hub::{Authority, Directory as _, Grant, Name, Pass, PlayRequest, Priority, PublishRequest, Refusal, Standing};
use tokio::sync::watch::{Receiver, channel as watch_channel};
use tracing::{error, warn};

use crate::callback::Event;
use crate::directory::Directory;
use crate::id::looks_like_id;
use crate::platform::Platform;
use crate::publish_token::{self, looks_like_token};
use crate::store;
use crate::streams::keys;
use candidate::{Candidate, Shown};
pub(crate) use grants::Grants;
use grants::Issue;
pub(crate) use known::Known;
use outside::{Ends, Said};
pub(crate) use watch::look_at_all;
pub use watch::watch;

/// How often a judgement is repeated because something changed meanwhile; after that the change finds the grant.
const TRIES: usize = 3;

/// The authority of a server with accounts.
#[derive(Clone, Debug)]
pub struct Accounts {
    platform: Platform,
    local: Arc<Local>,
    ends: Arc<Ends>,
}

impl Accounts {
    /// Asks `local` first for its keys, and last whether somebody may publish without one.
    pub fn new(platform: Platform, local: Arc<Local>) -> Self {
        let _ = platform.live.local.set(Arc::clone(&local));
        Self {
            platform,
            local,
            ends: Arc::default(),
        }
    }

    /// Waits until callbacks that tell of an end have been answered, for a while.
    pub async fn finish(&self, at_most: Duration) {
        self.ends.finish(at_most).await;
    }

    async fn judge(&self, request: &PublishRequest) -> Result<Grant, Refusal> {
        if let Some(grant) = self.local.known(&request.key) {
            return Ok(grant);
        }
        if let Some(grant) = self.by_key(request).await? {
            return Ok(grant);
        }
        if let Some(grant) = self.by_token(request).await? {
            return Ok(grant);
        }
        if let Some(grant) = self.by_callback(request).await? {
            return Ok(grant);
        }
        let grant = self.local.open(request)?;
        self.must_be_free(&grant.name).await?;
        Ok(grant)
    }

    /// The grant of a stream key; `None` if it is none.
    async fn by_key(&self, request: &PublishRequest) -> Result<Option<Grant>, Refusal> {
        let lookup = keys::lookup(&self.platform.ring(), request.key.expose());
        match self.grant(&Shown::Key(lookup.clone())).await {
            Ok(grant) => Ok(grant),
            Err(Trouble::Refused(refusal)) => Err(refusal),
            Err(Trouble::Away) => match self.platform.live.known.recall(&lookup, self.platform.clock.now()) {
                Some(candidate) => self.issue(&Shown::Key(lookup), &candidate).map(Some),
                // A token needs no database.
                None if self.may_be_token(request) => Ok(None),
                None => Err(away()),
            },
        }
    }

    /// The grant of a publish token; `None` if it is none.
    async fn by_token(&self, request: &PublishRequest) -> Result<Option<Grant>, Refusal> {
        let Some(tokens) = self
            .platform
            .publish_tokens
            .as_ref()
            .filter(|_| self.may_be_token(request))
        else {
            return Ok(None);
        };
        let name = tokens.read(request.key.expose()).await.map_err(|error| match error {
            publish_token::Error::Unavailable => Refusal::Unavailable {
                reason: error.to_string(),
            },
            publish_token::Error::Refused(_) => unauthorized(error.to_string()),
        })?;
        // Who signs may name a stream of an account by its id.
        if looks_like_id(name.as_str()) {
            return match self.grant(&Shown::Stream(name)).await {
                Ok(Some(grant)) => Ok(Some(grant)),
                Ok(None) => Err(unauthorized("the publish token names a stream that is not there")),
                Err(Trouble::Refused(refusal)) => Err(refusal),
                Err(Trouble::Away) => Err(away()),
            };
        }
        self.must_be_free(&name).await?;
        Ok(Some(self.open_grant(name, hub::authority::lasting())))
    }

    fn may_be_token(&self, request: &PublishRequest) -> bool {
        self.platform.publish_tokens.is_some() && looks_like_token(request.key.expose())
    }

    /// The grant by what somebody else's program says; `None` if nobody is to be asked.
    async fn by_callback(&self, request: &PublishRequest) -> Result<Option<Grant>, Refusal> {
        let question = outside::question(Event::Publish, request.key.expose(), &request.caller);
        let name = match outside::ask(&self.platform, &question).await? {
            Said::Nothing => return Ok(None),
            Said::Yes => Name::parse(request.key.expose())?,
            Said::As(name) => name,
        };
        self.must_be_free(&name).await?;
        let (sender, standing) = watch_channel(Standing::Valid);
        self.ends.tell(&self.platform, sender, question, Event::PublishDone);
        Ok(Some(self.open_grant(name, standing)))
    }

    fn open_grant(&self, name: Name, standing: Receiver<Standing>) -> Grant {
        Grant {
            name,
            settings: self.platform.options.live.clone(),
            priority: Priority::Ordinary,
            standing,
        }
    }

    /// Refuses a name that belongs to somebody: a key of the list, a channel, or whatever has an id.
    async fn must_be_free(&self, name: &Name) -> Result<(), Refusal> {
        if looks_like_id(name.as_str()) {
            return Err(Refusal::BadName {
                reason: "the name has the shape of an id: choose another".into(),
            });
        }
        if self.local.owns(name) {
            return Err(Refusal::BadName {
                reason: "the name belongs to a stream key: publish with the key".into(),
            });
        }
        match candidate::is_taken(&self.platform, name).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(Refusal::BadName {
                reason: "the name belongs to a channel: publish with its stream key".into(),
            }),
            Err(store::Error::Unavailable(_)) => Err(away()),
            Err(fault) => Err(our_fault(&fault)),
        }
    }

    /// Judges what was shown; `None` if nothing is known of it.
    async fn grant(&self, shown: &Shown) -> Result<Option<Grant>, Trouble> {
        for last in (0..TRIES).rev() {
            let epoch = self.platform.live.changes();
            let Some(candidate) = candidate::find(&self.platform, shown).await? else {
                return Ok(None);
            };
            if let Some(reason) = candidate.refusal(&self.platform) {
                self.platform
                    .live
                    .reports
                    .refused(&self.platform, &candidate.entry, &reason);
                return Err(Trouble::Refused(unauthorized(reason)));
            }
            let candidate = Arc::new(candidate);
            let grant = self.issue(shown, &candidate)?;
            // Whoever changes something looks through the grants that are there: this one may have come too late for that.
            if last == 0 || self.platform.live.changes() == epoch {
                self.remember(shown, candidate);
                return Ok(Some(grant));
            }
        }
        Ok(None)
    }

    fn issue(&self, shown: &Shown, candidate: &Arc<Candidate>) -> Result<Grant, Refusal> {
        let entry = &candidate.entry;
        let issue = Issue {
            name: entry.name.clone(),
            owner: entry.owner.clone(),
            key: matches!(shown, Shown::Key(_)).then(|| candidate.found.key_id.clone()),
        };
        let most = self.platform.settings().quotas.broadcasts_at_once;
        let standing = self
            .platform
            .live
            .grants
            .issue(&self.platform, issue, most)
            .map_err(|reason| {
                self.platform.live.reports.refused(&self.platform, entry, &reason);
                unauthorized(reason)
            })?;
        self.platform.live.names.put(Arc::clone(entry));
        Ok(Grant {
            name: entry.name.clone(),
            settings: candidate.found.settings.over(&self.platform.options.live),
            priority: Priority::Ordinary,
            standing,
        })
    }

    fn remember(&self, shown: &Shown, candidate: Arc<Candidate>) {
        let Shown::Key(lookup) = shown else { return };
        let now = self.platform.clock.now();
        self.platform.live.reports.key_used(candidate.found.key_id.clone(), now);
        self.platform.live.known.keep(lookup.clone(), candidate, now);
    }

    /// RTMP shows nothing of who plays: it is for what everybody may watch.
    async fn admit(&self, request: &PlayRequest) -> Result<Pass, Refusal> {
        let directory = Directory::new(self.platform.clone());
        let found = directory.find(&request.name);
        if found.as_ref().is_some_and(|place| place.access == Access::Members) {
            return Err(Refusal::NotFound);
        }
        let question = outside::question(Event::Play, &request.name, &request.caller);
        let said = outside::ask(&self.platform, &question).await?;
        let (place, by) = match &said {
            Said::As(name) => (directory.find(name.as_str()), name.as_str()),
            Said::Nothing | Said::Yes => (found, request.name.as_str()),
        };
        let place = place
            .filter(|place| place.access == Access::Everybody)
            .ok_or(Refusal::NotFound)?;
        let (sender, standing) = watch_channel(Standing::Valid);
        if said != Said::Nothing {
            self.ends
                .tell(&self.platform, sender.clone(), question, Event::PlayDone);
        }
        self.platform.live.grants.watch_player(&place.name, by, sender);
        Ok(Pass {
            name: place.name,
            standing,
        })
    }
}

/// Why there is no grant.
enum Trouble {
    Refused(Refusal),
    /// The database is.
    Away,
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Unavailable(reason) => {
                warn!(%reason, "the database is away: publishers are judged from memory");
                Self::Away
            }
            fault => Self::Refused(our_fault(&fault)),
        }
    }
}

fn unauthorized(reason: impl Into<String>) -> Refusal {
    Refusal::Unauthorized { reason: reason.into() }
}

fn away() -> Refusal {
    Refusal::Unavailable {
        reason: "the database is away".into(),
    }
}

fn our_fault(fault: &store::Error) -> Refusal {
    error!(error = %fault, "a publisher could not be judged");
    Refusal::Unavailable {
        reason: "something went wrong here".into(),
    }
}

impl Authority for Accounts {
    fn publish<'a>(&'a self, request: &'a PublishRequest) -> Judgement<'a, Grant> {
        Box::pin(self.judge(request))
    }

    fn play<'a>(&'a self, request: &'a PlayRequest) -> Judgement<'a, Pass> {
        Box::pin(self.admit(request))
    }
}
