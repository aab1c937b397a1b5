//! The first start.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Body;
use super::browser;
use super::me::Me;
use crate::actor::Client;
use crate::error::{Error, Problem, Result};
use crate::https::Https;
use crate::mail::{self, Letter, Text};
use crate::people::email::Email;
use crate::people::passwords::Lane;
use crate::people::sign_in::{self, Browser};
use crate::people::{passwords, profile, setup, users};
use crate::platform::Platform;
use crate::secret::Secret;
use crate::settings::{Acme, Creators, Mail, MailSecurity, Settings, SignUp};
use crate::text;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(check))
        .routes(routes!(finish))
        .routes(routes!(test_mail))
}

/// The secret of the link that the server printed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetupToken)]
struct Token {
    /// What stands behind `token=` in the link.
    #[schema(max_length = 200)]
    token: Secret,
}

/// What is known before the setup.
#[derive(Debug, Serialize, ToSchema)]
struct Facts {
    /// Whether mail leaves already.
    mail_configured: bool,
    /// How HTTPS stands.
    https: Https,
    /// The address that the page was opened with; none where only this machine knows it.
    suggested_url: Option<String>,
    /// Whether the configuration file says the server's address.
    public_url_fixed: bool,
}

/// Look at what the setup starts from
#[utoipa::path(post, path = "/api/v1/setup/check", tag = "setup", request_body = Token, responses(
    (status = 200, body = Facts), (status = 403, body = Problem), (status = 410, body = Problem), (status = 422, body = Problem)))]
async fn check(
    State(platform): State<Platform>,
    client: Client,
    Body(Token { token }): Body<Token>,
) -> Result<Json<Facts>> {
    setup::check(&platform, &token).await?;
    Ok(Json(Facts {
        mail_configured: platform.settings().mail.is_some(),
        https: platform.https(),
        suggested_url: suggested(&client),
        public_url_fixed: platform.options.public_url.is_some(),
    }))
}

/// The address that the page was opened with, unless it is one that means another machine to everybody else.
fn suggested(client: &Client) -> Option<String> {
    let name = client.host_name()?;
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    if name == "localhost" || address.is_ok_and(|address| address.is_loopback()) {
        return None;
    }
    let scheme = if client.secure { "https" } else { "http" };
    Some(format!("{scheme}://{}", client.host.as_deref()?))
}

/// The first account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FirstOwner)]
struct Owner {
    /// Their mail address.
    email: Email,
    /// What they are called.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// At least ten characters, and none of those that everybody tries first.
    #[schema(min_length = 10, max_length = 256)]
    password: Secret,
}

/// The server.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct About {
    /// What it is called.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// Its address for people, such as `https://live.example.org`.
    #[schema(max_length = 200)]
    public_url: Option<String>,
}

/// The first organisation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOrganisation {
    /// What it is called.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
}

/// A mail server and the password there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMail {
    /// Its host.
    #[schema(min_length = 1, max_length = 253)]
    host: String,
    /// Its port.
    #[schema(minimum = 1, maximum = 65535)]
    port: u16,
    /// How the connection is protected.
    security: MailSecurity,
    /// Who signs in there; none for nobody.
    #[schema(max_length = 200)]
    username: Option<String>,
    /// The password there.
    #[schema(max_length = 200)]
    password: Option<Secret>,
    /// The address that mails come from.
    #[schema(min_length = 3, max_length = 254)]
    from: String,
}

impl NewMail {
    fn split(self) -> (Mail, Option<Secret>) {
        let mail = Mail {
            host: self.host.trim().to_owned(),
            port: self.port,
            security: self.security,
            username: self.username.unwrap_or_default(),
            from: self.from.trim().to_owned(),
        };
        (mail, self.password)
    }
}

/// Everything that the setup asks for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Setup {
    /// What stands behind `token=` in the link.
    #[schema(max_length = 200)]
    token: Secret,
    /// The first account.
    owner: Owner,
    /// The server.
    server: About,
    /// The first organisation.
    organisation: NewOrganisation,
    /// Who may make an account.
    sign_up: SignUp,
    /// Who may stream.
    creators: Creators,
    /// The mail server; none to send no mail.
    mail: Option<NewMail>,
    /// Names to get certificates for.
    acme: Option<Acme>,
}

