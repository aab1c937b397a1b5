//! Making an account, signing in and out.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::browser::{self, SignedIn};
use super::extract::session_cookie;
use super::{Body, PathParameters};
use crate::actor::{Actor, Client};
use crate::authorize::Role;
use crate::error::{Error, Problem, Result};
use crate::id::Id;
use crate::people::email::Email;
use crate::people::sign_in::{self, Browser};
use crate::people::sign_up::{self, Outcome, Wish};
use crate::people::{factors, invitations, passkeys, reset, sessions, users};
use crate::platform::Platform;
use crate::secret::Secret;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(make_account))
        .routes(routes!(verify))
        .routes(routes!(enter))
        .routes(routes!(leave))
        .routes(routes!(confirm))
        .routes(routes!(request_reset))
        .routes(routes!(finish_reset))
        .routes(routes!(invitation))
}

/// Somebody who wants an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignUpWish {
    /// Their mail address.
    email: Email,
    /// What they are called.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// At least ten characters, and none of those that everybody tries first.
    #[schema(min_length = 10, max_length = 256)]
    password: Secret,
    /// The secret of an invitation.
    #[schema(max_length = 200)]
    invitation: Option<Secret>,
}

/// How far a sign-up came.
#[derive(Debug, Serialize, ToSchema)]
struct SignUpAnswer {
    /// Whether the address must be confirmed first.
    state: SignUpState,
    /// Whom to ask where no mail arrives.
    contact: Option<String>,
}

/// How far a sign-up came.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SignUpState {
    /// A mail is on its way: its link signs in.
    Verify,
    /// All the way.
    SignedIn,
}

/// Make an account
///
/// Where addresses are confirmed, the answer is the same for an address that has an account: its mail says so.
#[utoipa::path(post, path = "/api/v1/auth/sign-up", tag = "auth", request_body = SignUpWish, responses(
    (status = 202, body = SignUpAnswer), (status = 403, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn make_account(
    State(platform): State<Platform>,
    browser: Browser,
    Body(wish): Body<SignUpWish>,
) -> Result<Response> {
    let wish = Wish {
        email: wish.email,
        name: wish.name,
        password: wish.password,
        invitation: wish.invitation,
    };
    let contact = platform.settings().admin_contact.clone();
    let answer = |state| (StatusCode::ACCEPTED, Json(SignUpAnswer { state, contact }));
    Ok(match sign_up::sign_up(&platform, wish, &browser).await? {
        Outcome::Verify => answer(SignUpState::Verify).into_response(),
        Outcome::Open(opened) => {
            let cookies = browser::cookies(&opened, &browser.client);
            (cookies, answer(SignUpState::SignedIn)).into_response()
        }
    })
}

/// The secret of a link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LinkToken)]
struct Token {
    /// What stands behind `token=` in the link.
    #[schema(max_length = 200)]
    token: Secret,
}

/// Confirm a mail address
///
/// Signs in as a password would, with the same answer: where a second factor is asked for, `state` is `factor`, and `challenge` goes with
/// a code to `/auth/sign-in/factor`. The address is confirmed either way, and the link is used up.
#[utoipa::path(post, path = "/api/v1/auth/verify", tag = "auth", request_body = Token, responses(
    (status = 200, body = SignedIn), (status = 403, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem),
    (status = 422, body = Problem)))]
async fn verify(
    State(platform): State<Platform>,
    browser: Browser,
    Body(Token { token }): Body<Token>,
) -> Result<Response> {
    let outcome = sign_up::verify(&platform, &token, &browser).await?;
    browser::answer(&platform, outcome, &browser.client).await
}

/// Address and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// The mail address of the account.
    email: Email,
    /// Its password.
    #[schema(max_length = 256)]
    password: Secret,
}

/// Sign in
///
/// An unknown address and a wrong password get the same answer. Where `state` is `factor`, `challenge` goes with a code to
/// `/auth/sign-in/factor`; a passkey, by `/auth/passkey/start` and `finish`, needs no challenge of this answer.
#[utoipa::path(post, path = "/api/v1/auth/sign-in", tag = "auth", request_body = Credentials, responses(
    (status = 200, body = SignedIn), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem)))]
async fn enter(State(platform): State<Platform>, browser: Browser, Body(shown): Body<Credentials>) -> Result<Response> {
    let outcome = sign_in::with_password(&platform, &shown.email, &shown.password, &browser).await?;
    browser::answer(&platform, outcome, &browser.client).await
}

/// Sign out
#[utoipa::path(post, path = "/api/v1/auth/sign-out", tag = "auth", responses((status = 204), (status = 403, body = Problem)))]
async fn leave(State(platform): State<Platform>, client: Client, headers: http::HeaderMap) -> Result<Response> {
    if let Some(secret) = session_cookie(&headers, client.secure) {
        platform.limits.forget(&secret.digest());
        let now = platform.clock.now();
        let ended = platform
            .db
            .write(move |c| Box::pin(async move { sessions::end_by_secret(c, &secret, now).await }));
        ended.await?;
    }
    Ok((StatusCode::NO_CONTENT, browser::no_cookies(&client)).into_response())
}

