//! One broadcast's encoding: a follower of its main tracks, and the children that are fed from it.

use std::sync::Arc;
use std::time::Duration;

use hub::{Broadcast, Derived, Follow, Hub, Item, Ladder};
use media::{Kind, Parameters, Sample, TrackId, VideoParameters};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::audio::Audio;
use crate::child::{ChildEvent, Generation};
use crate::ladder::{Preset, Wanted, find};
use crate::planner::{Measured, Planner};
use crate::published::Published;
use crate::running::Running;
use crate::usage::{self, Meter};
use crate::video::{Asked, Video};
use crate::works::Works;

/// How often children are looked after.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a child that gets no more frames may take to give out what it has.
const DRAIN: Duration = Duration::from_secs(2);
/// How long whoever is asked for a ladder may take.
const PLAN_PATIENCE: Duration = Duration::from_secs(2);
/// Events that children may be ahead of their job.
pub const EVENTS_MAX: usize = 256;

/// The job of one broadcast.
pub struct Job {
    broadcast: Arc<Broadcast>,
    derived: Derived,
    works: Arc<Works>,
    planner: Arc<dyn Planner>,
    began: Instant,
    published: Published,
    video: Option<Video>,
    audio: Option<Audio>,
    /// Children that give out their last frames, and until when they may.
    draining: Vec<(Running, Duration)>,
    meter: Meter,
}

impl Job {
    /// A job that has not begun.
    pub fn new(hub: &Hub, broadcast: Arc<Broadcast>, works: Arc<Works>, planner: Arc<dyn Planner>) -> Self {
        Self {
            derived: hub.derive(&broadcast),
            broadcast,
            works,
            planner,
            began: Instant::now(),
            published: Published::default(),
            video: None,
            audio: None,
            draining: Vec::new(),
            meter: Meter::default(),
        }
    }

    /// Encodes until the broadcast is over.
    pub async fn run(mut self, mut events: mpsc::Receiver<(Generation, ChildEvent)>) {
        let mut follower = self.broadcast.follow(Follow::NewestKeyframe { sub_second: false });
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut items = Vec::new();
        loop {
            tokio::select! {
                more = follower.next_batch(&mut items) => {
                    for item in items.drain(..) {
                        self.take(item).await;
                    }
                    if !more {
                        return;
                    }
                }
                Some((generation, event)) = events.recv() => {
                    self.handle(generation, event);
                    while let Ok((generation, event)) = events.try_recv() {
                        self.handle(generation, event);
                    }
                    self.derived.flush();
                }
                _ = look.tick() => self.look(),
            }
        }
    }

    async fn take(&mut self, item: Item) {
        match item {
            Item::Parameters { parameters, .. } => match parameters {
                Parameters::Video(video) => self.video_is(video).await,
                Parameters::Audio(audio) => self.audio_is(audio),
            },
            Item::Sample { track, sample } => self.push(track, &sample),
            // The time goes on: the children see a jump.
            Item::Cut | Item::Lagged | Item::Announced { .. } | Item::Planned(_) | Item::Lost(_) => {}
        }
    }

    fn push(&mut self, track: TrackId, sample: &Sample) {
        let now = self.began.elapsed();
        match track.kind {
            Kind::Video => {
                if sample.keyframe && self.video.is_some() && self.source_has_ladder() {
                    self.drop_video();
                }
                if let Some(video) = &mut self.video {
                    video.push(now, sample, &mut self.published);
                    let retired = video.take_retired();
                    self.draining.extend(retired.map(|running| (running, now + DRAIN)));
                }
            }
            Kind::Audio => {
                if let Some(audio) = &mut self.audio {
                    audio.push(now, sample, &mut self.published);
                }
            }
        }
    }

    /// A source that sends several pictures itself needs none made.
    fn source_has_ladder(&self) -> bool {
        let tracks = self.broadcast.tracks();
        tracks
            .iter()
            .any(|(track, _)| track.kind == Kind::Video && !track.is_main())
    }

    async fn video_is(&mut self, source: VideoParameters) {
        if self.video.as_ref().is_some_and(|video| *video.source() == source) {
            return;
        }
        let before: Vec<_> = self.video.iter().flat_map(Video::tracks).collect();
        self.drain_video();
        if self.source_has_ladder() {
            self.lose(&before, &[]);
            return;
        }
        let Some(asked) = self.asked(&source).await else { return };
        let video = Video::plan(&self.works, &self.derived, source, asked);
        self.derived.plan(video.planned());
        let now: Vec<_> = video.tracks().collect();
        self.lose(&before, &now);
        self.video = Some(video);
    }

    fn audio_is(&mut self, source: media::AudioParameters) {
        if self.audio.as_ref().is_some_and(|audio| *audio.source() == source) {
            return;
        }
        let until = self.began.elapsed() + DRAIN;
        let old = self.audio.take();
        let before = old.as_ref().map(|audio| audio.tracks().to_vec()).unwrap_or_default();
        self.draining
            .extend(old.and_then(Audio::finish).map(|running| (running, until)));
        self.audio = Audio::new(&self.works, &self.derived, source);
        let now = self
            .audio
            .as_ref()
            .map(|audio| audio.tracks().to_vec())
            .unwrap_or_default();
        self.lose(&before, &now);
    }

