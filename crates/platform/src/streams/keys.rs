//! Stream keys: what a publisher shows. Sealed in the database, and found there by a keyed digest.

use std::time::Duration;

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::secret::{KeyRing, Lookup, Place, Sealed, Secret};
use crate::settings::days;
use crate::store::{self, Conn, Json};
use crate::streams::Settings;
use crate::text;
use crate::{all, one, optional, run};

/// The column of sealed keys.
const SEALED: &str = "stream_keys.sealed";
/// What keys are found by.
const LOOKUP: &str = "stream_keys.lookup";
/// Characters of a key after its `hw_`: 5 bits each.
const LEN: usize = 32;
/// The longest that a key may be said to hold, in days.
pub const DAYS_MAX: u32 = 3_650;
/// Characters of a key's name.
pub const NAME_MAX: usize = 80;
/// The name of the key that a stream begins with.
const PRIMARY: &str = "Primary";

/// A key, without the key.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Key {
    /// Its id.
    pub id: Id,
    /// The stream's.
    pub stream_id: Id,
    /// What its owner calls it.
    pub name: String,
    /// Whether it is the one that the stream began with.
    pub is_primary: bool,
    /// Since when it is there.
    pub created_at: Time,
    /// When it ends by itself.
    pub expires_at: Option<Time>,
    /// When a source last showed it.
    pub used_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
}

/// The key that a publisher showed, and what it is good for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Found {
    /// The key's id.
    pub key_id: Id,
    /// When it ends by itself.
    pub expires_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
    /// The stream that it publishes: its id is the name of its broadcasts in the hub.
    pub stream_id: Id,
    /// The stream's environment.
    pub environment_id: Id,
    /// Whose stream it is.
    pub owner_id: Id,
    /// The channel that the stream belongs to.
    pub channel_id: Option<Id>,
    /// How broadcasts of the stream are run.
    pub settings: Json<Settings>,
    /// When the stream was disabled.
    pub disabled_at: Option<Time>,
    /// When the stream was deleted.
    pub deleted_at: Option<Time>,
    /// When its owner was suspended.
    pub suspended_at: Option<Time>,
    /// When its owner's account was erased.
    pub erased_at: Option<Time>,
}

impl Found {
    /// Why nobody may publish with it now; the text is for the publisher.
    pub fn refusal(&self, now: Time) -> Option<&'static str> {
        let reasons = [
            (self.revoked_at.is_some(), "the stream key was revoked"),
            (
                self.expires_at.is_some_and(|end| end <= now),
                "the stream key has expired",
            ),
            (self.deleted_at.is_some(), "the stream was deleted"),
            (self.disabled_at.is_some(), "the stream is disabled"),
            (
                self.suspended_at.is_some() || self.erased_at.is_some(),
                "the account is suspended",
            ),
        ];
        reasons.iter().find(|(holds, _)| *holds).map(|(_, reason)| *reason)
    }
}

/// What a key that a publisher showed is found by.
pub fn lookup(ring: &KeyRing, key: &str) -> Lookup {
    ring.lookup(LOOKUP, key.trim())
}

macro_rules! select {
    ($which:literal) => {
        concat!(
            "select k.id as key_id, k.expires_at, k.revoked_at, s.id as stream_id, s.environment_id, s.owner_id, s.channel_id,
                    s.settings, s.disabled_at, s.deleted_at, u.suspended_at, u.erased_at
             from stream_keys k join streams s on s.id = k.stream_id join users u on u.id = s.owner_id where ",
            $which
        )
    };
}

/// The key that was shown, even where it is good for nothing any more: [`Found::refusal`] says why.
///
/// # Errors
/// Those of the database.
pub async fn find(conn: &mut Conn<'_>, lookup: &Lookup) -> store::Result<Option<Found>> {
    optional!(conn, Found, select!("k.lookup = $1"), lookup)
}

/// The key of that id, with what it is good for.
///
/// # Errors
/// Those of the database.
pub async fn judged(conn: &mut Conn<'_>, key: &Id) -> store::Result<Option<Found>> {
    optional!(conn, Found, select!("k.id = $1"), key)
}

/// Whether a revoked key was rotated: another came in its place in the same moment.
///
/// # Errors
/// Those of the database.
pub async fn was_rotated(conn: &mut Conn<'_>, key: &Found) -> store::Result<bool> {
    let successor = optional!(
        conn,
        (Id,),
        "select id from stream_keys where stream_id = $1 and created_at = $2 and id <> $3 limit 1",
        &key.stream_id,
        key.revoked_at,
        &key.key_id
    )?;
    Ok(successor.is_some())
}

/// Writes down that a source showed the key.
///
/// # Errors
/// Those of the database.
pub async fn used(conn: &mut Conn<'_>, key: &Id, now: Time) -> store::Result<()> {
    run!(conn, "update stream_keys set used_at = $1 where id = $2", now, key).map(drop)
}

/// Where a key is made.
#[derive(Clone, Copy, Debug)]
pub struct Making<'a> {
    /// What seals it.
    pub ring: &'a KeyRing,
    /// Who makes it; none from the shell.
    pub by: Option<&'a Id>,
    /// How many valid keys a stream may have.
    pub quota: u32,
    /// Now.
    pub now: Time,
}

/// Makes a named key of a stream; the text is shown once and sealed.
///
/// # Errors
/// [`Error::Quota`] where the stream has as many as it may, [`Error::Field`], [`Error::NotFound`], and those of the database.
pub async fn create(
    conn: &mut Conn<'_>,
    making: Making<'_>,
    stream: &Id,
    name: &str,
    expires_in_days: Option<u32>,
) -> Result<(Key, Secret)> {
    let name = text::line("/name", name, 1, NAME_MAX)?;
    let expires = expires_in_days.map(lifetime).transpose()?;
    hold(conn, stream).await?;
    if valid(conn, stream, making.now).await? >= i64::from(making.quota) {
        return Err(Error::Quota(
            format!("a stream has at most {} keys", making.quota).into(),
        ));
    }
    let expires_at = expires.map(|days| making.now.plus(days));
    Ok(insert(conn, making, stream, (name, false), expires_at).await?)
}

