use std::sync::Arc;

use media::{Parameters, Sample, TrackId};

use crate::timeline::micros;
use crate::{Broadcast, Event, Hub, Item, LadderReport, Planned};

/// The way in for tracks that are made from the main ones. Their samples carry the times of the frames that they were made
/// from; where the source is cut, they are too, for the packager goes by time.
#[derive(Clone, Debug)]
pub struct Derived {
    hub: Hub,
    broadcast: Arc<Broadcast>,
}

impl Derived {
    pub(crate) fn new(hub: Hub, broadcast: Arc<Broadcast>) -> Self {
        Self { hub, broadcast }
    }

    /// What they are made from.
    pub fn broadcast(&self) -> &Arc<Broadcast> {
        &self.broadcast
    }

    /// Tells which tracks will come, so that they are listed at once. It replaces the plan before it.
    pub fn plan(&self, planned: Vec<Planned>) {
        let planned: Arc<[Planned]> = planned.into();
        self.with(|inner, at| {
            inner.derived.plan = Some(Arc::clone(&planned));
            inner.log.push(Item::Planned(planned), at);
        });
        self.flush();
    }

    /// Sets a track's parameters, before its first sample and whenever they change.
    pub fn configure(&self, track: TrackId, parameters: Parameters) {
        self.with(|inner, at| {
            inner.derived.parameters.insert(track, parameters.clone());
            inner.log.push(Item::Parameters { track, parameters }, at);
        });
    }

    /// Appends a frame, on the broadcast's timeline. One of a track without parameters is left out.
    pub fn push(&self, track: TrackId, sample: Sample) {
        self.with(|inner, _| {
            let Some(timescale) = inner.derived.parameters.get(&track).map(Parameters::timescale) else {
                return;
            };
            let media = micros(sample.dts, timescale);
            inner.log.push(Item::Sample { track, sample }, media);
        });
    }

    /// Tells that nothing comes of a track until its next parameters.
    pub fn lost(&self, track: TrackId) {
        self.with(|inner, at| {
            inner.derived.parameters.remove(&track);
            inner.log.push(Item::Lost(track), at);
        });
        self.flush();
    }

    /// Tells followers: call it once for each read of an encoder's output.
    pub fn flush(&self) {
        self.broadcast.wake_derived();
    }

    /// Tells how the rungs do.
    pub fn report(&self, report: LadderReport) {
        let report = Arc::new(report);
        self.with(|inner, _| inner.derived.report = Some(Arc::clone(&report)));
        self.hub.emit(Event::Ladder(Arc::clone(&self.broadcast), report));
    }

    fn with(&self, change: impl FnOnce(&mut crate::inner::Inner, i64)) {
        let position = self.broadcast.position();
        // What comes after the end is of no use to anybody.
        let _ = self.broadcast.with_derived(|inner| {
            let at = inner.timeline.newest().unwrap_or(position);
            change(inner, at);
        });
    }
}
