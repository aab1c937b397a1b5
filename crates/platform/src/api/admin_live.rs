//! Everything that is on air, for those who keep order.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use hub::{Broadcast, BroadcastId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::api::extract::{Body, PathParameters};
use crate::api::page::Items;
use crate::api::streams::OfChannel;
use crate::audit::Act;
use crate::authorize::{Action, Resource};
use crate::directory::Entry;
use crate::error::{Error, Problem, Result};
use crate::id::{Id, looks_like_id};
use crate::platform::Platform;
use crate::streams::live::{self, Live, State as OnAir};
use crate::{stop, text};

/// Characters of a reason.
const REASON_MAX: usize = 200;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(end))
}

/// A broadcast that runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Running {
    /// The name by which it can be watched; none where nothing leads to it.
    pub name: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// The stream, where it is one of an account.
    pub stream_id: Option<Id>,
    /// The stream's channel.
    pub channel: Option<OfChannel>,
    /// Whose it is.
    pub owner: Option<Owner>,
    /// Where its source connects from; none while it waits for one.
    pub peer: Option<String>,
    /// Whether it is on air.
    pub state: OnAir,
    /// What it shows.
    #[serde(flatten)]
    pub live: Live,
}

/// Whose something is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LiveOwner)]
pub struct Owner {
    /// The person.
    pub id: Id,
    /// What they are called.
    pub name: String,
}

impl Running {
    fn of(platform: &Platform, broadcast: &Broadcast, entry: Option<&Entry>) -> Self {
        let name = match entry {
            Some(entry) => entry.aliases.first().map(|(alias, _)| alias.clone()),
            None => Some(broadcast.name().to_string()),
        };
        let channel = entry.and_then(|entry| Some((entry.channel.clone()?, entry.handle.clone()?)));
        Self {
            name,
            title: entry.map(|entry| entry.title.to_string()),
            stream_id: entry.map(|entry| entry.stream.clone()),
            channel: channel.map(|(id, handle)| OfChannel { id, handle }),
            owner: entry.map(|entry| Owner {
                id: entry.owner.clone(),
                name: entry.owner_name.clone(),
            }),
            peer: broadcast
                .source()
                .map(|source| source.peer.ip().to_canonical().to_string()),
            state: live::state(Some(broadcast)),
            live: live::describe(platform, broadcast),
        }
    }
}

/// Everything that is on air, the newest first
#[utoipa::path(get, path = "/api/v1/admin/live", tag = "admin",
    responses((status = 200, body = Items<Running>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list(State(platform): State<Platform>, actor: Actor) -> Result<Json<Items<Running>>> {
    actor.must(Action::LiveSee, Resource::Server)?;
    let mut broadcasts = platform.hub().map(hub::Hub::broadcasts).unwrap_or_default();
    broadcasts.sort_by_key(|broadcast| std::cmp::Reverse(broadcast.started()));
    let running = broadcasts.iter().filter_map(|broadcast| {
        let entry = seen(&platform, &actor, broadcast)?;
        Some(Running::of(&platform, broadcast, entry.as_deref()))
    });
    Ok(Json(Items::whole(running.collect())))
}

/// What is known of a broadcast's stream; `None` if it belongs to another environment. An open stream belongs to none.
pub(super) fn seen(platform: &Platform, actor: &Actor, broadcast: &Broadcast) -> Option<Option<std::sync::Arc<Entry>>> {
    match platform.live.names.entry(broadcast.name()) {
        Some(entry) => (entry.environment == actor.environment).then_some(Some(entry)),
        None => (!looks_like_id(broadcast.name().as_str())).then_some(None),
    }
}

/// Why a broadcast is to be stopped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Why {
    /// What its source hears; it is written down.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// End a broadcast; its source hears why
#[utoipa::path(post, path = "/api/v1/admin/live/{broadcast}/stop", tag = "admin", request_body = Why,
    params(("broadcast" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn end(
    State(platform): State<Platform>,
    actor: Actor,
    PathParameters(broadcast): PathParameters<String>,
    Body(why): Body<Why>,
) -> Result<StatusCode> {
    actor.must(Action::LiveStop, Resource::Server)?;
    let reason = text::line("/reason", &why.reason, 1, REASON_MAX)?;
    let id = BroadcastId::parse(&broadcast).ok_or(Error::NotFound)?;
    let running = platform.hub().map(hub::Hub::broadcasts).unwrap_or_default();
    let found = running.iter().find(|broadcast| *broadcast.id() == id);
    found
        .and_then(|broadcast| seen(&platform, &actor, broadcast))
        .ok_or(Error::NotFound)?;
    let (now, detail) = (platform.clock.now(), json!({ "reason": &reason }));
    let written = platform.db.write(move |c| {
        Box::pin(async move {
            let act = Act::by(&actor, "live.stop", ("broadcast", &broadcast));
            act.with(detail).record(c, now).await
        })
    });
    written.await?;
    stop::broadcast(
        &platform,
        &id,
        &format!("stopped by whoever runs this server: {reason}"),
    );
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use hub::Revoked;

    use super::*;
    use crate::authorize::Role;
    use crate::scene::{Scene, soon};

    #[tokio::test]
    async fn who_keeps_order_sees_what_is_on_air_and_may_end_it() {
        for scene in Scene::both().await {
            let publisher = scene.live().await;
            let open = scene.publish("colors").await.expect("this machine may");
            let keeper = scene.world.person("kim", &[Role::Moderator]).await;
            let list = scene.world.get("/api/v1/admin/live", Some(&keeper)).await;
            let items = list.body["items"].as_array().expect("a list");
            assert_eq!(items.len(), 2, "{}", list.body);
            let of_ada = items.iter().find(|item| item["name"] == "ada").expect("the channel");
            assert_eq!(of_ada["owner"]["name"], "ada");
            assert_eq!(
                (&of_ada["peer"], &of_ada["state"]),
                (&"127.0.0.1".into(), &"waiting".into())
            );
            let of_nobody = items
                .iter()
                .find(|item| item["name"] == "colors")
                .expect("the open one");
            assert!(of_nobody["owner"].is_null());

            let path = format!("/api/v1/admin/live/{}/stop", publisher.broadcast().id());
            let why = json!({ "reason": "not here" });
            for nobody in [None, Some(&scene.ada)] {
                let refused = scene.world.post(&path, nobody, why.clone()).await;
                assert!(refused.status.is_client_error(), "{}", refused.status);
            }
            assert_eq!(scene.world.post(&path, Some(&keeper), why).await.status, 204);
            let told = "stopped by whoever runs this server: not here";
            assert_eq!(soon(publisher.revoked()).await, Revoked::Withdrawn(told.into()));
            let nothing = format!("/api/v1/admin/live/{}/stop", BroadcastId::random());
            let missing = scene
                .world
                .post(&nothing, Some(&keeper), json!({ "reason": "x" }))
                .await;
            assert_eq!(missing.status, 404);
            drop(open);
        }
    }
}
