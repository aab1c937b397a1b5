//! Signing in with a provider of identities: OpenID Connect, authorisation code with PKCE.
//!
//! Each sign-in has a state that is good once, belongs to one provider, and counts only in the browser that began it: a state in a link that
//! somebody else made is worth nothing. An account is found by issuer and subject alone. An address that has an account is never
//! linked by itself, verified or not: whoever it belongs to signs in and links the provider.

mod discovery;
mod exchange;
mod next;
mod refusal;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tracing::info;

use crate::actor::Actor;
use crate::audit::Act;
use crate::clock::Time;
use crate::error::Error;
use crate::id::Id;
use crate::people::email::Email;
use crate::people::identities::{self, Known};
use crate::people::links::Link;
use crate::people::providers::Provider;
use crate::people::sign_in::{self, Browser, Outcome};
use crate::people::users;
use crate::people::{challenges, invitations, profile};
use crate::platform::Platform;
use crate::secret::Secret;
use crate::settings::SignUp;
use crate::store::{self, Conn};

pub use discovery::Discovery;
pub use exchange::redirect_uri;
use exchange::{Marks, Person};
pub use refusal::Refusal;

const CHALLENGE: &str = "oidc";

/// What a sign-in is to lead to.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The page afterwards; anything but a path of ours is `/`.
    pub next: Option<String>,
    /// Whom to link the identity to, instead of signing in.
    pub link: Option<Id>,
    /// The invitation that a new account comes with.
    pub invitation: Option<Secret>,
}

/// A sign-in that has begun.
#[derive(Debug)]
pub struct Started {
    /// Where to send the browser.
    pub location: String,
    /// What the browser keeps to be known again.
    pub browser: Secret,
}

/// What the provider sent the browser back with.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// For the token endpoint.
    pub code: Option<Secret>,
    /// Which sign-in it is.
    pub state: Option<Secret>,
    /// Which provider it is (RFC 9207).
    pub issuer: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// What the browser kept.
    pub browser: Option<Secret>,
}

/// How a sign-in ended, and the page to go on with.
#[derive(Debug)]
pub enum Done {
    /// The identity is linked to whoever is signed in.
    Linked(String),
    /// Somebody came in, or must show a second factor.
    Arrived(Outcome, String),
}

/// What is remembered of a sign-in that has begun. It is sealed.
#[derive(Serialize, Deserialize)]
struct Noted {
    provider: Id,
    nonce: String,
    verifier: String,
    /// What the browser keeps.
    browser: String,
    next: String,
    link: Option<Id>,
    invitation: Option<String>,
}

/// Begins a sign-in.
///
/// # Errors
/// [`Refusal::Unavailable`] where the provider cannot be asked, [`Refusal::Other`].
pub async fn start(platform: &Platform, provider: &Provider, wish: Wish) -> Result<Started, Refusal> {
    let browser = Secret::random();
    let secret = || Secret::random().expose().to_owned();
    let (nonce, verifier) = (secret(), secret());
    let noted = Noted {
        provider: provider.id.clone(),
        nonce: nonce.clone(),
        verifier: verifier.clone(),
        browser: browser.expose().to_owned(),
        next: next::path(wish.next.as_deref()),
        link: wish.link,
        invitation: wish.invitation.map(|secret| secret.expose().to_owned()),
    };
    let (ring, now) = (platform.ring(), platform.clock.now());
    let state = platform
        .db
        .write(move |c| {
            Box::pin(async move { challenges::create(c, &ring, CHALLENGE, noted.link.as_ref(), &noted, now).await })
        })
        .await?;
    let marks = Marks {
        state: &state,
        nonce: &nonce,
        verifier: &verifier,
    };
    Ok(Started {
        location: exchange::location(platform, provider, marks).await?,
        browser,
    })
}

/// Ends a sign-in with what the provider answered. `actor` is whoever is signed in in this browser.
///
/// # Errors
/// [`Refusal`] says why it came to nothing.
pub async fn finish(
    platform: &Platform,
    provider: &Provider,
    answer: Answer,
    actor: Option<&Actor>,
    browser: &Browser,
) -> Result<Done, Refusal> {
    let state = answer.state.clone().ok_or(Refusal::Expired)?;
    let noted = noted(platform, state.clone()).await?;
    let same_browser = answer
        .browser
        .as_ref()
        .is_some_and(|shown| shown.digest() == Secret::new(&*noted.browser).digest());
    if !same_browser {
        return Err(Refusal::Failed("another browser began it".into()));
    }
    if noted.provider != provider.id {
        return Err(Refusal::Failed("it was begun with another provider".into()));
    }
    exchange::check_issuer(platform, provider, answer.issuer.as_deref()).await?;
    let code = match (answer.code, answer.error.as_deref()) {
        (Some(code), None) => code,
        (_, Some("access_denied" | "login_required" | "consent_required" | "interaction_required")) => {
            return Err(Refusal::Denied);
        }
        (_, error) => return Err(Refusal::Failed(error.unwrap_or("there is no code").to_owned())),
    };
    let marks = Marks {
        state: &state,
        nonce: &noted.nonce,
        verifier: &noted.verifier,
    };
    let person = exchange::redeem(platform, provider, code.expose().to_owned(), marks).await?;
    match &noted.link {
        Some(user) => {
            let actor = actor.filter(|actor| actor.user == *user && actor.must_be_in_person().is_ok());
            let actor = actor.ok_or_else(|| Refusal::Failed("somebody else is signed in by now".into()))?;
            link(platform, actor, person.known).await?;
            Ok(Done::Linked(noted.next))
        }
        None => {
            let user = arrive(platform, provider, person, &noted, browser).await?;
            let outcome = sign_in::ask_for_factor(platform, &user.id, browser, "oidc").await?;
            Ok(Done::Arrived(outcome, noted.next))
        }
    }
}