    /// Those tracks of before that are not made any more end.
    fn lose(&mut self, before: &[TrackId], now: &[TrackId]) {
        for track in before.iter().filter(|track| !now.contains(track)) {
            self.published.lose(&self.derived, *track);
        }
    }

    fn drain_video(&mut self) {
        let until = self.began.elapsed() + DRAIN;
        let running = self.video.take().and_then(Video::finish);
        self.draining.extend(running.map(|running| (running, until)));
    }

    fn drop_video(&mut self) {
        let tracks: Vec<_> = self.video.iter().flat_map(Video::tracks).collect();
        self.video = None;
        self.lose(&tracks, &[]);
        self.derived.plan(Vec::new());
    }

    async fn asked(&self, source: &VideoParameters) -> Option<Asked> {
        match &self.broadcast.settings().ladder {
            Ladder::Asked { otherwise } => {
                let measured = Measured::of(source, self.broadcast.health().as_deref());
                let answer = tokio::time::timeout(PLAN_PATIENCE, self.planner.plan(&self.broadcast, &measured)).await;
                let answer = answer.unwrap_or_else(|_| Err("no answer in two seconds".to_owned()));
                let otherwise = of_preset(preset(&self.works.presets, otherwise));
                Some(match answer {
                    Ok(rungs) => Asked {
                        wanted: Wanted { rungs, own_size: true },
                        ..otherwise
                    },
                    Err(reason) => Asked {
                        notice: Some(format!("the ladder is the preset's: {reason}")),
                        ..otherwise
                    },
                })
            }
            ladder => asked(&self.works.presets, ladder),
        }
    }

    fn handle(&mut self, generation: Generation, event: ChildEvent) {
        let now = self.began.elapsed();
        let drained = self
            .draining
            .iter()
            .position(|(running, _)| running.generation == generation);
        if let Some(at) = drained {
            self.drain(at, event);
            return;
        }
        let mine = |running: Option<u64>| running == Some(generation);
        if mine(self.video.as_ref().and_then(Video::generation)) {
            if let Some(video) = &mut self.video {
                video.handle(now, event, &mut self.published);
            }
        } else if mine(self.audio.as_ref().and_then(Audio::generation))
            && let Some(audio) = &mut self.audio
        {
            audio.handle(now, event, &mut self.published);
        }
    }

    fn drain(&mut self, at: usize, event: ChildEvent) {
        let over = match event {
            ChildEvent::Output(output, event) => {
                let running = &mut self.draining[at].0;
                running
                    .handle(output, event, &self.derived, &mut self.published)
                    .is_err()
            }
            ChildEvent::Garbled(_) | ChildEvent::Exited(_) => true,
        };
        if over {
            self.draining.remove(at);
        }
    }

    fn measure(&mut self, now: Duration) {
        let running = self.video.as_ref().and_then(Video::process);
        let processes = running.into_iter().chain(self.audio.as_ref().and_then(Audio::process));
        let measured = self.meter.read(now, processes, usage::taken);
        if measured.is_some() {
            self.works.usage.set(self.broadcast.id(), measured);
        }
    }

    fn look(&mut self) {
        let now = self.began.elapsed();
        self.measure(now);
        self.draining.retain(|(_, until)| *until > now);
        if let Some(video) = &mut self.video {
            video.handle_timeout(now, &mut self.published);
        }
        if let Some(audio) = &mut self.audio {
            audio.handle_timeout(now, &mut self.published);
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.works.usage.set(self.broadcast.id(), None);
    }
}

/// What a ladder asks for that nobody must be asked about; `None` where it asks for nothing.
pub fn asked(presets: &[Preset], ladder: &Ladder) -> Option<Asked> {
    match ladder {
        Ladder::Off => None,
        Ladder::Preset(name) | Ladder::Asked { otherwise: name } => Some(of_preset(preset(presets, name))),
        Ladder::Rungs(rungs) => Some(Asked {
            wanted: Wanted {
                rungs: rungs.to_vec(),
                own_size: true,
            },
            ..of_preset(preset(presets, "default"))
        }),
    }
}

fn of_preset((preset, notice): (Preset, Option<String>)) -> Asked {
    Asked {
        wanted: Wanted {
            rungs: preset.rungs.clone(),
            own_size: preset.own,
        },
        preset,
        notice,
    }
}

/// The preset of that name; `default` where there is none, and a word about it.
fn preset(own: &[Preset], name: &str) -> (Preset, Option<String>) {
    match find(own, name) {
        Some(preset) => (preset, None),
        None => (
            find(own, "default").expect("every server has the preset default"),
            Some(format!("there is no preset {name}: default stands in")),
        ),
    }
}
