//! The multivariant playlist: a variant for each quality of the picture, and the sounds as a group of their own.

use std::fmt::Write;

use ::media::{FrameRate, Kind, Parameters, TrackId};

use super::names::Stem;
use super::{Choice, iframes};
use crate::Window;
use crate::window::Rendition;

/// One quality as it is listed, whether anything of it is there yet or not.
#[derive(Debug)]
struct Variant<'a> {
    track: TrackId,
    codec_string: &'a str,
    /// Of pictures.
    size: Option<(u32, u32)>,
    frame_rate: Option<FrameRate>,
    peak: u64,
    average: u64,
    rendition: Option<&'a Rendition>,
}

/// Writes the multivariant playlist. `folder` is what leads from it to the media playlists, with its slash: `colors/ID/`.
pub fn multivariant(window: &Window, folder: &str, choice: Choice) -> String {
    let mut out = String::from("#EXTM3U\n#EXT-X-VERSION:6\n");
    let query = choice.query();
    let (pictures, sounds) = (pictures(window), sounds(window));
    let grouped = !pictures.is_empty() && !sounds.is_empty();
    for (place, sound) in sounds.iter().enumerate().filter(|_| grouped) {
        group_member(
            &mut out,
            place,
            sound,
            &format!("{folder}{}.m3u8{query}", Stem(sound.track)),
        );
    }
    let listed = if pictures.is_empty() { &sounds } else { &pictures };
    let chosen = chosen(listed, choice);
    for variant in &chosen {
        let score = (chosen.len() > 1).then(|| score(listed, variant));
        stream_inf(
            &mut out,
            variant,
            &sounds[..if grouped { sounds.len() } else { 0 }],
            score,
        );
        push(&mut out, format_args!("{folder}{}.m3u8{query}\n", Stem(variant.track)));
    }
    for variant in chosen.iter().filter(|variant| variant.track.kind == Kind::Video) {
        i_frame_stream_inf(&mut out, variant, folder);
    }
    out
}

impl<'a> Variant<'a> {
    fn of(window: &'a Window, track: TrackId) -> Option<Self> {
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

fn pictures(window: &Window) -> Vec<Variant<'_>> {
    let tracks = tracks(window, Kind::Video).into_iter();
    tracks.filter_map(|track| Variant::of(window, track)).collect()
}

/// Sounds that everybody can decode, where some are made; else those that the source sends.
fn sounds(window: &Window) -> Vec<Variant<'_>> {
    let tracks = tracks(window, Kind::Audio);
    let made = tracks.iter().any(|track| track.is_derived());
    let tracks = tracks.into_iter().filter(|track| track.is_derived() == made);
    tracks.filter_map(|track| Variant::of(window, track)).collect()
}

