//! Live streams.

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::{Actor, Client};
use crate::api::channels::{must_create, must_read_own};
use crate::api::extract::{Body, PathParameters, Query};
use crate::api::idempotency::IdempotencyKey;
use crate::api::page::{Items, PageQuery};
use crate::api::server::Ingest;
use crate::audit::Act;
use crate::authorize::Action;
use crate::channels::{self, Visibility};
use crate::clock::Time;
use crate::error::{Error, Problem, Result};
use crate::id::Id;
use crate::platform::{Change, Platform};
use crate::store::Conn;
use crate::streams::keys::Making;
use crate::streams::live::{Live, State as OnAir};
use crate::streams::playback::{self, Policy};
use crate::streams::{self, NewStream, Patch, Settings, live};

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, edit, remove))
        .routes(routes!(disable))
        .routes(routes!(enable))
        .routes(routes!(add_playback_id))
        .routes(routes!(remove_playback_id))
}

/// A live stream: the lasting point of ingest.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stream {
    /// Its id.
    pub id: Id,
    /// Its title.
    pub title: String,
    /// The channel that it belongs to.
    pub channel: Option<OfChannel>,
    /// Whether it is the one that its channel shows.
    pub main: bool,
    /// How its broadcasts are run.
    pub settings: Settings,
    /// Whether nobody may publish it.
    pub disabled: bool,
    /// Whether it is on air.
    pub state: OnAir,
    /// Its public addresses.
    pub playback_ids: Vec<PlaybackId>,
    /// Where to publish it.
    pub ingest: Ingest,
    /// What it shows now.
    pub live: Option<Live>,
    /// Why the last source was refused or cut off, if none was accepted since.
    pub last_refusal: Option<Refusal>,
    /// Since when it is there.
    pub created_at: Time,
}

/// A channel, in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfChannel {
    /// Its id.
    pub id: Id,
    /// Its place in addresses.
    pub handle: String,
}

/// A public address of a stream.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaybackId {
    /// The address.
    pub id: String,
    /// Who may watch by it.
    pub policy: Policy,
}

/// Why a try to publish was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refusal {
    /// When.
    pub at: Time,
    /// What the publisher was told.
    pub reason: String,
}

impl Stream {
    /// A stream, for whoever runs it.
    pub fn of(platform: &Platform, client: &Client, stream: streams::Stream) -> Self {
        let broadcast = live::broadcast(platform, stream.id.as_str());
        let playback_ids = stream.playback_ids().map(|(id, policy)| PlaybackId {
            id: id.to_owned(),
            policy: if policy == "public" {
                Policy::Public
            } else {
                Policy::Private
            },
        });
        Self {
            playback_ids: playback_ids.collect(),
            last_refusal: stream.last_refusal().map(|refused| Refusal {
                at: refused.at,
                reason: refused.reason,
            }),
            state: live::state(broadcast.as_deref()),
            live: broadcast
                .filter(|broadcast| live::is_visible(broadcast))
                .map(|broadcast| live::describe(platform, &broadcast)),
            channel: stream
                .channel_id
                .zip(stream.handle)
                .map(|(id, handle)| OfChannel { id, handle }),
            main: stream.is_main,
            id: stream.id,
            title: stream.title,
            settings: stream.settings.0,
            disabled: stream.disabled_at.is_some(),
            ingest: Ingest::of(platform, client),
            created_at: stream.created_at,
        }
    }
}

/// The stream of that id, for somebody who wants to do something to it.
pub(super) async fn find_for(
    conn: &mut Conn<'_>,
    actor: &Actor,
    action: Action,
    id: &Id,
    now: Time,
) -> Result<streams::Stream> {
    let stream = streams::get(conn, &actor.environment, id, now).await?;
    actor.must(action, stream.resource())?;
    Ok(stream)
}

/// Which streams are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those of this channel: its id or handle.
    #[param(max_length = 28)]
    channel: Option<String>,
    /// How many items, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 25)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One's own streams, and those of channels where one keeps order