/// One of the things that prove who one is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Proof {
    /// The password.
    #[schema(max_length = 256)]
    password: Option<Secret>,
    /// A code of the authenticator app, or a recovery code.
    #[schema(max_length = 64)]
    code: Option<String>,
    /// A passkey, as asked for by `/auth/confirm/passkey/start`.
    passkey: Option<PasskeyProof>,
}

/// The answer of a passkey.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasskeyProof {
    /// What the start returned.
    #[schema(max_length = 200)]
    challenge: Secret,
    /// What the browser returned.
    credential: Value,
}

/// Confirm that it is you
///
/// For ten minutes, what needs a fresh sign-in can be done.
#[utoipa::path(post, path = "/api/v1/auth/confirm", tag = "auth", request_body = Proof, responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 410, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn confirm(
    State(platform): State<Platform>,
    actor: Actor,
    client: Client,
    Body(proof): Body<Proof>,
) -> Result<StatusCode> {
    let session = actor.must_be_in_person()?.clone();
    match proof {
        Proof {
            password: Some(password),
            code: None,
            passkey: None,
        } => sign_in::confirm_password(&platform, &actor.user, &password, actor.address).await?,
        Proof {
            password: None,
            code: Some(code),
            passkey: None,
        } => {
            let right = factors::check_code(&platform, &actor.user, &code).await?;
            right.ok_or(Error::Forbidden("this code is not right".into()))?;
        }
        Proof {
            password: None,
            code: None,
            passkey: Some(proof),
        } => passkeys::confirm(&platform, &client, &actor.user, &proof.challenge, proof.credential).await?,
        _ => return Err(Error::field("", "send one of password, code and passkey")),
    }
    let now = platform.clock.now();
    let write = platform
        .db
        .write(move |c| Box::pin(async move { sessions::refresh(c, &session, now).await }));
    write.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody who has forgotten the password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Forgotten {
    /// The mail address of the account.
    email: Email,
}

/// Whom to ask.
#[derive(Debug, Serialize, ToSchema)]
struct Contact {
    /// Whom to ask where the server sends no mail.
    contact: Option<String>,
}

/// Ask for a link to set a new password
///
/// The answer is the same whether there is such an account or not.
#[utoipa::path(post, path = "/api/v1/auth/reset/request", tag = "auth", request_body = Forgotten, responses(
    (status = 202, body = Contact), (status = 403, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem),
    (status = 503, body = Problem)))]
async fn request_reset(
    State(platform): State<Platform>,
    client: Client,
    Body(Forgotten { email }): Body<Forgotten>,
) -> Result<(StatusCode, Json<Contact>)> {
    reset::request(&platform, &email, &client).await?;
    let settings = platform.settings();
    let contact = settings.admin_contact.clone().filter(|_| settings.mail.is_none());
    Ok((StatusCode::ACCEPTED, Json(Contact { contact })))
}

/// A new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// What stands behind `token=` in the link.
    #[schema(max_length = 200)]
    token: Secret,
    /// At least ten characters, and none of those that everybody tries first.
    #[schema(min_length = 10, max_length = 256)]
    password: Secret,
}

/// Set a new password with a link
///
/// All sessions end and none begins: sign in with the new password, and with a second factor where there is one.
#[utoipa::path(post, path = "/api/v1/auth/reset", tag = "auth", request_body = NewPassword, responses(
    (status = 204), (status = 403, body = Problem), (status = 410, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem)))]
async fn finish_reset(
    State(platform): State<Platform>,
    client: Client,
    Body(new): Body<NewPassword>,
) -> Result<StatusCode> {
    reset::finish(&platform, &new.token, &new.password, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An invitation, as whoever holds it sees it.
#[derive(Debug, Serialize, ToSchema)]
struct Invitation {
    /// The address it is for; none where anybody may use it.
    email: Option<Email>,
    /// Who invites.
    invited_by: String,
    /// What whoever accepts it becomes on the server.
    role: Option<Role>,
    /// Where to.
    server_name: String,
}

/// Look at an invitation
#[utoipa::path(get, path = "/api/v1/auth/invitations/{token}", tag = "auth", params(("token" = String, Path)), responses(
    (status = 200, body = Invitation), (status = 410, body = Problem)))]
async fn invitation(
    State(platform): State<Platform>,
    PathParameters(token): PathParameters<String>,
) -> Result<Json<Invitation>> {
    let link = invitations::find(&platform, &Secret::new(token)).await?;
    Ok(Json(Invitation {
        invited_by: inviter(&platform, link.created_by).await?,
        role: link.detail.bindings.first().map(|binding| binding.role),
        email: link.email,
        server_name: platform.settings().name.clone(),
    }))
}

async fn inviter(platform: &Platform, id: Option<Id>) -> Result<String> {
    let Some(id) = id else { return Ok(String::new()) };
    let user = platform
        .db
        .read(|c| Box::pin(async move { users::by_id(c, &id).await }))
        .await?;
    Ok(user.name)
}

#[cfg(test)]
mod tests;
