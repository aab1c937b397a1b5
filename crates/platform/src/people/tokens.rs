//! Personal API tokens. Only the digest of a token's secret is kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actor::{Actor, Client, Credential};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::people::roles;
use crate::platform::Platform;
use crate::secret::{Digest, Secret};
use crate::settings::days;
use crate::store::{self, Conn, Json};
use crate::text;
use crate::{all, one, run};

/// How often a token's last use is written down.
const USED_EVERY: Duration = Duration::from_secs(300);
/// Tokens of one person that hold.
pub const QUOTA: i64 = 20;
/// Characters of a token's name.
pub const NAME_MAX: usize = 80;
/// The longest that a token may be said to hold, in days.
pub const DAYS_MAX: u32 = 3_650;

/// What a token is good for. It never gives more than its person has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TokenScope)]
pub enum Scope {
    /// To see.
    Read,
    /// To make and change channels and streams.
    Write,
    /// To reveal, make and revoke stream keys.
    Keys,
    /// To run the server.
    Admin,
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Token {
    /// Its id: the part before the dot.
    pub id: Id,
    /// What its person calls it.
    pub name: String,
    /// What it is good for.
    pub scopes: Json<Vec<Scope>>,
    /// Since when it is there.
    pub created_at: Time,
    /// When it ends by itself.
    pub expires_at: Option<Time>,
    /// When it was last shown, to within five minutes.
    pub used_at: Option<Time>,
}

/// A token to be made.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// Whose it is.
    pub user: &'a Id,
    /// Where it sees anything.
    pub environment: &'a Id,
    /// What to call it.
    pub name: &'a str,
    /// What it is good for.
    pub scopes: &'a [Scope],
    /// When it ends by itself; never where this is none.
    pub expires_in_days: Option<u32>,
}

/// Makes a token. The secret, `ID.SECRET`, is shown once and kept nowhere.
///
/// # Errors
/// [`Error::Quota`] where the person has as many as they may, [`Error::Field`], and those of the database.
pub async fn create(conn: &mut Conn<'_>, new: New<'_>, now: Time) -> Result<(Token, Secret)> {
    let mut scopes = new.scopes.to_vec();
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(Error::field("/scopes", "choose at least one"));
    }
    let lifetime = new.expires_in_days.map(lifetime).transpose()?;
    let token = Token {
        id: Kind::Token.random(),
        name: text::line("/name", new.name, 1, NAME_MAX)?,
        scopes: Json(scopes),
        created_at: now,
        expires_at: lifetime.map(|lifetime| now.plus(lifetime)),
        used_at: None,
    };
    hold(conn, new.user).await?;
    if valid(conn, new.user, now).await? >= QUOTA {
        return Err(Error::Quota(format!("a person has at most {QUOTA} tokens").into()));
    }
    let secret = Secret::random();
    insert(conn, new, &token, secret.digest()).await?;
    let shown = Secret::new(format!("{}.{}", token.id, secret.expose()));
    Ok((token, shown))
}

fn lifetime(count: u32) -> Result<Duration> {
    match count {
        1..=DAYS_MAX => Ok(days(count)),
        _ => Err(Error::field("/expires_in_days", format!("1 to {DAYS_MAX} days"))),
    }
}

/// Holds the person's row until the write is over, so that two who count the tokens count one after the other.
async fn hold(conn: &mut Conn<'_>, user: &Id) -> Result<()> {
    let held = run!(
        conn,
        "update users set updated_at = updated_at where id = $1 and erased_at is null",
        user
    )?;
    if held == 0 { Err(Error::NotFound) } else { Ok(()) }
}

async fn valid(conn: &mut Conn<'_>, user: &Id, now: Time) -> store::Result<i64> {
    let row = one!(
        conn,
        (i64,),
        "select count(*) from tokens where user_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)",
        user,
        now
    )?;
    Ok(row.0)
}

async fn insert(conn: &mut Conn<'_>, new: New<'_>, token: &Token, digest: Digest) -> store::Result<()> {
    run!(
        conn,
        "insert into tokens (id, environment_id, user_id, name, digest, scopes, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        &token.id,
        new.environment,
        new.user,
        &token.name,
        digest,
        &token.scopes,
        token.created_at,
        token.expires_at
    )
    .map(drop)
}

/// The tokens of a person in an environment that were not revoked, the newest first. Those that have expired are among them.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut Conn<'_>, user: &Id, environment: &Id) -> store::Result<Vec<Token>> {
    all!(
        conn,
        Token,
        "select id, name, scopes, created_at, expires_at, used_at from tokens
         where user_id = $1 and environment_id = $2 and revoked_at is null order by created_at desc, id desc limit 100",
        user,
        environment
    )
}

/// Revokes a token of a person; says whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn revoke(conn: &mut Conn<'_>, user: &Id, environment: &Id, token: &Id, now: Time) -> store::Result<bool> {
    let revoked = run!(
        conn,
        "update tokens set revoked_at = $1 where id = $2 and user_id = $3 and environment_id = $4 and revoked_at is null",
        now,
        token,
        user,
        environment
    )?;
    Ok(revoked > 0)
}

#[derive(sqlx::FromRow)]
struct Found {
    id: Id,
    user_id: Id,
    environment_id: Id,
    organisation_id: Id,
    name: String,
    scopes: Json<Vec<String>>,
    used_at: Option<Time>,
}

/// The person whose token this is.
///
/// # Errors
/// [`Error::Unauthenticated`] where id and secret do not belong together, or the token has ended.
pub async fn find(platform: &Platform, id: &str, secret: &Secret, client: &Client) -> Result<Actor> {
    let (digest, now, wanted) = (secret.digest(), platform.clock.now(), id.to_owned());
    let found = platform.db.read(|c| Box::pin(look_up(c, wanted, digest, now))).await?;
    let (found, roles) = found.ok_or(Error::Unauthenticated("the token is unknown or has ended".into()))?;
    if found.used_at.is_none_or(|used| now.since(used) > USED_EVERY) {
        let id = found.id.clone();
        platform
            .db
            .write(move |c| Box::pin(async move { used(c, &id, now).await }))
            .await?;
    }
    Ok(Actor {
        user: found.user_id,
        name: found.name,
        roles: roles::effective(&platform.settings(), roles),
        environment: found.environment_id,
        organisation: found.organisation_id,
        credential: Credential::Token {
            id: found.id,
            scopes: found.scopes.0,
        },
        address: client.address,
    })
}

async fn look_up(
    conn: &mut Conn<'_>,
    id: String,
    digest: Digest,
    now: Time,
) -> store::Result<Option<(Found, Vec<crate::authorize::Binding>)>> {
    let found = crate::optional!(
        conn,
        Found,
        "select t.id, t.user_id, t.environment_id, e.organisation_id, u.name, t.scopes, t.used_at
         from tokens t join users u on u.id = t.user_id join environments e on e.id = t.environment_id
         where t.digest = $1 and t.id = $2 and t.revoked_at is null and (t.expires_at is null or t.expires_at > $3)
           and u.suspended_at is null and u.erased_at is null",
        digest,
        id,
        now
    )?;
    let Some(found) = found else { return Ok(None) };
    let roles = roles::of(conn, &found.user_id).await?;
    Ok(Some((found, roles)))
}

async fn used(conn: &mut Conn<'_>, id: &Id, now: Time) -> store::Result<()> {
    run!(conn, "update tokens set used_at = $1 where id = $2", now, id).map(drop)
}
