//! What happened to a stream: its events, its broadcasts and the health of their sources.

use std::sync::PoisonError;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::api::extract::{PathParameters, Query};
use crate::api::page::{Items, PageQuery};
use crate::api::streams::find_for;
use crate::authorize::Action;
use crate::clock::Time;
use crate::error::{Error, Problem, Result};
use crate::id::Id;
use crate::platform::Platform;
use crate::streams::{events, health, live};

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(broadcasts))
        .routes(routes!(samples))
}

/// Something that happened to a stream.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// Its id.
    pub id: Id,
    /// When.
    pub at: Time,
    /// What: `connected`, `active`, `lost`, `reconnected`, `refused`, `ladder`, `ended`, …
    pub kind: String,
    /// In which broadcast; none where none ran.
    pub broadcast_id: Option<String>,
    /// More, by kind.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
    /// The same in words.
    pub text: String,
}

impl From<events::Event> for Event {
    fn from(event: events::Event) -> Self {
        Self {
            text: event.text(),
            id: event.id,
            at: event.at,
            kind: event.kind,
            broadcast_id: event.broadcast_id,
            detail: event.detail.0,
        }
    }
}

/// What happened to a stream, newest first
#[utoipa::path(get, path = "/api/v1/streams/{stream}/events", tag = "streams", params(("stream" = Id, Path), PageQuery),
    responses((status = 200, body = Items<Event>), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn list(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(stream): PathParameters<Id>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Items<Event>>> {
    let (limit, before, now) = (page.limit()?, page.after()?, platform.clock.now());
    let read = platform.db.read(|c| {
        Box::pin(async move {
            find_for(c, &actor, Action::StreamSee, &stream, now).await?;
            events::list(c, &stream, before, limit + 1).await
        })
    });
    let page = Items::page(read.await?, limit, |row| (row.at, row.id.as_str()));
    Ok(axum::Json(page.map(Event::from)))
}

/// One run of a stream.
#[derive(Debug, Serialize, ToSchema)]
pub struct Broadcast {
    /// Its id.
    pub id: String,
    /// When it began.
    pub started_at: Time,
    /// When it ended; none while it runs.
    pub ended_at: Option<Time>,
    /// Why it ended.
    pub end_reason: Option<String>,
}

/// The broadcasts of a stream, newest first
#[utoipa::path(get, path = "/api/v1/streams/{stream}/broadcasts", tag = "streams", params(("stream" = Id, Path), PageQuery),
    responses((status = 200, body = Items<Broadcast>), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn broadcasts(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(stream): PathParameters<Id>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Items<Broadcast>>> {
    let (limit, before, now) = (page.limit()?, page.after()?, platform.clock.now());
    let read = platform.db.read(|c| {
        Box::pin(async move {
            find_for(c, &actor, Action::StreamSee, &stream, now).await?;
            events::broadcasts(c, &stream, before, limit + 1).await
        })
    });
    let page = Items::page(read.await?, limit, |row| (row.started_at, row.id.as_str()));
    Ok(axum::Json(page.map(|row| Broadcast {
        id: row.id,
        started_at: row.started_at,
        ended_at: row.ended_at,
        end_reason: row.end_reason,
    })))
}

/// Which samples are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct HealthQuery {
    /// Of this broadcast; of the newest where nothing is said.
    #[param(min_length = 26, max_length = 26, pattern = "^[a-z2-7]{26}$")]
    broadcast: Option<String>,
    /// How many of its last minutes.
    #[param(minimum = 1, maximum = 180, default = 60)]
    minutes: Option<i64>,
}

/// Minutes of one answer.
const MINUTES_MAX: i64 = 180;

/// How the source of a broadcast did, a sample a second, oldest first
#[utoipa::path(get, path = "/api/v1/streams/{stream}/health", tag = "streams", params(("stream" = Id, Path), HealthQuery),
    responses((status = 200, body = Samples), (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn samples(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(stream): PathParameters<Id>,
    Query(query): Query<HealthQuery>,
) -> Result<axum::Json<Samples>> {
    let minutes = query.minutes.unwrap_or(60);
    if !(1..=MINUTES_MAX).contains(&minutes) {
        return Err(Error::Invalid("minutes must be 1 to 180".into()));
    }
    let is_id = |id: &String| hub::BroadcastId::parse(id).is_some();
    if query.broadcast.as_ref().is_some_and(|id| !is_id(id)) {
        return Err(Error::Invalid("broadcast is no id of a broadcast".into()));
    }
    let now = platform.clock.now();
    let (of, wanted) = (stream.clone(), query.broadcast.clone());
    let read = platform.db.read(|c| {
        Box::pin(async move {
            find_for(c, &actor, Action::StreamSee, &of, now).await?;
            health::of(c, &of, wanted, minutes).await
        })
    });
    let mut samples = read.await?;
    let newest = samples.last().map_or(i64::MIN, |sample| sample.at);
    // The minute that is not over is not written yet.
    let current = current_minute(&platform, &stream, query.broadcast.as_deref());
    samples.extend(current.into_iter().filter(|sample| sample.at > newest));
    Ok(axum::Json(Samples {
        samples: samples.into_iter().map(Into::into).collect(),
    }))
}

/// The seconds of this minute, of what the stream shows now, if that is the broadcast that is wanted.
fn current_minute(platform: &Platform, stream: &Id, wanted: Option<&str>) -> Vec<health::Sample> {
    let running = live::broadcast(platform, stream.as_str());
    let running = running.filter(|running| wanted.is_none_or(|wanted| wanted == running.id().as_str()));
    let minutes = platform.live.minutes.lock().unwrap_or_else(PoisonError::into_inner);
    running.map_or_else(Vec::new, |running| minutes.of(running.id()))
}

/// How a source did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Samples {
    /// Oldest first.
    pub samples: Vec<health::HealthSample>,
}

#[cfg(test)]
mod tests;
