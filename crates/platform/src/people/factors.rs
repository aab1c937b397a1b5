//! How a person proves who they are, and the second step of a sign-in.

use governor::Quota;
use serde::Serialize;
use utoipa::ToSchema;

use crate::authorize::{Binding, Role, Scope};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::one;
use crate::people::{recovery, totp};
use crate::platform::Platform;
use crate::secret::KeyRing;
use crate::settings::Settings;
use crate::store::{self, Conn};

/// Codes that a person may try in an hour, and at once. A guess at six digits of which three fit is right once in 300,000.
const CODES_PER_HOUR: u32 = 20;
const CODES_BURST: u32 = 10;

/// How somebody proves who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Factors {
    /// With a password.
    pub password: bool,
    /// With an authenticator app.
    pub totp: bool,
    /// With so many passkeys.
    pub passkeys: i64,
    /// Recovery codes that were not used.
    pub recovery_codes_left: i64,
}

/// A way to take the second step of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FactorMethod)]
pub enum Method {
    /// Six digits from an authenticator app.
    Totp,
    /// A recovery code.
    Recovery,
    /// A passkey.
    Passkey,
}

impl Method {
    /// Its name, for the audit log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Recovery => "recovery",
            Self::Passkey => "passkey",
        }
    }
}

impl Factors {
    /// Whether there is any second factor.
    pub fn second(&self) -> bool {
        self.totp || self.passkeys > 0
    }
}

/// What a person must show besides the password; empty where the password is enough. Whoever has only passkeys is asked for one where
/// their role demands a second factor: a passkey alone signs in as well, and one that is on another device must not lock out.
pub fn required(factors: &Factors, demanded: bool) -> Vec<Method> {
    let asked = factors.totp || (factors.passkeys > 0 && demanded);
    let ways = [
        (Method::Totp, factors.totp),
        (Method::Recovery, factors.recovery_codes_left > 0),
        (Method::Passkey, factors.passkeys > 0),
    ];
    ways.into_iter()
        .filter_map(|(method, there)| (asked && there).then_some(method))
        .collect()
}

/// Whether what a person is on this server asks for a second factor.
pub fn demanded(settings: &Settings, roles: &[Binding]) -> bool {
    let of_server = |binding: &&Binding| binding.scope == Scope::Server;
    let demands = |role: &Role| settings.required_factor_roles.contains(role);
    roles.iter().filter(of_server).any(|binding| demands(&binding.role))
}

/// What a person has.
///
/// # Errors
/// Those of the database.
pub async fn of(conn: &mut Conn<'_>, user: &Id) -> store::Result<Factors> {
    let (password, totp, passkeys, recovery_codes_left) = one!(
        conn,
        (bool, i64, i64, i64),
        "select u.password_hash is not null,
                (select count(*) from authenticators where user_id = u.id and confirmed_at is not null),
                (select count(*) from passkeys where user_id = u.id),
                (select count(*) from recovery_codes where user_id = u.id and used_at is null)
         from users u where u.id = $1",
        user
    )?;
    Ok(Factors {
        password,
        totp: totp > 0,
        passkeys,
        recovery_codes_left,
    })
}

/// Whether a person has a second factor.
///
/// # Errors
/// Those of the database.
pub async fn has_any(conn: &mut Conn<'_>, user: &Id) -> store::Result<bool> {
    Ok(of(conn, user).await?.second())
}

/// How often a person may try a code.
pub fn code_quota() -> Quota {
    let nonzero = |number| std::num::NonZeroU32::new(number).expect("an allowance is more than nothing");
    Quota::per_hour(nonzero(CODES_PER_HOUR)).allow_burst(nonzero(CODES_BURST))
}

/// Checks six digits of a person's app, or one of their recovery codes, and uses it up. Says which it was; `None` if it is wrong.
///
/// # Errors
/// [`Error::TooMany`] for who has tried too often, and those of the database.
pub async fn check_code(platform: &Platform, user: &Id, code: &str) -> Result<Option<Method>> {
    platform.codes.take(user.clone()).map_err(Error::TooMany)?;
    let (ring, now, user, code) = (platform.ring(), platform.clock.now(), user.clone(), plain(code));
    let method = platform
        .db
        .write(move |c| Box::pin(async move { accept(c, &ring, &user, &code, now).await }))
        .await?;
    Ok(method)
}

/// A code as it was made, however somebody wrote it down.
pub(super) fn plain(code: &str) -> String {
    let counts = |c: &char| !c.is_whitespace() && *c != '-';
    code.chars().filter(counts).take(64).collect::<String>().to_lowercase()
}

async fn accept(
    conn: &mut Conn<'_>,
    ring: &KeyRing,
    user: &Id,
    code: &str,
    now: Time,
) -> store::Result<Option<Method>> {
    let digits = code.len() == totp::DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
    let (method, right) = if digits {
        (Method::Totp, totp::accept(conn, ring, user, code, now).await?)
    } else {
        (Method::Recovery, recovery::accept(conn, user, code, now).await?)
    };
    Ok(right.then_some(method))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_factor_is_asked_for_where_there_is_one_or_the_role_demands_it() {
        let none = Factors {
            password: true,
            totp: false,
            passkeys: 0,
            recovery_codes_left: 0,
        };
        let passkey = Factors { passkeys: 2, ..none };
        let kept = Factors {
            recovery_codes_left: 3,
            ..passkey
        };
        let all = Factors { totp: true, ..kept };
        assert_eq!(required(&none, true), []);
        assert_eq!(required(&kept, false), []);
        assert_eq!(required(&passkey, true), [Method::Passkey]);
        assert_eq!(required(&kept, true), [Method::Recovery, Method::Passkey]);
        assert_eq!(required(&all, false), [Method::Totp, Method::Recovery, Method::Passkey]);
    }

    #[test]
    fn a_code_may_be_written_in_groups() {
        assert_eq!(plain(" 123 456 "), "123456");
        assert_eq!(plain("ABCD-efgh"), "abcdefgh");
    }
}
