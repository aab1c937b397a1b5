//! Making an account.

use serde_json::json;

use crate::audit::Act;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::mail::Text;
use crate::people::email::Email;
use crate::people::links::{self, Link};
use crate::people::passwords::Lane;
use crate::people::sign_in::{self, Browser, Opened};
use crate::people::users::{self, User};
use crate::people::{invitations, passwords, post, profile};
use crate::platform::Platform;
use crate::run;
use crate::secret::{KeyRing, Secret};
use crate::settings::SignUp;
use crate::store::{self, Conn};

/// What somebody who signs up says.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Their address.
    pub email: Email,
    /// What they are called.
    pub name: String,
    /// Their password.
    pub password: Secret,
    /// The invitation that they have.
    pub invitation: Option<Secret>,
}

/// How far a sign-up came.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The address must be confirmed. Whether there was an account before is not told.
    Verify,
    /// All the way.
    Open(Opened),
}

/// What became of the wish.
enum Done {
    New(Id, Option<Secret>),
    AccountExists,
}

/// Makes an account, as far as the settings allow it.
///
/// # Errors
/// [`Error::Forbidden`] where nobody or only the invited may, [`Error::Field`], [`Error::Gone`] for an invitation that is not good,
/// [`Error::TooMany`]; [`Error::Conflict`] for an address that has an account, only where addresses are not confirmed by mail.
pub async fn sign_up(platform: &Platform, wish: Wish, browser: &Browser) -> Result<Outcome> {
    let name = profile::checked_name(&wish.name)?;
    wish.email.check("/email")?;
    passwords::acceptable("/password", &wish.password, &wish.email, &name)?;
    let invitation = allowed(platform, &wish).await?;
    let vouched = invitation
        .as_ref()
        .is_some_and(|link| invitations::vouches(link, &wish.email));
    let verify = post::ready(platform)? && platform.settings().verify_email && !vouched;
    let address = browser.client.address;
    platform.doors.throttle.sign_up(address)?;
    if verify {
        platform.doors.throttle.mail(address)?;
    }
    let new = users::New {
        email: wish.email.clone(),
        name,
        password_hash: Some(platform.doors.hasher.hash(Lane::Stranger, &wish.password).await?),
        verified: vouched,
    };
    let (ring, now, secret) = (platform.ring(), platform.clock.now(), wish.invitation);
    let from = address.to_string();
    let write = platform
        .db
        .write(move |c| Box::pin(async move { make(c, &ring, (new, secret), verify, from, now).await }));
    match write.await? {
        Done::New(id, None) => Ok(Outcome::Open(sign_in::open(platform, &id, "password", browser).await?)),
        Done::New(_, Some(link)) => {
            let path = links::Kind::Verify.path(&link);
            tell(platform, wish.email, Text::Verify, &path).await
        }
        Done::AccountExists => tell(platform, wish.email, Text::AccountExists, "/reset").await,
    }
}

async fn tell(platform: &Platform, email: Email, text: Text, path: &str) -> Result<Outcome> {
    if platform.doors.throttle.letter("verify", &email.key()) {
        post::send(platform, email, text, Some(path)).await?;
    }
    Ok(Outcome::Verify)
}

/// The invitation, where one is shown or needed.
async fn allowed(platform: &Platform, wish: &Wish) -> Result<Option<Link>> {
    match (platform.settings().sign_up, &wish.invitation) {
        (SignUp::Closed, _) => Err(Error::Forbidden("nobody can make an account here".into())),
        (SignUp::Invite, None) => Err(Error::Forbidden("an account needs an invitation here".into())),
        (SignUp::Open, None) => Ok(None),
        (_, Some(secret)) => {
            let link = invitations::find(platform, secret).await?;
            let theirs = link.email.as_ref().is_none_or(|email| email.key() == wish.email.key());
            if !theirs {
                return Err(Error::field("/email", "the invitation is for another address"));
            }
            Ok(Some(link))
        }
    }
}

