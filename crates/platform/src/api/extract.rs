//! What a handler takes out of a request; what is wrong with it is said as a problem.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use crate::actor::{Actor, Client};
use crate::error::{Error, Result};
use crate::people::{factors, sessions, tokens};
use crate::platform::Platform;
use crate::secret::{Digest, Secret};

/// The cookie of a session; the prefix asks the browser to send it to this host only, by HTTPS only (RFC 6265bis §4.1.3).
pub const COOKIE_SECURE: &str = "__Host-session";
/// The same where the page is not encrypted: a LAN without certificates.
pub const COOKIE_PLAIN: &str = "session";

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let body = axum::Json::<T>::from_request(request, state).await;
        body.map(|axum::Json(body)| Self(body))
            .map_err(|rejection| match rejection {
                JsonRejection::MissingJsonContentType(_) => {
                    Error::MediaType("the body must be application/json".into())
                }
                JsonRejection::JsonSyntaxError(fault) => Error::Invalid(fault.body_text().into()),
                JsonRejection::BytesRejection(fault) if fault.status() == http::StatusCode::PAYLOAD_TOO_LARGE => {
                    Error::TooLarge(BODY_BYTES_MAX)
                }
                other => Error::Field {
                    pointer: "".into(),
                    detail: other.body_text().into(),
                },
            })
    }
}

/// Bytes of a JSON body.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// The parameters of the query.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|fault| Error::Invalid(fault.body_text().into()))
    }
}

/// The parameters of the path.
#[derive(Debug)]
pub struct PathParameters<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathParameters<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let path = <axum::extract::Path<T> as FromRequestParts<S>>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(path)| Self(path))
            .map_err(|_| Error::NotFound)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let client = parts.extensions.get::<Self>().cloned();
        client.ok_or_else(|| Error::Fault("the server did not say where the request comes from".into()))
    }
}

/// Whoever is signed in, by cookie or token; else the request is refused.
impl FromRequestParts<Platform> for Actor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self> {
        let client = Client::from_request_parts(parts, platform).await?;
        let actor = who(platform, &parts.headers, &client).await?;
        if !BEFORE_FACTOR.iter().any(|path| leads_to(path, parts.uri.path())) {
            must_have_factor(platform, &actor).await?;
        }
        Ok(actor)
    }
}

/// Whoever is signed in by what these headers show.
///
/// # Errors
/// [`Error::Unauthenticated`], and those of the database.
pub(crate) async fn who(platform: &Platform, headers: &HeaderMap, client: &Client) -> Result<Actor> {
    let shown = shown(headers, client.secure).ok_or(Error::Unauthenticated("sign in first".into()))?;
    let found = match &shown {
        Shown::Cookie(secret) => sessions::find(platform, secret, client).await,
        Shown::Token { id, secret } => tokens::find(platform, id, secret, client).await,
    };
    match &found {
        Ok(actor) => platform.limits.learn(shown.digest(), &actor.user),
        Err(Error::Unauthenticated(_)) => platform.limits.forget(&shown.digest()),
        Err(_) => {}
    }
    found
}

/// What may be done before a second factor that the role asks for: to see that, and to add one.
const BEFORE_FACTOR: [&str; 5] = [
    "/api/v1/auth",
    "/api/v1/me",
    "/api/v1/me/totp",
    "/api/v1/me/passkeys",
    "/api/v1/me/recovery-codes",
];

/// Whether `path` is one of those: `/me` itself, everything below the others.
fn leads_to(allowed: &str, path: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || (allowed != "/api/v1/me" && rest.starts_with('/'));
    path.strip_prefix(allowed).is_some_and(below)
}

async fn must_have_factor(platform: &Platform, actor: &Actor) -> Result<()> {
    if !factors::demanded(&platform.settings(), &actor.roles) {
        return Ok(());
    }
    let user = actor.user.clone();
    let has = platform
        .db
        .read(|c| Box::pin(async move { factors::has_any(c, &user).await }));
    if has.await? { Ok(()) } else { Err(Error::FactorRequired) }
}

/// Somebody who may be signed in: what is shown and wrong counts as nothing shown.
#[derive(Debug)]
pub struct MaybeActor(pub Option<Actor>);

impl FromRequestParts<Platform> for MaybeActor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self> {
        match Actor::from_request_parts(parts, platform).await {
            Ok(actor) => Ok(Self(Some(actor))),
            Err(Error::Unauthenticated(_) | Error::FactorRequired) => Ok(Self(None)),
            Err(other) => Err(other),
        }
    }
}

/// Whoever is signed in with a sign-in that is fresh.
#[derive(Debug)]
pub struct Fresh(pub Actor);

impl FromRequestParts<Platform> for Fresh {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self> {
        let actor = Actor::from_request_parts(parts, platform).await?;
        actor.must_be_fresh(platform.clock.now())?;
        Ok(Self(actor))
    }
}

