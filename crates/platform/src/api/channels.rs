//! Channels.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::api::extract::{Body, Fresh, MaybeActor, PathParameters, Query};
use crate::api::idempotency::IdempotencyKey;
use crate::api::page::{Flag, Items, PageQuery};
use crate::audit::Act;
use crate::authorize::{Action, Resource, Role};
use crate::channels::{self, Filter, Found, NewChannel, Patch, Visibility};
use crate::clock::Time;
use crate::error::{Error, Problem, Result};
use crate::id::Id;
use crate::platform::{Change, Platform};
use crate::settings::Creators;
use crate::streams::keys::Making;
use crate::streams::live;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, edit, remove))
}

/// A channel, as somebody sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Channel {
    /// Its id.
    pub id: Id,
    /// Its place in addresses.
    pub handle: String,
    /// Its title.
    pub title: String,
    /// What it is about, in lines of plain text.
    pub description: String,
    /// A word for what it is about; empty for none.
    pub category: String,
    /// More words.
    pub tags: Vec<String>,
    /// The language it speaks (BCP 47); empty where none is said.
    pub language: String,
    /// Its small picture.
    pub avatar_url: Option<String>,
    /// Its wide picture.
    pub banner_url: Option<String>,
    /// Whether it is for grown-ups: pages ask first.
    pub mature: bool,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whose it is.
    pub owner: Owner,
    /// What is on air.
    pub live: Option<OnAir>,
    /// How to watch what is on air.
    pub play: Option<Play>,
    /// The stream that it shows; only for those who run it.
    pub stream_id: Option<Id>,
    /// What whoever asks is in it.
    pub role: Option<Role>,
    /// Since when it is there.
    pub created_at: Time,
}

/// Whose something is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Owner {
    /// The person.
    pub id: Id,
    /// What they are called.
    pub name: String,
}

/// What a channel shows now.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnAir {
    /// The broadcast.
    pub broadcast_id: String,
    /// When it began.
    pub started_at: Time,
    /// How many watch.
    pub viewers: Option<u64>,
    /// What it is watched as: the handle.
    pub name: String,
}

/// How to watch: addresses on this server.
#[derive(Debug, Serialize, ToSchema)]
pub struct Play {
    /// What it is watched as.
    pub name: String,
    /// By HLS.
    pub hls: String,
    /// By DASH.
    pub dash: String,
    /// The picture of now.
    pub still: String,
}

impl Play {
    /// The addresses of a name: a handle or a playback id.
    pub fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            hls: format!("/live/{name}.m3u8"),
            dash: format!("/live/{name}.mpd"),
            still: format!("/live/{name}/still.mp4"),
        }
    }
}

impl Channel {
    /// A channel, as that person or nobody in particular sees it.
    pub fn of(platform: &Platform, actor: Option<&Actor>, channel: channels::Channel) -> Self {
        let stream = channel.stream_id.as_ref().map_or("", Id::as_str);
        let on_air = live::broadcast(platform, stream).filter(|broadcast| live::is_visible(broadcast));
        let picture = |id: &Option<Id>| id.as_ref().map(|id| format!("/api/v1/images/{id}"));
        let runs_it = actor.is_some_and(|actor| actor.may(Action::StreamSee, channel.resource()));
        Self {
            live: on_air.as_ref().map(|broadcast| OnAir {
                broadcast_id: broadcast.id().to_string(),
                started_at: Time::of(broadcast.started()),
                viewers: platform.viewers(stream),
                name: channel.handle.clone(),
            }),
            play: on_air.map(|_| Play::of(&channel.handle)),
            avatar_url: picture(&channel.avatar_id),
            banner_url: picture(&channel.banner_id),
            role: actor.and_then(|actor| channel.role_of(actor)),
            stream_id: channel.stream_id.filter(|_| runs_it),
            id: channel.id,
            handle: channel.handle,
            title: channel.title,
            description: channel.description,
            category: channel.category,
            tags: channel.tags.0,
            language: channel.language,
            mature: channel.mature,
            visibility: channel.visibility,
            owner: Owner {
                id: channel.owner_id,
                name: channel.owner_name,
            },
            created_at: channel.created_at,
        }
    }
}

/// Which channels are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// One's own and those of which one is a member, instead of the public ones.
    #[param(inline)]
    mine: Option<Flag>,
    /// Only those that are on air.
    #[param(inline)]
    live: Option<Flag>,
    /// Only this category.
    #[param(max_length = 60)]
    category: Option<String>,
    /// Words that stand in title, handle, category or tags.
    #[param(max_length = 100)]
    q: Option<String>,
    /// How many items, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 25)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Characters of words that are searched for.
const Q_MAX: usize = 100;

/// The public channels, or one's own
#[utoipa::path(get, path = "/api/v1/channels", tag = "channels", params(ListQuery),
    responses((status = 200, body = Items<Channel>), (status = 400, body = Problem), (status = 401, body = Problem)))]
