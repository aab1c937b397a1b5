//! Signing in with a passkey, or confirming that it is still the same person (WebAuthn §7.2).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::warn;
use webauthn_rs::prelude::{
    AuthenticationResult, DiscoverableAuthentication, PasskeyAuthentication, PublicKeyCredential, WebauthnError,
};

use super::relying_party::{fault, handle, relying_party};
use crate::actor::Client;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::people::challenges;
use crate::platform::Platform;
use crate::secret::Secret;
use crate::{all, optional, run};

const SIGN_IN: &str = "passkey";
const CONFIRM: &str = "passkey_confirm";

/// What the browser is asked.
#[derive(Debug)]
pub struct Asked {
    /// To be sent back with the browser's answer.
    pub challenge: Secret,
    /// The options for `navigator.credentials`, as their JSON form.
    pub options: Value,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Id,
    user_id: Id,
    credential: String,
}

impl Row {
    fn parse(&self) -> Result<webauthn_rs::prelude::Passkey> {
        serde_json::from_str(&self.credential).map_err(|error| fault(&error))
    }
}

/// Asks the browser for any passkey of this server.
///
/// # Errors
/// [`Error::Conflict`] with the reason where the page can have no passkeys, and those of the database.
pub async fn start_sign_in(platform: &Platform, client: &Client) -> Result<Asked> {
    let party = relying_party(platform, client)?;
    let (options, state) = party
        .start_discoverable_authentication()
        .map_err(|error| fault(&error))?;
    let options = serde_json::to_value(&options.public_key).map_err(|error| fault(&error))?;
    note(platform, SIGN_IN, None, state, options).await
}

/// Whose passkey the browser answered with.
///
/// # Errors
/// [`Error::Unauthenticated`] where it is not accepted, [`Error::Gone`] where it was not asked for, and those of the database.
pub async fn sign_in(platform: &Platform, client: &Client, challenge: &Secret, credential: Value) -> Result<Id> {
    let credential = answer(credential)?;
    let party = relying_party(platform, client)?;
    let state: DiscoverableAuthentication = noted(platform, SIGN_IN, challenge, None).await?;
    let (named, _) = party
        .identify_discoverable_authentication(&credential)
        .map_err(|_| refused())?;
    let row = find(platform, &credential).await?;
    if handle(&row.user_id) != named {
        return Err(refused());
    }
    let passkey = row.parse()?;
    let result = party.finish_discoverable_authentication_v2(&credential, state, &passkey);
    used(platform, &row, passkey, judged(&row, result)?).await?;
    Ok(row.user_id)
}

/// Asks the browser for a passkey of this person.
///
/// # Errors
/// [`Error::Conflict`] where the page, or the person, has no passkeys, and those of the database.
pub async fn start_confirm(platform: &Platform, client: &Client, user: &Id) -> Result<Asked> {
    let party = relying_party(platform, client)?;
    let who = user.clone();
    let rows = platform
        .db
        .read(|c| {
            Box::pin(async move {
                all!(
                    c,
                    Row,
                    "select id, user_id, credential from passkeys where user_id = $1 limit 100",
                    who
                )
            })
        })
        .await?;
    let passkeys = rows.iter().map(Row::parse).collect::<Result<Vec<_>>>()?;
    if passkeys.is_empty() {
        return Err(Error::Conflict {
            code: "conflict",
            detail: "you have no passkey".into(),
        });
    }
    let (options, state) = party
        .start_passkey_authentication(&passkeys)
        .map_err(|error| fault(&error))?;
    let options = serde_json::to_value(&options.public_key).map_err(|error| fault(&error))?;
    note(platform, CONFIRM, Some(user), state, options).await
}

/// Checks that the browser answered with a passkey of this person.
///
/// # Errors
/// As [`sign_in`].
pub async fn confirm(
    platform: &Platform,
    client: &Client,
    user: &Id,
    challenge: &Secret,
    credential: Value,
) -> Result<()> {
    let credential = answer(credential)?;
    let party = relying_party(platform, client)?;
    let state: PasskeyAuthentication = noted(platform, CONFIRM, challenge, Some(user)).await?;
    let row = find(platform, &credential).await?;
    if row.user_id != *user {
        return Err(refused());
    }
    let passkey = row.parse()?;
    let result = party.finish_passkey_authentication(&credential, &state);
    used(platform, &row, passkey, judged(&row, result)?).await
}

fn answer(credential: Value) -> Result<PublicKeyCredential> {
    serde_json::from_value(credential).map_err(|_| Error::field("/credential", "this is no answer of a passkey"))
}

fn refused() -> Error {
    Error::Unauthenticated("the passkey was not accepted".into())
}

async fn find(platform: &Platform, credential: &PublicKeyCredential) -> Result<Row> {
    let id = credential.get_credential_id().to_vec();
    let row = platform
        .db
        .read(|c| {
            Box::pin(async move {
                optional!(
                    c,
                    Row,
                    "select p.id, p.user_id, p.credential from passkeys p join users u on u.id = p.user_id
                     where p.credential_id = $1 and u.erased_at is null",
                    id
                )
            })
        })
        .await?;
    row.ok_or_else(refused)
}

fn judged(row: &Row, result: Result<AuthenticationResult, WebauthnError>) -> Result<AuthenticationResult> {
    result.map_err(|error| {
        if matches!(error, WebauthnError::CredentialPossibleCompromise) {
            // §7.2 step 22: somebody has a copy of it.
            warn!(passkey = %row.id, user = %row.user_id, "the counter of a passkey went back: it may have been copied");
        }
        refused()
    })
}

/// Writes down that it was used, and its counter.
async fn used(
    platform: &Platform,
    row: &Row,
    mut passkey: webauthn_rs::prelude::Passkey,
    result: AuthenticationResult,
) -> Result<()> {
    passkey.update_credential(&result);
    let credential = serde_json::to_string(&passkey).map_err(|error| fault(&error))?;
    let (id, before, now) = (row.id.clone(), row.credential.clone(), platform.clock.now());
    let updated = platform
        .db
        .write(move |c| {
            Box::pin(async move {
                run!(
                    c,
                    "update passkeys set credential = $1, used_at = $2 where id = $3 and credential = $4",
                    credential,
                    now,
                    id,
                    before
                )
            })
        })
        .await?;
    // Of two answers at once that know the same counter, one is a copy's.
    if updated == 0 { Err(refused()) } else { Ok(()) }
}

/// Notes what was asked until the answer comes.
pub(super) async fn note<T: Serialize + Send + Sync + 'static>(
    platform: &Platform,
    kind: &'static str,
    user: Option<&Id>,
    state: T,
    options: Value,
) -> Result<Asked> {
    let (ring, user, now) = (platform.ring(), user.cloned(), platform.clock.now());
    let challenge = platform
        .db
        .write(move |c| Box::pin(async move { challenges::create(c, &ring, kind, user.as_ref(), &state, now).await }))
        .await?;
    Ok(Asked { challenge, options })
}

/// What was asked; each question is answered once, by whom it was put to.
pub(super) async fn noted<T: DeserializeOwned>(
    platform: &Platform,
    kind: &'static str,
    challenge: &Secret,
    user: Option<&Id>,
) -> Result<T> {
    let (challenge, now) = (challenge.clone(), platform.clock.now());
    let held = platform
        .db
        .write(move |c| Box::pin(async move { challenges::take(c, kind, &challenge, now).await }))
        .await?;
    let held = held.filter(|held| held.user.as_ref() == user);
    let held = held.ok_or(Error::Gone(
        "that took too long, or was used already: start again".into(),
    ))?;
    held.open(&platform.ring())
}
