//! The multivariant playlist: one variant, and its sound as a group of its own.

use std::fmt::Write;

use ::media::{FrameRate, Parameters};

use super::{Choice, names};
use crate::Window;
use crate::window::Rendition;

/// Writes the multivariant playlist. `folder` is what leads from it to the media playlists, with its slash: `colors/ID/`.
pub fn multivariant(window: &Window, folder: &str, choice: Choice) -> String {
    let mut out = String::from("#EXTM3U\n#EXT-X-VERSION:6\n");
    let query = choice.query();
    let uri = |rendition: &Rendition| format!("{folder}{}.m3u8{query}", names::rendition(rendition.kind));
    let grouped = window.audio.as_ref().filter(|_| window.video.is_some());
    if let Some(audio) = grouped {
        let channels = match &audio.init.parameters {
            Parameters::Audio(audio) => audio.channels,
            Parameters::Video(_) => 2,
        };
        push(
            &mut out,
            format_args!(
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Audio\",LANGUAGE=\"und\",DEFAULT=YES,AUTOSELECT=YES,\
                 CHANNELS=\"{channels}\",URI=\"{}\"\n",
                uri(audio)
            ),
        );
    }
    if let Some(own) = window.renditions().next() {
        stream_inf(&mut out, window, own, grouped.is_some());
        push(&mut out, format_args!("{}\n", uri(own)));
    }
    out
}

fn stream_inf(out: &mut String, window: &Window, own: &Rendition, grouped: bool) {
    let (peak, average) = window.renditions().fold((0, 0), |(peak, average), rendition| {
        let bandwidth = rendition.bandwidth;
        (peak + bandwidth.peak, average + bandwidth.average)
    });
    let codecs: Vec<&str> = window
        .renditions()
        .map(|rendition| rendition.init.parameters.codec_string())
        .collect();
    push(
        out,
        format_args!(
            "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}\"",
            peak.max(1),
            average.max(1),
            codecs.join(",")
        ),
    );
    if let Parameters::Video(video) = &own.init.parameters {
        push(out, format_args!(",RESOLUTION={}x{}", video.width, video.height));
    }
    if let Some(rate) = own.frame_rate {
        push(out, format_args!(",FRAME-RATE={}", decimal(rate)));
    }
    out.push_str(if grouped { ",AUDIO=\"audio\"\n" } else { "\n" });
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
            "\"avc1.64001F,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=30.000,AUDIO=\"audio\"\ncolors/ID/video.m3u8\n"
        );
    }

    #[test]
    fn a_choice_is_handed_on_to_the_children() {
        let window = Broadcast::live(Source::default(), 8).window();
        let choice = Choice {
            normal: true,
            window_seconds: Some(30),
        };
        let text = multivariant(&window, "x/", choice);
        assert!(text.ends_with("x/video.m3u8?latency=normal&window=30\n"), "{text}");
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
        assert!(text.ends_with("FRAME-RATE=30.000\nx/video.m3u8\n"), "{text}");
        assert!(!text.contains("AUDIO"));
    }
}
