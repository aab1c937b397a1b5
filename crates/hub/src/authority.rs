//! Who may publish and who may play: the seam behind which accounts, keys and policies stand.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::{Caller, Name, Refusal, Settings, SourceClock, StreamKey};

/// A publisher that asks to be let in.
#[derive(Clone, Debug)]
pub struct PublishRequest {
    /// What it shows: the stream name of RTMP.
    pub key: StreamKey,
    /// Who it is.
    pub caller: Caller,
    /// The clock of its timestamps.
    pub clock: SourceClock,
}

/// A viewer that asks to play over a connection of its own (not HTTP).
#[derive(Clone, Debug)]
pub struct PlayRequest {
    /// The public name.
    pub name: String,
    /// Who it is.
    pub caller: Caller,
}

/// Which of two sources of one broadcast gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Gives way to any ordinary source, and never displaces one: the demo's own picture.
    Fallback,
    /// An ordinary source.
    Ordinary,
}

/// What an accepted publisher may do.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The public name of what it publishes.
    pub name: Name,
    /// How the broadcast is run.
    pub settings: Settings,
    /// Whether it gives way to others.
    pub priority: Priority,
    /// Turns to [`Standing::Revoked`] when the right is withdrawn: the source is then cut off.
    pub standing: watch::Receiver<Standing>,
}

/// What an accepted player may watch. It is held for as long as the player is there.
#[derive(Clone, Debug)]
pub struct Pass {
    /// The name of the broadcast in the hub.
    pub name: Name,
    /// Turns to [`Standing::Revoked`] when the right is withdrawn: the player is then cut off.
    pub standing: watch::Receiver<Standing>,
}

/// Whether a grant still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Valid,
    /// It was withdrawn; the text tells the publisher why.
    Revoked(String),
}

/// A judgement that may have to be waited for.
pub type Judgement<'a, T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + Send + 'a>>;

/// Answers who may publish and play.
pub trait Authority: Send + Sync + 'static {
    /// May this source publish, and as what?
    fn publish<'a>(&'a self, request: &'a PublishRequest) -> Judgement<'a, Grant>;

    /// May this viewer play, and what?
    fn play<'a>(&'a self, request: &'a PlayRequest) -> Judgement<'a, Pass>;
}

/// The first authority, for a server without accounts: a list of keys, and publishing without a key from this machine.
#[derive(Debug)]
pub struct Local {
    /// Whether a publisher from a loopback address needs no key; its stream name becomes the public name.
    pub open_loopback: bool,
    /// How broadcasts are run.
    pub settings: Settings,
    keys: Mutex<HashMap<StreamKey, Entry>>,
}

#[derive(Debug)]
struct Entry {
    name: Name,
    priority: Priority,
    standing: watch::Sender<Standing>,
}

/// A key and the public name that it publishes.
pub type Keys = Vec<(StreamKey, Name)>;

impl Local {
    /// An authority without keys.
    pub fn new(open_loopback: bool, settings: Settings) -> Self {
        Self {
            open_loopback,
            settings,
            keys: Mutex::default(),
        }
    }

    /// Replaces the list of keys. Sources whose key is gone, or now means another name, are cut off.
    pub fn replace_keys(&self, keys: Keys) {
        let mut known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|key, entry| {
            let stays =
                entry.priority == Priority::Fallback || keys.iter().any(|(k, name)| k == key && *name == entry.name);
            if !stays {
                entry
                    .standing
                    .send_replace(Standing::Revoked("the stream key was withdrawn".into()));
            }
            stays
        });
        for (key, name) in keys {
            known.entry(key).or_insert_with(|| Entry::new(name, Priority::Ordinary));
        }
    }

    /// Adds a key whose source gives way to any other of the same name.
    pub fn add_fallback(&self, key: StreamKey, name: Name) {
        let mut known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key, Entry::new(name, Priority::Fallback));
    }

    /// The grant of a key that is on the list.
    pub fn known(&self, key: &StreamKey) -> Option<Grant> {
        let known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = known.get(key)?;
        Some(self.grant(entry.name.clone(), entry.priority, entry.standing.subscribe()))
    }

    /// Whether a key of the list stands for this name.
    pub fn owns(&self, name: &Name) -> bool {
        let known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .values()
            .any(|entry| entry.priority == Priority::Ordinary && entry.name == *name)
    }

    /// The grant of a publisher without a key: the stream's name becomes the public name.
    ///
    /// # Errors
    /// [`Refusal::Unauthorized`] where that is not allowed, or not from there; [`Refusal::BadName`] for a name that cannot be one or
    /// belongs to a key.
    pub fn open(&self, request: &PublishRequest) -> Result<Grant, Refusal> {
        if !self.open_loopback {
            return Err(Refusal::Unauthorized {
                reason: "the stream key is unknown".into(),
            });
        }
        if !request.caller.peer.ip().to_canonical().is_loopback() {
            return Err(Refusal::Unauthorized {
                reason: "only this machine may publish without a key".into(),
            });
        }
        let name = Name::parse(request.key.expose())?;
        if self.owns(&name) {
            return Err(Refusal::BadName {
                reason: "the name belongs to a stream key: publish with the key".into(),
            });
        }
        Ok(self.grant(name, Priority::Ordinary, lasting()))
    }

    fn judge(&self, request: &PublishRequest) -> Result<Grant, Refusal> {
        self.known(&request.key).map_or_else(|| self.open(request), Ok)
    }

    fn grant(&self, name: Name, priority: Priority, standing: watch::Receiver<Standing>) -> Grant {
        Grant {
            name,
            settings: self.settings.clone(),
            priority,
            standing,
        }
    }
}

