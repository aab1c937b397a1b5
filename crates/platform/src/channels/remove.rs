use crate::channels::{Channel, handle};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::store::Conn;
use crate::{all, run};

/// Deletes a channel with its streams, keys, addresses, pictures and members; returns the streams. What happened stays on record, and
/// nobody else gets the handle for a while.
///
/// # Errors
/// [`Error::NotFound`], and those of the database.
pub async fn remove(conn: &mut Conn<'_>, channel: &Channel, now: Time) -> Result<Vec<Id>> {
    let id = &channel.id;
    let deleted = run!(
        conn,
        "update channels set deleted_at = $1, avatar_id = null, banner_id = null, description = '' where id = $2 and deleted_at is null",
        now,
        id
    )?;
    if deleted == 0 {
        return Err(Error::NotFound);
    }
    let streams = all!(
        conn,
        (Id,),
        "select id from streams where channel_id = $1 and deleted_at is null limit 100000",
        id
    )?;
    for sql in [
        "update stream_keys set revoked_at = $1 where revoked_at is null
             and stream_id in (select id from streams where channel_id = $2 and deleted_at is null)",
        "update playback_ids set revoked_at = $1 where revoked_at is null
             and stream_id in (select id from streams where channel_id = $2 and deleted_at is null)",
        "update streams set deleted_at = $1 where channel_id = $2 and deleted_at is null",
    ] {
        run!(conn, sql, now, id)?;
    }
    run!(
        conn,
        "delete from role_bindings where scope = 'channel' and scope_id = $1",
        id
    )?;
    for picture in [&channel.avatar_id, &channel.banner_id].into_iter().flatten() {
        run!(conn, "delete from images where id = $1", picture)?;
    }
    handle::give_up(conn, &channel.handle, id, now).await?;
    Ok(streams.into_iter().map(|(id,)| id).collect())
}
