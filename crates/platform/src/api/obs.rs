//! What OBS Studio asks before it sends several qualities at once.

use axum::extract::State;
use hub::{Caller, Protocol, PublishRequest, StreamKey};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Client;
use crate::api::extract::Body;
use crate::api::server::Ingest;
use crate::authority::preview;
use crate::error::{Problem, Result};
use crate::obs::{self, Answer, Limits, Request};
use crate::platform::Platform;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(configure))
}

/// What OBS Studio is to encode for a stream key
///
/// A key that may not publish is answered with a status too: OBS shows no other words to its user.
#[utoipa::path(post, path = "/api/v1/obs/multitrack", tag = "obs", request_body = Request,
    responses((status = 200, body = Answer), (status = 422, body = Problem)))]
async fn configure(
    State(platform): State<Platform>,
    client: Client,
    Body(request): Body<Request>,
) -> Result<axum::Json<Answer>> {
    let asked = PublishRequest {
        key: StreamKey::new(request.key()),
        caller: Caller::at((client.address, 0).into(), Protocol::Rtmp),
        clock: hub::SourceClock::RTMP,
    };
    let answer = match preview::settings(&platform, &asked).await {
        Ok(settings) => {
            let rungs = platform.rungs(&settings.ladder);
            obs::answer(&request, &rungs, &Limits::default(), &addresses(&platform, &client))
        }
        Err(refusal) => Answer::refusal(&refusal.to_string()),
    };
    Ok(axum::Json(answer))
}

/// OBS takes the first: the encrypted one where the page is, too, since its certificate is good then.
fn addresses(platform: &Platform, client: &Client) -> Vec<String> {
    let ingest = Ingest::of(platform, client);
    let both = if client.secure {
        [ingest.rtmps_url, ingest.rtmp_url]
    } else {
        [ingest.rtmp_url, ingest.rtmps_url]
    };
    both.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