/// Makes the key that a new stream begins with.
///
/// # Errors
/// Those of the database.
pub async fn create_primary(conn: &mut Conn<'_>, making: Making<'_>, stream: &Id) -> store::Result<Secret> {
    let (_, secret) = insert(conn, making, stream, (PRIMARY.into(), true), None).await?;
    Ok(secret)
}

/// Puts a new key in the place of one that is revoked at once: same name, same end.
///
/// # Errors
/// [`Error::NotFound`] where the stream has no such key that is valid, and those of the database.
pub async fn rotate(conn: &mut Conn<'_>, making: Making<'_>, stream: &Id, key: &Id) -> Result<(Key, Secret)> {
    let old = get(conn, stream, key).await?;
    if !revoke(conn, stream, key, making.now).await? {
        return Err(Error::NotFound);
    }
    Ok(insert(conn, making, stream, (old.name, old.is_primary), old.expires_at).await?)
}

/// Revokes a key; says whether it was valid.
///
/// # Errors
/// Those of the database.
pub async fn revoke(conn: &mut Conn<'_>, stream: &Id, key: &Id, now: Time) -> store::Result<bool> {
    let changed = run!(
        conn,
        "update stream_keys set revoked_at = $1 where id = $2 and stream_id = $3 and revoked_at is null",
        now,
        key,
        stream
    )?;
    Ok(changed > 0)
}

/// The key itself: to be shown to whom it belongs, and audited.
///
/// # Errors
/// [`Error::NotFound`] where the stream has no such key or it was revoked; those of the ring and of the database.
pub async fn reveal(conn: &mut Conn<'_>, ring: &KeyRing, stream: &Id, key: &Id) -> Result<Secret> {
    let row: Option<(Sealed,)> = optional!(
        conn,
        (Sealed,),
        "select sealed from stream_keys where id = $1 and stream_id = $2 and revoked_at is null",
        key,
        stream
    )?;
    let (sealed,) = row.ok_or(Error::NotFound)?;
    let place = Place {
        column: SEALED,
        row: key.as_str(),
    };
    Ok(ring.open_text(place, &sealed)?)
}

/// A key of a stream.
///
/// # Errors
/// [`Error::NotFound`], and those of the database.
pub async fn get(conn: &mut Conn<'_>, stream: &Id, key: &Id) -> Result<Key> {
    let found = optional!(
        conn,
        Key,
        "select id, stream_id, name, is_primary, created_at, expires_at, used_at, revoked_at
         from stream_keys where id = $1 and stream_id = $2",
        key,
        stream
    )?;
    found.ok_or(Error::NotFound)
}

/// The keys of a stream that were not revoked, the oldest first.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut Conn<'_>, stream: &Id) -> store::Result<Vec<Key>> {
    all!(
        conn,
        Key,
        "select id, stream_id, name, is_primary, created_at, expires_at, used_at, revoked_at
         from stream_keys where stream_id = $1 and revoked_at is null order by created_at, id limit 1000",
        stream
    )
}

/// Holds the stream's row until the write is over, so that two who count its keys count one after the other.
async fn hold(conn: &mut Conn<'_>, stream: &Id) -> Result<()> {
    let held = run!(
        conn,
        "update streams set updated_at = updated_at where id = $1 and deleted_at is null",
        stream
    )?;
    if held == 0 { Err(Error::NotFound) } else { Ok(()) }
}

async fn valid(conn: &mut Conn<'_>, stream: &Id, now: Time) -> store::Result<i64> {
    let row = one!(
        conn,
        (i64,),
        "select count(*) from stream_keys where stream_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)",
        stream,
        now
    )?;
    Ok(row.0)
}

async fn insert(
    conn: &mut Conn<'_>,
    making: Making<'_>,
    stream: &Id,
    (name, is_primary): (String, bool),
    expires_at: Option<Time>,
) -> store::Result<(Key, Secret)> {
    let (id, secret) = (Kind::Key.random(), random());
    let place = Place {
        column: SEALED,
        row: id.as_str(),
    };
    run!(
        conn,
        "insert into stream_keys (id, environment_id, stream_id, name, is_primary, sealed, lookup, created_by, created_at, expires_at)
         select $1, environment_id, id, $3, $4, $5, $6, $7, $8, $9 from streams where id = $2",
        &id,
        stream,
        &name,
        is_primary,
        making.ring.seal(place, secret.expose().as_bytes()),
        lookup(making.ring, secret.expose()),
        making.by,
        making.now,
        expires_at
    )?;
    let key = Key {
        id,
        stream_id: stream.clone(),
        name,
        is_primary,
        created_at: making.now,
        expires_at,
        used_at: None,
        revoked_at: None,
    };
    Ok((key, secret))
}

fn lifetime(wanted: u32) -> Result<Duration> {
    match wanted {
        1..=DAYS_MAX => Ok(days(wanted)),
        _ => Err(Error::field("/expires_in_days", "1 to 3650 days")),
    }
}

/// A new key: letters and digits that are told apart and typed on any keyboard.
fn random() -> Secret {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let digits = crate::secret::random::<LEN>().map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
    Secret::new(format!("hw_{}", String::from_iter(digits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_easy_to_type_and_hard_to_guess() {
        let key = random();
        assert_eq!(key.expose().len(), 35);
        assert!(key.expose().starts_with("hw_"));
        assert_ne!(key, random());
    }
}
