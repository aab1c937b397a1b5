//! The ladder of a broadcast: which rungs there are, and the child that makes them.

use std::sync::Arc;
use std::time::Duration;

use hub::{Derived, LadderReport};
use media::{FrameRate, Parameters, Sample, TrackId, VideoCodec, VideoParameters};
use tracing::{info, warn};

use crate::admission::Reservation;
use crate::arguments;
use crate::child::{ChildEvent, Generation};
use crate::cost;
use crate::ladder::{Preset, Source, Wanted, shapes};
use crate::meter::{Measurement, Meter};
use crate::policy::{Step, Trouble, Troubles};
use crate::published::Published;
use crate::rung::{Dropped, Rung};
use crate::running::Running;
use crate::works::Works;

/// How often is looked whether there is room now for what found none.
const ROOM_EVERY: Duration = Duration::from_secs(10);

/// What a broadcast's pictures shall become.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The rungs.
    pub wanted: Wanted,
    /// How they are encoded; its rungs are those of `wanted` or not.
    pub preset: Preset,
    /// What the owner should know of how it came to this.
    pub notice: Option<String>,
}

/// The ladder of one source.
#[derive(Debug)]
pub struct Video {
    works: Arc<Works>,
    derived: Derived,
    source: VideoParameters,
    asked: Asked,
    /// The best first; those that are not made come before those that are.
    rungs: Vec<Rung>,
    reservation: Reservation,
    /// When is looked for room again.
    room_at: Duration,
    running: Option<Running>,
    troubles: Troubles,
    /// No child before this time.
    resting: Duration,
    /// Why there is none until then.
    rests: Option<String>,
    notice: Option<String>,
    meter: Meter,
    /// The last measurement that nothing was done about.
    measured: Option<Measurement>,
    /// A child that was replaced and still gives out what it has.
    retired: Option<Running>,
}

impl Video {
    /// Plans a ladder, takes its part of the budget, and tells of both.
    pub fn plan(works: &Arc<Works>, derived: &Derived, source: VideoParameters, asked: Asked) -> Self {
        let known = known(&source);
        let mut notices: Vec<String> = asked.notice.iter().cloned().collect();
        let mut rungs: Vec<_> = shapes(&known, &asked.wanted)
            .into_iter()
            .map(|shape| Rung::new(works, &known, shape, &asked.preset, &mut notices))
            .collect();
        let costs: Vec<_> = rungs.iter().map(|rung| rung.cost).collect();
        let (reservation, left_out) = works.budget.reserve(cost::decode(&known), &costs);
        for rung in rungs.iter_mut().take(left_out) {
            rung.dropped = Some(Dropped::NoRoom);
        }
        notices.extend(room_for(&rungs));
        let video = Self {
            works: Arc::clone(works),
            derived: derived.clone(),
            source,
            asked,
            rungs,
            reservation,
            room_at: Duration::ZERO,
            running: None,
            troubles: Troubles::default(),
            resting: Duration::ZERO,
            rests: None,
            notice: (!notices.is_empty()).then(|| notices.join("; ")),
            meter: Meter::default(),
            measured: None,
            retired: None,
        };
        video.tell(&Published::default());
        video
    }

    /// The source that it is of.
    pub fn source(&self) -> &VideoParameters {
        &self.source
    }

    /// All its tracks, whether they are made or not.
    pub fn tracks(&self) -> impl Iterator<Item = TrackId> {
        self.rungs.iter().map(|rung| rung.rendition.shape.track)
    }

    /// Hands a frame of the source to the child; starts one at a key frame where none runs.
    pub fn push(&mut self, now: Duration, sample: &Sample, published: &mut Published) {
        let micros = sample.dts * 1_000 / 90;
        self.measured = self.meter.push(micros, sample.data.len()).or(self.measured);
        if sample.keyframe {
            self.adapt(now, published);
        }
        if self.running.is_none() && sample.keyframe && now >= self.resting {
            self.start(now, published);
        }
        let Some(running) = &mut self.running else { return };
        if let Err(trouble) = running.push(now, sample) {
            self.trouble(now, &trouble, published);
        }
    }

