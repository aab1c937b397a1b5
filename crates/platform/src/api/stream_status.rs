//! How a stream does right now: asked once, or watched; and ending what it shows.

mod watch;

use std::sync::PoisonError;

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::api::extract::PathParameters;
use crate::api::streams::{Refusal, find_for};
use crate::audit::Act;
use crate::authorize::Action;
use crate::clock::Time;
use crate::error::{Problem, Result};
use crate::events;
use crate::id::Id;
use crate::ladder;
use crate::platform::Platform;
use crate::stop;
use crate::streams::Stream;
use crate::streams::health::HealthSample;
use crate::streams::live::{self, Live, State as OnAir};

/// What the source of a stream hears that was stopped by whoever runs it.
const STOPPED: &str = "the stream was stopped in the studio";

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(status))
        .routes(routes!(watch::watch))
        .routes(routes!(end))
}

/// How a stream does right now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    /// Whether it is on air.
    pub state: OnAir,
    /// Whether nobody may publish it.
    pub disabled: bool,
    /// What it shows.
    pub live: Option<Live>,
    /// How its source did in the last second.
    pub health: Option<HealthSample>,
    /// What to change at the source.
    pub advice: Vec<Advice>,
    /// How the qualities beside the source do; none where none was asked for.
    pub ladder: Option<ladder::Status>,
    /// Why the last source was refused or cut off, if none was accepted since.
    pub last_refusal: Option<Refusal>,
}

/// Something to change at the source.
#[derive(Debug, Serialize, ToSchema)]
pub struct Advice {
    /// What, for programs.
    pub code: &'static str,
    /// What, in words.
    pub text: String,
}

impl Status {
    /// That of a stream as the database had it a moment ago.
    fn of(platform: &Platform, stream: &Stream) -> Self {
        let broadcast = live::broadcast(platform, stream.id.as_str());
        let measured = broadcast.as_ref().and_then(|broadcast| broadcast.health());
        let sample = broadcast.as_ref().and_then(|broadcast| {
            let minutes = platform.live.minutes.lock().unwrap_or_else(PoisonError::into_inner);
            measured.as_ref().and_then(|_| minutes.last(broadcast.id()))
        });
        let report = broadcast.as_ref().and_then(|broadcast| broadcast.ladder_report());
        let advice = measured.as_ref().map_or(&[][..], |health| &health.advice);
        Self {
            state: live::state(broadcast.as_deref()),
            disabled: stream.disabled_at.is_some(),
            last_refusal: last_refusal(platform, stream, broadcast.is_some()),
            live: broadcast
                .filter(|broadcast| live::is_visible(broadcast))
                .map(|broadcast| live::describe(platform, &broadcast)),
            health: sample.map(Into::into),
            ladder: report.as_deref().map(ladder::Status::from),
            advice: advice
                .iter()
                .map(|advice| Advice {
                    code: events::code(*advice),
                    text: advice.to_string(),
                })
                .collect(),
        }
    }
}

/// What was heard a moment ago comes before what is written already.
fn last_refusal(platform: &Platform, stream: &Stream, runs: bool) -> Option<Refusal> {
    let heard = platform.live.reports.last_refusal(&stream.id);
    let heard = heard.map(|(at, reason)| Refusal { at, reason });
    let written = stream.last_refusal().filter(|_| !runs).map(|refused| Refusal {
        at: refused.at,
        reason: refused.reason,
    });
    heard.or(written)
}

/// How a stream does right now
#[utoipa::path(get, path = "/api/v1/streams/{stream}/status", tag = "streams", params(("stream" = Id, Path)),
    responses((status = 200, body = Status), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn status(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(id): PathParameters<Id>,
) -> Result<axum::Json<Status>> {
    let stream = find(&platform, &actor, &id).await?;
    Ok(axum::Json(Status::of(&platform, &stream)))
}

async fn find(platform: &Platform, actor: &Actor, id: &Id) -> Result<Stream> {
    let (actor, id, now) = (actor.clone(), id.clone(), platform.clock.now());
    let read = platform
        .db
        .read(|c| Box::pin(async move { Ok(find_for(c, &actor, Action::StreamSee, &id, now).await?) }));
    Ok(read.await?)
}

/// End what a stream shows; its source hears why
#[utoipa::path(post, path = "/api/v1/streams/{stream}/stop", tag = "streams", params(("stream" = Id, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn end(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(id): PathParameters<Id>,
) -> Result<StatusCode> {
    let (now, stream): (Time, Id) = (platform.clock.now(), id.clone());
    let permitted = platform.db.write(move |c| {
        Box::pin(async move {
            find_for(c, &actor, Action::StreamStop, &stream, now).await?;
            Act::by(&actor, "stream.stop", ("stream", stream.as_str()))
                .record(c, now)
                .await
        })
    });
    permitted.await?;
    stop::stream(&platform, &id, STOPPED);
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests;
