//! The ladder of a broadcast: which rungs there are, and the child that makes them.

use std::sync::Arc;
use std::time::Duration;

use hub::{Derived, LadderReport, RungReport, RungState};
use media::{Parameters, Sample, TrackId, VideoCodec, VideoParameters};
use tracing::{info, warn};

use crate::admission::Reservation;
use crate::arguments::{self, Rendition};
use crate::bitrate::Bitrate;
use crate::child::{ChildEvent, Generation};
use crate::cost;
use crate::encoder::Encoder;
use crate::ladder::{Preset, Shape, Source, Wanted, shapes};
use crate::policy::{Step, Trouble, Troubles};
use crate::published::Published;
use crate::running::Running;
use crate::works::Works;

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

/// One rung of the ladder.
#[derive(Debug)]
struct Rung {
    rendition: Rendition,
    cost: u32,
    /// Why it is not made.
    dropped: Option<String>,
    /// The source has no more bits than it.
    heavy: bool,
}

impl Rung {
    fn is_made(&self) -> bool {
        self.dropped.is_none() && !self.heavy
    }
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
    _reservation: Reservation,
    running: Option<Running>,
    troubles: Troubles,
    /// No child before this time.
    resting: Duration,
    /// Why there is none until then.
    rests: Option<String>,
    notice: Option<String>,
    bitrate: Bitrate,
    /// The last measurement that nothing was done about.
    measured: Option<u32>,
    /// A child that was replaced and still gives out what it has.
    retired: Option<Running>,
}

impl Video {
    /// Plans a ladder, takes its part of the budget, and tells of both.
    pub fn plan(works: &Arc<Works>, derived: &Derived, source: VideoParameters, asked: Asked) -> Self {
        let known = Source {
            codec: source.codec,
            width: source.width,
            height: source.height,
            frame_rate: source.frame_rate,
            bitrate: None,
        };
        let mut notices: Vec<String> = asked.notice.iter().cloned().collect();
        let mut rungs: Vec<_> = shapes(&known, &asked.wanted)
            .into_iter()
            .map(|shape| rung(works, shape, &asked.preset, &mut notices))
            .collect();
        let costs: Vec<_> = rungs.iter().map(|rung| rung.cost).collect();
        let (reservation, left_out) = works.budget.reserve(cost::decode(&known), &costs);
        for rung in rungs.iter_mut().take(left_out) {
            rung.dropped = Some("this server has no room for it".to_owned());
        }
        if left_out > 0 {
            notices.push(format!(
                "this server has room for {} of {} qualities: its processors encode other streams",
                rungs.len() - left_out,
                rungs.len()
            ));
        }
        let video = Self {
            works: Arc::clone(works),
            derived: derived.clone(),
            source,
            asked,
            rungs,
            _reservation: reservation,
            running: None,
            troubles: Troubles::default(),
            resting: Duration::ZERO,
            rests: None,
            notice: (!notices.is_empty()).then(|| notices.join("; ")),
            bitrate: Bitrate::default(),
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
        self.measured = self.bitrate.push(micros, sample.data.len()).or(self.measured);
        if sample.keyframe
            && let Some(measured) = self.measured.take()
        {
            self.weigh(measured, published);
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

    /// Leaves out the rungs that need as many bits as the source has, and takes up again those that need far fewer.
    fn weigh(&mut self, measured: u32, published: &mut Published) {
        let mut changed = false;
        for rung in self.rungs.iter_mut().filter(|rung| rung.dropped.is_none()) {
            let bitrate = rung.rendition.shape.bitrate;
            let heavy = weighs(rung.heavy, bitrate, measured) && self.source.codec == VideoCodec::Avc;
            changed |= heavy != rung.heavy;
            if heavy && !rung.heavy {
                published.lose(&self.derived, rung.rendition.shape.track);
            }
            rung.heavy = heavy;
        }
        if changed {
            // This very key frame is the first of the next child.
            self.retired = self.running.take();
            if let Some(retired) = &mut self.retired {
                retired.finish();
            }
            self.tell(published);
        }
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
                    rung.dropped = Some(trouble.to_string());
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
        let report = |rung: &Rung| report(rung, self.rests.as_ref(), published);
        self.derived.report(LadderReport {
            rungs: self.rungs.iter().map(report).collect(),
            notice: self.notice.clone(),
        });
    }

    /// What playlists are told at once: the rungs that are meant to be made.
    pub fn planned(&self) -> Vec<hub::Planned> {
        let made = self.rungs.iter().filter(|rung| rung.is_made());
        made.map(|rung| rung.rendition.shape.planned()).collect()
    }
}

fn rung(works: &Works, shape: Shape, preset: &Preset, notices: &mut Vec<String>) -> Rung {
    let (encoder, notice) = works.encoders.choose(Encoder::of(works.family, shape.codec));
    notices.extend(notice.filter(|notice| !notices.contains(notice)));
    Rung {
        cost: cost::encode(&shape, encoder, preset.speed),
        rendition: Rendition { shape, encoder },
        dropped: None,
        heavy: false,
    }
}

/// A rung comes back only when the source has clearly more, so that it does not come and go.
fn weighs(before: bool, bitrate: u32, measured: u32) -> bool {
    let (bitrate, measured) = (u64::from(bitrate), u64::from(measured));
    measured * 10 <= bitrate * if before { 13 } else { 10 }
}

fn report(rung: &Rung, rests: Option<&String>, published: &Published) -> RungReport {
    let Rendition { shape, encoder } = &rung.rendition;
    RungReport {
        track: shape.track,
        name: Arc::clone(&shape.name),
        width: shape.width,
        height: shape.height,
        frame_rate: shape.frame_rate,
        bitrate: shape.bitrate,
        encoder: encoder.name().to_owned(),
        cost: rung.cost,
        state: match rung.dropped.as_ref().or(rests) {
            Some(reason) => RungState::Dropped(reason.clone()),
            None if rung.heavy => RungState::Dropped("the source has no more bits than it would have".to_owned()),
            None if published.has(shape.track) => RungState::Running,
            None => RungState::Starting,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rung_goes_with_few_bits_and_returns_with_clearly_more() {
        assert!(!weighs(false, 1_000, 1_001));
        assert!(weighs(false, 1_000, 1_000));
        assert!(weighs(true, 1_000, 1_200));
        assert!(!weighs(true, 1_000, 1_400));
    }
}
