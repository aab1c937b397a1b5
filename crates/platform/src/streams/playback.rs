//! Playback ids: the public addresses of a stream, each with its own rule of who may watch by it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::store::{self, Conn};
use crate::{all, one, run};

/// Addresses of one stream.
pub const PLAYBACK_IDS_MAX: i64 = 20;

/// Who may watch by an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case", type_name = "text")]
pub enum Policy {
    /// Anybody who knows it.
    Public,
    /// The members of the channel; without one, its owner.
    Private,
}

/// Adds an address.
///
/// # Errors
/// [`Error::Quota`], and those of the database.
pub async fn add(conn: &mut Conn<'_>, stream: &Id, policy: Policy, now: Time) -> Result<Id> {
    let (count,) = one!(
        conn,
        (i64,),
        "select count(*) from playback_ids where stream_id = $1 and revoked_at is null",
        stream
    )?;
    if count >= PLAYBACK_IDS_MAX {
        return Err(Error::Quota(
            format!("a stream has at most {PLAYBACK_IDS_MAX} playback ids").into(),
        ));
    }
    Ok(insert(conn, stream, policy, now).await?)
}

pub(crate) async fn insert(conn: &mut Conn<'_>, stream: &Id, policy: Policy, now: Time) -> store::Result<Id> {
    let id = Kind::Playback.random();
    run!(
        conn,
        "insert into playback_ids (id, environment_id, stream_id, policy, created_at)
         select $1, environment_id, id, $3, $4 from streams where id = $2",
        &id,
        stream,
        policy,
        now
    )?;
    Ok(id)
}

/// Takes an address away: nobody watches by it any more.
///
/// # Errors
/// [`Error::NotFound`] where the stream has no such address, and those of the database.
pub async fn revoke(conn: &mut Conn<'_>, stream: &Id, id: &Id, now: Time) -> Result<()> {
    let revoked = run!(
        conn,
        "update playback_ids set revoked_at = $1 where id = $2 and stream_id = $3 and revoked_at is null",
        now,
        id,
        stream
    )?;
    if revoked == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// How many public addresses the streams of a channel have.
///
/// # Errors
/// Those of the database.
pub async fn count_public(conn: &mut Conn<'_>, channel: &Id) -> store::Result<i64> {
    let row = one!(
        conn,
        (i64,),
        "select count(*) from playback_ids p join streams s on s.id = p.stream_id
         where s.channel_id = $1 and s.deleted_at is null and p.policy = 'public' and p.revoked_at is null",
        channel
    )?;
    Ok(row.0)
}

/// Puts a private address in the place of each public one of a channel's streams.
///
/// # Errors
/// Those of the database.
pub async fn make_private(conn: &mut Conn<'_>, channel: &Id, now: Time) -> store::Result<()> {
    let public = all!(
        conn,
        (Id, Id),
        "select p.id, p.stream_id from playback_ids p join streams s on s.id = p.stream_id
         where s.channel_id = $1 and s.deleted_at is null and p.policy = 'public' and p.revoked_at is null limit 10000",
        channel
    )?;
    for (id, stream) in public {
        run!(conn, "update playback_ids set revoked_at = $1 where id = $2", now, id)?;
        insert(conn, &stream, Policy::Private, now).await?;
    }
    Ok(())
}