    /// Its child, if one runs.
    pub fn generation(&self) -> Option<Generation> {
        self.running.as_ref().map(|running| running.generation)
    }

    /// Takes what its child says.
    pub fn handle(&mut self, now: Duration, event: ChildEvent, published: &mut Published) {
        let Some(running) = &mut self.running else { return };
        let handled = match event {
            ChildEvent::Output(output, event) => {
                let before = running.tracks().all(|track| published.has(track));
                let handled = running.handle(output, event, &self.derived, published);
                if !before && running.tracks().all(|track| published.has(track)) {
                    self.tell(published);
                }
                handled
            }
            ChildEvent::Garbled(reason) => Err(Trouble::Garbled(reason)),
            ChildEvent::Exited(reason) => Err(Trouble::Crashed(reason)),
        };
        if let Err(trouble) = handled {
            self.trouble(now, &trouble, published);
        }
    }

    /// Looks after the child.
    pub fn handle_timeout(&mut self, now: Duration, published: &mut Published) {
        let trouble = self.running.as_mut().and_then(|running| running.handle_timeout(now));
        if let Some(trouble) = trouble {
            self.trouble(now, &trouble, published);
        }
    }

    /// Ends it; its child, if there is one, still gives out what it has.
    pub fn finish(mut self) -> Option<Running> {
        let mut running = self.running.take()?;
        running.finish();
        Some(running)
    }

    /// The child that was replaced, once.
    pub fn take_retired(&mut self) -> Option<Running> {
        self.retired.take()
    }

    /// The number of its child's process.
    pub fn process(&self) -> Option<u32> {
        self.running.as_ref().and_then(Running::process)
    }

    /// Makes of the source, from this key frame on, what was learnt since the last one.
    fn adapt(&mut self, now: Duration, published: &mut Published) {
        let mut changed = false;
        if let Some(measured) = self.measured.take() {
            changed |= measured.bitrate.is_some_and(|bitrate| self.weigh(bitrate, published));
            changed |= measured.frame_rate.is_some_and(|rate| self.thin_out(rate));
        }
        changed |= self.find_room(now) || self.forgive(now);
        if changed {
            // This very key frame is the first of the next child.
            self.retired = self.running.take();
            if let Some(retired) = &mut self.retired {
                retired.finish();
            }
            self.derived.plan(self.planned());
            self.tell(published);
        }
    }

    /// Leaves out the rungs that need as many bits as the source has, and takes up again those that need far fewer.
    fn weigh(&mut self, measured: u32, published: &mut Published) -> bool {
        let mut changed = false;
        // Another codec needs fewer bits for the same picture.
        let rungs = self.rungs.iter_mut().filter(|rung| rung.dropped.is_none());
        for rung in rungs.filter(|_| self.source.codec == VideoCodec::Avc) {
            let weighs = rung.weigh(measured);
            changed |= weighs;
            if weighs && rung.heavy {
                published.lose(&self.derived, rung.rendition.shape.track);
            }
        }
        changed
    }

    /// Takes fewer frames where a source that does not say how many it has turns out to have more than a rung may have.
    fn thin_out(&mut self, measured: FrameRate) -> bool {
        if self.source.frame_rate.is_some() {
            return false;
        }
        let thinned = self
            .rungs
            .iter_mut()
            .map(|rung| rung.rendition.shape.thin_out(measured));
        thinned.fold(false, |changed, thinned| changed | thinned)
    }

    /// Takes up the rungs for which other streams have made room.
    fn find_room(&mut self, now: Duration) -> bool {
        let lacks = self.rungs.iter().any(|rung| rung.dropped == Some(Dropped::NoRoom));
        // Where encoding is in trouble, more of it would not do good.
        let troubled = self.rungs.iter().any(Rung::was_in_trouble) || self.rests.is_some();
        if !lacks || troubled || now < self.room_at {
            return false;
        }
        self.room_at = now + ROOM_EVERY;
        let costs: Vec<_> = self.rungs.iter().map(|rung| rung.cost).collect();
        let decoding = self.decode_cost();
        let left_out = self.reservation.renew(decoding, &costs);
        let mut found = false;
        for rung in self
            .rungs
            .iter_mut()
            .skip(left_out)
            .filter(|rung| rung.dropped.is_some())
        {
            rung.dropped = None;
            found = true;
        }
        if found {
            self.notice = room_for(&self.rungs);
        }
        found
    }

