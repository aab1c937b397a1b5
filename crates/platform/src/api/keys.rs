//! Stream keys.

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::api::extract::{Body, Fresh, PathParameters};
use crate::api::idempotency::IdempotencyKey;
use crate::api::page::Items;
use crate::api::streams::find_for;
use crate::audit::Act;
use crate::authorize::Action;
use crate::clock::Time;
use crate::error::{Problem, Result};
use crate::id::Id;
use crate::platform::{Change, Platform};
use crate::secret::Secret;
use crate::streams::keys::{self, Making};

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
        .routes(routes!(reveal))
        .routes(routes!(rotate))
}

/// A stream key, without the key.
#[derive(Debug, Serialize, ToSchema)]
pub struct Key {
    /// Its id.
    pub id: Id,
    /// What its owner calls it.
    pub name: String,
    /// Whether it is the one that the stream began with.
    pub primary: bool,
    /// Since when it is there.
    pub created_at: Time,
    /// When it ends by itself.
    pub expires_at: Option<Time>,
    /// When a source last showed it.
    pub used_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
}

impl From<keys::Key> for Key {
    fn from(key: keys::Key) -> Self {
        Self {
            id: key.id,
            name: key.name,
            primary: key.is_primary,
            created_at: key.created_at,
            expires_at: key.expires_at,
            used_at: key.used_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A key that was just made, with the key.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewKey {
    /// What is known of it.
    pub key: Key,
    /// The key itself, for the publisher's program.
    pub secret: String,
}

/// The key itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revealed {
    /// For the publisher's program.
    pub secret: String,
}

impl NewKey {
    fn of((key, secret): (keys::Key, Secret)) -> Self {
        Self {
            key: key.into(),
            secret: secret.expose().to_owned(),
        }
    }
}

/// The keys of a stream that were not revoked
#[utoipa::path(get, path = "/api/v1/streams/{stream}/keys", tag = "keys", params(("stream" = Id, Path)),
    responses((status = 200, body = Items<Key>), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn list(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(stream): PathParameters<Id>,
) -> Result<axum::Json<Items<Key>>> {
    let now = platform.clock.now();
    let read = platform.db.read(|c| {
        Box::pin(async move {
            find_for(c, &actor, Action::StreamKeys, &stream, now).await?;
            keys::list(c, &stream).await
        })
    });
    let keys = read.await?.into_iter().map(Key::from).collect();
    Ok(axum::Json(Items::whole(keys)))
}

/// A key that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MakeKey {
    /// What to call it: the place or program that will use it.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// After how many days it ends by itself; never where nothing is said.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<u32>,
}

/// Make a named key of a stream
#[utoipa::path(post, path = "/api/v1/streams/{stream}/keys", tag = "keys", request_body = MakeKey,
    params(("stream" = Id, Path), IdempotencyKey),
    responses((status = 201, body = NewKey), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn create(
    State(platform): State<Platform>,
    Fresh(actor): Fresh,
    PathParameters(stream): PathParameters<Id>,
    Body(body): Body<MakeKey>,
) -> Result<(StatusCode, axum::Json<NewKey>)> {
    let (now, ring, quota) = (
        platform.clock.now(),
        platform.ring(),
        platform.settings().quotas.keys_per_stream,
    );
    let made = platform.db.write(move |c| {
        Box::pin(async move {
            find_for(c, &actor, Action::StreamKeys, &stream, now).await?;
            let making = Making {
                ring: &ring,
                by: Some(&actor.user),
                quota,
                now,
            };
            let made = keys::create(c, making, &stream, &body.name, body.expires_in_days).await?;
            Act::by(&actor, "key.create", ("key", made.0.id.as_str()))
                .record(c, now)
                .await?;
            Ok(made)
        })
    });
    Ok((StatusCode::CREATED, axum::Json(NewKey::of(made.await?))))
}

/// Show a key
#[utoipa::path(post, path = "/api/v1/streams/{stream}/keys/{key}/reveal", tag = "keys", params(("stream" = Id, Path), ("key" = Id, Path)),
    responses((status = 200, body = Revealed), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn reveal(
    State(platform): State<Platform>,
    Fresh(actor): Fresh,
    PathParameters((stream, key)): PathParameters<(Id, Id)>,
) -> Result<axum::Json<Revealed>> {
    let (now, ring) = (platform.clock.now(), platform.ring());
    let revealed = platform.db.write(move |c| {
        Box::pin(async move {
            find_for(c, &actor, Action::StreamKeys, &stream, now).await?;
            let secret = keys::reveal(c, &ring, &stream, &key).await?;
            Act::by(&actor, "key.reveal", ("key", key.as_str()))
                .record(c, now)
                .await?;
            Ok(secret)
        })
    });
    let secret = revealed.await?.expose().to_owned();
    Ok(axum::Json(Revealed { secret }))
}

/// Put a new key in the place of one, which ends at once
#[utoipa::path(post, path = "/api/v1/streams/{stream}/keys/{key}/rotate", tag = "keys", params(("stream" = Id, Path), ("key" = Id, Path)),
    responses((status = 200, body = NewKey), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn rotate(
    State(platform): State<Platform>,
    Fresh(actor): Fresh,
    PathParameters((stream, key)): PathParameters<(Id, Id)>,
) -> Result<axum::Json<NewKey>> {
    let (now, ring, old) = (platform.clock.now(), platform.ring(), key.clone());
    let quota = platform.settings().quotas.keys_per_stream;
    let rotated = platform.db.write(move |c| {
        Box::pin(async move {
            find_for(c, &actor, Action::StreamKeys, &stream, now).await?;
            let making = Making {
                ring: &ring,
                by: Some(&actor.user),
                quota,
                now,
            };
            let made = keys::rotate(c, making, &stream, &key).await?;
            let act = Act::by(&actor, "key.rotate", ("key", key.as_str()));
            act.with(serde_json::json!({"new": &made.0.id})).record(c, now).await?;
            Ok(made)
        })
    });
    let made = rotated.await?;
    platform.changed(Change::Key(old));
    Ok(axum::Json(NewKey::of(made)))
}

/// Revoke a key: a source that uses it ends
#[utoipa::path(delete, path = "/api/v1/streams/{stream}/keys/{key}", tag = "keys", params(("stream" = Id, Path), ("key" = Id, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn revoke(
    State(platform): State<Platform>,
    Fresh(actor): Fresh,
    PathParameters((stream, key)): PathParameters<(Id, Id)>,
) -> Result<StatusCode> {
    let (now, revoked) = (platform.clock.now(), key.clone());
    let done = platform.db.write(move |c| {
        Box::pin(async move {
            find_for(c, &actor, Action::StreamKeys, &stream, now).await?;
            let there = keys::revoke(c, &stream, &key, now).await?;
            Act::by(&actor, "key.revoke", ("key", key.as_str()))
                .record_if(there, c, now)
                .await
        })
    });
    done.await?;
    platform.changed(Change::Key(revoked));
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests;
