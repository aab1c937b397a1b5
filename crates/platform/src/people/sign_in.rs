//! Signing in.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tracing::{info, warn};

use crate::actor::Client;
use crate::audit::Act;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::people::email::Email;
use crate::people::factors::{self, Method};
use crate::people::passwords::{Lane, Verdict};
use crate::people::users::{self, User};
use crate::people::{browser_name, challenges, devices, links, post, roles, sessions};
use crate::platform::Platform;
use crate::secret::{Digest, Secret};
use crate::store::{self, Conn};
use crate::{mail, run};

/// A browser that signs in.
#[derive(Clone, Debug)]
pub struct Browser {
    /// From where.
    pub client: Client,
    /// What it calls itself.
    pub user_agent: String,
    /// What it was given when it signed in before.
    pub device: Option<Secret>,
    /// The session that it has now, and that ends with the sign-in.
    pub session: Option<Secret>,
}

/// Somebody is signed in. The secrets go into cookies and nowhere else.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Who.
    pub user: Id,
    /// The session's secret.
    pub session: Secret,
    /// What the browser is to keep, where it has nothing yet.
    pub device: Option<Secret>,
}

/// How far a sign-in came.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// All the way.
    Open(Opened),
    /// A second factor is asked for: whoever holds the challenge may show it.
    Factor {
        /// Names the half-done sign-in.
        challenge: Secret,
        /// What may be shown.
        methods: Vec<Method>,
    },
}

/// The kind of challenge that waits for a second factor.
pub const FACTOR: &str = "factor";

/// What a challenge that waits for a second factor notes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Waiting {
    /// How the first was shown.
    pub method: String,
}

/// Signs in with address and password. Somebody unknown is told the same, after the same work, as with a wrong password.
///
/// # Errors
/// [`Error::Unauthenticated`], [`Error::TooMany`], [`Error::Forbidden`] for whoever is suspended or has not confirmed the address.
pub async fn with_password(
    platform: &Platform,
    email: &Email,
    password: &Secret,
    browser: &Browser,
) -> Result<Outcome> {
    let key: String = email.key().chars().take(254).collect();
    let (user, known) = look_up(platform, &key, browser).await?;
    let id = user.as_ref().map(|user| &user.id);
    let address = browser.client.address;
    let lane = if known.is_some() { Lane::Known } else { Lane::Stranger };
    let allowed = platform.doors.throttle.sign_in(address, &key, known);
    allowed.inspect_err(|_| refused(address, "throttled", id))?;
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let verdict = platform.doors.hasher.check(lane, password, hash).await?;
    let Some(user) = user.as_ref().filter(|_| verdict != Verdict::Wrong) else {
        refused(address, "wrong", id);
        note_refusal(platform, id, address).await?;
        return Err(Error::Unauthenticated(
            "address and password do not belong together".into(),
        ));
    };
    may_come_in(platform, user, address).await?;
    if verdict == Verdict::RightButStale {
        rehash(platform, &user.id, password).await?;
    }
    ask_for_factor(platform, &user.id, browser, "password").await
}

async fn look_up(platform: &Platform, key: &str, browser: &Browser) -> Result<(Option<User>, Option<Digest>)> {
    let (key, device) = (key.to_owned(), browser.device.as_ref().map(Secret::digest));
    let found = platform.db.read(|c| {
        Box::pin(async move {
            let user = users::by_key(c, &key).await?;
            let known = match (&user, device) {
                (Some(user), Some(device)) => devices::knows(c, &user.id, &device).await?.then_some(device),
                _ => None,
            };
            Ok((user, known))
        })
    });
    Ok(found.await?)
}

/// One line for each refusal, for programs that ban addresses. It names no mail address.
fn refused(address: IpAddr, reason: &str, user: Option<&Id>) {
    match user {
        Some(user) => info!(%address, %reason, %user, "sign-in refused"),
        None => info!(%address, %reason, "sign-in refused"),
    }
}

async fn note_refusal(platform: &Platform, user: Option<&Id>, address: IpAddr) -> Result<()> {
    let act = Act {
        environment: None,
        actor: None,
        actor_kind: "nobody",
        action: "session.refused",
        target: ("user", user.map(Id::to_string).unwrap_or_default()),
        address: address.to_string(),
        detail: json!({}),
    };
    let now = platform.clock.now();
    let noted = platform
        .db
        .write(move |c| Box::pin(async move { act.record(c, now).await }));
    Ok(noted.await?)
}

/// Whoever knows the password may hear why it does not help.
async fn may_come_in(platform: &Platform, user: &User, address: IpAddr) -> Result<()> {
    if user.suspended_at.is_some() {
        refused(address, "suspended", Some(&user.id));
        return Err(suspended(user.suspended_reason.as_deref()));
    }
    let unverified = user.email_verified_at.is_none() && platform.settings().verify_email;
    if unverified && post::ready(platform)? {
        refused(address, "unverified", Some(&user.id));
        send_verification(platform, user).await?;
        return Err(Error::Forbidden(
            "your mail address is not confirmed yet: open the link in the mail that was sent to you".into(),
        ));
    }
    Ok(())
}

fn suspended(reason: Option<&str>) -> Error {
    Error::Forbidden(
        format!(
            "this account is suspended: {}",
            reason.unwrap_or("ask the administrator")
        )
        .into(),
    )
}

async fn send_verification(platform: &Platform, user: &User) -> Result<()> {
    let Some(email) = user.email.clone() else { return Ok(()) };
    if !platform.doors.throttle.letter("verify", &email.key()) {
        return Ok(());
    }
    let new = links::New {
        kind: links::Kind::Verify,
        user: Some(user.id.clone()),
        email: Some(email.clone()),
        detail: links::Detail::default(),
        by: None,
        lifetime: links::Kind::Verify.lifetime(),
    };
    let (ring, now) = (platform.ring(), platform.clock.now());
    let write = platform
        .db
        .write(move |c| Box::pin(async move { links::create(c, &ring, new, now).await }));
    let path = links::Kind::Verify.path(&write.await?.1);
    post::send(platform, email, mail::Text::Verify, Some(&path)).await
}