    /// Tries once more the rung that was dropped last, after a time without trouble.
    fn forgive(&mut self, now: Duration) -> bool {
        let dropped = self.rungs.iter_mut().rfind(|rung| rung.was_in_trouble());
        let Some(rung) = dropped.filter(|_| self.troubles.are_over(now)) else {
            return false;
        };
        info!(broadcast = %self.derived.broadcast().name(), rung = %rung.rendition.shape.name, "a quality is tried once more");
        rung.dropped = None;
        self.notice = room_for(&self.rungs);
        true
    }

    fn decode_cost(&self) -> u32 {
        cost::decode(&known(&self.source))
    }

    fn start(&mut self, now: Duration, published: &mut Published) {
        let made: Vec<_> = self.rungs.iter().filter(|rung| rung.is_made()).collect();
        if made.is_empty() {
            return;
        }
        let renditions: Vec<_> = made.iter().map(|rung| rung.rendition.clone()).collect();
        let preset = &self.asked.preset;
        let arguments = arguments::video(
            &self.source,
            &renditions,
            preset.speed,
            &preset.options,
            self.works.cores,
        );
        let tracks: Vec<_> = renditions.iter().map(|rendition| rendition.shape.track).collect();
        let source = Parameters::Video(self.source.clone());
        match self.works.start(&arguments, &source, &tracks) {
            Ok(running) => {
                info!(broadcast = %self.derived.broadcast().name(), rungs = tracks.len(), "encoding begins");
                self.running = Some(running);
                self.rests = None;
            }
            Err(error) => self.trouble(now, &Trouble::Crashed(error.to_string()), published),
        }
    }

    fn trouble(&mut self, now: Duration, trouble: &Trouble, published: &mut Published) {
        // Dropped, the child is killed.
        drop(self.running.take());
        self.works.usage.trouble();
        for track in self.tracks() {
            published.lose(&self.derived, track);
        }
        let made = self.rungs.iter().filter(|rung| rung.is_made()).count();
        let step = self.troubles.judge(now, trouble, made);
        warn!(broadcast = %self.derived.broadcast().name(), %trouble, ?step, "encoding is in trouble");
        match step {
            Step::Again => {}
            Step::Fewer => {
                if let Some(rung) = self.rungs.iter_mut().find(|rung| rung.is_made()) {
                    rung.dropped = Some(Dropped::Trouble(trouble.to_string()));
                }
            }
            Step::Rest(rest) => {
                self.resting = now + rest;
                self.rests = Some(trouble.to_string());
            }
        }
        self.notice = Some(match step {
            Step::Rest(rest) => format!("{trouble}; it is tried again in {} s", rest.as_secs()),
            _ => trouble.to_string(),
        });
        self.tell(published);
    }

    /// Tells what is planned and how it goes.
    fn tell(&self, published: &Published) {
        let report = |rung: &Rung| rung.report(self.rests.as_ref(), published);
        self.derived.report(LadderReport {
            rungs: self.rungs.iter().map(report).collect(),
            notice: self.notice.clone(),
        });
    }

    /// What playlists are told at once: the rungs that there is room for. One that is left out for a while keeps its address.
    pub fn planned(&self) -> Vec<hub::Planned> {
        let planned = self.rungs.iter().filter(|rung| rung.dropped != Some(Dropped::NoRoom));
        planned.map(|rung| rung.rendition.shape.planned()).collect()
    }
}

fn known(source: &VideoParameters) -> Source {
    Source {
        codec: source.codec,
        width: source.width,
        height: source.height,
        frame_rate: source.frame_rate,
        bitrate: None,
    }
}

/// What an owner is told of rungs that find no room.
fn room_for(rungs: &[Rung]) -> Option<String> {
    let left_out = rungs
        .iter()
        .filter(|rung| rung.dropped == Some(Dropped::NoRoom))
        .count();
    (left_out > 0).then(|| {
        format!(
            "this server has room for {} of {} qualities: its processors encode other streams",
            rungs.len() - left_out,
            rungs.len()
        )
    })
}
