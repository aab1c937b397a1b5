//! Adding a passkey (WebAuthn §7.1).

use serde_json::{Value, json};
use webauthn_rs::prelude::{CredentialID, PasskeyRegistration, RegisterPublicKeyCredential};

use super::relying_party::{fault, handle, relying_party};
use super::{Asked, NAME_MAX, Passkey, QUOTA};
use crate::actor::{Actor, Client};
use crate::audit::Act;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::people::{factors, recovery};
use crate::platform::Platform;
use crate::secret::Secret;
use crate::store::{self, Conn};
use crate::text;
use crate::{all, one, run};

const CHALLENGE: &str = "passkey_registration";

/// A passkey that was added.
#[derive(Debug)]
pub struct Added {
    /// The passkey.
    pub passkey: Passkey,
    /// Recovery codes, where the person had none.
    pub recovery_codes: Vec<Secret>,
}

/// Asks the browser for a new passkey of a person.
///
/// # Errors
/// [`Error::Conflict`] with the reason where the page can have no passkeys, and those of the database.
pub async fn start(platform: &Platform, client: &Client, user: &Id) -> Result<Asked> {
    let party = relying_party(platform, client)?;
    let who = user.clone();
    let (name, account, known) = platform
        .db
        .read(|c| Box::pin(async move { describe(c, &who).await }))
        .await?;
    let (options, state) = party
        .start_passkey_registration(handle(user), &account, &name, Some(known))
        .map_err(|error| fault(&error))?;
    let mut options = serde_json::to_value(&options.public_key).map_err(|error| fault(&error))?;
    // Sign-in asks for no name first, so the authenticator must find the passkey by itself.
    options["authenticatorSelection"]["residentKey"] = json!("required");
    options["authenticatorSelection"]["requireResidentKey"] = json!(true);
    super::assertion::note(platform, CHALLENGE, Some(user), state, options).await
}

/// What a person is called, their account, and the passkeys that are there.
async fn describe(conn: &mut Conn<'_>, user: &Id) -> store::Result<(String, String, Vec<CredentialID>)> {
    let (name, account) = one!(
        conn,
        (String, String),
        "select name, coalesce(email, name) from users where id = $1",
        user
    )?;
    let known = all!(
        conn,
        (Vec<u8>,),
        "select credential_id from passkeys where user_id = $1 limit 100",
        user
    )?;
    Ok((name, account, known.into_iter().map(|row| row.0).collect()))
}

/// Adds the passkey that the browser made.
///
/// # Errors
/// [`Error::Field`] for what is no such passkey, [`Error::Gone`] where it was not asked for, [`Error::Quota`], [`Error::Conflict`] where
/// it is somebody's already, and those of the database.
pub async fn finish(
    platform: &Platform,
    client: &Client,
    actor: Actor,
    challenge: &Secret,
    name: &str,
    credential: Value,
) -> Result<Added> {
    let name = text::line("/name", name, 1, NAME_MAX)?;
    let credential: RegisterPublicKeyCredential =
        serde_json::from_value(credential).map_err(|_| Error::field("/credential", "this is no new passkey"))?;
    let party = relying_party(platform, client)?;
    let state: PasskeyRegistration = super::assertion::noted(platform, CHALLENGE, challenge, Some(&actor.user)).await?;
    let passkey = party
        .finish_passkey_registration(&credential, &state)
        .map_err(|error| Error::field("/credential", format!("the passkey was not accepted: {error}")))?;
    let new = New {
        credential_id: passkey.cred_id().to_vec(),
        credential: serde_json::to_string(&passkey).map_err(|error| fault(&error))?,
        name,
    };
    let now = platform.clock.now();
    let added = platform
        .db
        .write(move |c| Box::pin(async move { Ok(add(c, &actor, new, now).await?) }));
    added.await.map_err(|error| match error {
        store::Error::Taken(_) => Error::taken("this passkey is known already"),
        error => error.into(),
    })
}

struct New {
    credential_id: Vec<u8>,
    credential: String,
    name: String,
}

async fn add(conn: &mut Conn<'_>, actor: &Actor, new: New, now: Time) -> Result<Added> {
    // Held until the write is over, so that two who count the passkeys count one after the other.
    run!(
        conn,
        "update users set updated_at = updated_at where id = $1",
        &actor.user
    )?;
    let before = factors::of(conn, &actor.user).await?;
    if before.passkeys >= QUOTA {
        return Err(Error::Quota(format!("a person has at most {QUOTA} passkeys").into()));
    }
    let passkey = Passkey {
        id: Kind::Passkey.random(),
        name: new.name,
        created_at: now,
        used_at: None,
    };
    run!(
        conn,
        "insert into passkeys (id, user_id, credential_id, name, credential, created_at) values ($1, $2, $3, $4, $5, $6)",
        &passkey.id,
        &actor.user,
        new.credential_id,
        &passkey.name,
        new.credential,
        now
    )?;
    let recovery_codes = if before.recovery_codes_left == 0 {
        recovery::replace(conn, &actor.user).await?
    } else {
        Vec::new()
    };
    Act::by(actor, "passkey.add", ("passkey", passkey.id.as_str()))
        .record(conn, now)
        .await?;
    Ok(Added {
        passkey,
        recovery_codes,
    })
}
