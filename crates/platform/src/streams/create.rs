use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::store::{self, Conn, Json};
use crate::streams::keys::{self, Making};
use crate::streams::playback::{self, Policy};
use crate::streams::{Settings, TITLE_MAX};
use crate::{one, run, text};

/// A stream that is to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewStream<'a> {
    /// Where it belongs.
    pub environment: &'a Id,
    /// Whose it is.
    pub owner: &'a Id,
    /// Its channel.
    pub channel: Option<&'a Id>,
    /// Its title.
    pub title: &'a str,
    /// How its broadcasts are run.
    pub settings: &'a Settings,
    /// Of its first playback id.
    pub policy: Policy,
}

/// Makes a stream with a playback id and a primary key; within the quota of whoever owns it.
///
/// # Errors
/// [`Error::Quota`], [`Error::Field`], and those of the database.
pub async fn create_counted(conn: &mut Conn<'_>, making: Making<'_>, stream: NewStream<'_>, quota: u32) -> Result<Id> {
    hold_person(conn, stream.owner).await?;
    let (count,) = one!(
        conn,
        (i64,),
        "select count(*) from streams where owner_id = $1 and deleted_at is null",
        stream.owner
    )?;
    if count >= i64::from(quota) {
        return Err(Error::Quota(format!("you may have at most {quota} streams").into()));
    }
    create(conn, making, stream).await
}

/// Makes a stream with a playback id and a primary key.
///
/// # Errors
/// [`Error::Field`], and those of the database.
pub async fn create(conn: &mut Conn<'_>, making: Making<'_>, stream: NewStream<'_>) -> Result<Id> {
    stream.settings.check()?;
    let title = text::line("/title", stream.title, 1, TITLE_MAX)?;
    let id = Kind::Stream.random();
    run!(
        conn,
        "insert into streams (id, environment_id, owner_id, channel_id, title, settings, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)",
        &id,
        stream.environment,
        stream.owner,
        stream.channel,
        title,
        Json(stream.settings),
        making.now
    )?;
    playback::insert(conn, &id, stream.policy, making.now).await?;
    keys::create_primary(conn, making, &id).await?;
    Ok(id)
}

/// Holds a person's row until the write is over, so that two who count what is theirs count one after the other.
pub(crate) async fn hold_person(conn: &mut Conn<'_>, person: &Id) -> store::Result<()> {
    run!(conn, "update users set updated_at = updated_at where id = $1", person).map(drop)
}
