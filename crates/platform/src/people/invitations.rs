//! Invitations: a link with which somebody may make an account, and what they then are.

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::people::email::Email;
use crate::people::links::{self, Kind, Link};
use crate::people::roles;
use crate::platform::Platform;
use crate::run;
use crate::secret::Secret;
use crate::store::{self, Conn};

/// The invitation of that secret.
///
/// # Errors
/// [`Error::Gone`] where it was used, withdrawn, or is too old.
pub async fn find(platform: &Platform, secret: &Secret) -> Result<Link> {
    let (secret, now) = (secret.clone(), platform.clock.now());
    let found = platform
        .db
        .read(|c| Box::pin(async move { links::find(c, Kind::Invite, &secret, now).await }))
        .await?;
    found.ok_or_else(gone)
}

fn gone() -> Error {
    Error::Gone("this invitation was used already, withdrawn, or is too old".into())
}

/// Whether it shows that the address is theirs: it went there by mail, and nowhere else.
pub fn vouches(link: &Link, email: &Email) -> bool {
    link.detail.by_mail && link.email.as_ref().is_some_and(|to| to.key() == email.key())
}

/// Uses one: whoever it was for is now what it says.
///
/// # Errors
/// [`Error::Gone`] where somebody else was faster, and those of the database.
pub async fn accept(conn: &mut Conn<'_>, secret: &Secret, user: &Id, now: Time) -> store::Result<()> {
    let Some(link) = links::take(conn, Kind::Invite, secret, now).await? else {
        return Err(gone().into());
    };
    for binding in &link.detail.bindings {
        let place = (binding.scope, binding.scope_id.as_str());
        roles::grant(conn, user, binding.role, place, link.created_by.as_ref(), now).await?;
    }
    run!(conn, "update links set used_by = $1 where id = $2", user, &link.id).map(drop)
}