/// The owner, who is signed in: nobody has a second factor yet.
#[derive(Debug, Serialize, ToSchema)]
struct Welcome {
    /// The person.
    user: Me,
}

/// Set the server up
///
/// Makes the first account, an owner's, and signs in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "setup", request_body = Setup, responses(
    (status = 201, body = Welcome), (status = 403, body = Problem), (status = 410, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem)))]
async fn finish(State(platform): State<Platform>, browser: Browser, Body(wish): Body<Setup>) -> Result<Response> {
    setup::check(&platform, &wish.token).await?;
    let token = wish.token.clone();
    let setup = checked(&platform, wish).await?;
    let owner = setup::finish(&platform, &token, setup, &browser.client).await?;
    let opened = sign_in::open(&platform, &owner, "setup", &browser).await?;
    let user = Me::load(&platform, &owner, true).await?;
    let cookies = browser::cookies(&opened, &browser.client);
    Ok((StatusCode::CREATED, cookies, Json(Welcome { user })).into_response())
}

async fn checked(platform: &Platform, wish: Setup) -> Result<setup::Setup> {
    let owner = wish.owner;
    owner.email.check("/owner/email")?;
    let name = profile::checked_name(&owner.name).map_err(|fault| within(fault, "/owner"))?;
    passwords::acceptable("/owner/password", &owner.password, &owner.email, &name)?;
    let organisation = text::line("/organisation/name", &wish.organisation.name, 1, 80)?;
    let (mail, mail_password) = wish.mail.map(NewMail::split).unzip();
    let url = wish.server.public_url.map(|url| url.trim_end_matches('/').to_owned());
    let settings = Settings {
        name: wish.server.name.trim().to_owned(),
        public_url: url.filter(|url| !url.is_empty()),
        sign_up: wish.sign_up,
        creators: wish.creators,
        mail,
        acme: wish.acme,
        ..Settings::default()
    };
    settings.check().map_err(|fault| within(fault, "/server"))?;
    settings.must_have_url_for_mail(platform)?;
    let hash = platform.doors.hasher.hash(Lane::Stranger, &owner.password).await?;
    Ok(setup::Setup {
        owner: users::New {
            email: owner.email,
            name,
            password_hash: Some(hash),
            verified: true,
        },
        organisation,
        settings,
        mail_password: mail_password.flatten(),
    })
}

/// A field that stands deeper in this body than in others.
fn within(fault: Error, parent: &'static str) -> Error {
    match fault {
        Error::Field { pointer, detail } if matches!(&*pointer, "/name" | "/description" | "/public_url") => {
            Error::Field {
                pointer: format!("{parent}{pointer}").into(),
                detail,
            }
        }
        other => other,
    }
}

/// A mail to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetupMailTest)]
struct MailTest {
    /// What stands behind `token=` in the link.
    #[schema(max_length = 200)]
    token: Secret,
    /// The mail server.
    mail: NewMail,
    /// To whom.
    to: Email,
}

/// Send a mail with these settings
///
/// What goes wrong is said in the mail server's own words.
#[utoipa::path(post, path = "/api/v1/setup/test-mail", tag = "setup", request_body = MailTest, responses(
    (status = 204), (status = 403, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn test_mail(State(platform): State<Platform>, client: Client, Body(test): Body<MailTest>) -> Result<StatusCode> {
    setup::check(&platform, &test.token).await?;
    let (mail, password) = test.mail.split();
    let settings = Settings {
        mail: Some(mail.clone()),
        ..Settings::default()
    };
    settings.check()?;
    try_mail(&platform, &mail::Server { mail, password }, test.to, &client).await
}

/// Sends a mail now, and says what went wrong.
///
/// # Errors
/// [`Error::Conflict`] in the mail server's words, [`Error::Field`], [`Error::TooMany`].
pub(super) async fn try_mail(
    platform: &Platform,
    server: &mail::Server,
    to: Email,
    client: &Client,
) -> Result<StatusCode> {
    to.check("/to")?;
    platform.doors.throttle.mail(client.address)?;
    let letter = Letter {
        to,
        server: platform.settings().name.clone(),
        text: Text::Test,
        link: None,
    };
    match mail::send(server, &letter).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(Error::Unavailable(words)) => Err(Error::Conflict {
            code: "mail_refused",
            detail: words,
        }),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests;
