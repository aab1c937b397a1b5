//! Passwords: which are taken, and how they are kept. A hash costs 19 MiB and some 20 ms, so only a few are computed at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::people::email::Email;
use crate::secret::Secret;

/// Characters of a password.
const LEN_MIN: usize = 10;
const LEN_MAX: usize = 256;
/// Hashes that are computed at once.
const AT_ONCE: usize = 2;
/// Hashes that are computed or wait for it. At 20 ms each, the last waits for a second.
const WAITING_MAX: usize = 100;

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

/// Computes hashes, a few at once.
#[derive(Debug)]
pub struct Hasher {
    places: Arc<Semaphore>,
    cores: Arc<Semaphore>,
    computed: AtomicU64,
}

impl Default for Hasher {
    fn default() -> Self {
        LazyLock::force(&NOBODY);
        Self {
            places: Arc::new(Semaphore::new(WAITING_MAX)),
            cores: Arc::new(Semaphore::new(AT_ONCE)),
            computed: AtomicU64::new(0),
        }
    }
}

impl Hasher {
    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Error::TooMany`] while too many wait.
    pub async fn hash(&self, password: &Secret) -> Result<String> {
        let password = password.clone();
        self.compute(move || hashed(&password)).await
    }

    /// Checks a password. Without a hash this takes as long and the answer is [`Verdict::Wrong`].
    ///
    /// # Errors
    /// [`Error::TooMany`] while too many wait.
    pub async fn check(&self, password: &Secret, hash: Option<String>) -> Result<Verdict> {
        let password = password.clone();
        self.compute(move || checked(&password, hash.as_deref())).await
    }

    /// How many hashes have been computed.
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let busy = |_| Error::TooMany(Duration::from_secs(2));
        let _place = self.places.clone().try_acquire_owned().map_err(busy)?;
        let core = self.cores.clone().acquire_owned().await;
        self.computed.fetch_add(1, Ordering::Relaxed);
        // The permit goes with the work: whoever asked may hang up, and the core is busy all the same.
        let done = tokio::task::spawn_blocking(move || {
            let _core = core;
            work()
        });
        done.await
            .map_err(|fault| Error::Fault(format!("a password could not be hashed: {fault}")))
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
        let hash = hasher.hash(&right).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(hasher.check(&right, Some(hash.clone())).await.unwrap(), Verdict::Right);
        assert_eq!(
            hasher.check(&Secret::new("wrong"), Some(hash)).await.unwrap(),
            Verdict::Wrong
        );
        assert_eq!(hasher.check(&right, None).await.unwrap(), Verdict::Wrong);
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
            .check(&Secret::new("a river runs by"), Some(hash))
            .await;
        assert_eq!(verdict.unwrap(), Verdict::RightButStale);
    }

    #[tokio::test]
    async fn whoever_comes_when_too_many_wait_is_sent_away_at_once() {
        let hasher = Hasher::default();
        let _all = hasher
            .places
            .clone()
            .acquire_many_owned(WAITING_MAX as u32)
            .await
            .unwrap();
        assert!(matches!(hasher.hash(&Secret::random()).await, Err(Error::TooMany(_))));
        assert_eq!(hasher.computed(), 0);
    }
}