async fn make(
    conn: &mut Conn<'_>,
    ring: &KeyRing,
    (new, invitation): (users::New, Option<Secret>),
    verify: bool,
    from: String,
    now: Time,
) -> store::Result<Done> {
    let there = users::by_key(conn, &new.email.key()).await?;
    let id = match there {
        None => users::insert(conn, &new, now).await?,
        Some(user) if verify && nobodys(&user) => {
            take_over(conn, &user.id, &new, now).await?;
            user.id
        }
        Some(_) if !verify => return Err(Error::taken("this address has an account: sign in").into()),
        Some(user) => {
            // Written either way, so that how long it takes tells nothing.
            act("user.sign_up_again", &user.id, from).record(conn, now).await?;
            return Ok(Done::AccountExists);
        }
    };
    if let Some(secret) = &invitation {
        invitations::accept(conn, secret, &id, now).await?;
    }
    act("user.sign_up", &id, from).record(conn, now).await?;
    if !verify {
        return Ok(Done::New(id, None));
    }
    let link = links::New {
        kind: links::Kind::Verify,
        user: Some(id.clone()),
        email: Some(new.email),
        detail: links::Detail::default(),
        by: None,
        lifetime: links::Kind::Verify.lifetime(),
    };
    let (_, secret) = links::create(conn, ring, link, now).await?;
    Ok(Done::New(id, Some(secret)))
}

/// An account that nobody has shown to be theirs, and nobody has ever used.
fn nobodys(user: &User) -> bool {
    user.email_verified_at.is_none() && user.signed_in_at.is_none() && user.suspended_at.is_none()
}

/// Whoever signs up last with an address that was never confirmed is as likely its owner as whoever was first.
async fn take_over(conn: &mut Conn<'_>, id: &Id, new: &users::New, now: Time) -> store::Result<()> {
    run!(
        conn,
        "update users set name = $1, password_hash = $2, updated_at = $3 where id = $4",
        &new.name,
        &new.password_hash,
        now,
        id
    )
    .map(drop)
}

fn act(action: &'static str, user: &Id, address: String) -> Act {
    Act {
        environment: None,
        actor: None,
        actor_kind: "nobody",
        action,
        target: ("user", user.to_string()),
        address,
        detail: json!({}),
    }
}

/// Confirms an address, of a new account or the new one of an account, and signs in as far as a password would: a second factor is asked
/// for as always.
///
/// # Errors
/// [`Error::Gone`] for a link that is not good, [`Error::Conflict`] where somebody else has the address by now, and those of
/// [`sign_in::open`].
pub async fn verify(platform: &Platform, token: &Secret, browser: &Browser) -> Result<sign_in::Outcome> {
    let (token, now, from) = (token.clone(), platform.clock.now(), browser.client.address.to_string());
    let write = platform
        .db
        .write(move |c| Box::pin(async move { confirm(c, &token, from, now).await }));
    sign_in::ask_for_factor(platform, &write.await?, browser, "link").await
}

async fn confirm(conn: &mut Conn<'_>, token: &Secret, from: String, now: Time) -> store::Result<Id> {
    let link = match links::take(conn, links::Kind::Verify, token, now).await? {
        Some(link) => link,
        None => changed_address(conn, token, now).await?,
    };
    let (Some(user), Some(email)) = (link.user_id, link.email) else {
        return Err(Error::Fault("a link to confirm an address names none".into()).into());
    };
    run!(
        conn,
        "update users set email = $1, email_key = $2, email_verified_at = $3, updated_at = $3 where id = $4",
        email.as_str(),
        email.key(),
        now,
        &user
    )?;
    act("user.email_verified", &user, from).record(conn, now).await?;
    Ok(user)
}

async fn changed_address(conn: &mut Conn<'_>, token: &Secret, now: Time) -> store::Result<Link> {
    let gone = || Error::Gone("this link was used already or is too old".into());
    let link = links::take(conn, links::Kind::Email, token, now).await?;
    link.ok_or_else(|| gone().into())
}
