//! Sign-ins elsewhere that are linked to an account here.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{FreshInPerson, Items, PathParameters};
use crate::actor::Actor;
use crate::audit::Act;
use crate::clock::Time;
use crate::error::{Problem, Result};
use crate::id::Id;
use crate::people::identities;
use crate::platform::Platform;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(unlink))
}

/// A sign-in elsewhere that is linked to your account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Identity {
    /// Its id here.
    pub id: Id,
    /// What the provider is called.
    pub provider: String,
    /// The address that the provider told.
    pub email: Option<String>,
    /// Since when it is linked.
    pub created_at: Time,
}

impl From<identities::Identity> for Identity {
    fn from(identity: identities::Identity) -> Self {
        Self {
            id: identity.id,
            provider: identity.provider,
            email: identity.email,
            created_at: identity.created_at,
        }
    }
}

/// Your linked sign-ins, the oldest first
#[utoipa::path(
    get, path = "/api/v1/me/identities", tag = "me",
    responses((status = 200, body = Items<Identity>), (status = 401, body = Problem))
)]
async fn list(State(platform): State<Platform>, actor: Actor) -> Result<Json<Items<Identity>>> {
    let identities = platform
        .db
        .read(|c| Box::pin(async move { identities::list(c, &actor.user).await }))
        .await?;
    Ok(Json(Items::whole(identities.into_iter().map(Identity::from).collect())))
}

/// Unlink a sign-in elsewhere
#[utoipa::path(
    delete, path = "/api/v1/me/identities/{id}", tag = "me", params(("id" = Id, Path, description = "Of the identity")),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "Nothing else would let you in"),
    )
)]
async fn unlink(
    State(platform): State<Platform>,
    FreshInPerson(actor): FreshInPerson,
    PathParameters(id): PathParameters<Id>,
) -> Result<StatusCode> {
    let now = platform.clock.now();
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                identities::unlink(c, &actor.user, &id).await?;
                Act::by(&actor, "identity.unlink", ("identity", id.as_str()))
                    .record(c, now)
                    .await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
