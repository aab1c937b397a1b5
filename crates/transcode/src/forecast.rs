//! What would be made of a source, without making it.

use std::sync::Arc;

use hub::{Codec, Ladder};
use media::FrameRate;

use crate::admission::Budget;
use crate::cost;
use crate::encoder::{Encoder, Family, Found};
use crate::job;
use crate::ladder::{Preset, Source, shapes};

/// A ladder as it would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// The rungs, the best first.
    pub rungs: Vec<Foreseen>,
    /// What decoding the source would cost, in thousandths of a processor.
    pub decode_cost: u32,
    /// What its owner should know of the whole.
    pub notice: Option<String>,
}

/// A rung as it would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// What it is called.
    pub name: Arc<str>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames per second, where known.
    pub frame_rate: Option<FrameRate>,
    /// Bits per second on average.
    pub bitrate: u32,
    /// What it is encoded as.
    pub codec: Codec,
    /// The encoder by its name.
    pub encoder: &'static str,
    /// What it would cost, in thousandths of a processor.
    pub cost: u32,
    /// Whether there is room for it now.
    pub fits: bool,
}

/// Foresees what `ladder` would be of a source where `room` thousandths of a processor are free.
pub(crate) fn forecast(
    (presets, family, encoders): (&[Preset], Family, &Found),
    ladder: &Ladder,
    source: &Source,
    room: u32,
) -> Forecast {
    let Some(asked) = job::asked(presets, ladder) else {
        return Forecast::default();
    };
    let mut notices: Vec<String> = asked.notice.into_iter().collect();
    let mut foreseen = Vec::new();
    for shape in shapes(source, &asked.wanted) {
        let (encoder, notice) = encoders.choose(Encoder::of(family, shape.codec));
        notices.extend(notice.filter(|notice| !notices.contains(notice)));
        foreseen.push(Foreseen {
            cost: cost::encode(source, &shape, encoder, asked.preset.speed),
            encoder: encoder.name(),
            name: shape.name,
            width: shape.width,
            height: shape.height,
            frame_rate: shape.frame_rate,
            bitrate: shape.bitrate,
            codec: shape.codec,
            fits: true,
        });
    }
    let (decode_cost, costs) = (
        cost::decode(source),
        foreseen.iter().map(|rung| rung.cost).collect::<Vec<_>>(),
    );
    let (_, left_out) = Budget::new(room).reserve(decode_cost, &costs);
    foreseen.iter_mut().take(left_out).for_each(|rung| rung.fits = false);
    Forecast {
        rungs: foreseen,
        decode_cost,
        notice: (!notices.is_empty()).then(|| notices.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use media::VideoCodec;

    use super::*;

    fn of(ladder: &Ladder, room: u32) -> Forecast {
        let source = Source {
            codec: VideoCodec::Avc,
            width: 1_280,
            height: 720,
            frame_rate: FrameRate::new(30, 1),
            bitrate: Some(3_000_000),
        };
        forecast((&[], Family::Software, &Found::default()), ladder, &source, room)
    }

    #[test]
    fn what_is_foreseen_is_what_the_preset_makes_of_the_source() {
        let forecast = of(&Ladder::Preset("default".into()), 64_000);
        let sizes: Vec<_> = forecast.rungs.iter().map(|rung| (rung.height, rung.fits)).collect();
        assert_eq!(sizes, [(480, true), (360, true), (240, true)]);
        assert!(
            forecast
                .rungs
                .iter()
                .all(|rung| rung.encoder == "libx264" && rung.cost > 0)
        );
        assert_eq!(forecast.notice, None);
    }

    #[test]
    fn what_finds_no_room_is_said_so_from_the_top() {
        let all = of(&Ladder::Preset("default".into()), 64_000);
        let lowest = all.rungs.last().expect("a rung").cost;
        let tight = of(&Ladder::Preset("default".into()), all.decode_cost + lowest);
        let fits: Vec<_> = tight.rungs.iter().map(|rung| rung.fits).collect();
        assert_eq!(fits, [false, false, true]);
    }

    #[test]
    fn nothing_is_foreseen_where_nothing_is_asked_for() {
        assert_eq!(of(&Ladder::Off, 64_000), Forecast::default());
        assert!(of(&Ladder::Preset("no such".into()), 64_000).notice.is_some());
    }
}