impl Entry {
    fn new(name: Name, priority: Priority) -> Self {
        Self {
            name,
            priority,
            standing: watch::channel(Standing::Valid).0,
        }
    }
}

impl Authority for Local {
    fn publish<'a>(&'a self, request: &'a PublishRequest) -> Judgement<'a, Grant> {
        Box::pin(async { self.judge(request) })
    }

    fn play<'a>(&'a self, request: &'a PlayRequest) -> Judgement<'a, Pass> {
        let pass = |name| Pass {
            name,
            standing: lasting(),
        };
        Box::pin(async move { Name::parse(&request.name).map(pass).map_err(|_| Refusal::NotFound) })
    }
}

/// A standing that nobody withdraws.
pub fn lasting() -> watch::Receiver<Standing> {
    watch::channel(Standing::Valid).1
}

/// Reads a keys file: a line for each key, `NAME KEY`; `#` begins a comment.
///
/// # Errors
/// Says which line is wrong and why; never repeats a key.
pub fn parse_keys(text: &str) -> Result<Keys, String> {
    let mut keys = Keys::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else { continue };
        let at = |what: &str| format!("line {}: {what}", number + 1);
        let (Some(key), None) = (words.next(), words.next()) else {
            return Err(at("expected NAME KEY"));
        };
        let name = Name::parse(name).map_err(|invalid| at(&invalid.to_string()))?;
        if keys.iter().any(|(known, _)| known.expose() == key) {
            return Err(at("the key is already used above"));
        }
        keys.push((StreamKey::new(key), name));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(authority: &Local, key: &str, peer: &str) -> Result<Grant, Refusal> {
        let request = PublishRequest {
            key: StreamKey::new(key),
            caller: Caller::at(peer.parse().unwrap(), crate::Protocol::Rtmp),
            clock: SourceClock::RTMP,
        };
        authority.judge(&request)
    }

    const HERE: &str = "[::ffff:127.0.0.1]:9";
    const FAR: &str = "192.0.2.1:9";

    #[test]
    fn without_a_key_only_this_machine_may_publish() {
        let authority = Local::new(true, Settings::default());
        assert_eq!(asked(&authority, "colors", HERE).unwrap().name.as_str(), "colors");
        assert!(matches!(
            asked(&authority, "colors", FAR),
            Err(Refusal::Unauthorized { .. })
        ));
        assert!(matches!(asked(&authority, "../x", HERE), Err(Refusal::BadName { .. })));
    }

    #[test]
    fn a_key_stands_for_its_name_which_nobody_else_may_take() {
        let authority = Local::new(true, Settings::default());
        authority.replace_keys(parse_keys("ada s3cret # her key\n\nlin other").unwrap());
        assert_eq!(asked(&authority, "s3cret", FAR).unwrap().name.as_str(), "ada");
        assert!(matches!(asked(&authority, "ada", HERE), Err(Refusal::BadName { .. })));
    }

    #[test]
    fn a_key_that_leaves_the_list_cuts_its_source_off() {
        let authority = Local::new(false, Settings::default());
        authority.replace_keys(parse_keys("ada one\nlin two").unwrap());
        let (ada, lin) = (
            asked(&authority, "one", FAR).unwrap(),
            asked(&authority, "two", FAR).unwrap(),
        );
        authority.replace_keys(parse_keys("lin two").unwrap());
        assert!(matches!(&*ada.standing.borrow(), Standing::Revoked(_)));
        assert_eq!(*lin.standing.borrow(), Standing::Valid);
    }

    #[test]
    fn a_keys_file_that_is_wrong_says_where() {
        assert!(parse_keys("ada").unwrap_err().starts_with("line 1"));
        assert!(parse_keys("ada one\n../x two").unwrap_err().starts_with("line 2"));
        assert!(!parse_keys("a k3y\nb k3y").unwrap_err().contains("k3y"));
    }
}