async fn list(
    State(platform): State<Platform>,
    MaybeActor(actor): MaybeActor,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Items<Channel>>> {
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let (limit, before) = (page.limit()?, page.after()?);
    let live = Flag::is_set(query.live);
    let rows = if Flag::is_set(query.mine) {
        let actor = actor.clone().ok_or(Error::Unauthenticated("sign in first".into()))?;
        must_read_own(&actor)?;
        let read = platform
            .db
            .read(|c| Box::pin(async move { channels::mine(c, &actor, before, limit + 1).await }));
        read.await?
    } else {
        let filter = Filter {
            q: query.q.map(|q| searched(&q)).transpose()?,
            category: query.category.map(|category| searched(&category)).transpose()?,
            live,
        };
        let environment = environment(&platform, actor.as_ref())?;
        let read = platform
            .db
            .read(|c| Box::pin(async move { channels::public(c, &environment, filter, before, limit + 1).await }));
        read.await?
    };
    let page = Items::page(rows, limit, |row| (row.created_at, row.id.as_str()));
    let page = page.map(|row| Channel::of(&platform, actor.as_ref(), row));
    Ok(axum::Json(if live {
        page.only(|channel| channel.live.is_some())
    } else {
        page
    }))
}

fn searched(text: &str) -> Result<String> {
    if text.contains(char::is_control) || text.chars().count() > Q_MAX {
        return Err(Error::Invalid("at most 100 characters are searched for".into()));
    }
    Ok(text.to_owned())
}

/// Refuses a token that may not read, where a list holds only what is one's own.
pub(super) fn must_read_own(actor: &Actor) -> Result<()> {
    let own = Resource::Owned {
        owner: &actor.user,
        organisation: &actor.organisation,
        channel: None,
        open: false,
    };
    if actor.may(Action::StreamSee, own) {
        Ok(())
    } else {
        Err(Error::Forbidden("the token may not read".into()))
    }
}

/// Where whoever asks sees anything: the server's own environment for those who are not known.
pub(super) fn environment(platform: &Platform, actor: Option<&Actor>) -> Result<Id> {
    let home = || platform.settings().home.as_ref().map(|home| home.environment.clone());
    actor
        .map(|actor| actor.environment.clone())
        .or_else(home)
        .ok_or(Error::NotFound)
}

/// Refuses who may not stream.
pub(super) fn must_create(platform: &Platform, actor: &Actor) -> Result<()> {
    let everybody = platform.settings().creators == Creators::All;
    let mut allowed = actor.clone();
    if everybody {
        allowed.roles.push(crate::authorize::Binding {
            role: Role::Creator,
            scope: crate::authorize::Scope::Server,
            scope_id: crate::authorize::SERVER.into(),
        });
    }
    let refused = |_| Error::Forbidden("you may not stream on this server yet".into());
    allowed.must(Action::Create, Resource::Server).map_err(refused)
}

/// A channel that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MakeChannel {
    /// Its place in addresses.
    #[schema(min_length = 3, max_length = 24, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]*$")]
    handle: String,
    /// Its title.
    #[schema(min_length = 1, max_length = 140)]
    title: String,
}

/// Make a channel, with its stream
#[utoipa::path(post, path = "/api/v1/channels", tag = "channels", request_body = MakeChannel,
    params(IdempotencyKey),
    responses((status = 201, body = Channel), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create(
    State(platform): State<Platform>,
    actor: Actor,
    Body(body): Body<MakeChannel>,
) -> Result<(StatusCode, axum::Json<Channel>)> {
    must_create(&platform, &actor)?;
    let (now, ring, quotas) = (
        platform.clock.now(),
        platform.ring(),
        platform.settings().quotas.clone(),
    );
    let by = actor.clone();
    let made = platform.db.write(move |c| {
        Box::pin(async move {
            let making = Making {
                ring: &ring,
                by: Some(&by.user),
                quota: quotas.keys_per_stream,
                now,
            };
            let new = NewChannel {
                environment: &by.environment,
                owner: &by.user,
                handle: &body.handle,
                title: &body.title,
                quota: quotas.channels,
            };
            let id = channels::create(c, making, new).await?;
            Act::by(&by, "channel.create", ("channel", id.as_str()))
                .record(c, now)
                .await?;
            Ok(channels::find_for(c, &by, Action::ChannelEdit, id.as_str(), now).await?)
        })
    });
    let channel = made.await?;
    platform.changed(Change::Channel(channel.id.clone()));
    Ok((
        StatusCode::CREATED,
        axum::Json(Channel::of(&platform, Some(&actor), channel)),
    ))
}

/// A channel, by its id or handle
#[utoipa::path(get, path = "/api/v1/channels/{channel}", tag = "channels", params(("channel" = String, Path, description = "Id or handle")),
    responses((status = 200, body = Channel), (status = 404, body = Problem),
        (status = 301, description = "It has another handle now", headers(("location" = String)))))]
