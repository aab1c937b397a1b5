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

    /// What one of several sounds is called, as nobody says more of it.
    pub(crate) fn name(&self) -> String {
        match self.track.index {
            sent @ 1..TrackId::DERIVED => format!("Audio {}", sent + 1),
            // The main one, or what is made of it.
            _ => "Audio".to_owned(),
        }
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

/// All sounds: first those that everybody can decode, of these what is made of the main one before what the source sends beside it.
pub(crate) fn all_sounds(window: &Window) -> Vec<Quality<'_>> {
    let tracks = tracks(window, Kind::Audio).into_iter();
    let mut sounds: Vec<_> = tracks.filter_map(|track| Quality::of(window, track)).collect();
    sounds.sort_by_key(|sound| (!plays_everywhere(sound), !sound.track.is_derived(), sound.track));
    sounds
}

/// Sounds that everybody can decode, where there are some; else those that the source sends.
pub(crate) fn sounds(window: &Window) -> Vec<Quality<'_>> {
    let mut sounds = all_sounds(window);
    if sounds.first().is_some_and(plays_everywhere) {
        sounds.retain(plays_everywhere);
    }
    sounds
}

/// AAC is what every player has.
fn plays_everywhere(sound: &Quality<'_>) -> bool {
    sound.codec_string.starts_with("mp4a.40")
}

/// The variants that a viewer wants, in the order they want. Where no picture is as they want, it is the nearest. Sound alone goes with
/// the pictures of those who set no lower limit, and stands alone where there is no picture.
pub(crate) fn chosen<'a, 'b>(all: &'a [Quality<'b>], choice: Choice) -> Vec<&'a Quality<'b>> {
    let (least, most) = (
        choice.resolution_min.unwrap_or(0),
        choice.resolution_max.unwrap_or(u32::MAX),
    );
    let is_picture = |variant: &&Quality<'_>| variant.track.kind == Kind::Video;
    let fits = |variant: &&Quality<'_>| (least..=most).contains(&variant.lines());
    let distance = |variant: &&Quality<'_>| match variant.lines() {
        lines if lines > most => lines - most,
        lines => least.saturating_sub(lines),
    };
    let mut chosen: Vec<_> = all.iter().filter(is_picture).filter(fits).collect();
    if chosen.is_empty() {
        chosen.extend(all.iter().filter(is_picture).min_by_key(distance));
    }
    let no_limit = least == 0 || chosen.is_empty();
    chosen.extend(all.iter().filter(|variant| !is_picture(variant) && no_limit));
    match choice.descending {
        Some(true) => chosen.sort_by_key(|variant| std::cmp::Reverse((variant.lines(), variant.peak))),
        Some(false) => chosen.sort_by_key(|variant| (variant.lines(), variant.peak)),
        None => {}
    }
    chosen
}

/// Whether a viewer wants no picture at all, where there is sound.
pub(crate) fn wants_sound_alone(sounds: &[Quality<'_>], choice: Choice) -> bool {
    choice.resolution_max == Some(0) && !sounds.is_empty()
}

/// One more for each variant that is less.
pub(crate) fn score(all: &[Quality<'_>], of: &Quality<'_>) -> usize {
    let rank = |variant: &Quality<'_>| (variant.lines(), variant.peak);
    1 + all.iter().filter(|variant| rank(variant) < rank(of)).count()
}
