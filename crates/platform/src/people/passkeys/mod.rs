//! Passkeys (WebAuthn level 3). Each is discoverable and asks its holder for a finger, a face or a PIN: one alone signs in.

mod assertion;
mod registration;
mod relying_party;
#[cfg(test)]
pub(crate) mod testing;

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::people::{factors, recovery};
use crate::store::{self, Conn};
use crate::text;
use crate::{all, run};

pub use assertion::{Asked, confirm, sign_in, start_confirm, start_sign_in};
pub use registration::{Added, finish, start};
pub use relying_party::unavailable;

/// Passkeys of one person.
pub const QUOTA: i64 = 20;
/// Characters of a passkey's name.
pub const NAME_MAX: usize = 64;

/// A passkey, without the public key that checks it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Passkey {
    /// Its id here.
    pub id: Id,
    /// What its person calls it.
    pub name: String,
    /// Since when it is there.
    pub created_at: Time,
    /// When it last signed in.
    pub used_at: Option<Time>,
}

/// The passkeys of a person, the oldest first.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut Conn<'_>, user: &Id) -> store::Result<Vec<Passkey>> {
    all!(
        conn,
        Passkey,
        "select id, name, created_at, used_at from passkeys where user_id = $1 order by created_at, id limit 100",
        user
    )
}

/// Calls a passkey something else.
///
/// # Errors
/// [`Error::NotFound`] where the person has no such passkey, [`Error::Field`], and those of the database.
pub async fn rename(conn: &mut Conn<'_>, user: &Id, passkey: &Id, name: &str) -> Result<Passkey> {
    let name = text::line("/name", name, 1, NAME_MAX)?;
    let renamed = crate::optional!(
        conn,
        Passkey,
        "update passkeys set name = $1 where id = $2 and user_id = $3 returning id, name, created_at, used_at",
        name,
        passkey,
        user
    )?;
    renamed.ok_or(Error::NotFound)
}

/// Forgets a passkey; says whether there was one. Without another second factor nothing is left to recover.
///
/// # Errors
/// Those of the database.
pub async fn remove(conn: &mut Conn<'_>, user: &Id, passkey: &Id) -> store::Result<bool> {
    let removed = run!(
        conn,
        "delete from passkeys where id = $1 and user_id = $2",
        passkey,
        user
    )?;
    if !factors::has_any(conn, user).await? {
        recovery::remove(conn, user).await?;
    }
    Ok(removed > 0)
}
