//! A browser that signs in: what it brings, and the cookies that it is given.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::{cookie, session_cookie};
use super::{COOKIE_PLAIN, COOKIE_SECURE};
use crate::actor::Client;
use crate::api::me::Me;
use crate::error::{Error, Result};
use crate::people::factors::Method;
use crate::people::sign_in::{Browser, Opened, Outcome};
use crate::platform::Platform;
use crate::secret::Secret;

/// The cookie by which a browser is known that has signed in before.
const DEVICE_SECURE: &str = "__Host-device";
const DEVICE_PLAIN: &str = "device";
/// How long browsers keep cookies, in seconds: 400 days is the most they do (RFC 6265bis §5.5). The server ends sessions before.
const COOKIE_SECONDS: u32 = 400 * 86_400;

impl<S: Send + Sync> FromRequestParts<S> for Browser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let client = Client::from_request_parts(parts, state).await?;
        let agent = parts.headers.get(header::USER_AGENT);
        let device = if client.secure { DEVICE_SECURE } else { DEVICE_PLAIN };
        Ok(Self {
            user_agent: agent
                .and_then(|agent| agent.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            device: cookie(&parts.headers, device),
            session: session_cookie(&parts.headers, client.secure),
            client,
        })
    }
}

/// How far a sign-in came.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SignedIn {
    /// All the way.
    SignedIn {
        /// The person.
        user: Box<Me>,
    },
    /// A second factor is asked for: until then no session is open and no cookie is set.
    Factor {
        /// To be sent with the second factor, within ten minutes: a code to `/auth/sign-in/factor`.
        challenge: String,
        /// Which may be sent: one at least.
        methods: Vec<Method>,
    },
}

/// Answers a sign-in, with the cookies of the session where it came all the way.
///
/// # Errors
/// Those of the database.
pub(super) async fn answer(platform: &Platform, outcome: Outcome, client: &Client) -> Result<Response> {
    match outcome {
        Outcome::Open(opened) => {
            let user = Box::new(Me::load(platform, &opened.user, true).await?);
            Ok((cookies(&opened, client), Json(SignedIn::SignedIn { user })).into_response())
        }
        Outcome::Factor { challenge, methods } => {
            let challenge = challenge.expose().to_owned();
            Ok((no_store(), Json(SignedIn::Factor { challenge, methods })).into_response())
        }
    }
}

fn no_store() -> HeaderMap {
    HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))])
}

/// The cookies of a session that was opened: no script reads them, and no other site's form sends them.
pub(super) fn cookies(opened: &Opened, client: &Client) -> HeaderMap {
    let mut headers = no_store();
    let session = if client.secure { COOKIE_SECURE } else { COOKIE_PLAIN };
    headers.append(
        header::SET_COOKIE,
        written(session, &opened.session, COOKIE_SECONDS, client),
    );
    if let Some(device) = &opened.device {
        let name = if client.secure { DEVICE_SECURE } else { DEVICE_PLAIN };
        headers.append(header::SET_COOKIE, written(name, device, COOKIE_SECONDS, client));
    }
    headers
}

/// Takes the session's cookie back.
pub(super) fn no_cookies(client: &Client) -> HeaderMap {
    let mut headers = no_store();
    let session = if client.secure { COOKIE_SECURE } else { COOKIE_PLAIN };
    headers.append(header::SET_COOKIE, written(session, &Secret::new(""), 0, client));
    headers
}

/// A cookie as it is written: no script reads it, and no other site's form sends it.
pub(super) fn written(name: &str, value: &Secret, seconds: u32, client: &Client) -> HeaderValue {
    let secure = if client.secure { "; Secure" } else { "" };
    let value = value.expose();
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut header = HeaderValue::try_from(text).expect("names and base64url are plain text");
    header.set_sensitive(true);
    header
}