/// The variants that a viewer wants, in the order they want. Where none is as they want, it is the nearest.
fn chosen<'a, 'b>(all: &'a [Variant<'b>], choice: Choice) -> Vec<&'a Variant<'b>> {
    let (least, most) = (
        choice.resolution_min.unwrap_or(0),
        choice.resolution_max.unwrap_or(u32::MAX),
    );
    let fits = |variant: &&Variant<'_>| (least..=most).contains(&variant.lines());
    let distance = |variant: &&Variant<'_>| match variant.lines() {
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
fn score(all: &[Variant<'_>], of: &Variant<'_>) -> usize {
    let rank = |variant: &Variant<'_>| (variant.lines(), variant.peak);
    1 + all.iter().filter(|variant| rank(variant) < rank(of)).count()
}

fn group_member(out: &mut String, place: usize, sound: &Variant<'_>, uri: &str) {
    let channels = match sound.rendition.map(|rendition| &rendition.init.parameters) {
        Some(Parameters::Audio(audio)) => audio.channels,
        _ => 2,
    };
    let name = if place == 0 {
        "Audio".to_owned()
    } else {
        format!("Audio {}", place + 1)
    };
    let default = if place == 0 { "YES" } else { "NO" };
    push(
        out,
        format_args!(
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"{name}\",LANGUAGE=\"und\",DEFAULT={default},AUTOSELECT=YES,\
             CHANNELS=\"{channels}\",URI=\"{uri}\"\n"
        ),
    );
}

fn stream_inf(out: &mut String, own: &Variant<'_>, sounds: &[Variant<'_>], score: Option<usize>) {
    let of_sounds = |bits: fn(&Variant<'_>) -> u64| sounds.iter().map(bits).max().unwrap_or(0);
    let peak = own.peak + of_sounds(|sound| sound.peak);
    let average = own.average + of_sounds(|sound| sound.average);
    let mut codecs = vec![own.codec_string];
    for sound in sounds {
        if !codecs.contains(&sound.codec_string) {
            codecs.push(sound.codec_string);
        }
    }
    push(
        out,
        format_args!(
            "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}\"",
            peak.max(1),
            average.max(1),
            codecs.join(",")
        ),
    );
    if let Some((width, height)) = own.size {
        push(out, format_args!(",RESOLUTION={width}x{height}"));
    }
    if let Some(rate) = own.frame_rate {
        push(out, format_args!(",FRAME-RATE={}", decimal(rate)));
    }
    if let Some(score) = score {
        push(out, format_args!(",SCORE={score}"));
    }
    out.push_str(if sounds.is_empty() { "\n" } else { ",AUDIO=\"audio\"\n" });
}

/// Pictures to look through, once there are any.
fn i_frame_stream_inf(out: &mut String, variant: &Variant<'_>, folder: &str) {
    let Some(bandwidth) = variant.rendition.and_then(iframes::bandwidth) else {
        return;
    };
    push(
        out,
        format_args!(
            "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={bandwidth},CODECS=\"{}\"",
            variant.codec_string
        ),
    );
    if let Some((width, height)) = variant.size {
        push(out, format_args!(",RESOLUTION={width}x{height}"));
    }
    push(
        out,
        format_args!(",URI=\"{folder}{}.iframes.m3u8\"\n", Stem(variant.track)),
    );
}

/// A frame rate with three digits after the point.
fn decimal(rate: FrameRate) -> String {
    let seconds = u64::from(rate.seconds);
    let thousandths = (u64::from(rate.frames) * 1_000 + seconds / 2) / seconds;
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes all that is written to it");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Broadcast, Source};

    #[test]
    fn sound_is_a_group_of_its_own() {
        let window = Broadcast::live(Source::default(), 8).window();
        let text = multivariant(&window, "colors/ID/", Choice::default());
        let (head, rest) = text.split_once("#EXT-X-STREAM-INF:").expect("a variant");
        assert_eq!(
            head,
            "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Audio\",LANGUAGE=\"und\",DEFAULT=YES,\
             AUTOSELECT=YES,CHANNELS=\"2\",URI=\"colors/ID/audio.m3u8\"\n"
        );
        let (_, rest) = rest.split_once(",CODECS=").expect("bandwidths before codecs");
        assert_eq!(
            rest,
            "\"avc1.64001F,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=30.000,AUDIO=\"audio\"\ncolors/ID/video.m3u8\n\
             #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=33312,CODECS=\"avc1.64001F\",RESOLUTION=1280x720,URI=\"colors/ID/video.iframes.m3u8\"\n"
        );
    }

    #[test]
    fn a_choice_is_handed_on_to_the_children() {
        let window = Broadcast::live(Source::default(), 8).window();
        let choice = Choice {
            normal: true,
            window_seconds: Some(30),
            ..Choice::default()
        };
        let text = multivariant(&window, "x/", choice);
        assert!(text.contains("\nx/video.m3u8?latency=normal&window=30\n"), "{text}");
        assert!(text.contains("URI=\"x/audio.m3u8?latency=normal&window=30\""));
    }

    #[test]
    fn sound_alone_is_the_variant_itself() {
        let source = Source {
            video: None,
            ..Source::default()
        };
        let text = multivariant(&Broadcast::live(source, 8).window(), "x/", Choice::default());
        assert!(text.ends_with(",CODECS=\"mp4a.40.2\"\nx/audio.m3u8\n"), "{text}");
        assert!(!text.contains("EXT-X-MEDIA:"));
    }

    #[test]
    fn a_picture_alone_has_no_group() {
        let source = Source {
            audio: None,
            ..Source::default()
        };
        let text = multivariant(&Broadcast::live(source, 8).window(), "x/", Choice::default());
        assert!(text.contains("FRAME-RATE=30.000\nx/video.m3u8\n"), "{text}");
        assert!(!text.contains("AUDIO"));
    }
}
