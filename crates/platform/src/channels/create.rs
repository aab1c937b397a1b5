use crate::channels::handle::{self, Handle};
use crate::channels::{TITLE_MAX, Visibility};
use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::store::{self, Conn, Json};
use crate::streams::keys::Making;
use crate::streams::playback::Policy;
use crate::streams::{self, NewStream};
use crate::{one, run, text};

/// A channel that is to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewChannel<'a> {
    /// Where it belongs.
    pub environment: &'a Id,
    /// Whose it is.
    pub owner: &'a Id,
    /// Its place in addresses.
    pub handle: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Channels that its owner may have.
    pub quota: u32,
}

/// Makes a public channel, its stream with a playback id and a primary key.
///
/// # Errors
/// [`Error::Field`], [`Error::Quota`], [`Error::Conflict`] where the handle is taken, and those of the database.
pub async fn create(conn: &mut Conn<'_>, making: Making<'_>, channel: NewChannel<'_>) -> Result<Id> {
    let handle = Handle::parse(channel.handle)?;
    let title = text::line("/title", channel.title, 1, TITLE_MAX)?;
    streams::hold_person(conn, channel.owner).await?;
    check_quota(conn, channel).await?;
    let id = insert(conn, making, channel, (&handle, &title)).await;
    let id = id.map_err(said_taken)?;
    handle::check_taken(conn, &handle, channel.owner, making.now).await?;
    let stream = NewStream {
        environment: channel.environment,
        owner: channel.owner,
        channel: Some(&id),
        title: &title,
        settings: &streams::Settings::default(),
        policy: Policy::Public,
    };
    let stream = streams::create(conn, making, stream).await?;
    run!(conn, "update channels set stream_id = $1 where id = $2", stream, &id)?;
    Ok(id)
}

async fn check_quota(conn: &mut Conn<'_>, channel: NewChannel<'_>) -> Result<()> {
    let (count,) = one!(
        conn,
        (i64,),
        "select count(*) from channels where owner_id = $1 and deleted_at is null",
        channel.owner
    )?;
    if count >= i64::from(channel.quota) {
        return Err(Error::Quota(
            format!("you may have at most {} channels", channel.quota).into(),
        ));
    }
    Ok(())
}

async fn insert(
    conn: &mut Conn<'_>,
    making: Making<'_>,
    channel: NewChannel<'_>,
    (handle, title): (&Handle, &str),
) -> store::Result<Id> {
    let id = Kind::Channel.random();
    run!(
        conn,
        "insert into channels (id, environment_id, owner_id, handle, title, description, category, tags, language, mature,
                               visibility, created_at, updated_at)
         values ($1, $2, $3, $4, $5, '', '', $6, '', $7, $8, $9, $9)",
        &id,
        channel.environment,
        channel.owner,
        handle.as_str(),
        title,
        Json(Vec::<String>::new()),
        false,
        Visibility::Public,
        making.now
    )?;
    Ok(id)
}

/// The one value of a channel that must be unique is its handle.
pub(super) fn said_taken(error: store::Error) -> Error {
    match error {
        store::Error::Taken(_) => Error::taken("the handle is already taken"),
        other => other.into(),
    }
}
