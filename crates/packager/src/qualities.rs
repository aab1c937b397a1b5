//! The qualities of a broadcast's picture, and its sounds, whether there or planned; and which of them a viewer wants.

use media::{FrameRate, Kind, Parameters, TrackId};

use crate::Window;
use crate::hls::Choice;
use crate::window::Rendition;

/// One quality as it is listed, whether anything of it is there yet or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quality<'a> {
    pub(crate) track: TrackId,
    pub(crate) codec_string: &'a str,
    /// Of pictures.
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) frame_rate: Option<FrameRate>,
    pub(crate) peak: u64,
    pub(crate) average: u64,
    pub(crate) rendition: Option<&'a Rendition>,
}

impl<'a> Quality<'a> {
    pub(crate) fn of(window: &'a Window, track: TrackId) -> Option<Self> {
        let (rendition, planned) = (window.rendition(track), window.plan(track));
        let Some(rendition) = rendition else {
            let planned = planned?;
            return Some(Self {
                track,
                codec_string: &planned.codec_string,
                size: (track.kind == Kind::Video).then_some((planned.width, planned.height)),
                frame_rate: planned.frame_rate,
                peak: planned.peak.into(),
                average: planned.average.into(),
                rendition: None,
            });
        };
        let parameters = &rendition.init.parameters;
        let bandwidth = rendition.bandwidth;
        let (peak, average) = planned.map_or((0, 0), |planned| (planned.peak.into(), planned.average.into()));
        Some(Self {
            track,
            codec_string: parameters.codec_string(),
            size: match parameters {
                Parameters::Video(video) => Some((video.width, video.height)),
                Parameters::Audio(_) => None,
            },
            frame_rate: rendition.frame_rate.or(planned.and_then(|planned| planned.frame_rate)),
            // What was promised stays promised: players weigh qualities by it.
            peak: bandwidth.peak.max(peak),
            average: bandwidth.average.max(average.min(bandwidth.peak.max(peak))),
            rendition: Some(rendition),
        })
    }

    /// Pixels of the shorter side, which names a quality.
    fn lines(&self) -> u32 {
        self.size.map_or(0, |(width, height)| width.min(height))
    }
}

/// All tracks of a kind that are there or planned, the main one first.
fn tracks(window: &Window, kind: Kind) -> Vec<TrackId> {
    let there = window.renditions().map(|rendition| rendition.track);
    let planned = window.planned.iter().map(|planned| planned.track);
    let mut tracks: Vec<_> = there.chain(planned).filter(|track| track.kind == kind).collect();
    tracks.sort_unstable();
    tracks.dedup();
    tracks
}

/// The qualities of the picture, that of the source first.
pub(crate) fn pictures(window: &Window) -> Vec<Quality<'_>> {
    let tracks = tracks(window, Kind::Video).into_iter();
    tracks.filter_map(|track| Quality::of(window, track)).collect()
}

/// Sounds that everybody can decode, where some are made; else those that the source sends.
pub(crate) fn sounds(window: &Window) -> Vec<Quality<'_>> {
    let tracks = tracks(window, Kind::Audio);
    let made = tracks.iter().any(|track| track.is_derived());
    let tracks = tracks.into_iter().filter(|track| track.is_derived() == made);
    tracks.filter_map(|track| Quality::of(window, track)).collect()
}

/// The variants that a viewer wants, in the order they want. Where none is as they want, it is the nearest.
pub(crate) fn chosen<'a, 'b>(all: &'a [Quality<'b>], choice: Choice) -> Vec<&'a Quality<'b>> {
    let (least, most) = (
        choice.resolution_min.unwrap_or(0),
        choice.resolution_max.unwrap_or(u32::MAX),
    );
    let fits = |variant: &&Quality<'_>| (least..=most).contains(&variant.lines());
    let distance = |variant: &&Quality<'_>| match variant.lines() {
        lines if lines > most => lines - most,
        lines => least.saturating_sub(lines),
    };
    let mut chosen: Vec<_> = all.iter().filter(fits).collect();
    if chosen.is_empty() {
        chosen.extend(all.iter().min_by_key(distance));
    }
    match choice.descending {
        Some(true) => chosen.sort_by_key(|variant| std::cmp::Reverse((variant.lines(), variant.peak))),
        Some(false) => chosen.sort_by_key(|variant| (variant.lines(), variant.peak)),
        None => {}
    }
    chosen
}

/// One more for each variant that is less.
pub(crate) fn score(all: &[Quality<'_>], of: &Quality<'_>) -> usize {
    let rank = |variant: &Quality<'_>| (variant.lines(), variant.peak);
    1 + all.iter().filter(|variant| rank(variant) < rank(of)).count()
}
