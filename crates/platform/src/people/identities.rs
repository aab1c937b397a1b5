//! Sign-ins elsewhere that are linked to a person here. An identity is an issuer and the subject that it names, never a mail address.

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::people::factors;
use crate::store::{self, Conn};
use crate::{all, one, optional, run};

/// Identities of one person.
pub const QUOTA: i64 = 20;

/// A linked identity.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Identity {
    /// Its id here.
    pub id: Id,
    /// What its provider is called.
    pub provider: String,
    /// The address that the provider told.
    pub email: Option<String>,
    /// Since when it is linked.
    pub created_at: Time,
}

/// Somebody, as a provider knows them.
#[derive(Clone, Debug)]
pub struct Known {
    /// The provider's id here.
    pub provider: Id,
    /// Its name for itself.
    pub issuer: String,
    /// Its name for them.
    pub subject: String,
    /// The address that it told.
    pub email: Option<String>,
}

/// The identities of a person, the oldest first.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut Conn<'_>, user: &Id) -> store::Result<Vec<Identity>> {
    all!(
        conn,
        Identity,
        "select i.id, p.name as provider, i.email, i.created_at
         from identities i join identity_providers p on p.id = i.provider_id
         where i.user_id = $1 order by i.created_at, i.id limit 100",
        user
    )
}

/// Whose identity this is.
///
/// # Errors
/// Those of the database.
pub async fn owner(conn: &mut Conn<'_>, known: &Known) -> store::Result<Option<Id>> {
    let row = optional!(
        conn,
        (Id,),
        "select user_id from identities where issuer = $1 and subject = $2",
        &known.issuer,
        &known.subject
    )?;
    Ok(row.map(|row| row.0))
}

/// Links an identity to a person; somebody else's is [`store::Error::Taken`].
///
/// # Errors
/// [`Error::Quota`], and those of the database.
pub async fn link(conn: &mut Conn<'_>, user: &Id, known: &Known, now: Time) -> store::Result<Id> {
    let (count,) = one!(conn, (i64,), "select count(*) from identities where user_id = $1", user)?;
    if count >= QUOTA {
        return Err(Error::Quota(format!("a person has at most {QUOTA} linked accounts").into()).into());
    }
    let id = Kind::Identity.random();
    run!(
        conn,
        "insert into identities (id, user_id, provider_id, issuer, subject, email, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
        &id,
        user,
        &known.provider,
        &known.issuer,
        &known.subject,
        &known.email,
        now
    )?;
    Ok(id)
}

/// Writes down that somebody signed in with it, and the address that was told.
///
/// # Errors
/// Those of the database.
pub async fn used(conn: &mut Conn<'_>, known: &Known, now: Time) -> store::Result<()> {
    run!(
        conn,
        "update identities set used_at = $1, email = $2 where issuer = $3 and subject = $4",
        now,
        &known.email,
        &known.issuer,
        &known.subject
    )
    .map(drop)
}

/// Unlinks an identity of a person.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`] where nothing else would let the person in, and those of the database.
pub async fn unlink(conn: &mut Conn<'_>, user: &Id, identity: &Id) -> Result<()> {
    let gone = run!(
        conn,
        "delete from identities where id = $1 and user_id = $2",
        identity,
        user
    )?;
    if gone == 0 {
        return Err(Error::NotFound);
    }
    let factors = factors::of(conn, user).await?;
    let (left,) = one!(conn, (i64,), "select count(*) from identities where user_id = $1", user)?;
    if left == 0 && !factors.password && factors.passkeys == 0 {
        return Err(Error::Conflict {
            code: "conflict",
            detail: "nothing else would let you in: set a password or add a passkey first".into(),
        });
    }
    Ok(())
}
