//! Passwords: which are taken, and how they are kept. A hash costs 19 MiB and some 20 ms, so only a few are computed at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::oneshot;
use tracing::warn;

use crate::error::{Error, Result};
use crate::people::email::Email;
use crate::secret::Secret;

/// Characters of a password.
const LEN_MIN: usize = 10;
const LEN_MAX: usize = 256;
/// Hashes of one lane that wait. At 20 ms each, the last waits for two seconds.
const WAITING_MAX: usize = 100;
/// How much hashes stand back (`nice`): to about a tenth of a core that has other work, and none where it has none.
const NICE: i32 = 10;

static COMMON: &str = include_str!("common_passwords.txt");
/// Stands in where there is no account, so that this takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hashed(&Secret::random()));

/// Whether a password was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was not, or there is no such account.
    Wrong,
    /// It was.
    Right,
    /// It was, and its hash is of a kind that should be made anew.
    RightButStale,
}

/// Whose password it is. A crowd of strangers does not keep those waiting whom the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Somebody who is signed in, or whose browser has signed in to this account before.
    Known,
    /// Anybody else.
    Stranger,
}

/// Computes hashes, one of each lane at once.
#[derive(Debug)]
pub struct Hasher {
    known: Queue,
    strangers: Queue,
    computed: Arc<AtomicU64>,
}

impl Default for Hasher {
    fn default() -> Self {
        LazyLock::force(&NOBODY);
        Self {
            known: Queue::start(),
            strangers: Queue::start(),
            computed: Arc::default(),
        }
    }
}

/// Work that is done piece by piece on a thread of its own, which ends with the queue.
#[derive(Debug)]
struct Queue(SyncSender<Work>);

type Work = Box<dyn FnOnce() + Send>;

impl Queue {
    fn start() -> Self {
        let (queue, waiting) = sync_channel::<Work>(WAITING_MAX);
        let thread = std::thread::Builder::new().name("passwords".into());
        let run = move || {
            give_way();
            for work in waiting {
                // Whoever waits for it hears of a panic; those behind are served all the same.
                let _ = catch_unwind(AssertUnwindSafe(work));
            }
        };
        thread.spawn(run).expect("the system starts another thread");
        Self(queue)
    }
}

/// A hash keeps a core busy for longer than any other answer takes: while there is other work, that goes first.
fn give_way() {
    // Only on Linux is this about the thread that asks; elsewhere the whole process would stand back.
    if cfg!(target_os = "linux")
        && let Err(error) = rustix::process::setpriority_process(None, NICE)
    {
        warn!(%error, "passwords are hashed at the priority of everything else");
    }
}

