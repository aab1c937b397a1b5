//! Passwords: forgotten, and changed.

use serde_json::json;

use crate::actor::{Actor, Client};
use crate::audit::Act;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::mail::Text;
use crate::people::email::Email;
use crate::people::links::{self, Kind, Link};
use crate::people::passwords::Lane;
use crate::people::users::{self, User};
use crate::people::{devices, passwords, post, sessions};
use crate::platform::{Change, Platform};
use crate::run;
use crate::secret::Secret;
use crate::store::{self, Conn};

/// Somebody has forgotten the password of the account with that address. Whether there is one is not told.
///
/// # Errors
/// [`Error::TooMany`] for the address it comes from, [`Error::Unavailable`] where mails cannot be written.
pub async fn request(platform: &Platform, email: &Email, client: &Client) -> Result<()> {
    let mails = post::ready(platform)?;
    platform.doors.throttle.mail(client.address)?;
    let key: String = email.key().chars().take(254).collect();
    let wanted = platform.doors.throttle.letter("reset", &key);
    let (ring, now, from) = (platform.ring(), platform.clock.now(), client.address.to_string());
    let write = platform.db.write(move |c| {
        Box::pin(async move {
            let user = users::by_key(c, &key).await?.filter(|user| wanted && may_reset(user));
            // Written either way, so that how long it takes tells nothing.
            requested(user.as_ref().map(|user| &user.id), from)
                .record(c, now)
                .await?;
            let Some(user) = user else { return Ok(None) };
            let (_, secret) = links::create(c, &ring, link(&user, mails, None), now).await?;
            Ok(user.email.map(|email| (email, secret)))
        })
    });
    match write.await? {
        Some((email, secret)) => post::send(platform, email, Text::Reset, Some(&Kind::Reset.path(&secret))).await,
        None => Ok(()),
    }
}

fn may_reset(user: &User) -> bool {
    user.suspended_at.is_none() && user.erased_at.is_none()
}

/// A link with which that person sets a new password.
pub fn link(user: &User, by_mail: bool, by: Option<Id>) -> links::New {
    links::New {
        kind: Kind::Reset,
        user: Some(user.id.clone()),
        email: user.email.clone(),
        detail: links::Detail {
            by_mail,
            ..links::Detail::default()
        },
        by,
        lifetime: if by_mail {
            Kind::Reset.lifetime()
        } else {
            Kind::Reset.lifetime_by_hand()
        },
    }
}

fn requested(user: Option<&Id>, address: String) -> Act {
    Act {
        environment: None,
        actor: None,
        actor_kind: "nobody",
        action: "password.reset_requested",
        target: ("user", user.map(Id::to_string).unwrap_or_default()),
        address,
        detail: json!({}),
    }
}

/// Sets a new password with a link. All sessions end.
///
/// # Errors
/// [`Error::Gone`] for a link that is not good, [`Error::Field`] for a password that others would guess, [`Error::TooMany`].
pub async fn finish(platform: &Platform, token: &Secret, password: &Secret, client: &Client) -> Result<()> {
    let now = platform.clock.now();
    let user = holder(platform, token, now).await?;
    let email = user.email.clone().unwrap_or_else(|| Email::new(""));
    passwords::acceptable("/password", password, &email, &user.name)?;
    platform.doors.throttle.sign_up(client.address)?;
    let hash = platform.doors.hasher.hash(Lane::Stranger, password).await?;
    let (token, from) = (token.clone(), client.address.to_string());
    let write = platform.db.write(move |c| {
        Box::pin(async move {
            let link = links::take(c, Kind::Reset, &token, now).await?.ok_or_else(gone)?;
            let Some(user) = link.user_id else {
                return Err(gone().into());
            };
            set(c, &user, &hash, now).await?;
            if link.detail.by_mail {
                run!(
                    c,
                    "update users set email_verified_at = coalesce(email_verified_at, $1) where id = $2",
                    now,
                    &user
                )?;
            }
            sessions::end_all(c, &user, None, now).await?;
            devices::forget(c, &user).await?;
            let act = Act {
                action: "password.reset",
                ..requested(Some(&user), from)
            };
            act.record(c, now).await
        })
    });
    write.await?;
    platform.changed(Change::User(user.id));
    told(platform, email).await
}

async fn holder(platform: &Platform, token: &Secret, now: Time) -> Result<User> {
    let token = token.clone();
    let read = platform.db.read(|c| {
        Box::pin(async move {
            let link: Option<Link> = links::find(c, Kind::Reset, &token, now).await?;
            let user = link.and_then(|link| link.user_id).ok_or_else(gone)?;
            users::by_id(c, &user).await
        })
    });
    Ok(read.await?)
}

fn gone() -> Error {
    Error::Gone("this link was used already or is too old: ask for a new one".into())
}

async fn set(conn: &mut Conn<'_>, user: &Id, hash: &str, now: Time) -> store::Result<()> {
    run!(
        conn,
        "update users set password_hash = $1, updated_at = $2 where id = $3 and erased_at is null",
        hash,
        now,
        user
    )?;
    links::forget(conn, Kind::Reset, user).await
}

async fn told(platform: &Platform, email: Email) -> Result<()> {
    match post::ready(platform) {
        Ok(true) => post::send(platform, email, Text::PasswordChanged, None).await,
        _ => Ok(()),
    }
}

/// Gives whoever is signed in another password. Their other sessions end.
///
/// # Errors
/// [`Error::Forbidden`] where `current` is wrong, [`Error::Field`] for a password that others would guess, [`Error::TooMany`].
pub async fn change(platform: &Platform, actor: &Actor, current: Option<&Secret>, new: &Secret) -> Result<()> {
    let session = actor.must_be_in_person()?.clone();
    if let Some(current) = current {
        super::sign_in::confirm_password(platform, &actor.user, current, actor.address).await?;
    }
    let id = actor.user.clone();
    let user = platform
        .db
        .read(|c| Box::pin(async move { users::by_id(c, &id).await }))
        .await?;
    let email = user.email.unwrap_or_else(|| Email::new(""));
    passwords::acceptable("/new", new, &email, &user.name)?;
    let hash = platform.doors.hasher.hash(Lane::Known, new).await?;
    let (actor, now, who) = (actor.clone(), platform.clock.now(), actor.user.clone());
    let write = platform.db.write(move |c| {
        Box::pin(async move {
            set(c, &actor.user, &hash, now).await?;
            sessions::end_all(c, &actor.user, Some(&session), now).await?;
            let act = Act::by(&actor, "password.change", ("user", actor.user.as_str()));
            act.record(c, now).await
        })
    });
    write.await?;
    platform.changed(Change::User(who));
    told(platform, email).await
}