#[utoipa::path(get, path = "/api/v1/streams", tag = "streams", params(ListQuery),
    responses((status = 200, body = Items<Stream>), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn list(
    State(platform): State<Platform>,
    actor: Actor,
    client: Client,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Items<Stream>>> {
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let (limit, before, now) = (page.limit()?, page.after()?, platform.clock.now());
    must_read_own(&actor)?;
    let read = platform.db.read(|c| {
        Box::pin(async move {
            let channel = match query.channel {
                Some(address) => Some(
                    channels::find_for(c, &actor, Action::StreamSee, &address, now)
                        .await?
                        .id,
                ),
                None => None,
            };
            let page = streams::Page {
                channel,
                before,
                rows: limit + 1,
            };
            streams::list(c, &actor, page, now).await
        })
    });
    let page = Items::page(read.await?, limit, |row| (row.created_at, row.id.as_str()));
    Ok(axum::Json(page.map(|row| Stream::of(&platform, &client, row))))
}

/// A stream that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MakeStream {
    /// Its title.
    #[schema(min_length = 1, max_length = 140)]
    title: String,
    /// Its channel; none for a stream of its own.
    channel_id: Option<Id>,
    /// How its broadcasts are run.
    settings: Option<Settings>,
}

/// Make a stream, with a playback id and a primary key
#[utoipa::path(post, path = "/api/v1/streams", tag = "streams", request_body = MakeStream,
    params(IdempotencyKey),
    responses((status = 201, body = Stream), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn create(
    State(platform): State<Platform>,
    actor: Actor,
    client: Client,
    Body(body): Body<MakeStream>,
) -> Result<(StatusCode, axum::Json<Stream>)> {
    if body.channel_id.is_none() {
        must_create(&platform, &actor)?;
    }
    check_here(&platform, body.settings.as_ref())?;
    let (now, ring, quotas) = (
        platform.clock.now(),
        platform.ring(),
        platform.settings().quotas.clone(),
    );
    let made = platform.db.write(move |c| {
        Box::pin(async move {
            let making = Making {
                ring: &ring,
                by: Some(&actor.user),
                quota: quotas.keys_per_stream,
                now,
            };
            let id = make(c, making, &actor, &body, quotas.streams).await?;
            Act::by(&actor, "stream.create", ("stream", id.as_str()))
                .record(c, now)
                .await?;
            Ok(streams::get(c, &actor.environment, &id, now).await?)
        })
    });
    let stream = made.await?;
    platform.changed(Change::Stream(stream.id.clone()));
    Ok((StatusCode::CREATED, axum::Json(Stream::of(&platform, &client, stream))))
}

/// Refuses settings that this server does not have.
fn check_here(platform: &Platform, settings: Option<&Settings>) -> Result<()> {
    settings.map_or(Ok(()), |settings| settings.check_here(&platform.options))
}

/// A channel's stream belongs to the channel's owner, whoever makes it.
async fn make(conn: &mut Conn<'_>, making: Making<'_>, actor: &Actor, body: &MakeStream, quota: u32) -> Result<Id> {
    let settings = body.settings.clone().unwrap_or_default();
    let mut new = NewStream {
        environment: &actor.environment,
        owner: &actor.user,
        channel: None,
        title: &body.title,
        settings: &settings,
        policy: Policy::Public,
    };
    let Some(id) = &body.channel_id else {
        return streams::create_counted(conn, making, new, quota).await;
    };
    let channel = channels::find_for(conn, actor, Action::StreamEdit, id.as_str(), making.now).await?;
    new.owner = &channel.owner_id;
    new.channel = Some(&channel.id);
    if channel.visibility == Visibility::Private {
        new.policy = Policy::Private;
    }
    streams::create_counted(conn, making, new, quota).await
}

/// A stream
#[utoipa::path(get, path = "/api/v1/streams/{stream}", tag = "streams", params(("stream" = Id, Path)),
    responses((status = 200, body = Stream), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn get(
    State(platform): State<Platform>,
    actor: Actor,
    client: Client,
    PathParameters(id): PathParameters<Id>,
) -> Result<axum::Json<Stream>> {
    let now = platform.clock.now();
    let stream = platform
        .db
        .read(|c| Box::pin(async move { Ok(find_for(c, &actor, Action::StreamSee, &id, now).await?) }));
    Ok(axum::Json(Stream::of(&platform, &client, stream.await?)))
}

/// What is to be changed of a stream; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeStream {
    /// Another title.
    #[schema(min_length = 1, max_length = 140)]
    title: Option<String>,
    /// Other settings, all of them: they hold for the next broadcast.
    settings: Option<Settings>,
}

/// Change a stream
#[utoipa::path(patch, path = "/api/v1/streams/{stream}", tag = "streams", request_body = ChangeStream, params(("stream" = Id, Path)),
    responses((status = 200, body = Stream), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(platform): State<Platform>,
    actor: Actor,
    client: Client,
    PathParameters(id): PathParameters<Id>,
    Body(body): Body<ChangeStream>,
) -> Result<axum::Json<Stream>> {
    let now = platform.clock.now();
    check_here(&platform, body.settings.as_ref())?;
    let told = body.settings.is_some();
    let edited = platform.db.write(move |c| {
        Box::pin(async move {
            find_for(c, &actor, Action::StreamEdit, &id, now).await?;
            let patch = Patch {
                title: body.title,
                settings: body.settings,
            };
            streams::edit(c, &id, &patch, now).await?;
            Ok(streams::get(c, &actor.environment, &id, now).await?)
        })
    });
    let stream = edited.await?;
    if told {
        platform.changed(Change::Stream(stream.id.clone()));
    }
    Ok(axum::Json(Stream::of(&platform, &client, stream)))
}

/// Delete a stream, with its keys
#[utoipa::path(delete, path = "/api/v1/streams/{stream}", tag = "streams", params(("stream" = Id, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn remove(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(id): PathParameters<Id>,
) -> Result<StatusCode> {
    let (now, stream) = (platform.clock.now(), id.clone());
    let removed = platform.db.write(move |c| {
        Box::pin(async move {
            let found = find_for(c, &actor, Action::StreamEdit, &stream, now).await?;
            streams::remove(c, &found, now).await?;
            Act::by(&actor, "stream.delete", ("stream", stream.as_str()))
                .record(c, now)
                .await
        })
    });
    removed.await?;
    platform.changed(Change::Stream(id));
    Ok(StatusCode::NO_CONTENT)
}

/// Disable a stream: what it shows ends, and nobody may publish it
#[utoipa::path(post, path = "/api/v1/streams/{stream}/disable", tag = "streams", params(("stream" = Id, Path)),
    responses((status = 200, body = Stream), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn disable(
    State(platform): State<Platform>,
    actor: Actor,
    client: Client,
    PathParameters(id): PathParameters<Id>,
) -> Result<axum::Json<Stream>> {
    switch(platform, actor, client, id, true).await
}

/// Enable a stream again
#[utoipa::path(post, path = "/api/v1/streams/{stream}/enable", tag = "streams", params(("stream" = Id, Path)),
    responses((status = 200, body = Stream), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn enable(
    State(platform): State<Platform>,
    actor: Actor,
    client: Client,
    PathParameters(id): PathParameters<Id>,
) -> Result<axum::Json<Stream>> {
    switch(platform, actor, client, id, false).await
}

async fn switch(
    platform: Platform,
    actor: Actor,
    client: Client,
    id: Id,
    disabled: bool,
) -> Result<axum::Json<Stream>> {
    let now = platform.clock.now();
    let switched = platform.db.write(move |c| {
        Box::pin(async move {
            find_for(c, &actor, Action::StreamEdit, &id, now).await?;
            streams::switch(c, &id, disabled, now).await?;
            let action = if disabled { "stream.disable" } else { "stream.enable" };
            Act::by(&actor, action, ("stream", id.as_str())).record(c, now).await?;
            Ok(streams::get(c, &actor.environment, &id, now).await?)
        })
    });
    let stream = switched.await?;
    platform.changed(Change::Stream(stream.id.clone()));
    Ok(axum::Json(Stream::of(&platform, &client, stream)))
}

/// A public address that is to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPlaybackId {
    /// Who may watch by it.
    policy: Policy,
}

/// Add a public address to a stream
#[utoipa::path(post, path = "/api/v1/streams/{stream}/playback-ids", tag = "streams", request_body = NewPlaybackId,
    params(("stream" = Id, Path), IdempotencyKey),
    responses((status = 201, body = PlaybackId), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add_playback_id(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(id): PathParameters<Id>,
    Body(body): Body<NewPlaybackId>,
) -> Result<(StatusCode, axum::Json<PlaybackId>)> {
    let (now, stream, policy) = (platform.clock.now(), id.clone(), body.policy);
    let added = platform.db.write(move |c| {
        Box::pin(async move {
            let found = find_for(c, &actor, Action::StreamEdit, &stream, now).await?;
            if policy == Policy::Public && found.visibility == Some(Visibility::Private) {
                let detail = "the channel is private, and so are the addresses of its streams".into();
                return Err(Error::Conflict {
                    code: "conflict",
                    detail,
                }
                .into());
            }
            let added = playback::add(c, &stream, policy, now).await?;
            let act = Act::by(&actor, "playback_id.create", ("stream", stream.as_str()));
            act.with(serde_json::json!({"playback_id": &added, "policy": policy}))
                .record(c, now)
                .await?;
            Ok(added)
        })
    });
    let added = added.await?.to_string();
    platform.changed(Change::Stream(id));
    Ok((StatusCode::CREATED, axum::Json(PlaybackId { id: added, policy })))
}

/// Take a public address away from a stream
#[utoipa::path(delete, path = "/api/v1/streams/{stream}/playback-ids/{playback_id}", tag = "streams",
    params(("stream" = Id, Path), ("playback_id" = Id, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove_playback_id(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters((id, playback_id)): PathParameters<(Id, Id)>,
) -> Result<StatusCode> {
    let (now, stream) = (platform.clock.now(), id.clone());
    let removed = platform.db.write(move |c| {
        Box::pin(async move {
            find_for(c, &actor, Action::StreamEdit, &stream, now).await?;
            playback::revoke(c, &stream, &playback_id, now).await?;
            let act = Act::by(&actor, "playback_id.revoke", ("stream", stream.as_str()));
            act.with(serde_json::json!({"playback_id": playback_id}))
                .record(c, now)
                .await
        })
    });
    removed.await?;
    platform.changed(Change::Stream(id));
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests;
