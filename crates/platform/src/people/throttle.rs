//! Guessing is slow: attempts are counted per address and per account before anything is computed.
//!
//! A browser that has signed in to an account before has an allowance of its own, so that an attack on the account does not lock its owner
//! out. All others share an allowance for the machine, so that an attack on everybody leaves time for everything else.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

use crate::api::{Allowances, Network, per_minute};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::secret::Digest;

/// Sign-ins from one address in a minute, and at once: an office behind one address is many people.
const ADDRESS_PER_MINUTE: u32 = 20;
const ADDRESS_BURST: u32 = 40;
/// Sign-ins to one account from browsers that it does not know.
const ACCOUNT_PER_MINUTE: u32 = 2;
const ACCOUNT_BURST: u32 = 10;
/// Sign-ins from a browser that the account knows.
const DEVICE_PER_MINUTE: u32 = 6;
const DEVICE_BURST: u32 = 10;
/// Passwords of browsers that are not known, checked or made in a second: at 20 ms each, a third of one core.
const HASHES_PER_SECOND: u32 = 15;
const HASHES_BURST: u32 = 60;
/// Mails that one address may cause, in an hour and at once.
const MAILS_PER_HOUR: u32 = 20;
const MAILS_BURST: u32 = 10;
/// Mails of one kind to one person.
const LETTERS_PER_HOUR: u32 = 4;
const LETTERS_BURST: u32 = 3;

/// Who may try how often.
#[derive(Debug)]
pub struct Throttle {
    addresses: Allowances<Network>,
    accounts: Allowances<Digest>,
    devices: Allowances<Digest>,
    hashes: Allowances<()>,
    mails: Allowances<Network>,
    letters: Allowances<Digest>,
}

impl Throttle {
    /// Nobody has tried yet.
    pub fn new(clock: &Clock) -> Self {
        let hashes = Quota::per_second(nonzero(HASHES_PER_SECOND)).allow_burst(nonzero(HASHES_BURST));
        Self {
            addresses: Allowances::new(per_minute(ADDRESS_PER_MINUTE, ADDRESS_BURST), clock),
            accounts: Allowances::new(per_minute(ACCOUNT_PER_MINUTE, ACCOUNT_BURST), clock),
            devices: Allowances::new(per_minute(DEVICE_PER_MINUTE, DEVICE_BURST), clock),
            hashes: Allowances::new(hashes, clock),
            mails: Allowances::new(per_hour(MAILS_PER_HOUR, MAILS_BURST), clock),
            letters: Allowances::new(per_hour(LETTERS_PER_HOUR, LETTERS_BURST), clock),
        }
    }

    /// A password is to be checked. `known` is the browser, where the account knows it.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn sign_in(&self, address: IpAddr, account: &str, known: Option<Digest>) -> Result<()> {
        if let Some(device) = known {
            return taken(self.devices.take(device));
        }
        taken(self.addresses.take(Network::of(address)))?;
        taken(self.accounts.take(Digest::of(account.as_bytes())))?;
        taken(self.hashes.take(()))
    }

    /// Whoever is signed in shows the password again. Nobody else uses this allowance up.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn confirm(&self, user: &Id) -> Result<()> {
        taken(self.devices.take(Digest::of(user.as_str().as_bytes())))
    }

    /// A password is to be hashed for somebody who is not signed in.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn sign_up(&self, address: IpAddr) -> Result<()> {
        taken(self.addresses.take(Network::of(address)))?;
        taken(self.hashes.take(()))
    }

    /// Somebody who is not signed in asks for a mail.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn mail(&self, address: IpAddr) -> Result<()> {
        taken(self.mails.take(Network::of(address)))
    }

    /// Whether another mail of that kind may go to that account. Whoever asks is not told.
    pub fn letter(&self, kind: &str, account: &str) -> bool {
        let to = Digest::of(format!("{kind} {account}").as_bytes());
        self.letters.take(to).is_ok()
    }
}

fn taken<T>(result: std::result::Result<T, Duration>) -> Result<()> {
    result.map(drop).map_err(Error::TooMany)
}

fn per_hour(rate: u32, burst: u32) -> Quota {
    Quota::per_hour(nonzero(rate)).allow_burst(nonzero(burst))
}

fn nonzero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("an allowance is more than nothing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from(0xc600_0000 + number).into()
    }

    #[test]
    fn ten_thousand_attempts_a_minute_lead_to_few_hashes_and_the_owner_still_comes_in() {
        let clock = Clock::manual(Time(1));
        let throttle = Throttle::new(&clock);
        let mut allowed = 0;
        for attempt in 0..10_000_u32 {
            let account = format!("person{}@example.org", attempt * 7 % 1_000);
            allowed += u32::from(throttle.sign_in(address(attempt % 1_000), &account, None).is_ok());
            clock.advance(Duration::from_millis(6));
        }
        assert!(allowed <= HASHES_BURST + 60 * HASHES_PER_SECOND, "{allowed}");
        let device = Digest::of(b"the owner's browser");
        throttle
            .sign_in(address(1), "person0@example.org", Some(device))
            .expect("a known browser has its own allowance");
    }

    #[test]
    fn one_account_is_guessed_slowly_from_however_many_addresses() {
        let clock = Clock::manual(Time(1));
        let throttle = Throttle::new(&clock);
        let mut allowed = 0;
        for attempt in 0..3_600 {
            allowed += u32::from(throttle.sign_in(address(attempt), "ann@example.org", None).is_ok());
            clock.advance(Duration::from_secs(1));
        }
        assert!(allowed <= ACCOUNT_BURST + 60 * ACCOUNT_PER_MINUTE, "{allowed}");
    }

    #[test]
    fn one_address_is_slow_against_however_many_accounts() {
        let clock = Clock::manual(Time(1));
        let throttle = Throttle::new(&clock);
        let tries = (0..1_000).filter(|n| throttle.sign_in(address(1), &format!("{n}@example.org"), None).is_ok());
        assert_eq!(tries.count(), ADDRESS_BURST as usize);
    }
}