async fn rehash(platform: &Platform, user: &Id, password: &Secret) -> Result<()> {
    let hash = platform.doors.hasher.hash(Lane::Known, password).await?;
    let user = user.clone();
    let write = platform.db.write(move |c| {
        Box::pin(async move { run!(c, "update users set password_hash = $1 where id = $2", hash, user).map(drop) })
    });
    Ok(write.await?)
}

/// Opens the session, or asks for a second factor first. To be called when the first factor was right.
///
/// # Errors
/// Those of [`open`].
pub async fn ask_for_factor(
    platform: &Platform,
    user: &Id,
    browser: &Browser,
    method: &'static str,
) -> Result<Outcome> {
    let id = user.clone();
    let (factors, roles) = platform
        .db
        .read(|c| Box::pin(async move { Ok((factors::of(c, &id).await?, roles::of(c, &id).await?)) }))
        .await?;
    let methods = factors::required(&factors, factors::demanded(&platform.settings(), &roles));
    if methods.is_empty() {
        return Ok(Outcome::Open(open(platform, user, method, browser).await?));
    }
    let (ring, now, id) = (platform.ring(), platform.clock.now(), user.clone());
    let noted = Waiting { method: method.into() };
    let write = platform
        .db
        .write(move |c| Box::pin(async move { challenges::create(c, &ring, FACTOR, Some(&id), &noted, now).await }));
    Ok(Outcome::Factor {
        challenge: write.await?,
        methods,
    })
}

/// Opens a session with a new secret; the browser's old one ends, so that nobody can have chosen it. To be called when everything that
/// is asked of this person was right. Whoever has signed in before is told by mail of a browser that is new.
///
/// # Errors
/// [`Error::Forbidden`] for whoever is suspended, and those of the database.
pub async fn open(platform: &Platform, user: &Id, method: &'static str, browser: &Browser) -> Result<Opened> {
    let (user, browser, now) = (user.clone(), browser.clone(), platform.clock.now());
    let environment = platform.settings().home.as_ref().map(|home| home.environment.clone());
    let (address, agent) = (browser.client.address, browser.user_agent.clone());
    let write = platform.db.write(move |c| {
        Box::pin(async move {
            let person = still_welcome(c, &user).await?;
            if let Some(old) = &browser.session {
                sessions::end_by_secret(c, old, now).await?;
            }
            let how = sessions::SignIn {
                method,
                user_agent: &browser.user_agent,
                client: &browser.client,
            };
            let (session, secret) = sessions::open(c, &user, how, now).await?;
            let device = devices::remember(c, &user, browser.device.as_ref(), now).await?;
            let act = Act {
                environment,
                actor: Some(user.clone()),
                actor_kind: "user",
                action: "session.sign_in",
                target: ("session", session.to_string()),
                address: browser.client.address.to_string(),
                detail: json!({"method": method}),
            };
            act.record(c, now).await?;
            let opened = Opened {
                user,
                session: secret,
                device,
            };
            Ok((opened, person))
        })
    });
    let (opened, person) = write.await?;
    info!(%address, user = %opened.user, %method, "signed in");
    // Whoever has never signed in before has no other browser to compare with.
    if opened.device.is_some() && person.signed_in_at.is_some() {
        let told = tell_of_browser(platform, person, address, &agent).await;
        // The session is open: a mail that cannot be written does not close it.
        let _ = told.inspect_err(|error| warn!(%error, "nobody could be told of a new browser"));
    }
    Ok(opened)
}

async fn tell_of_browser(platform: &Platform, person: User, address: IpAddr, agent: &str) -> Result<()> {
    let Some(email) = person.email.filter(|_| person.email_verified_at.is_some()) else {
        return Ok(());
    };
    if !post::ready(platform)? || !platform.doors.throttle.letter("browser", &email.key()) {
        return Ok(());
    }
    let text = mail::Text::NewBrowser {
        browser: browser_name::of(agent),
        address,
        at: platform.clock.now(),
    };
    post::send(platform, email, text, Some("/me/security")).await
}

async fn still_welcome(conn: &mut Conn<'_>, user: &Id) -> store::Result<User> {
    let user = users::by_id(conn, user).await?;
    if user.erased_at.is_some() {
        return Err(Error::Unauthenticated("there is no such account any more".into()).into());
    }
    match user.suspended_at {
        Some(_) => Err(suspended(user.suspended_reason.as_deref()).into()),
        None => Ok(user),
    }
}

/// Confirms who is signed in by the password: the session is fresh again.
///
/// # Errors
/// [`Error::Unauthenticated`] where it is wrong, [`Error::TooMany`].
pub async fn confirm_password(platform: &Platform, user: &Id, password: &Secret, address: IpAddr) -> Result<()> {
    let id = user.clone();
    let user = platform
        .db
        .read(|c| Box::pin(async move { users::by_id(c, &id).await }))
        .await?;
    platform.doors.throttle.confirm(&user.id)?;
    if user.password_hash.is_none() {
        warn!(user = %user.id, "a password was shown for an account that has none");
    }
    let verdict = platform
        .doors
        .hasher
        .check(Lane::Known, password, user.password_hash)
        .await?;
    if verdict == Verdict::Wrong {
        refused(address, "wrong", Some(&user.id));
        return Err(Error::Forbidden("this is not your password".into()));
    }
    Ok(())
}
