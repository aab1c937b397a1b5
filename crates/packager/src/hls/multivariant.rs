//! The multivariant playlist: a variant for each quality of the picture, the sounds as a group of their own, and where there are
//! several qualities the sound alone as the last of them, for links that carry no picture.

use std::fmt::Write;

use ::media::{FrameRate, Kind, Parameters};

use super::names::Stem;
use super::{Choice, iframes};
use crate::Window;
use crate::qualities::{self, Quality};

/// Writes the multivariant playlist. `folder` is what leads from it to the media playlists, with its slash: `colors/ID/`.
pub fn multivariant(window: &Window, folder: &str, choice: Choice) -> String {
    let mut out = String::from("#EXTM3U\n#EXT-X-VERSION:6\n");
    let query = choice.query();
    let sounds = qualities::sounds(window);
    let pictures = match qualities::wants_sound_alone(&sounds, choice) {
        true => Vec::new(),
        false => qualities::pictures(window),
    };
    let grouped = !sounds.is_empty() && (!pictures.is_empty() || sounds.len() > 1);
    for (place, sound) in sounds.iter().enumerate().filter(|_| grouped) {
        group_member(
            &mut out,
            place,
            sound,
            &format!("{folder}{}.m3u8{query}", Stem(sound.track)),
        );
    }
    let listed = variants(&pictures, &sounds);
    let chosen = qualities::chosen(&listed, choice);
    for variant in &chosen {
        let score = (chosen.len() > 1).then(|| qualities::score(&listed, variant));
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

/// What is to be chosen from: the pictures, and the sound alone beside several of them or where there is none.
fn variants<'a>(pictures: &[Quality<'a>], sounds: &[Quality<'a>]) -> Vec<Quality<'a>> {
    let mut variants = pictures.to_vec();
    if pictures.len() != 1 {
        variants.extend(sounds.first());
    }
    variants
}

fn group_member(out: &mut String, place: usize, sound: &Quality<'_>, uri: &str) {
    let channels = match sound.rendition.map(|rendition| &rendition.init.parameters) {
        Some(Parameters::Audio(audio)) => audio.channels,
        _ => 2,
    };
    let name = sound.name();
    let default = if place == 0 { "YES" } else { "NO" };
    push(
        out,
        format_args!(
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"{name}\",LANGUAGE=\"und\",DEFAULT={default},AUTOSELECT=YES,\
             CHANNELS=\"{channels}\",URI=\"{uri}\"\n"
        ),
    );
}

fn stream_inf(out: &mut String, own: &Quality<'_>, sounds: &[Quality<'_>], score: Option<usize>) {
    let of_sounds = |bits: fn(&Quality<'_>) -> u64| sounds.iter().map(bits).max().unwrap_or(0);
    let (mut peak, mut average) = (of_sounds(|sound| sound.peak), of_sounds(|sound| sound.average));
    if own.track.kind == Kind::Video || sounds.is_empty() {
        peak += own.peak;
        average += own.average;
    }
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
fn i_frame_stream_inf(out: &mut String, variant: &Quality<'_>, folder: &str) {
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
