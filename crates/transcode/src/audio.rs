//! Sound in another codec, made by a child of its own: trouble with pictures is none of it.

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
pub const AAC: TrackId = made(0);
/// The Opus that is made of it, where that is asked for.
pub const OPUS: TrackId = made(1);

const fn made(n: u8) -> TrackId {
    TrackId {
        kind: Kind::Audio,
        index: TrackId::DERIVED + n,
    }
}

/// The sound of one source.
#[derive(Debug)]
pub struct Audio {
    works: Arc<Works>,
    derived: Derived,
    source: AudioParameters,
    tracks: Vec<TrackId>,
    _reservation: Reservation,
    running: Option<Running>,
    troubles: Troubles,
    resting: Duration,
}

impl Audio {
    /// AAC of sound that not every player plays, and Opus where it is asked for, as there is room for them; `None` where nothing is to
    /// be made: AAC passes untouched.
    pub fn new(works: &Arc<Works>, derived: &Derived, source: AudioParameters) -> Option<Self> {
        let mut tracks = wanted(source.codec, works.opus);
        let (reservation, left_out) = works.budget.reserve(0, &vec![cost::AUDIO; tracks.len()]);
        if left_out > 0 {
            warn!(broadcast = %derived.broadcast().name(), "there is no room to encode this stream's sound");
        }
        tracks.drain(..left_out);
        if tracks.is_empty() {
            return None;
        }
        Some(Self {
            works: Arc::clone(works),
            derived: derived.clone(),
            source,
            tracks,
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

    /// What is made of it.
    pub fn tracks(&self) -> &[TrackId] {
        &self.tracks
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

    /// The number of its child's process.
    pub fn process(&self) -> Option<u32> {
        self.running.as_ref().and_then(Running::process)
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
        let arguments = arguments::audio(&self.source, self.tracks.iter().map(|track| codec(*track)));
        match self.works.start(&arguments, &source, &self.tracks) {
            Ok(running) => self.running = Some(running),
            Err(error) => self.trouble(now, &Trouble::Crashed(error.to_string()), published),
        }
    }

    fn trouble(&mut self, now: Duration, trouble: &Trouble, published: &mut Published) {
        drop(self.running.take());
        for track in &self.tracks {
            published.lose(&self.derived, *track);
        }
        let step = self.troubles.judge(now, trouble, 1);
        warn!(broadcast = %self.derived.broadcast().name(), %trouble, ?step, "encoding sound is in trouble");
        if let Step::Rest(rest) = step {
            self.resting = now + rest;
        }
    }
}

/// What is to be made of a source's sound, what is left out first where there is no room before what goes last.
fn wanted(source: AudioCodec, opus: bool) -> Vec<TrackId> {
    let (aac, opus) = (source != AudioCodec::Aac, opus && source != AudioCodec::Opus);
    let tracks = [(OPUS, opus), (AAC, aac)].into_iter();
    tracks.filter_map(|(track, made)| made.then_some(track)).collect()
}

fn codec(track: TrackId) -> AudioCodec {
    if track == OPUS {
        AudioCodec::Opus
    } else {
        AudioCodec::Aac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_is_made_in_the_codecs_that_it_is_not_in() {
        assert_eq!(wanted(AudioCodec::Aac, false), []);
        assert_eq!(wanted(AudioCodec::Aac, true), [OPUS]);
        assert_eq!(wanted(AudioCodec::Opus, true), [AAC]);
        assert_eq!(wanted(AudioCodec::Ac3, true), [OPUS, AAC]);
        assert_eq!(wanted(AudioCodec::Ac3, false), [AAC]);
    }
}
