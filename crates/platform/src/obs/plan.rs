//! Which tracks OBS is asked for.

use hub::{Codec, Rung};
use media::TrackId;

use super::encoder::Encoder;
use super::request::{Canvas, FramesPerSecond, Request};

/// What this server takes from one OBS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Video tracks.
    pub tracks_max: usize,
    /// Kilobits per second of all tracks together, audio included.
    pub kbps_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tracks_max: usize::from(TrackId::SENT_MAX),
            kbps_max: KBPS_MAX,
        }
    }
}

/// Kilobits per second that an OBS is asked for at most.
pub const KBPS_MAX: u32 = 40_000;
/// Encoders that one graphics card is asked to run.
pub const HARDWARE_TRACKS_MAX: usize = 5;
/// Pixels per second that one core encodes in software: half of the cores are left to OBS and its user.
const PIXELS_PER_CORE: f64 = 40e6;
/// Kilobits per second of an audio track.
pub(super) const AUDIO_KBPS: u32 = 160;
/// From this part of the main track's size on, a rung is as good as the main track.
const NEARLY: f64 = 0.9;
/// The main track is given less than it should have, down to this part of it, before a rung is left out.
const MAIN_PARTS: (u32, u32) = (3, 5);

/// One video track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Track {
    pub(super) encoder: Encoder,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) framerate: FramesPerSecond,
    pub(super) kbps: u32,
}

impl Track {
    fn pixels_per_second(&self) -> f64 {
        f64::from(self.width) * f64::from(self.height) * self.framerate.per_second()
    }
}

/// The main track and the rungs below it that fit, the best first; `None` if nothing is known of the canvas.
pub(super) fn tracks(request: &Request, rungs: &[Rung], limits: &Limits) -> Option<Vec<Track>> {
    let canvas = request.canvas()?;
    let mut main = main_track(request, canvas);
    let mut lower: Vec<Track> = rungs
        .iter()
        .filter_map(|rung| rung_track(request, canvas, rung, &main))
        .collect();
    lower.sort_by_key(|track| std::cmp::Reverse((track.height, track.kbps)));
    thin(&mut lower, tracks_max(request, limits, &main).saturating_sub(1));
    let kbps = kbps_max(request, limits);
    let least = main.kbps.saturating_mul(MAIN_PARTS.0) / MAIN_PARTS.1;
    while !lower.is_empty() && (sum(&lower).saturating_add(least) > kbps || is_too_much(request, &main, &lower)) {
        lower.remove(0);
    }
    main.kbps = main.kbps.min(kbps.saturating_sub(sum(&lower))).max(1);
    lower.insert(0, main);
    Some(lower)
}

fn main_track(request: &Request, canvas: Canvas) -> Track {
    Track {
        encoder: Encoder::of(request, Codec::Avc),
        width: even(canvas.width),
        height: even(canvas.height),
        framerate: canvas.framerate,
        kbps: usual_kbps(canvas),
    }
}

/// What a rung is of this canvas; `None` if it is hardly smaller than the main track, or has no picture.
fn rung_track(request: &Request, canvas: Canvas, rung: &Rung, main: &Track) -> Option<Track> {
    let shorter = canvas.width.min(canvas.height);
    // Nearly the same picture twice helps nobody.
    if rung.size == 0 || f64::from(rung.size) >= f64::from(shorter) * NEARLY {
        return None;
    }
    let scaled = |side: u32| even(round(f64::from(side) * f64::from(rung.size) / f64::from(shorter)));
    let kbps = rung.bitrate / 1_000;
    (kbps > 0 && kbps < main.kbps).then(|| Track {
        encoder: Encoder::of(request, rung.codec),
        width: scaled(canvas.width),
        height: scaled(canvas.height),
        framerate: slowed(canvas.framerate, rung.frame_rate_max),
        kbps,
    })
}

/// Every n-th frame, so that no more than `most` are left of a second: 60 and 59.94 both become half of it for 30.
fn slowed(framerate: FramesPerSecond, most: u32) -> FramesPerSecond {
    let divisor = round((framerate.per_second() / f64::from(most.max(1))).ceil());
    framerate.divided(divisor.max(1))
}

/// Leaves `len` tracks, spread over all of them, the least among them.
fn thin(tracks: &mut Vec<Track>, len: usize) {
    let all = tracks.len();
    if len >= all {
        return;
    }
    // The i-th of those that stay ends the i-th of `len` equal shares.
    let stays = |index: usize| (1..=len).any(|share| share * all / len == index + 1);
    *tracks = tracks
        .iter()
        .enumerate()
        .filter(|(index, _)| stays(*index))
        .map(|(_, track)| *track)
        .collect();
}

fn tracks_max(request: &Request, limits: &Limits, main: &Track) -> usize {
    let wanted = request.preferences.maximum_video_tracks;
    let wanted = wanted.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let card = if main.encoder.is_software() {
        usize::MAX
    } else {
        HARDWARE_TRACKS_MAX
    };
    limits.tracks_max.min(wanted).min(card).max(1)
}

/// Kilobits per second for video.
fn kbps_max(request: &Request, limits: &Limits) -> u32 {
    let wanted = request.preferences.maximum_aggregate_bitrate;
    let wanted = wanted.map_or(u32::MAX, |most| u32::try_from(most).unwrap_or(u32::MAX));
    let sounds = 1 + u32::from(request.preferences.vod_track_audio);
    limits.kbps_max.min(wanted).saturating_sub(sounds * AUDIO_KBPS)
}

/// Whether its processor cannot be asked for all that is encoded in software.
fn is_too_much(request: &Request, main: &Track, lower: &[Track]) -> bool {
    let software = lower.iter().chain([main]).filter(|track| track.encoder.is_software());
    let wanted: f64 = software.map(Track::pixels_per_second).sum();
    wanted > f64::from(request.capabilities.cpu.physical_cores.max(0)) / 2.0 * PIXELS_PER_CORE
}

fn sum(tracks: &[Track]) -> u32 {
    tracks.iter().map(|track| track.kbps).sum()
}

/// What a picture of this size and rate is usually given.
fn usual_kbps(canvas: Canvas) -> u32 {
    const KBPS: [(u32, u32); 6] = [
        (2_160, 18_000),
        (1_440, 10_000),
        (1_080, 6_000),
        (720, 3_500),
        (480, 1_600),
        (360, 900),
    ];
    let shorter = canvas.width.min(canvas.height);
    let kbps = KBPS.into_iter().find(|(size, _)| shorter >= *size);
    let kbps = kbps.map_or(500, |(_, kbps)| kbps);
    if canvas.framerate.per_second() > 31.0 {
        kbps * 4 / 3
    } else {
        kbps
    }
}

fn even(side: u32) -> u32 {
    (side & !1).max(2)
}

/// A float-to-integer cast saturates.
fn round(number: f64) -> u32 {
    number.round() as u32
}
