//! One rung of a ladder: what is made, or why it is not.

use std::sync::Arc;

use hub::{RungReport, RungState};

use crate::arguments::Rendition;
use crate::cost;
use crate::encoder::Encoder;
use crate::ladder::{Preset, Shape, Source};
use crate::published::Published;
use crate::works::Works;

/// One rung of the ladder.
#[derive(Debug)]
pub struct Rung {
    /// What is made.
    pub rendition: Rendition,
    /// What that takes, in thousandths of a processor.
    pub cost: u32,
    /// Why it is not made.
    pub dropped: Option<Dropped>,
    /// The source has no more bits than it.
    pub heavy: bool,
}

/// Why a rung is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Other streams take the processors.
    NoRoom,
    /// Its encoder was in this trouble.
    Trouble(String),
}

impl Rung {
    /// A rung that shall be made; notes what its owner should know of its encoder.
    pub fn new(works: &Works, source: &Source, shape: Shape, preset: &Preset, notices: &mut Vec<String>) -> Self {
        let (encoder, notice) = works.encoders.choose(Encoder::of(works.family, shape.codec));
        notices.extend(notice.filter(|notice| !notices.contains(notice)));
        Self {
            cost: cost::encode(source, &shape, encoder, preset.speed),
            rendition: Rendition { shape, encoder },
            dropped: None,
            heavy: false,
        }
    }

    /// Whether it is made, as soon as there is something to make it of.
    pub fn is_made(&self) -> bool {
        self.dropped.is_none() && !self.heavy
    }

    /// Whether trouble has ended it.
    pub fn was_in_trouble(&self) -> bool {
        matches!(self.dropped, Some(Dropped::Trouble(_)))
    }

    /// How it does; `rests` is why nothing is made for now.
    pub fn report(&self, rests: Option<&String>, published: &Published) -> RungReport {
        let Rendition { shape, encoder } = &self.rendition;
        RungReport {
            track: shape.track,
            name: Arc::clone(&shape.name),
            width: shape.width,
            height: shape.height,
            frame_rate: shape.frame_rate,
            bitrate: shape.bitrate,
            encoder: encoder.name().to_owned(),
            cost: self.cost,
            state: self.state(rests, published),
        }
    }

    fn state(&self, rests: Option<&String>, published: &Published) -> RungState {
        let reason = match &self.dropped {
            Some(Dropped::NoRoom) => Some("this server has no room for it"),
            Some(Dropped::Trouble(reason)) => Some(reason.as_str()),
            None => rests.map(String::as_str),
        };
        match reason {
            Some(reason) => RungState::Dropped(reason.to_owned()),
            None if self.heavy => RungState::Dropped("the source has no more bits than it would have".to_owned()),
            None if published.has(self.rendition.shape.track) => RungState::Running,
            None => RungState::Starting,
        }
    }

    /// Leaves it out where the source has no more bits than it, and takes it up again where the source has clearly more. Returns whether
    /// that changed anything.
    pub fn weigh(&mut self, measured: u32) -> bool {
        let heavy = weighs(self.heavy, self.rendition.shape.bitrate, measured);
        std::mem::replace(&mut self.heavy, heavy) != heavy
    }
}

/// A rung comes back only when the source has clearly more, so that it does not come and go.
fn weighs(before: bool, bitrate: u32, measured: u32) -> bool {
    let (bitrate, measured) = (u64::from(bitrate), u64::from(measured));
    measured * 10 <= bitrate * if before { 13 } else { 10 }
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
