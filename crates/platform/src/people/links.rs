//! Secrets that are sent to somebody and used once: they confirm an address, set a new password, invite, or make the first account.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::authorize::Binding;
use crate::clock::Time;
use crate::error::Result;
use crate::id::{Id, Kind as IdKind};
use crate::people::email::Email;
use crate::secret::{KeyRing, Place, Sealed, Secret};
use crate::store::{self, Conn, Json};
use crate::{optional, run};

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case", type_name = "text")]
pub enum Kind {
    /// Makes the first account.
    Setup,
    /// Shows that an address is one's own, after a sign-up.
    Verify,
    /// Sets a new password.
    Reset,
    /// Lets somebody make an account.
    Invite,
    /// Shows that an address is one's own, to have it in the place of another.
    Email,
}

impl Kind {
    /// How long such a link is good for, where the server sends it by mail.
    pub fn lifetime(self) -> Duration {
        match self {
            Self::Reset => Duration::from_secs(3_600),
            Self::Verify | Self::Email => Duration::from_secs(2 * 86_400),
            Self::Invite => Duration::from_secs(7 * 86_400),
            // Until it is used.
            Self::Setup => Duration::from_secs(100 * 365 * 86_400),
        }
    }

    /// The same where an administrator has to pass it on.
    pub fn lifetime_by_hand(self) -> Duration {
        self.lifetime().max(Duration::from_secs(86_400))
    }

    /// The page that takes it.
    pub fn path(self, secret: &Secret) -> String {
        let page = match self {
            Self::Setup => "setup",
            Self::Verify | Self::Email => "verify",
            Self::Reset => "reset",
            Self::Invite => "invite",
        };
        format!("/{page}?token={}", secret.expose())
    }
}

/// What else a link carries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// What whoever uses it becomes.
    pub bindings: Vec<Binding>,
    /// Whether its address was shown to be right by its arrival: it went by mail.
    pub by_mail: bool,
}

/// A link to be made.
#[derive(Clone, Debug)]
pub struct New {
    /// What it does.
    pub kind: Kind,
    /// Whom it is for, where they have an account.
    pub user: Option<Id>,
    /// The address it is for.
    pub email: Option<Email>,
    /// What else it carries.
    pub detail: Detail,
    /// Who made it.
    pub by: Option<Id>,
    /// How long it is good for.
    pub lifetime: Duration,
}

/// A link that is there and can be used.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Link {
    /// Of the link; it is no secret.
    pub id: Id,
    /// What it does.
    pub kind: Kind,
    /// Whom it is for, where they have an account.
    pub user_id: Option<Id>,
    /// The address it is for.
    pub email: Option<Email>,
    /// What else it carries.
    pub detail: Json<Detail>,
    /// Who made it.
    pub created_by: Option<Id>,
    /// When.
    pub created_at: Time,
    /// Until when it is good.
    pub expires_at: Time,
    sealed: Sealed,
}

impl Link {
    /// The secret, for an administrator to pass on.
    ///
    /// # Errors
    /// If another ring sealed it.
    pub fn secret(&self, ring: &KeyRing) -> Result<Secret> {
        Ok(ring.open_text(place(self.id.as_str()), &self.sealed)?)
    }
}

fn place(row: &str) -> Place<'_> {
    Place {
        column: "links.sealed",
        row,
    }
}

/// Makes one, in the place of any of that kind that the same person has not used yet.
///
/// # Errors
/// Those of the database.
pub async fn create(conn: &mut Conn<'_>, ring: &KeyRing, new: New, now: Time) -> store::Result<(Id, Secret)> {
    if let Some(user) = &new.user {
        forget(conn, new.kind, user).await?;
    }
    let (id, secret) = (IdKind::Link.random(), Secret::random());
    let sealed = ring.seal(place(id.as_str()), secret.expose().as_bytes());
    run!(
        conn,
        "insert into links (id, kind, digest, sealed, user_id, email, detail, created_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &id,
        new.kind,
        secret.digest(),
        sealed,
        &new.user,
        &new.email,
        Json(&new.detail),
        &new.by,
        now,
        now.plus(new.lifetime)
    )?;
    Ok((id, secret))
}

/// Removes what a person has not used.
///
/// # Errors
/// Those of the database.
pub async fn forget(conn: &mut Conn<'_>, kind: Kind, user: &Id) -> store::Result<()> {
    run!(
        conn,
        "delete from links where user_id = $1 and kind = $2 and used_at is null",
        user,
        kind
    )
    .map(drop)
}

/// Looks at one without using it.
///
/// # Errors
/// Those of the database.
pub async fn find(conn: &mut Conn<'_>, kind: Kind, secret: &Secret, now: Time) -> store::Result<Option<Link>> {
    optional!(
        conn,
        Link,
        "select id, kind, user_id, email, detail, created_by, created_at, expires_at, sealed from links
         where digest = $1 and kind = $2 and used_at is null and expires_at > $3",
        secret.digest(),
        kind,
        now
    )
}

/// Uses one: of two who come at once, one gets it.
///
/// # Errors
/// Those of the database.
pub async fn take(conn: &mut Conn<'_>, kind: Kind, secret: &Secret, now: Time) -> store::Result<Option<Link>> {
    optional!(
        conn,
        Link,
        "update links set used_at = $3 where digest = $1 and kind = $2 and used_at is null and expires_at > $3
         returning id, kind, user_id, email, detail, created_by, created_at, expires_at, sealed",
        secret.digest(),
        kind,
        now
    )
}
