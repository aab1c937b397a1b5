use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::run;
use crate::store::{self, Conn, Json};
use crate::streams::{Settings, Stream, TITLE_MAX};
use crate::text;

/// What is to be changed; the rest stays.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// Another title.
    pub title: Option<String>,
    /// Other settings: they hold for the next broadcast.
    pub settings: Option<Settings>,
}

/// Changes a stream.
///
/// # Errors
/// [`Error::Field`], [`Error::NotFound`], and those of the database.
pub async fn edit(conn: &mut Conn<'_>, id: &Id, patch: &Patch, now: Time) -> Result<()> {
    let title = patch.title.as_deref();
    let title = title
        .map(|title| text::line("/title", title, 1, TITLE_MAX))
        .transpose()?;
    patch.settings.as_ref().map_or(Ok(()), Settings::check)?;
    let changed = run!(
        conn,
        "update streams set title = coalesce($1, title), settings = coalesce($2, settings), updated_at = $3
         where id = $4 and deleted_at is null",
        title,
        patch.settings.as_ref().map(Json),
        now,
        id
    )?;
    found(changed)
}

/// Disables a stream, so that nobody may publish it, or enables it again. What is so already stays as it is.
///
/// # Errors
/// Those of the database.
pub async fn switch(conn: &mut Conn<'_>, id: &Id, disabled: bool, now: Time) -> store::Result<()> {
    run!(
        conn,
        "update streams set disabled_at = case when $1 then coalesce(disabled_at, $2) end, updated_at = $2
         where id = $3 and deleted_at is null",
        disabled,
        now,
        id
    )
    .map(drop)
}

/// Deletes a stream, its keys and its addresses; what happened to it stays on record.
///
/// # Errors
/// [`Error::Conflict`] for the stream that a channel shows, [`Error::NotFound`], and those of the database.
pub async fn remove(conn: &mut Conn<'_>, stream: &Stream, now: Time) -> Result<()> {
    if stream.is_main {
        return Err(Error::Conflict {
            code: "conflict",
            detail: "it is the stream that its channel shows: delete the channel, or disable the stream".into(),
        });
    }
    let id = &stream.id;
    let deleted = run!(
        conn,
        "update streams set deleted_at = $1 where id = $2 and deleted_at is null",
        now,
        id
    )?;
    found(deleted)?;
    run!(
        conn,
        "update stream_keys set revoked_at = $1 where stream_id = $2 and revoked_at is null",
        now,
        id
    )?;
    run!(
        conn,
        "update playback_ids set revoked_at = $1 where stream_id = $2 and revoked_at is null",
        now,
        id
    )?;
    Ok(())
}

fn found(rows: u64) -> Result<()> {
    if rows == 0 { Err(Error::NotFound) } else { Ok(()) }
}
