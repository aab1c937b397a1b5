//! The same as server-sent events: one whenever it has changed, looked at once a second.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use futures_util::stream::unfold;
use http::{HeaderMap, HeaderValue, header};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::{Status, find};
use crate::actor::{Actor, Client};
use crate::api::extract::{PathParameters, who};
use crate::error::{Error, Problem, Result};
use crate::id::Id;
use crate::platform::Platform;
use crate::streams::Stream;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it is asked whether whoever watches still may, where nothing is heard of a change.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// A connection that carries nothing for so long is taken for dead by some proxies.
const QUIET_TIME_MAX: Duration = Duration::from_secs(15);
/// One answer ends after so long; a page then asks again by itself.
const TIME_MAX: Duration = Duration::from_secs(900);

/// How a stream does, whenever that changes: events named `status` whose data is a [`Status`]
#[utoipa::path(get, path = "/api/v1/streams/{stream}/watch", tag = "streams", params(("stream" = Id, Path)),
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn watch(
    State(platform): State<Platform>,
    actor: Actor,
    client: Client,
    headers: HeaderMap,
    PathParameters(id): PathParameters<Id>,
) -> Result<Response> {
    let stream = find(&platform, &actor, &id).await?;
    let seat = platform.live.seat();
    let seat = seat.ok_or(Error::Unavailable(
        "too many pages watch streams: try again later".into(),
    ))?;
    let watcher = Watcher::new(platform, stream, (headers, client), seat);
    let events = unfold(watcher, async |mut watcher| {
        let event = watcher.next().await?;
        Some((Ok::<_, Infallible>(event), watcher))
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold events back until it has a buffer full of them.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

struct Watcher {
    platform: Platform,
    stream: Stream,
    /// What is shown again whenever it is asked whether they still may.
    shown: (HeaderMap, Client),
    asked: Instant,
    /// How many changes had been heard of by then.
    changes: u64,
    said: Instant,
    last: String,
    ticks: Interval,
    until: Instant,
    _seat: OwnedSemaphorePermit,
}

impl Watcher {
    fn new(platform: Platform, stream: Stream, shown: (HeaderMap, Client), seat: OwnedSemaphorePermit) -> Self {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let now = Instant::now();
        Self {
            changes: platform.live.changes(),
            stream,
            shown,
            asked: now,
            said: now,
            last: String::new(),
            ticks,
            until: now + TIME_MAX,
            platform,
            _seat: seat,
        }
    }

    /// What is to be said next; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            tokio::select! {
                _ = self.ticks.tick() => {}
                () = self.platform.live.stopped() => return None,
            }
            let now = Instant::now();
            if now >= self.until || !self.still_may(now).await {
                return None;
            }
            let status = serde_json::to_string(&Status::of(&self.platform, &self.stream)).ok()?;
            if status != self.last {
                let event = format!("event: status\ndata: {status}\n\n");
                (self.last, self.said) = (status, now);
                return Some(event.into());
            }
            if now - self.said >= QUIET_TIME_MAX {
                self.said = now;
                return Some(Bytes::from_static(b": still here\n\n"));
            }
        }
    }

    /// Looks at the person and the stream again, when it is time. While the database is away nothing changes.
    async fn still_may(&mut self, now: Instant) -> bool {
        let changes = self.platform.live.changes();
        if now - self.asked < ASK_EVERY && changes == self.changes {
            return true;
        }
        (self.asked, self.changes) = (now, changes);
        let (headers, client) = &self.shown;
        let found = match who(&self.platform, headers, client).await {
            Ok(actor) => find(&self.platform, &actor, &self.stream.id).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(stream) => {
                self.stream = stream;
                true
            }
            Err(error) => error.kind().0 == http::StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
