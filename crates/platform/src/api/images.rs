//! Pictures of channels.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::api::channels::Channel;
use crate::api::extract::PathParameters;
use crate::authorize::Action;
use crate::channels;
use crate::error::{Error, Problem, Result};
use crate::id::Id;
use crate::images::{self, Shape, UPLOAD_BYTES_MAX};
use crate::platform::Platform;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(put_avatar, delete_avatar))
        .routes(routes!(put_banner, delete_banner))
        .routes(routes!(get))
}

/// Set a channel's small picture
#[utoipa::path(put, path = "/api/v1/channels/{channel}/avatar", tag = "channels",
    params(("channel" = String, Path, description = "Id or handle")),
    request_body(description = "PNG, JPEG or WebP of at most 4 MiB", content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp"))),
    responses((status = 200, body = Channel), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)))]
async fn put_avatar(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(address): PathParameters<String>,
    request: Request,
) -> Result<axum::Json<Channel>> {
    put(platform, actor, address, Shape::Avatar, request).await
}

/// Set a channel's wide picture
#[utoipa::path(put, path = "/api/v1/channels/{channel}/banner", tag = "channels",
    params(("channel" = String, Path, description = "Id or handle")),
    request_body(description = "PNG, JPEG or WebP of at most 4 MiB", content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp"))),
    responses((status = 200, body = Channel), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)))]
async fn put_banner(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(address): PathParameters<String>,
    request: Request,
) -> Result<axum::Json<Channel>> {
    put(platform, actor, address, Shape::Banner, request).await
}

/// Take a channel's small picture away
#[utoipa::path(delete, path = "/api/v1/channels/{channel}/avatar", tag = "channels",
    params(("channel" = String, Path, description = "Id or handle")),
    responses((status = 200, body = Channel), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_avatar(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(address): PathParameters<String>,
) -> Result<axum::Json<Channel>> {
    set(platform, actor, address, Shape::Avatar, None).await
}

/// Take a channel's wide picture away
#[utoipa::path(delete, path = "/api/v1/channels/{channel}/banner", tag = "channels",
    params(("channel" = String, Path, description = "Id or handle")),
    responses((status = 200, body = Channel), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_banner(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(address): PathParameters<String>,
) -> Result<axum::Json<Channel>> {
    set(platform, actor, address, Shape::Banner, None).await
}

async fn put(
    platform: Platform,
    actor: Actor,
    address: String,
    shape: Shape,
    request: Request,
) -> Result<axum::Json<Channel>> {
    let (asked, by, now) = (address.clone(), actor.clone(), platform.clock.now());
    // Nobody sends megabytes to a channel that is not theirs.
    platform
        .db
        .read(|c| Box::pin(async move { Ok(channels::find_for(c, &by, Action::ChannelEdit, &asked, now).await?) }))
        .await?;
    let place = platform.pictures.enter()?;
    let sent = to_bytes(request.into_body(), UPLOAD_BYTES_MAX).await;
    let sent = sent.map_err(|_| Error::TooLarge(UPLOAD_BYTES_MAX))?;
    let picture = platform.pictures.develop(place, sent, shape).await?;
    set(platform, actor, address, shape, Some(picture)).await
}

async fn set(
    platform: Platform,
    actor: Actor,
    address: String,
    shape: Shape,
    picture: Option<images::Picture>,
) -> Result<axum::Json<Channel>> {
    let (by, now) = (actor.clone(), platform.clock.now());
    let set = platform.db.write(move |c| {
        Box::pin(async move {
            let channel = channels::find_for(c, &by, Action::ChannelEdit, &address, now).await?;
            let id = match picture {
                Some(picture) => {
                    Some(images::insert(c, picture, (&channel.environment_id, &channel.owner_id), now).await?)
                }
                None => None,
            };
            channels::set_picture(c, &channel.id, shape, id.as_ref(), now).await?;
            Ok(channels::find_for(c, &by, Action::ChannelEdit, channel.id.as_str(), now).await?)
        })
    });
    let channel = set.await?;
    Ok(axum::Json(Channel::of(&platform, Some(&actor), channel)))
}

/// A picture
///
/// Its id is known to those who see what it belongs to; it never changes.
#[utoipa::path(get, path = "/api/v1/images/{image}", tag = "channels", params(("image" = Id, Path)),
    responses((status = 200, content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp"))), (status = 304), (status = 404, body = Problem)))]
async fn get(
    State(platform): State<Platform>,
    PathParameters(image): PathParameters<Id>,
    headers: HeaderMap,
) -> Result<Response> {
    let environment = super::channels::environment(&platform, None)?;
    let tag = format!("\"{image}\"");
    let kept = platform
        .db
        .read(|c| Box::pin(async move { Ok(images::get(c, &environment, &image).await?) }))
        .await?;
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let about = [
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::ETAG, tag),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox".to_owned(),
        ),
        (header::CONTENT_TYPE, kept.content_type),
    ];
    Ok(if known {
        (StatusCode::NOT_MODIFIED, about).into_response()
    } else {
        (about, kept.bytes).into_response()
    })
}

#[cfg(test)]
mod tests;
