//! Personal API tokens.

use std::time::Duration;

use crate::actor::{Actor, Client, Credential};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::people::roles;
use crate::platform::Platform;
use crate::secret::{Digest, Secret};
use crate::store::{self, Conn, Json};

/// How often a token's last use is written down.
const USED_EVERY: Duration = Duration::from_secs(300);

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
        roles,
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
    crate::run!(conn, "update tokens set used_at = $1 where id = $2", now, id).map(drop)
}
