//! Another mail address for an account.

use crate::actor::Actor;
use crate::audit::Act;
use crate::error::{Error, Result};
use crate::mail::Text;
use crate::people::email::Email;
use crate::people::users::{self, User};
use crate::people::{links, post};
use crate::platform::Platform;

/// Begins to change the mail address: the new one is sent a link, the old one is told. That the new one has an account is not told.
///
/// # Errors
/// [`Error::Field`], [`Error::TooMany`].
pub async fn change(platform: &Platform, actor: &Actor, email: &Email) -> Result<()> {
    email.check("/email")?;
    let mails = post::ready(platform)?;
    platform.doors.throttle.mail(actor.address)?;
    let wanted = platform.doors.throttle.letter("email", actor.user.as_str());
    if !wanted {
        return Err(Error::TooMany(std::time::Duration::from_secs(900)));
    }
    let (ring, now, actor, to) = (platform.ring(), platform.clock.now(), actor.clone(), email.clone());
    let write = platform.db.write(move |c| {
        Box::pin(async move {
            let user = users::by_id(c, &actor.user).await?;
            let taken = users::by_key(c, &to.key()).await?.is_some();
            let act = Act::by(&actor, "user.email_change", ("user", actor.user.as_str()));
            act.record(c, now).await?;
            let new = new_address(&user, to, mails);
            let (_, secret) = links::create(c, &ring, new, now).await?;
            Ok((user.email, (!taken).then_some(secret)))
        })
    });
    let (old, secret) = write.await?;
    if let Some(old) = old {
        post::send(platform, old, Text::AddressChanges, None).await?;
    }
    match secret {
        Some(secret) => {
            let path = links::Kind::Email.path(&secret);
            post::send(platform, email.clone(), Text::NewAddress, Some(&path)).await
        }
        None => post::send(platform, email.clone(), Text::AccountExists, Some("/reset")).await,
    }
}

fn new_address(user: &User, email: Email, mails: bool) -> links::New {
    let kind = links::Kind::Email;
    links::New {
        kind,
        user: Some(user.id.clone()),
        email: Some(email),
        detail: links::Detail {
            by_mail: mails,
            ..links::Detail::default()
        },
        by: Some(user.id.clone()),
        lifetime: if mails {
            kind.lifetime()
        } else {
            kind.lifetime_by_hand()
        },
    }
}
