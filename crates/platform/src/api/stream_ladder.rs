//! Which qualities viewers of a stream would get, before anybody watches.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::api::extract::{Body, PathParameters};
use crate::api::streams::find_for;
use crate::authorize::Action;
use crate::error::{Problem, Result};
use crate::id::Id;
use crate::ladder::webhook::{self, Input};
use crate::ladder::{self, Ladder, Preview, Source};
use crate::platform::Platform;
use crate::streams::{Stream, live};

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(preview))
}

/// What is to be foreseen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AskPreview {
    /// What would be sent; without it what the stream shows now or showed last, or else what most send.
    source: Option<Source>,
    /// The ladder, also one that is not saved; without it the stream's own.
    ladder: Option<Ladder>,
}

/// What viewers would get beside the source, and what a ladder can be asked from.
#[derive(Debug, Serialize, ToSchema)]
struct Foreseen {
    /// What it would be made of.
    source: Source,
    /// What would be made.
    #[serde(flatten)]
    preview: Preview,
    /// The presets of this server.
    presets: Vec<String>,
    /// Whether a program can be asked.
    webhook: bool,
}

impl AskPreview {
    fn check(&self, platform: &Platform) -> Result<()> {
        if let Some(source) = &self.source {
            source.check("/source")?;
        }
        if let Some(ladder) = &self.ladder {
            ladder.check("/ladder")?;
            ladder.check_here("/ladder", &platform.options)?;
        }
        Ok(())
    }
}

/// Which qualities viewers would get, what each costs, and what the server could carry now
#[utoipa::path(post, path = "/api/v1/streams/{stream}/ladder/preview", tag = "streams", request_body = AskPreview,
    params(("stream" = Id, Path)),
    responses((status = 200, body = Foreseen), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn preview(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(id): PathParameters<Id>,
    Body(body): Body<AskPreview>,
) -> Result<axum::Json<Foreseen>> {
    body.check(&platform)?;
    let now = platform.clock.now();
    let read = platform
        .db
        .read(|c| Box::pin(async move { Ok(find_for(c, &actor, Action::StreamEdit, &id, now).await?) }));
    let stream = read.await?;
    let source = match body.source {
        Some(source) => source,
        None => ladder::of_stream(&platform, &stream.id).await?,
    };
    let asked = body.ladder.as_ref().unwrap_or(&stream.settings.0.ladder);
    let asked = asked.over(&platform.options.live.ladder);
    Ok(axum::Json(Foreseen {
        source,
        preview: foresee(&platform, &stream, source, asked).await,
        presets: platform.options.ladder_presets.clone(),
        webhook: platform.ladder_webhook.is_some(),
    }))
}

async fn foresee(platform: &Platform, stream: &Stream, source: Source, asked: hub::Ladder) -> Preview {
    let (ladder, notice) = match asked {
        hub::Ladder::Asked { otherwise } => match ask(platform, stream, &source).await {
            Ok(rungs) => (hub::Ladder::Rungs(rungs.into()), None),
            Err(error) => (
                hub::Ladder::Preset(otherwise),
                Some(format!("the ladder is the preset's: {error}")),
            ),
        },
        ladder => (ladder, None),
    };
    let running = live::broadcast(platform, stream.id.as_str());
    let mut preview = platform.preview_ladder(&ladder::Question {
        ladder,
        source,
        running: running.map(|broadcast| broadcast.id().clone()),
    });
    if let Some(notice) = notice {
        preview.say(notice);
    }
    preview
}

async fn ask(platform: &Platform, stream: &Stream, source: &Source) -> Result<Vec<hub::Rung>, webhook::Error> {
    let webhook = platform.ladder_webhook.as_ref().ok_or(webhook::Error::Nobody)?;
    let by_id = || stream.playback_ids().next().map(|(id, _)| id.to_owned());
    let handle = stream.handle.clone().filter(|_| stream.is_main);
    let question = webhook::Question {
        stream_id: Some(stream.id.clone()),
        name: handle.or_else(by_id),
        broadcast_id: None,
        preview: true,
        input: Input::from(source),
    };
    webhook.ask(&question).await
}

#[cfg(test)]
mod tests;