impl Hasher {
    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Error::TooMany`] while too many wait.
    pub async fn hash(&self, lane: Lane, password: &Secret) -> Result<String> {
        let password = password.clone();
        self.compute(lane, move || hashed(&password)).await
    }

    /// Checks a password. Without a hash this takes as long and the answer is [`Verdict::Wrong`].
    ///
    /// # Errors
    /// [`Error::TooMany`] while too many wait.
    pub async fn check(&self, lane: Lane, password: &Secret, hash: Option<String>) -> Result<Verdict> {
        let password = password.clone();
        self.compute(lane, move || checked(&password, hash.as_deref())).await
    }

    /// How many hashes have been computed.
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    async fn compute<T: Send + 'static>(&self, lane: Lane, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let queue = match lane {
            Lane::Known => &self.known,
            Lane::Stranger => &self.strangers,
        };
        let (answer, answered) = oneshot::channel();
        let computed = Arc::clone(&self.computed);
        let work = Box::new(move || {
            // Whoever has hung up meanwhile is owed nothing.
            if !answer.is_closed() {
                computed.fetch_add(1, Ordering::Relaxed);
                let _ = answer.send(work());
            }
        });
        queue
            .0
            .try_send(work)
            .map_err(|_| Error::TooMany(Duration::from_secs(2)))?;
        let lost = |_| Error::Fault("a password could not be hashed".into());
        answered.await.map_err(lost)
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1_024, 2, 1, None).expect("the parameters are within their limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hashed(password: &Secret) -> String {
    let hash = argon2().hash_password(password.expose().as_bytes());
    hash.expect("a password is short and the system has a random source")
        .to_string()
}

fn checked(password: &Secret, hash: Option<&str>) -> Verdict {
    let known = hash.and_then(|hash| PasswordHash::new(hash).ok());
    let nobody = PasswordHash::new(&NOBODY).expect("our own hash is one");
    let right = argon2()
        .verify_password(password.expose().as_bytes(), known.as_ref().unwrap_or(&nobody))
        .is_ok();
    match known {
        Some(hash) if right && stale(&hash) => Verdict::RightButStale,
        Some(_) if right => Verdict::Right,
        _ => Verdict::Wrong,
    }
}

fn stale(hash: &PasswordHash) -> bool {
    let now = argon2();
    let same = Params::try_from(hash).is_ok_and(|params| {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        cost(&params) == cost(now.params())
    });
    hash.algorithm.as_str() != "argon2id" || !same
}

/// Refuses what others would guess: short ones, one's own name or address, and those that everybody tries first.
///
/// # Errors
/// [`Error::Field`] at `pointer`.
pub fn acceptable(pointer: &'static str, password: &Secret, email: &Email, name: &str) -> Result<()> {
    let text = password.expose();
    let no = |detail: &'static str| Err(Error::field(pointer, detail));
    match text.chars().count() {
        count if count < LEN_MIN => return no("at least 10 characters"),
        count if count > LEN_MAX => return no("at most 256 characters"),
        _ => {}
    }
    let plain = text.to_lowercase();
    let key = email.key();
    let local = key.split('@').next().unwrap_or_default();
    if plain == key || plain == local || plain == name.trim().to_lowercase() {
        return no("it is your own name or address: anybody would try that");
    }
    let mut letters = plain.chars();
    let first = letters.next();
    if letters.all(|letter| Some(letter) == first) || COMMON.lines().any(|common| common == plain) {
        return no("it is one of those that are tried first: choose another");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(password: &str) -> bool {
        let email = Email::new("ann.example@example.org");
        acceptable("/password", &Secret::new(password), &email, "Ann of the Example").is_ok()
    }

    #[test]
    fn a_password_that_others_would_try_is_refused() {
        for bad in [
            "",
            "short",
            "password123",
            "PASSWORD123",
            "aaaaaaaaaaaaaa",
            "Ann.Example@example.org",
            "ann.example",
            "ann of the example",
            &"x".repeat(257),
        ] {
            assert!(!taken(bad), "{bad}");
        }
        assert!(taken("a river runs by") && taken("ünïcödé ist erlaubt"));
    }

    #[test]
    fn the_list_holds_only_what_is_long_enough_to_matter() {
        assert!(COMMON.lines().filter(|line| line.len() >= LEN_MIN - 1).count() > 100);
        assert!(COMMON.lines().all(|line| line == line.to_lowercase()));
    }

    #[tokio::test]
    async fn a_hash_tells_right_from_wrong_and_a_missing_account_takes_as_much_work() {
        let hasher = Hasher::default();
        let right = Secret::new("a river runs by");
        let hash = hasher.hash(Lane::Stranger, &right).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let check = async |password: &Secret, hash| hasher.check(Lane::Stranger, password, hash).await.unwrap();
        assert_eq!(check(&right, Some(hash.clone())).await, Verdict::Right);
        assert_eq!(check(&Secret::new("wrong"), Some(hash)).await, Verdict::Wrong);
        assert_eq!(check(&right, None).await, Verdict::Wrong);
        assert_eq!(hasher.computed(), 4);
    }

    #[tokio::test]
    async fn a_hash_of_other_costs_is_right_and_to_be_made_anew() {
        let cheap = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(64, 1, 1, None).unwrap(),
        );
        let hash = cheap.hash_password(b"a river runs by").unwrap().to_string();
        let verdict = Hasher::default()
            .check(Lane::Stranger, &Secret::new("a river runs by"), Some(hash))
            .await;
        assert_eq!(verdict.unwrap(), Verdict::RightButStale);
    }

    #[tokio::test]
    async fn strangers_who_find_too_many_waiting_are_sent_away_at_once_and_the_known_come_in() {
        let hasher = Hasher::default();
        let (go_on, held) = sync_channel::<()>(0);
        let (begun, begins) = sync_channel(0);
        let hold = Box::new(move || {
            begun.send(()).unwrap();
            let _ = held.recv();
        });
        hasher.strangers.0.send(hold).unwrap();
        begins.recv().unwrap();
        for _ in 0..WAITING_MAX {
            hasher.strangers.0.send(Box::new(|| {})).unwrap();
        }
        let refused = hasher.hash(Lane::Stranger, &Secret::random()).await;
        assert!(matches!(refused, Err(Error::TooMany(_))));
        assert_eq!(hasher.computed(), 0);
        hasher.hash(Lane::Known, &Secret::random()).await.unwrap();
        drop(go_on);
    }

    #[tokio::test]
    async fn what_goes_wrong_for_one_goes_right_for_the_next() {
        let hasher = Hasher::default();
        let lost: Result<()> = hasher.compute(Lane::Stranger, || panic!("a fault of ours")).await;
        assert!(matches!(lost, Err(Error::Fault(_))));
        hasher.hash(Lane::Stranger, &Secret::random()).await.unwrap();
    }
}
