//! Sound that is not AAC, made AAC by a child of its own: trouble with pictures is none of it.

use std::sync::Arc;
use std::time::Duration;

use hub::Derived;
use media::{AudioCodec, AudioParameters, Kind, Parameters, Sample, TrackId};
use tracing::warn;

use crate::admission::Reservation;
use crate::arguments;
use crate::child::{ChildEvent, Generation};
use crate::cost;
use crate::policy::{Step, Trouble, Troubles};
use crate::published::Published;
use crate::running::Running;
use crate::works::Works;

/// The AAC that is made of another codec's sound.
pub const TRACK: TrackId = TrackId {
    kind: Kind::Audio,
    index: TrackId::DERIVED,
};

/// The sound of one source.
#[derive(Debug)]
pub struct Audio {
    works: Arc<Works>,
    derived: Derived,
    source: AudioParameters,
    _reservation: Reservation,
    running: Option<Running>,
    troubles: Troubles,
    resting: Duration,
}

impl Audio {
    /// For sound that not every player plays, if there is room for it; `None` for AAC, which passes untouched.
    pub fn new(works: &Arc<Works>, derived: &Derived, source: AudioParameters) -> Option<Self> {
        if source.codec == AudioCodec::Aac {
            return None;
        }
        let (reservation, left_out) = works.budget.reserve(0, &[cost::AUDIO]);
        if left_out > 0 {
            warn!(broadcast = %derived.broadcast().name(), "there is no room to make AAC of this stream's sound");
            return None;
        }
        Some(Self {
            works: Arc::clone(works),
            derived: derived.clone(),
            source,
            _reservation: reservation,
            running: None,
            troubles: Troubles::default(),
            resting: Duration::ZERO,
        })
    }

    /// The source that it is of.
    pub fn source(&self) -> &AudioParameters {
        &self.source
    }

    /// Hands a frame of the source to the child; starts one where none runs.
    pub fn push(&mut self, now: Duration, sample: &Sample, published: &mut Published) {
        if self.running.is_none() && now >= self.resting {
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
            ChildEvent::Output(output, event) => running.handle(output, event, &self.derived, published),
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

    fn start(&mut self, now: Duration, published: &mut Published) {
        let source = Parameters::Audio(self.source.clone());
        match self.works.start(&arguments::audio(&self.source), &source, &[TRACK]) {
            Ok(running) => self.running = Some(running),
            Err(error) => self.trouble(now, &Trouble::Crashed(error.to_string()), published),
        }
    }

    fn trouble(&mut self, now: Duration, trouble: &Trouble, published: &mut Published) {
        drop(self.running.take());
        published.lose(&self.derived, TRACK);
        let step = self.troubles.judge(now, trouble, 1);
        warn!(broadcast = %self.derived.broadcast().name(), %trouble, ?step, "encoding sound is in trouble");
        if let Step::Rest(rest) = step {
            self.resting = now + rest;
        }
    }
}