async fn get(
    State(platform): State<Platform>,
    MaybeActor(actor): MaybeActor,
    PathParameters(address): PathParameters<String>,
) -> Result<Response> {
    let (environment, now) = (environment(&platform, actor.as_ref())?, platform.clock.now());
    let found = platform
        .db
        .read(|c| Box::pin(async move { Ok(channels::find(c, &environment, &address, now).await?) }));
    let found = found.await?;
    let (Found::Here(channel) | Found::Moved(channel)) = &found;
    if !channel.is_seen_by(actor.as_ref()) {
        return Err(Error::NotFound);
    }
    Ok(match found {
        Found::Here(channel) => axum::Json(Channel::of(&platform, actor.as_ref(), *channel)).into_response(),
        Found::Moved(channel) => moved(&channel.handle),
    })
}

/// Not to be remembered: after a while the old handle may be somebody else's.
fn moved(handle: &str) -> Response {
    let to = HeaderValue::try_from(format!("/api/v1/channels/{handle}")).expect("a handle is plain ASCII");
    let headers = [
        (header::LOCATION, to),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::MOVED_PERMANENTLY, headers).into_response()
}

/// What is to be changed of a channel; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeChannel {
    /// Another place in addresses; the old one leads there for 90 days.
    #[schema(min_length = 3, max_length = 24, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]*$")]
    handle: Option<String>,
    /// Another title.
    #[schema(min_length = 1, max_length = 140)]
    title: Option<String>,
    /// Another description.
    #[schema(max_length = 5000)]
    description: Option<String>,
    /// Another category.
    #[schema(max_length = 60)]
    category: Option<String>,
    /// Other tags, of 1 to 30 characters.
    #[schema(max_items = 10)]
    tags: Option<Vec<String>>,
    /// Another language (BCP 47); empty for none.
    #[schema(max_length = 35)]
    language: Option<String>,
    /// Whether it is for grown-ups.
    mature: Option<bool>,
    /// Who may see it. Making it private ends its public playback ids.
    visibility: Option<Visibility>,
    /// Whether it is known that public playback ids end; without it the change is refused with the code `rotation_warning`.
    confirm_rotation: Option<bool>,
}

impl From<ChangeChannel> for Patch {
    fn from(body: ChangeChannel) -> Self {
        Self {
            handle: body.handle,
            title: body.title,
            description: body.description,
            category: body.category,
            tags: body.tags,
            language: body.language,
            mature: body.mature,
            visibility: body.visibility,
            confirm_rotation: body.confirm_rotation.unwrap_or_default(),
        }
    }
}

/// Change a channel
#[utoipa::path(patch, path = "/api/v1/channels/{channel}", tag = "channels", request_body = ChangeChannel,
    params(("channel" = String, Path, description = "Id or handle")),
    responses((status = 200, body = Channel), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(address): PathParameters<String>,
    Body(body): Body<ChangeChannel>,
) -> Result<axum::Json<Channel>> {
    let (now, by, patch) = (platform.clock.now(), actor.clone(), Patch::from(body));
    let told = patch.is_for_the_owner();
    let edited = platform.db.write(move |c| {
        Box::pin(async move {
            let action = if told { Action::ChannelOwn } else { Action::ChannelEdit };
            let channel = channels::find_for(c, &by, action, &address, now).await?;
            let detail = json!({"handle": &patch.handle, "visibility": patch.visibility});
            channels::edit(c, &channel, patch, now).await?;
            if told {
                let act = Act::by(&by, "channel.change", ("channel", channel.id.as_str()));
                act.with(detail).record(c, now).await?;
            }
            Ok(channels::find_for(c, &by, action, channel.id.as_str(), now).await?)
        })
    });
    let channel = edited.await?;
    if told {
        platform.changed(Change::Channel(channel.id.clone()));
    }
    Ok(axum::Json(Channel::of(&platform, Some(&actor), channel)))
}

/// Delete a channel, with its streams and keys
#[utoipa::path(delete, path = "/api/v1/channels/{channel}", tag = "channels", params(("channel" = String, Path, description = "Id or handle")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove(
    State(platform): State<Platform>,
    Fresh(actor): Fresh,
    PathParameters(address): PathParameters<String>,
) -> Result<StatusCode> {
    let now = platform.clock.now();
    let removed = platform.db.write(move |c| {
        Box::pin(async move {
            let channel = channels::find_for(c, &actor, Action::ChannelOwn, &address, now).await?;
            let streams = channels::remove(c, &channel, now).await?;
            let act = Act::by(&actor, "channel.delete", ("channel", channel.id.as_str()));
            act.with(json!({"handle": &channel.handle})).record(c, now).await?;
            Ok((channel.id, streams))
        })
    });
    let (channel, streams) = removed.await?;
    platform.changed(Change::Channel(channel));
    for stream in streams {
        platform.changed(Change::Stream(stream));
    }
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests;
