//! A hub with a source, and somebody who sees all tracks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hub::authority::Local;
use hub::{
    Broadcast, Caller, Follow, Follower, Hub, Item, Ladder, LadderReport, Protocol, PublishRequest, Publisher, Rung,
    Settings, SourceClock, StreamKey,
};
use media::{Kind, Parameters, Sample, TrackId};

use super::clip::{Clip, Frame};
use crate::{Family, NoPlanner, Options, Transcoder};

pub struct World {
    pub hub: Hub,
    pub transcoder: Transcoder,
    folder: tempfile::TempDir,
}

pub fn options(folder: &tempfile::TempDir) -> Options {
    Options {
        ffmpeg: std::env::var_os("MODERN_FFMPEG").map_or_else(|| PathBuf::from("/usr/bin/ffmpeg"), PathBuf::from),
        family: Family::Software,
        presets: Vec::new(),
        cpu_budget: 100_000,
        opus: false,
        memory_max: 2 << 30,
        folder: folder.path().to_owned(),
    }
}

/// Rungs of these sizes.
pub fn rungs(sizes: &[u32]) -> Ladder {
    rungs_of(hub::Codec::Avc, sizes)
}

/// Rungs of these sizes in a codec.
pub fn rungs_of(codec: hub::Codec, sizes: &[u32]) -> Ladder {
    let rung = |size: &u32| Rung {
        name: format!("{size}p").into(),
        size: *size,
        frame_rate_max: 30,
        bitrate: size * 1_000,
        codec,
    };
    Ladder::Rungs(sizes.iter().map(rung).collect())
}

impl World {
    pub fn new(ladder: Ladder) -> Self {
        Self::with(ladder, |_| {})
    }

    pub fn with(ladder: Ladder, change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(&folder);
        change(&mut options);
        let settings = Settings {
            ladder,
            ..Settings::default()
        };
        let hub = Hub::new(Arc::new(Local::new(true, settings)), hub::Limits::default());
        tokio::spawn(hub.clone().run());
        Self {
            transcoder: Transcoder::start(hub.clone(), options, Arc::new(NoPlanner)),
            hub,
            folder,
        }
    }

    /// Where its children run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub async fn publish(&self, name: &str) -> Publisher {
        let request = PublishRequest {
            key: StreamKey::new(name),
            caller: Caller::at(([127, 0, 0, 1], 4_000).into(), Protocol::Rtmp),
            clock: SourceClock::RTMP,
        };
        self.hub.publish(request).await.unwrap()
    }
}

/// Pushes frames, `from` milliseconds later than they say.
pub fn push(publisher: &mut Publisher, kind: Kind, frames: &[Frame], from: u64) {
    for frame in frames {
        publisher.push(
            TrackId::main(kind),
            from + frame.dts,
            frame.cts,
            frame.keyframe,
            frame.data.clone(),
        );
    }
    publisher.flush();
}

/// Configures the main track of a clip and pushes all of it: the first frame, and the others once its ladder is planned.
pub async fn play(publisher: &mut Publisher, seen: &mut Seen, clip: &Clip) {
    let kind = clip.parameters.kind();
    publisher.configure(TrackId::main(kind), clip.parameters.clone());
    push(publisher, kind, &clip.frames[..1], 0);
    seen.until("a plan", |seen| !seen.plans.is_empty()).await;
    push(publisher, kind, &clip.frames[1..], 0);
}

/// What followers were told of each track.
pub struct Seen {
    follower: Follower,
    pub parameters: BTreeMap<TrackId, Vec<Parameters>>,
    pub samples: BTreeMap<TrackId, Vec<Sample>>,
    pub lost: Vec<TrackId>,
    pub plans: Vec<Arc<[hub::Planned]>>,
}

impl Seen {
    pub fn new(broadcast: &Arc<Broadcast>) -> Self {
        Self {
            follower: broadcast.follow(Follow::FromStart),
            parameters: BTreeMap::new(),
            samples: BTreeMap::new(),
            lost: Vec::new(),
            plans: Vec::new(),
        }
    }

    /// Follows until `enough`; fails the test if that takes absurdly long.
    pub async fn until(&mut self, what: &str, enough: impl Fn(&Self) -> bool) {
        let all = async {
            let mut items = Vec::new();
            while !enough(self) {
                assert!(
                    self.follower.next_batch(&mut items).await,
                    "the broadcast ended: {what}"
                );
                items.drain(..).for_each(|item| self.take(item));
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), all).await;
        let counts: Vec<_> = self
            .samples
            .iter()
            .map(|(track, samples)| (*track, samples.len()))
            .collect();
        assert!(waited.is_ok(), "never came: {what}; there is {counts:?}");
    }

    pub fn count(&self, track: TrackId) -> usize {
        self.samples.get(&track).map_or(0, Vec::len)
    }

    fn take(&mut self, item: Item) {
        match item {
            Item::Parameters { track, parameters } => self.parameters.entry(track).or_default().push(parameters),
            Item::Sample { track, sample } => self.samples.entry(track).or_default().push(sample),
            Item::Lost(track) => self.lost.push(track),
            Item::Planned(plan) => self.plans.push(plan),
            Item::Cut | Item::Announced { .. } | Item::Lagged => {}
        }
    }
}

/// The n-th made picture.
pub fn made(n: u8) -> TrackId {
    TrackId {
        kind: Kind::Video,
        index: TrackId::DERIVED + n,
    }
}

/// Waits for a report of which this holds.
pub async fn report(broadcast: &Arc<Broadcast>, holds: impl Fn(&LadderReport) -> bool) -> Arc<LadderReport> {
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            if let Some(report) = broadcast.ladder_report().filter(|report| holds(report)) {
                return report;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    match waited.await {
        Ok(report) => report,
        Err(_) => panic!("never reported; there is {:?}", broadcast.ladder_report()),
    }
}
