//! Authenticator apps: six digits that change every half minute (TOTP, RFC 6238).

use totp_rs::{Builder, Totp};

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::people::recovery;
use crate::secret::{KeyRing, Place, Sealed, Secret, random};
use crate::store::{self, Conn};
use crate::{one, optional, run};

/// Digits of a code.
pub const DIGITS: usize = 6;
/// Seconds that a code is the current one.
const STEP_SECONDS: u64 = 30;
/// Steps that a clock may be off, either way.
const SKEW_STEPS: u16 = 1;
/// Bytes of a secret: as many as SHA-1 makes (RFC 4226 §4, R6).
const SECRET_BYTES: usize = 20;

/// What the app must be told; shown until the first code was right.
#[derive(Debug)]
pub struct Enrolment {
    /// The secret as base32, for typing.
    pub secret: Secret,
    /// The same as an `otpauth:` address, for a QR code.
    pub uri: Secret,
}

#[derive(sqlx::FromRow)]
struct Row {
    secret: Sealed,
}

fn place(user: &Id) -> Place<'_> {
    Place {
        column: "authenticators.secret",
        row: user.as_str(),
    }
}

fn builder(secret: &[u8]) -> Builder {
    Builder::new()
        .with_secret(secret)
        .with_digits(DIGITS as u8)
        .with_step_duration(STEP_SECONDS)
        .with_skew(SKEW_STEPS)
}

/// Gives a person a new secret, which holds once [`confirm`] saw a code of it.
///
/// # Errors
/// [`Error::Conflict`] where an app is set up already, and those of the database.
pub async fn start(conn: &mut Conn<'_>, ring: &KeyRing, user: &Id, server: &str, now: Time) -> Result<Enrolment> {
    let secret = random::<SECRET_BYTES>();
    let started = run!(
        conn,
        "insert into authenticators (user_id, secret, step, created_at) values ($1, $2, 0, $3)
         on conflict (user_id) do update set secret = excluded.secret, created_at = excluded.created_at
         where authenticators.confirmed_at is null",
        user,
        ring.seal(place(user), &secret),
        now
    )?;
    if started == 0 {
        return Err(Error::Conflict {
            code: "conflict",
            detail: "an authenticator app is set up already: turn it off first".into(),
        });
    }
    let (account,) = one!(
        conn,
        (String,),
        "select coalesce(email, name) from users where id = $1",
        user
    )?;
    enrolment(&secret, server, &account)
}

fn enrolment(secret: &[u8], server: &str, account: &str) -> Result<Enrolment> {
    // A colon would end the issuer inside the address.
    let totp = builder(secret)
        .with_issuer(Some(server.replace(':', " ")))
        .with_account_name(account.replace(':', " "))
        .build()
        .map_err(|error| fault(&error))?;
    Ok(Enrolment {
        secret: Secret::new(totp.secret().to_base32()),
        uri: Secret::new(totp.to_url().map_err(|error| fault(&error))?),
    })
}

/// Turns the app on with its first code; the person gets recovery codes.
///
/// # Errors
/// [`Error::Field`] for a wrong code, [`Error::Conflict`] where nothing was started, and those of the database.
pub async fn confirm(conn: &mut Conn<'_>, ring: &KeyRing, user: &Id, code: &str, now: Time) -> Result<Vec<Secret>> {
    let row = optional!(
        conn,
        Row,
        "select secret from authenticators where user_id = $1 and confirmed_at is null",
        user
    )?;
    let row = row.ok_or(Error::Conflict {
        code: "conflict",
        detail: "start again: no authenticator app waits for its first code".into(),
    })?;
    let step = step(ring, user, &row, &super::factors::plain(code), now)?;
    let step = step.ok_or(Error::field(
        "/code",
        "the code is not right: check the clock of your device",
    ))?;
    run!(
        conn,
        "update authenticators set confirmed_at = $1, step = $2 where user_id = $3",
        now,
        step,
        user
    )?;
    Ok(recovery::replace(conn, user).await?)
}

/// Uses up a code; says whether it was right. Each step is accepted once, and none before it afterwards (RFC 6238 §5.2).
///
/// # Errors
/// Those of the database, and of a ring that did not seal the secret.
pub(super) async fn accept(
    conn: &mut Conn<'_>,
    ring: &KeyRing,
    user: &Id,
    code: &str,
    now: Time,
) -> store::Result<bool> {
    let row = optional!(
        conn,
        Row,
        "select secret from authenticators where user_id = $1 and confirmed_at is not null",
        user
    )?;
    let Some(row) = row else { return Ok(false) };
    let Some(step) = step(ring, user, &row, code, now)? else {
        return Ok(false);
    };
    let newest = run!(
        conn,
        "update authenticators set step = $1 where user_id = $2 and confirmed_at is not null and step < $1",
        step,
        user
    )?;
    Ok(newest > 0)
}

/// Turns the app off; says whether there was one. Without a passkey nothing is left to recover.
///
/// # Errors
/// Those of the database.
pub async fn remove(conn: &mut Conn<'_>, user: &Id) -> store::Result<bool> {
    let removed = run!(conn, "delete from authenticators where user_id = $1", user)?;
    if !super::factors::has_any(conn, user).await? {
        recovery::remove(conn, user).await?;
    }
    Ok(removed > 0)
}

/// The step that a code belongs to, if it is one of now.
fn step(ring: &KeyRing, user: &Id, row: &Row, code: &str, now: Time) -> Result<Option<i64>> {
    let secret = ring.open_bytes(place(user), &row.secret)?;
    let totp: Totp = builder(&secret).build().map_err(|error| fault(&error))?;
    let seconds = u64::try_from(now.unix_seconds()).unwrap_or(0);
    let step = totp.check(code, seconds);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

fn fault(error: &totp_rs::TotpError) -> Error {
    Error::Fault(format!("a code cannot be made: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let ring = KeyRing::random();
        let user = crate::id::Kind::User.random();
        let row = Row {
            secret: ring.seal(place(&user), b"12345678901234567890"),
        };
        // Appendix B, the last six of its eight digits.
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let at = |offset: i64| Time((seconds + offset) * 1_000_000);
            let found = |offset| step(&ring, &user, &row, code, at(offset)).unwrap();
            assert_eq!(found(0), Some(seconds / 30));
            assert_eq!(found(30), Some(seconds / 30));
            assert_eq!(found(90), None);
        }
    }

    #[test]
    fn the_address_for_the_app_names_server_and_person() {
        let enrolment = enrolment(b"12345678901234567890", "Live: us", "ann@example.org").unwrap();
        assert_eq!(
            enrolment.uri.expose(),
            "otpauth://totp/Live%20%20us:ann%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Live%20%20us"
        );
    }
}
