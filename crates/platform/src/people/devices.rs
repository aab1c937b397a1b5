//! Browsers that have signed in before.

use crate::clock::Time;
use crate::id::Id;
use crate::secret::{Digest, Secret};
use crate::store::{self, Conn};
use crate::{optional, run};

/// Browsers that are remembered for one person; the one that was away the longest is forgotten first.
const DEVICES_MAX: i64 = 20;

/// Whether this person has signed in with that browser.
///
/// # Errors
/// Those of the database.
pub async fn knows(conn: &mut Conn<'_>, user: &Id, device: &Digest) -> store::Result<bool> {
    let row = optional!(
        conn,
        (i64,),
        "select created_at from known_devices where digest = $1 and user_id = $2",
        device,
        user
    )?;
    Ok(row.is_some())
}

/// Remembers the browser; a browser that this person has not used gets a secret to keep.
///
/// # Errors
/// Those of the database.
pub async fn remember(
    conn: &mut Conn<'_>,
    user: &Id,
    device: Option<&Secret>,
    now: Time,
) -> store::Result<Option<Secret>> {
    if let Some(device) = device {
        let seen = run!(
            conn,
            "update known_devices set seen_at = $1 where digest = $2 and user_id = $3",
            now,
            device.digest(),
            user
        )?;
        if seen > 0 {
            return Ok(None);
        }
    }
    let secret = Secret::random();
    run!(
        conn,
        "insert into known_devices (digest, user_id, created_at, seen_at) values ($1, $2, $3, $3)",
        secret.digest(),
        user,
        now
    )?;
    run!(
        conn,
        "delete from known_devices where user_id = $1 and digest not in
         (select digest from known_devices where user_id = $1 order by seen_at desc limit $2)",
        user,
        DEVICES_MAX
    )?;
    Ok(Some(secret))
}

/// Forgets all browsers of a person.
///
/// # Errors
/// Those of the database.
pub async fn forget(conn: &mut Conn<'_>, user: &Id) -> store::Result<()> {
    run!(conn, "delete from known_devices where user_id = $1", user).map(drop)
}
