//! Deleting an account: the person is forgotten, what the ledger and the audit log refer to stays.

use crate::authorize::{Role, SERVER, Scope};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::platform::{Change, Platform};
use crate::store::{self, Conn};

/// What takes an erased person's name.
pub const ERASED_NAME: &str = "deleted account";

/// Rows that belong to nobody but the person.
#[rustfmt::skip]
const FORGOTTEN: &[&str] = &[
    "delete from sessions where user_id = $1",
    "delete from known_devices where user_id = $1",
    "delete from passkeys where user_id = $1",
    "delete from authenticators where user_id = $1",
    "delete from recovery_codes where user_id = $1",
    "delete from identities where user_id = $1",
    "delete from links where user_id = $1",
    "delete from challenges where user_id = $1",
    "delete from tokens where user_id = $1",
    "delete from role_bindings where subject_id = $1",
    "delete from idempotency where actor_id = $1",
];

/// What a person made: it stays as a tombstone that nothing can be done with.
#[rustfmt::skip]
const ENDED: &[&str] = &[
    "update stream_keys set revoked_at = $2 where revoked_at is null and stream_id in (select id from streams where owner_id = $1)",
    "update playback_ids set revoked_at = $2 where revoked_at is null and stream_id in (select id from streams where owner_id = $1)",
    "update streams set deleted_at = $2, title = '' where deleted_at is null and owner_id = $1",
    "update channels set deleted_at = $2, title = '', description = '', tags = '[]', avatar_id = null, banner_id = null
     where deleted_at is null and owner_id = $1",
];

/// Erases a person; their live sources end.
///
/// # Errors
/// [`Error::Conflict`] for the last owner of the server.
pub async fn erase(platform: &Platform, user: &Id) -> Result<()> {
    let (now, who) = (platform.clock.now(), user.clone());
    let erased = platform
        .db
        .write(move |c| Box::pin(async move { forget(c, &who, now).await }))
        .await?;
    if !erased {
        return Err(Error::Conflict {
            code: "last_owner",
            detail: "you are the only owner of this server: make somebody else an owner first".into(),
        });
    }
    platform.changed(Change::User(user.clone()));
    Ok(())
}

async fn forget(conn: &mut Conn<'_>, user: &Id, now: Time) -> store::Result<bool> {
    if is_last_owner(conn, user).await? {
        return Ok(false);
    }
    for sql in ENDED {
        crate::run!(conn, *sql, user, now)?;
    }
    for sql in FORGOTTEN {
        crate::run!(conn, *sql, user)?;
    }
    crate::run!(conn, "delete from images where created_by = $1", user)?;
    crate::run!(
        conn,
        "update users set email = null, email_key = null, email_verified_at = null, name = $1, password_hash = null, locale = 'en',
         creator_requested_at = null, suspended_reason = null, signed_in_at = null, updated_at = $2, erased_at = $2 where id = $3",
        ERASED_NAME,
        now,
        user
    )?;
    Ok(true)
}

/// Whether nobody else who may come in owns the server.
///
/// # Errors
/// Those of the database.
pub async fn is_last_owner(conn: &mut Conn<'_>, user: &Id) -> store::Result<bool> {
    let (own, others) = crate::one!(
        conn,
        (i64, i64),
        "select cast(coalesce(sum(case when r.subject_id = $1 then 1 else 0 end), 0) as bigint),
                cast(coalesce(sum(case when r.subject_id <> $1 and u.suspended_at is null and u.erased_at is null then 1 else 0 end), 0) as bigint)
         from role_bindings r join users u on u.id = r.subject_id
         where r.role = $2 and r.scope = $3 and r.scope_id = $4",
        user,
        Role::Owner,
        Scope::Server,
        SERVER
    )?;
    Ok(own > 0 && others == 0)
}
