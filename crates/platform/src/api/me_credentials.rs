//! One's own address and password.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Body, Fresh, FreshInPerson};
use crate::error::{Problem, Result};
use crate::people::email::Email;
use crate::people::{address, reset};
use crate::platform::Platform;
use crate::secret::Secret;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(change_email))
        .routes(routes!(change_password))
}

/// Another mail address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEmail {
    /// The address that is to take the place of the old one.
    email: Email,
}

/// Change your mail address
///
/// The new address is sent a link that confirms it; the old one is told.
#[utoipa::path(post, path = "/api/v1/me/email", tag = "me", request_body = NewEmail, responses(
    (status = 202), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem), (status = 503, body = Problem)))]
async fn change_email(
    State(platform): State<Platform>,
    FreshInPerson(actor): FreshInPerson,
    Body(NewEmail { email }): Body<NewEmail>,
) -> Result<StatusCode> {
    address::change(&platform, &actor, &email).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Another password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    /// The password so far; may be left out where there is none, or after a fresh sign-in.
    #[schema(max_length = 256)]
    current: Option<Secret>,
    /// At least ten characters, and none of those that everybody tries first.
    #[schema(min_length = 10, max_length = 256)]
    new: Secret,
}

/// Change your password
///
/// Your other sessions end.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "me", request_body = ChangePassword, responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem)))]
async fn change_password(
    State(platform): State<Platform>,
    Fresh(actor): Fresh,
    Body(change): Body<ChangePassword>,
) -> Result<StatusCode> {
    reset::change(&platform, &actor, change.current.as_ref(), &change.new).await?;
    Ok(StatusCode::NO_CONTENT)
}
