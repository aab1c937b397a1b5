//! Signing in with a provider of identities. A browser comes here by itself, so that every answer leads on to a page.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use tracing::{info, warn};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::browser;
use super::extract::cookie;
use super::{MaybeActor, PathParameters, Query};
use crate::actor::{Actor, Client};
use crate::error::{Error, Problem, Result};
use crate::id::Id;
use crate::people::challenges::LIFETIME;
use crate::people::oidc::{self, Answer, Done, Refusal, Wish};
use crate::people::providers;
use crate::people::sign_in::{Browser, Outcome};
use crate::platform::Platform;
use crate::secret::Secret;

/// By this the browser that began a sign-in is known when it comes back.
const COOKIE_SECURE: &str = "__Host-oidc";
const COOKIE_PLAIN: &str = "oidc";

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(callback))
}

/// What a sign-in is to lead to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StartQuery {
    /// The page afterwards: a path on this server; anything else is `/`.
    next: Option<String>,
    /// `1`: link the sign-in to your account instead.
    link: Option<String>,
    /// The invitation that a new account comes with.
    #[param(value_type = Option<String>)]
    invitation: Option<Secret>,
}

/// What the provider sends the browser back with.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CallbackQuery {
    /// For the token endpoint.
    #[param(value_type = Option<String>)]
    code: Option<Secret>,
    /// Which sign-in it is.
    #[param(value_type = Option<String>)]
    state: Option<Secret>,
    /// Which provider it is (RFC 9207).
    iss: Option<String>,
    /// Why there is no code.
    error: Option<String>,
}

/// Begin to sign in with a provider
///
/// For a browser, not a program: it leads on to the provider.
#[utoipa::path(
    get, path = "/api/v1/auth/oidc/{slug}/start", tag = "auth",
    params(("slug" = String, Path, description = "The provider's place in addresses")),
    responses(
        (status = 303, description = "To the provider, or to the sign-in page with `?problem=`"),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The server does not know its own address"),
    )
)]
async fn start(
    State(platform): State<Platform>,
    client: Client,
    MaybeActor(actor): MaybeActor,
    headers: HeaderMap,
    PathParameters(slug): PathParameters<String>,
    Query(query): Query<StartQuery>,
) -> Result<Response> {
    let provider = providers::offered(&platform, &slug).await?;
    oidc::redirect_uri(&platform, &slug)?;
    let link = match query.link.as_deref() {
        Some("1" | "true") => Some(may_link(&platform, actor, &headers, &client)?),
        _ => None,
    };
    let wish = Wish {
        next: query.next,
        link,
        invitation: query.invitation,
    };
    let started = match oidc::start(&platform, &provider, wish).await {
        Ok(started) => started,
        Err(refusal) => return refused(&slug, &client, &refusal),
    };
    let mut response = lead_to(&started.location)?;
    remember(&mut response, &client, &started.browser, LIFETIME);
    Ok(response)
}

/// A page of somebody else could have the browser link an identity of theirs: only our own pages may ask for it.
fn may_link(platform: &Platform, actor: Option<Actor>, headers: &HeaderMap, client: &Client) -> Result<Id> {
    let actor = actor.ok_or(Error::Unauthenticated("sign in first".into()))?;
    actor.must_be_in_person()?;
    actor.must_be_fresh(platform.clock.now())?;
    if !from_our_page(headers, client) {
        return Err(Error::Forbidden("the request comes from another site".into()));
    }
    Ok(actor.user)
}

/// Fetch Metadata says it where the page is encrypted; elsewhere the page that led here.
fn from_our_page(headers: &HeaderMap, client: &Client) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let authority = text("referer")
        .and_then(|page| page.split_once("://"))
        .and_then(|(_, rest)| rest.split('/').next());
    authority.is_some() && authority == client.host.as_deref()
}

/// End a sign-in with what the provider answered
///
/// For a browser, not a program: it leads on to the page that was asked for, or to the sign-in page.
#[utoipa::path(
    get, path = "/api/v1/auth/oidc/{slug}/callback", tag = "auth",
    params(("slug" = String, Path, description = "The provider's place in addresses")),
    responses(
        (status = 303, description = "To the page that was asked for, or to the sign-in page with `?problem=`"),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
    )
)]
async fn callback(
    State(platform): State<Platform>,
    browser: Browser,
    MaybeActor(actor): MaybeActor,
    headers: HeaderMap,
    PathParameters(slug): PathParameters<String>,
    Query(query): Query<CallbackQuery>,
) -> Result<Response> {
    let provider = providers::offered(&platform, &slug).await?;
    let answer = Answer {
        code: query.code,
        state: query.state,
        issuer: query.iss,
        error: query.error,
        browser: cookie(&headers, cookie_name(&browser.client)),
    };
    let done = oidc::finish(&platform, &provider, answer, actor.as_ref(), &browser).await;
    let mut response = match done {
        Ok(Done::Linked(next)) => lead_to(&next)?,
        Ok(Done::Arrived(Outcome::Open(opened), next)) => {
            let mut response = lead_to(&next)?;
            response
                .headers_mut()
                .extend(browser::cookies(&opened, &browser.client));
            response
        }
        Ok(Done::Arrived(Outcome::Factor { challenge, methods }, next)) => lead_to(&factor_page(
            &challenge,
            methods.iter().map(|method| method.name()),
            &next,
        ))?,
        Err(refusal) => refused(&slug, &browser.client, &refusal)?,
    };
    remember(&mut response, &browser.client, &Secret::new(""), Duration::ZERO);
    Ok(response)
}

/// The second step is taken on the sign-in page. A fragment is sent to no server and stands in no log.
fn factor_page<'a>(challenge: &Secret, methods: impl Iterator<Item = &'a str>, next: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("next", next)
        .finish();
    let methods: Vec<&str> = methods.collect();
    format!(
        "/login?{query}#challenge={}&methods={}",
        challenge.expose(),
        methods.join(",")
    )
}

fn cookie_name(client: &Client) -> &'static str {
    if client.secure { COOKIE_SECURE } else { COOKIE_PLAIN }
}

fn remember(response: &mut Response, client: &Client, browser: &Secret, kept: Duration) {
    let seconds = u32::try_from(kept.as_secs()).unwrap_or(0);
    let cookie = browser::written(cookie_name(client), browser, seconds, client);
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// To the sign-in page, which has words for each refusal.
fn refused(slug: &str, client: &Client, refusal: &Refusal) -> Result<Response> {
    let code = refusal.code();
    match refusal {
        Refusal::Unavailable(reason) => {
            warn!(provider = %slug, %reason, "an identity provider does not answer as it should");
        }
        Refusal::Failed(reason) => {
            info!(address = %client.address, reason = "oidc", provider = %slug, detail = %reason, "sign-in refused");
        }
        Refusal::Other(error) if error.kind().0.is_server_error() => {
            warn!(provider = %slug, %error, "a sign-in with a provider failed");
        }
        other => info!(address = %client.address, reason = other.code(), provider = %slug, "sign-in refused"),
    }
    lead_to(&format!("/login?problem={code}"))
}

fn lead_to(location: &str) -> Result<Response> {
    let location = HeaderValue::try_from(location)
        .map_err(|_| Error::Fault("a page's address holds what no header may".into()))?;
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