/// Whoever is signed in with a browser, and no token of theirs.
#[derive(Debug)]
pub struct InPerson(pub Actor);

impl FromRequestParts<Platform> for InPerson {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self> {
        let actor = Actor::from_request_parts(parts, platform).await?;
        actor.must_be_in_person()?;
        Ok(Self(actor))
    }
}

/// Whoever is signed in with a browser and a sign-in that is fresh: for what lets others in.
#[derive(Debug)]
pub struct FreshInPerson(pub Actor);

impl FromRequestParts<Platform> for FreshInPerson {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self> {
        let Fresh(actor) = Fresh::from_request_parts(parts, platform).await?;
        actor.must_be_in_person()?;
        Ok(Self(actor))
    }
}

/// What a request shows of who makes it.
#[derive(Debug, PartialEq, Eq)]
enum Shown {
    Cookie(Secret),
    Token { id: String, secret: Secret },
}

impl Shown {
    fn digest(&self) -> Digest {
        match self {
            Self::Cookie(secret) | Self::Token { secret, .. } => secret.digest(),
        }
    }
}

/// The digest of whatever credential a request shows.
pub(super) fn shown_digest(headers: &HeaderMap, secure: bool) -> Option<Digest> {
    shown(headers, secure).map(|shown| shown.digest())
}

/// A token comes before a cookie: a program that sends one means it.
fn shown(headers: &HeaderMap, secure: bool) -> Option<Shown> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        // What is not understood is still something shown, and wrong.
        let (id, secret) = value.to_str().ok().and_then(token).unwrap_or_default();
        return Some(Shown::Token {
            id,
            secret: Secret::new(secret),
        });
    }
    session_cookie(headers, secure).map(Shown::Cookie)
}

/// `Bearer ID.SECRET`, or `Basic` with the id as user and the secret as password (RFC 6750 §2.1, RFC 7617 §2).
fn token(value: &str) -> Option<(String, String)> {
    let (scheme, rest) = value.split_once(' ')?;
    let (id, secret) = if scheme.eq_ignore_ascii_case("bearer") {
        let (id, secret) = rest.trim().split_once('.')?;
        (id.to_owned(), secret.to_owned())
    } else if scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
        let (id, secret) = pair.split_once(':')?;
        (id.to_owned(), secret.to_owned())
    } else {
        return None;
    };
    Some((id, secret))
}

/// The secret of the session's cookie. Where nobody can listen, only the cookie counts that a neighbouring site cannot set.
pub fn session_cookie(headers: &HeaderMap, secure: bool) -> Option<Secret> {
    cookie(headers, if secure { COOKIE_SECURE } else { COOKIE_PLAIN })
}

/// The secret that a cookie holds.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<Secret> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(cookie::Cookie::split_parse)
        .flatten()
        .find(|cookie| cookie.name() == name)
        .map(|cookie| Secret::new(cookie.value()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: http::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_token_is_understood_in_both_forms_and_beats_a_cookie() {
        let wanted = Some(Shown::Token {
            id: "to1".into(),
            secret: Secret::new("s.3"),
        });
        assert_eq!(shown(&headers(header::AUTHORIZATION, "Bearer to1.s.3"), true), wanted);
        assert_eq!(
            shown(&headers(header::AUTHORIZATION, "basic dG8xOnMuMw=="), true),
            wanted
        );
        let mut both = headers(header::AUTHORIZATION, "Bearer nonsense");
        both.insert(header::COOKIE, "session=abc".parse().unwrap());
        assert!(matches!(shown(&both, true), Some(Shown::Token { id, .. }) if id.is_empty()));
    }

    #[test]
    fn before_the_second_factor_one_may_only_add_it() {
        let allowed = |path: &str| BEFORE_FACTOR.iter().any(|allowed| leads_to(allowed, path));
        for path in [
            "/api/v1/me",
            "/api/v1/me/totp",
            "/api/v1/me/passkeys/start",
            "/api/v1/auth/confirm",
        ] {
            assert!(allowed(path), "{path}");
        }
        for path in [
            "/api/v1/me/export",
            "/api/v1/me/totpx",
            "/api/v1/admin/users",
            "/api/v1/me/tokens",
        ] {
            assert!(!allowed(path), "{path}");
        }
    }

    #[test]
    fn a_cookie_that_a_neighbour_could_set_does_not_count_where_there_is_a_better_one() {
        let found = |value, secure| {
            let cookie = session_cookie(&headers(header::COOKIE, value), secure);
            cookie.map(|secret| secret.expose().to_owned())
        };
        let both = "a=b; session=plain; __Host-session=safe";
        assert_eq!(found(both, true).as_deref(), Some("safe"));
        assert_eq!(found("session=plain", true), None);
        assert_eq!(found(both, false).as_deref(), Some("plain"));
        assert_eq!(found("a=b", false), None);
    }
}