async fn noted(platform: &Platform, state: Secret) -> Result<Noted, Refusal> {
    let now = platform.clock.now();
    let held = platform
        .db
        .write(move |c| Box::pin(async move { challenges::take(c, CHALLENGE, &state, now).await }))
        .await?;
    Ok(held.ok_or(Refusal::Expired)?.open(&platform.ring())?)
}

/// Links an identity to whoever is signed in.
async fn link(platform: &Platform, actor: &Actor, known: Known) -> Result<(), Refusal> {
    let (actor, now) = (actor.clone(), platform.clock.now());
    let mine = platform
        .db
        .write(move |c| {
            Box::pin(async move {
                if let Some(owner) = identities::owner(c, &known).await? {
                    return Ok(owner == actor.user);
                }
                let id = identities::link(c, &actor.user, &known, now).await?;
                Act::by(&actor, "identity.link", ("identity", id.as_str()))
                    .with(json!({ "provider": known.provider }))
                    .record(c, now)
                    .await?;
                Ok(true)
            })
        })
        .await;
    match mine {
        Ok(true) => Ok(()),
        Ok(false) | Err(store::Error::Taken(_)) => Err(Refusal::IdentityTaken),
        Err(error) => Err(error.into()),
    }
}

/// The account of a person whom the provider knows; a new one where that is allowed.
async fn arrive(
    platform: &Platform,
    provider: &Provider,
    person: Person,
    noted: &Noted,
    browser: &Browser,
) -> Result<users::User, Refusal> {
    let (known, now) = (person.known.clone(), platform.clock.now());
    let owner = platform
        .db
        .write(move |c| Box::pin(async move { returning(c, &known, now).await }))
        .await?;
    let user = match owner {
        Some(user) => user,
        None => sign_up(platform, provider, person, noted, browser).await?,
    };
    if user.suspended_at.is_some() {
        return Err(Refusal::Suspended);
    }
    Ok(user)
}

async fn returning(conn: &mut Conn<'_>, known: &Known, now: Time) -> store::Result<Option<users::User>> {
    let Some(owner) = identities::owner(conn, known).await? else {
        return Ok(None);
    };
    identities::used(conn, known, now).await?;
    users::by_id(conn, &owner).await.map(Some)
}

async fn sign_up(
    platform: &Platform,
    provider: &Provider,
    person: Person,
    noted: &Noted,
    browser: &Browser,
) -> Result<users::User, Refusal> {
    let told = person.known.email.as_deref().filter(|_| person.email_verified);
    let email = Email::new(told.ok_or(Refusal::UnverifiedEmail)?);
    email.check("/email").map_err(|_| Refusal::UnverifiedEmail)?;
    let invitation = noted.invitation.clone().map(Secret::new);
    may_sign_up(platform, provider, invitation.as_ref(), &email).await?;
    platform.doors.throttle.sign_up(browser.client.address)?;
    let new = users::New {
        name: name(person.name.as_deref(), &email),
        email,
        password_hash: None,
        verified: true,
    };
    let (known, now, address) = (person.known, platform.clock.now(), browser.client.address.to_string());
    let made = platform
        .db
        .write(move |c| {
            Box::pin(async move {
                let id = users::insert(c, &new, now).await?;
                if let Some(secret) = &invitation {
                    invitations::accept(c, secret, &id, now).await?;
                }
                identities::link(c, &id, &known, now).await?;
                signed_up(&id, &known, address).record(c, now).await?;
                users::by_id(c, &id).await
            })
        })
        .await;
    match made {
        Ok(user) => {
            info!(user = %user.id, provider = %provider.slug, "an account was made by signing in with a provider");
            Ok(user)
        }
        Err(store::Error::Taken(_)) => Err(Refusal::AccountExists),
        Err(error) => Err(error.into()),
    }
}

/// Both the provider's settings and the server's must let somebody in.
async fn may_sign_up(
    platform: &Platform,
    provider: &Provider,
    invitation: Option<&Secret>,
    email: &Email,
) -> Result<(), Refusal> {
    let key = email.key();
    let there = platform
        .db
        .read(|c| Box::pin(async move { users::by_key(c, &key).await }))
        .await?;
    if there.is_some() {
        return Err(Refusal::AccountExists);
    }
    let policy = platform.settings().sign_up;
    if !provider.sign_up || policy == SignUp::Closed {
        return Err(Refusal::SignUpClosed);
    }
    let Some(secret) = invitation else {
        return if policy == SignUp::Open {
            Ok(())
        } else {
            Err(Refusal::SignUpClosed)
        };
    };
    let link = invitations::find(platform, secret).await;
    let good = |link: &Link| link.email.as_ref().is_none_or(|to| to.key() == email.key());
    match link {
        Ok(link) if good(&link) => Ok(()),
        Ok(_) | Err(Error::Gone(_)) => Err(Refusal::SignUpClosed),
        Err(error) => Err(error.into()),
    }
}

/// What the provider calls them, or the part of the address that names them.
fn name(told: Option<&str>, email: &Email) -> String {
    let before_at = email.as_str().split('@').next().unwrap_or_default();
    told.and_then(|name| profile::checked_name(name).ok())
        .unwrap_or_else(|| before_at.chars().take(profile::NAME_LEN_MAX).collect())
}

fn signed_up(user: &Id, known: &Known, address: String) -> Act {
    Act {
        environment: None,
        actor: None,
        actor_kind: "nobody",
        action: "user.sign_up",
        target: ("user", user.to_string()),
        address,
        detail: json!({ "provider": known.provider }),
    }
}
