//! How this node encodes, for those who run it.

use axum::Json;
use axum::extract::State;
use hub::Broadcast;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::api::admin_live::seen;
use crate::authorize::{Action, Resource};
use crate::error::{Problem, Result};
use crate::id::Id;
use crate::ladder::{Budget, Encoder, Job, Node, Status};
use crate::platform::Platform;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(show))
}

/// How this node encodes.
#[derive(Debug, Serialize, ToSchema)]
struct Transcoding {
    /// Whether it does at all.
    available: bool,
    /// What it encodes with.
    budget: Budget,
    /// Every encoder that a ladder may use.
    encoders: Vec<Encoder>,
    /// What it encodes now, the dearest first.
    jobs: Vec<TranscodingJob>,
    /// The presets that a stream may ask its ladder from.
    presets: Vec<String>,
    /// Whether a program is asked about ladders.
    webhook: bool,
}

/// The encoding of one broadcast.
#[derive(Debug, Serialize, ToSchema)]
struct TranscodingJob {
    /// The broadcast.
    broadcast_id: String,
    /// The name by which it can be watched; none where nothing leads to it.
    name: Option<String>,
    /// What it is called.
    title: Option<String>,
    /// The stream, where it is one of an account.
    stream_id: Option<Id>,
    /// What it takes of the budget, in thousandths of a processor.
    cost: u32,
    /// What it really took in the last seconds, in thousandths of a processor. None before that is known.
    measured: Option<u32>,
    /// How its rungs do.
    ladder: Option<Status>,
}

impl TranscodingJob {
    /// `None` if the broadcast is over or belongs to another environment.
    fn of(platform: &Platform, actor: &Actor, running: &[std::sync::Arc<Broadcast>], job: &Job) -> Option<Self> {
        let broadcast = running.iter().find(|broadcast| *broadcast.id() == job.broadcast)?;
        let entry = seen(platform, actor, broadcast)?;
        let name = match &entry {
            Some(entry) => entry.aliases.first().map(|(alias, _)| alias.clone()),
            None => Some(broadcast.name().to_string()),
        };
        Some(Self {
            broadcast_id: job.broadcast.to_string(),
            name,
            title: entry.as_ref().map(|entry| entry.title.to_string()),
            stream_id: entry.map(|entry| entry.stream.clone()),
            cost: job.cost,
            measured: job.measured,
            ladder: broadcast.ladder_report().as_deref().map(Status::from),
        })
    }
}

/// How this node encodes: its budget, its encoders and what they do
#[utoipa::path(get, path = "/api/v1/admin/transcoding", tag = "admin",
    responses((status = 200, body = Transcoding), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn show(State(platform): State<Platform>, actor: Actor) -> Result<Json<Transcoding>> {
    actor.must(Action::ServerConfigure, Resource::Server)?;
    let node = platform.transcoding();
    let available = node.is_some();
    let Node {
        budget,
        encoders,
        mut jobs,
    } = node.unwrap_or_default();
    jobs.sort_by_key(|job| std::cmp::Reverse(job.cost));
    let running = platform.hub().map(hub::Hub::broadcasts).unwrap_or_default();
    let jobs = jobs
        .iter()
        .filter_map(|job| TranscodingJob::of(&platform, &actor, &running, job));
    Ok(Json(Transcoding {
        available,
        budget,
        encoders,
        jobs: jobs.collect(),
        presets: platform.options.ladder_presets.clone(),
        webhook: platform.ladder_webhook.is_some(),
    }))
}

#[cfg(test)]
mod tests {
    use hub::{BroadcastId, LadderReport, RungReport, RungState};
    use media::{FrameRate, TrackId};
    use serde_json::json;

    use super::*;
    use crate::authorize::Role;
    use crate::ladder::Codec;
    use crate::scene::Scene;

    const PATH: &str = "/api/v1/admin/transcoding";

    fn report() -> LadderReport {
        LadderReport {
            rungs: vec![RungReport {
                track: TrackId::VIDEO,
                name: "720p".into(),
                width: 1_280,
                height: 720,
                frame_rate: FrameRate::new(30_000, 1_001),
                bitrate: 2_500_000,
                encoder: "libx264".into(),
                cost: 180,
                state: RungState::Dropped("no room".into()),
            }],
            notice: Some("room for 0 of 1".into()),
        }
    }

    #[tokio::test]
    async fn who_runs_the_server_sees_what_it_encodes_and_with_what() {
        for scene in Scene::both().await {
            let (publisher, open) = (scene.live().await, scene.publish("colors").await.expect("it may"));
            let (adas, opens) = (publisher.broadcast().id().clone(), open.broadcast().id().clone());
            scene.hub.derive(publisher.broadcast()).report(report());
            scene.world.platform.ask_of_transcoding(move || {
                let job = |broadcast: &BroadcastId, cost, measured| Job {
                    broadcast: broadcast.clone(),
                    cost,
                    measured,
                };
                Node {
                    budget: Budget {
                        total: 1_000,
                        used: 700,
                    },
                    encoders: vec![Encoder {
                        name: "h264_nvenc".into(),
                        family: "nvenc".into(),
                        codec: Codec::Avc,
                        works: Some(false),
                        reason: Some("Cannot load libcuda.so.1".into()),
                    }],
                    jobs: vec![
                        job(&opens, 200, None),
                        job(&adas, 500, Some(430)),
                        job(&BroadcastId::random(), 1, None),
                    ],
                }
            });
            let admin = scene.world.person("kim", &[Role::Admin]).await;
            let told = scene.world.get(PATH, Some(&admin)).await.body;
            assert_eq!(told["budget"], json!({"total": 1_000, "used": 700}));
            assert_eq!(told["encoders"][0]["works"], false);
            assert_eq!(told["jobs"].as_array().map(Vec::len), Some(2), "{told}");
            let of_ada = &told["jobs"][0];
            assert_eq!(
                (&of_ada["name"], &of_ada["measured"], &of_ada["cost"]),
                (&json!("ada"), &json!(430), &json!(500))
            );
            assert_eq!(of_ada["stream_id"], scene.stream.as_str());
            assert_eq!(
                of_ada["ladder"],
                json!({"notice": "room for 0 of 1", "rungs": [{
                    "name": "720p", "width": 1280, "height": 720, "frame_rate": 29.97, "bitrate": 2_500_000,
                    "encoder": "libx264", "cost": 180, "state": "dropped", "reason": "no room"
                }]})
            );
            assert_eq!(told["jobs"][1]["name"], "colors");
            let keeper = scene.world.person("lin", &[Role::Moderator]).await;
            for (who, status) in [(Some(&keeper), 403), (Some(&scene.ada), 403), (None, 401)] {
                assert_eq!(scene.world.get(PATH, who).await.status, status);
            }
            drop((publisher, open));
        }
    }

    #[tokio::test]
    async fn a_server_that_encodes_nothing_says_so() {
        let [scene, _] = Scene::both().await;
        let admin = scene.world.person("kim", &[Role::Admin]).await;
        let told = scene.world.get(PATH, Some(&admin)).await.body;
        assert_eq!((&told["available"], &told["jobs"]), (&json!(false), &json!([])));
        assert_eq!(told["presets"], json!(crate::ladder::PRESETS));
    }
}
