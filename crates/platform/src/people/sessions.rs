//! Signed-in browsers.

use std::time::Duration;

use crate::actor::{Actor, Client, Credential};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::people::roles;
use crate::platform::Platform;
use crate::run;
use crate::secret::{Digest, Secret};
use crate::settings::Home;
use crate::store::{self, Conn};

/// A session that is not used for so long ends.
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(30 * 86_400);
/// How often a session's last use is written down.
const SEEN_EVERY: Duration = Duration::from_secs(300);

#[derive(sqlx::FromRow)]
struct Found {
    id: Id,
    user_id: Id,
    name: String,
    seen_at: Time,
    fresh_at: Time,
}

/// How somebody signed in.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    /// `password`, `passkey`, `oidc`, `link`, `setup`.
    pub method: &'static str,
    /// The browser, as it calls itself.
    pub user_agent: &'a str,
    /// From where.
    pub client: &'a Client,
}

/// Opens a session for a person; the secret goes into the cookie and nowhere else.
///
/// # Errors
/// Those of the database.
pub async fn open(conn: &mut Conn<'_>, user: &Id, how: SignIn<'_>, now: Time) -> store::Result<(Id, Secret)> {
    let (id, secret) = (Kind::Session.random(), Secret::random());
    let agent: String = how.user_agent.chars().filter(|c| !c.is_control()).take(200).collect();
    crate::run!(
        conn,
        "insert into sessions (id, digest, user_id, method, user_agent, address, created_at, seen_at, fresh_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7, $7, $8)",
        &id,
        secret.digest(),
        user,
        how.method,
        agent,
        how.client.address.to_string(),
        now,
        now.plus(IDLE_TIME_MAX)
    )?;
    run!(
        conn,
        "update sessions set revoked_at = $1 where user_id = $2 and revoked_at is null and id not in
         (select id from sessions where user_id = $2 and revoked_at is null order by seen_at desc limit $3)",
        now,
        user,
        SESSIONS_MAX
    )?;
    crate::run!(conn, "update users set signed_in_at = $1 where id = $2", now, user)?;
    Ok((id, secret))
}

/// The person whose cookie this is.
///
/// # Errors
/// [`Error::Unauthenticated`] where the session has ended or its person may not come in.
pub async fn find(platform: &Platform, cookie: &Secret, client: &Client) -> Result<Actor> {
    let (digest, now) = (cookie.digest(), platform.clock.now());
    let home = home(platform).await?;
    let found = platform.db.read(|c| Box::pin(look_up(c, digest, now))).await?;
    let (found, roles) = found.ok_or(Error::Unauthenticated("the session has ended: sign in again".into()))?;
    if now.since(found.seen_at) > SEEN_EVERY {
        let id = found.id.clone();
        platform
            .db
            .write(move |c| Box::pin(async move { seen(c, &id, now).await }))
            .await?;
    }
    Ok(Actor {
        user: found.user_id,
        name: found.name,
        roles: roles::effective(&platform.settings(), roles),
        environment: home.environment,
        organisation: home.organisation,
        credential: Credential::Session {
            id: found.id,
            fresh_at: found.fresh_at,
        },
        address: client.address,
    })
}

async fn look_up(
    conn: &mut Conn<'_>,
    digest: Digest,
    now: Time,
) -> store::Result<Option<(Found, Vec<crate::authorize::Binding>)>> {
    let found = crate::optional!(
        conn,
        Found,
        "select s.id, s.user_id, u.name, s.seen_at, s.fresh_at from sessions s join users u on u.id = s.user_id
         where s.digest = $1 and s.revoked_at is null and s.expires_at > $2 and u.suspended_at is null and u.erased_at is null",
        digest,
        now
    )?;
    let Some(found) = found else { return Ok(None) };
    let roles = roles::of(conn, &found.user_id).await?;
    Ok(Some((found, roles)))
}

async fn seen(conn: &mut Conn<'_>, id: &Id, now: Time) -> store::Result<()> {
    crate::run!(
        conn,
        "update sessions set seen_at = $1, expires_at = $2 where id = $3",
        now,
        now.plus(IDLE_TIME_MAX),
        id
    )
    .map(drop)
}

/// Ends the session of that cookie, where it is one.
///
/// # Errors
/// Those of the database.
pub async fn end_by_secret(conn: &mut Conn<'_>, secret: &Secret, now: Time) -> store::Result<()> {
    run!(
        conn,
        "update sessions set revoked_at = $1 where digest = $2 and revoked_at is null",
        now,
        secret.digest()
    )
    .map(drop)
}

/// Ends all sessions of a person, but for the one that asks for it.
///
/// # Errors
/// Those of the database.
pub async fn end_all(conn: &mut Conn<'_>, user: &Id, but: Option<&Id>, now: Time) -> store::Result<()> {
    run!(
        conn,
        "update sessions set revoked_at = $1 where user_id = $2 and revoked_at is null and id <> $3",
        now,
        user,
        but.map_or("", Id::as_str)
    )
    .map(drop)
}

/// The person has proved again who they are.
///
/// # Errors
/// Those of the database.
pub async fn refresh(conn: &mut Conn<'_>, id: &Id, now: Time) -> store::Result<()> {
    run!(conn, "update sessions set fresh_at = $1 where id = $2", now, id).map(drop)
}

/// Sessions of one person: with one more, the one that was away the longest ends.
const SESSIONS_MAX: i64 = 100;

pub(super) async fn home(platform: &Platform) -> Result<Home> {
    let home = platform.fresh_settings().await?.home.clone();
    home.ok_or(Error::Unauthenticated("the server is not set up yet".into()))
}
