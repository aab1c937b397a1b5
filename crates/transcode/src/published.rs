//! What was published of each track, whichever child it came from.

use std::collections::HashMap;

use hub::Derived;
use media::{Parameters, Sample, TrackId};

/// The made tracks of a broadcast as their followers know them.
#[derive(Debug, Default)]
pub struct Published {
    tracks: HashMap<TrackId, Track>,
}

#[derive(Debug)]
struct Track {
    parameters: Option<Parameters>,
    dts: i64,
}

impl Published {
    /// Tells a track's parameters if they are new, or if it was lost.
    pub fn configure(&mut self, derived: &Derived, track: TrackId, parameters: &Parameters) {
        let known = self.tracks.entry(track).or_insert(Track {
            parameters: None,
            dts: i64::MIN,
        });
        if known.parameters.as_ref() != Some(parameters) {
            known.parameters = Some(parameters.clone());
            derived.configure(track, parameters.clone());
        }
    }

    /// Publishes a frame, if its track has parameters and it comes after those before it. What an encoder of sound writes before media
    /// time 0 primes a decoder that begins there, and is left out.
    pub fn push(&mut self, derived: &Derived, track: TrackId, sample: Sample) {
        let known = self.tracks.get_mut(&track).filter(|known| known.parameters.is_some());
        if let Some(known) = known.filter(|known| known.dts < sample.dts && sample.dts >= 0) {
            known.dts = sample.dts;
            derived.push(track, sample);
        }
    }

    /// Tells that nothing comes of a track for now.
    pub fn lose(&mut self, derived: &Derived, track: TrackId) {
        if let Some(known) = self.tracks.get_mut(&track) {
            known.parameters = None;
        }
        derived.lost(track);
    }

    /// Whether frames of a track come now.
    pub fn has(&self, track: TrackId) -> bool {
        self.tracks.get(&track).is_some_and(|known| known.parameters.is_some())
    }
}
