//! People: how they sign in and what they are.

pub mod address;
mod browser_name;
pub mod challenges;
pub mod devices;
pub mod email;
pub mod erase;
pub mod export;
pub mod factors;
pub mod identities;
pub mod invitations;
pub mod links;
pub mod oidc;
pub mod passkeys;
pub mod passwords;
pub mod post;
pub mod profile;
pub mod providers;
pub mod recovery;
pub mod reset;
pub mod roles;
pub mod sessions;
pub mod setup;
pub mod sign_in;
pub mod sign_up;
pub mod throttle;
pub mod tokens;
pub mod totp;
pub mod users;

use crate::clock::Clock;
use crate::mail::Outbox;

/// What stands between a stranger and an account.
#[derive(Debug)]
pub struct Doors {
    /// Checks and makes hashes of passwords.
    pub hasher: passwords::Hasher,
    /// How often one may try.
    pub throttle: throttle::Throttle,
    /// Mails on their way.
    pub outbox: Outbox,
}

impl Doors {
    /// Nobody has tried yet.
    pub fn new(clock: &Clock) -> Self {
        Self {
            hasher: passwords::Hasher::default(),
            throttle: throttle::Throttle::new(clock),
            outbox: Outbox::default(),
        }
    }
}
