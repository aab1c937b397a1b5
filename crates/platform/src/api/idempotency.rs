//! `Idempotency-Key` on requests that create, as *The Idempotency-Key HTTP Header Field* (draft-ietf-httpapi-idempotency-key-header)
//! describes it.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use tracing::error;
use utoipa::IntoParams;

use crate::actor::{Actor, Credential};
use crate::api::extract::BODY_BYTES_MAX;
use crate::error::{Error, Result};
use crate::idempotency::{self, Answer, Claim, KEY_MAX, Once};
use crate::platform::Platform;
use crate::secret::Digest;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Tells an answer that was kept from one that is new.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The header of a creation that is to happen once, for the document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the middleware reads the header; this says so in the document")]
pub(super) struct IdempotencyKey {
    /// Chosen by whoever asks, best at random: the same key with the same request gets the same answer for a day.
    #[param(rename = "idempotency-key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    idempotency_key: Option<String>,
}

/// The routes that create, and whether their answer shows a secret.
const CREATING: &[(&str, bool)] = &[
    ("/api/v1/channels", false),
    ("/api/v1/streams", false),
    ("/api/v1/streams/{stream}/playback-ids", false),
    ("/api/v1/streams/{stream}/keys", true),
    ("/api/v1/me/tokens", true),
    ("/api/v1/admin/invitations", true),
    ("/api/v1/admin/providers", false),
];

/// Does a creation that carries a key once, and gives its answer to whoever asks again.
pub(super) async fn once(State(platform): State<Platform>, request: Request, next: Next) -> Response {
    let creating = (request.method() == Method::POST).then(|| creating(&request)).flatten();
    match creating {
        Some(shows_secret) if request.headers().contains_key(KEY) => {
            let done = only_once(platform, request, next, shows_secret).await;
            done.unwrap_or_else(IntoResponse::into_response)
        }
        _ => next.run(request).await,
    }
}

fn creating(request: &Request) -> Option<bool> {
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    CREATING
        .iter()
        .find(|(route, _)| *route == path)
        .map(|(_, shows_secret)| *shows_secret)
}

async fn only_once(platform: Platform, request: Request, next: Next, shows_secret: bool) -> Result<Response> {
    let (mut parts, body) = request.into_parts();
    let key = parts
        .headers
        .get(KEY)
        .and_then(|key| key.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    if key.is_empty() || key.len() > KEY_MAX {
        return Err(Error::Invalid(
            "an Idempotency-Key has 1 to 255 visible characters".into(),
        ));
    }
    let actor = Actor::from_request_parts(&mut parts, &platform).await?;
    let body = to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|_| Error::TooLarge(BODY_BYTES_MAX))?;
    let once = Once {
        actor: actor.user.clone(),
        credential: match &actor.credential {
            Credential::Session { id, .. } | Credential::Token { id, .. } => id.clone(),
        },
        key,
        request: Digest::of(&[parts.uri.to_string().as_bytes(), b"\n", &body].concat()),
    };
    if let Claim::Done(answer) = idempotency::claim(&platform, &once).await? {
        if shows_secret {
            actor.must_be_fresh(platform.clock.now())?;
        }
        return Ok(replay(answer));
    }
    let request = Request::from_parts(parts, Body::from(body));
    // Whoever asked may go away: what was begun is finished, and its answer kept.
    let done = tokio::spawn(async move { finish(&platform, once, next.run(request).await).await });
    done.await.map_err(|fault| Error::Fault(fault.to_string()))?
}

/// Keeps the answer of what was created; what was not may be tried again with the same key.
async fn finish(platform: &Platform, once: Once, response: Response) -> Result<Response> {
    if response.status() != StatusCode::CREATED {
        if let Err(fault) = idempotency::release(platform, once).await {
            error!(%fault, "an idempotency key could not be given back");
        }
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body: Bytes = to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|fault| Error::Fault(fault.to_string()))?;
    let content_type = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let answer = Answer {
        status: parts.status.as_u16(),
        content_type: content_type.map(str::to_owned),
        body: body.to_vec(),
    };
    // It was created and says so, whether or not it can be said again.
    if let Err(fault) = idempotency::keep(platform, once, &answer).await {
        error!(%fault, "the answer to a creation could not be kept");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn replay(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::CREATED);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    let content_type = answer.content_type.and_then(|text| HeaderValue::try_from(text).ok());
    headers.insert(
        header::CONTENT_TYPE,
        content_type.unwrap_or(HeaderValue::from_static("application/json")),
    );
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests;
