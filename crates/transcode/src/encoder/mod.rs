//! The encoders, and how each is told to keep to the source's frames: what goes in at a time comes out at that time at once, key
//! frames stand where the source's do and nowhere else.

mod probe;

use hub::Codec;

pub use probe::{Found, Probe, has_opus, probe};

use crate::ladder::{Shape, Speed};
use crate::own_options::OwnOptions;

/// Never reached: key frames come from the source alone.
const GROUP_MAX: &str = "100000";
/// Where Linux has its first graphics processor.
const RENDER_NODE: &str = "/dev/dri/renderD128";

/// What encodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Family {
    /// The processor: libx264, libx265, SVT-AV1.
    #[default]
    Software,
    /// NVIDIA's NVENC.
    Nvenc,
    /// VAAPI, of Intel's and AMD's graphics.
    Vaapi,
    /// Intel's Quick Sync.
    Qsv,
}

/// One encoder of ffmpeg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Encoder {
    /// What encodes.
    pub family: Family,
    /// What it makes.
    pub codec: Codec,
}

/// Every encoder that a ladder may use.
pub const ENCODERS: [Encoder; 9] = {
    const fn encoder(family: Family, codec: Codec) -> Encoder {
        Encoder { family, codec }
    }
    [
        encoder(Family::Software, Codec::Avc),
        encoder(Family::Software, Codec::Hevc),
        encoder(Family::Software, Codec::Av1),
        encoder(Family::Nvenc, Codec::Avc),
        encoder(Family::Nvenc, Codec::Hevc),
        encoder(Family::Vaapi, Codec::Avc),
        encoder(Family::Vaapi, Codec::Hevc),
        encoder(Family::Qsv, Codec::Avc),
        encoder(Family::Qsv, Codec::Hevc),
    ]
};

impl Encoder {
    /// The encoder of a codec that runs on `family`; software where that has none.
    pub fn of(family: Family, codec: Codec) -> Self {
        let wanted = Self { family, codec };
        if ENCODERS.contains(&wanted) {
            wanted
        } else {
            wanted.in_software()
        }
    }

    /// The one that makes the same on the processor.
    pub fn in_software(self) -> Self {
        Self {
            family: Family::Software,
            ..self
        }
    }

    /// As ffmpeg names it.
    pub fn name(self) -> &'static str {
        match (self.family, self.codec) {
            (Family::Nvenc, Codec::Avc) => "h264_nvenc",
            (Family::Nvenc, Codec::Hevc) => "hevc_nvenc",
            (Family::Vaapi, Codec::Avc) => "h264_vaapi",
            (Family::Vaapi, Codec::Hevc) => "hevc_vaapi",
            (Family::Qsv, Codec::Avc) => "h264_qsv",
            (Family::Qsv, Codec::Hevc) => "hevc_qsv",
            (_, Codec::Avc) => "libx264",
            (_, Codec::Hevc) => "libx265",
            (_, Codec::Av1) => "libsvtav1",
        }
    }

    /// Arguments that stand before the input: the device.
    pub fn device(self) -> &'static [&'static str] {
        match self.family {
            Family::Vaapi => &["-vaapi_device", RENDER_NODE],
            Family::Qsv => &["-init_hw_device", "qsv=hw", "-filter_hw_device", "hw"],
            Family::Software | Family::Nvenc => &[],
        }
    }

    /// What the last filter before it must give.
    pub fn pixels(self) -> &'static str {
        match self.family {
            Family::Software => "format=yuv420p",
            Family::Nvenc | Family::Qsv => "format=nv12",
            Family::Vaapi => "format=nv12,hwupload",
        }
    }

    /// Arguments of the output that it makes; the operator's own stand behind ours.
    pub fn arguments(self, shape: &Shape, speed: Speed, threads: usize, own: &OwnOptions) -> Vec<String> {
        let mut out = Vec::new();
        let mut put = |words: &[&str]| out.extend(words.iter().map(|word| (*word).to_owned()));
        put(&["-c:v", self.name()]);
        let params = |ours: &str| {
            own.params(self)
                .fold(ours.to_owned(), |all, pair| format!("{all}:{pair}"))
        };
        match (self.family, self.codec) {
            (Family::Software, Codec::Avc) => {
                put(&[
                    "-preset",
                    x26x_preset(speed),
                    "-tune",
                    "zerolatency",
                    "-profile:v",
                    "high",
                ]);
                put(&[
                    "-level:v",
                    &decimal(shape.level()),
                    "-sc_threshold",
                    "0",
                    "-forced-idr",
                    "1",
                ]);
            }
            (Family::Software, Codec::Hevc) => {
                put(&[
                    "-preset",
                    x26x_preset(speed),
                    "-tune",
                    "zerolatency",
                    "-profile:v",
                    "main",
                    "-forced-idr",
                    "1",
                ]);
                // An open group could not be cut where the source's begins.
                let ours = format!(
                    "level-idc={}:open-gop=0:scenecut=0:bframes=0:keyint=-1:frame-threads=1:pools={threads}:log-level=error",
                    decimal(shape.level())
                );
                put(&["-x265-params", &params(&ours)]);
            }
            (Family::Software, Codec::Av1) => {
                put(&["-preset", svt_preset(speed)]);
                // Low delay: no frame waits for one after it.
                let ours = format!("pred-struct=1:lookahead=0:scd=0:keyint=-1:rc=2:lp={threads}");
                put(&["-svtav1-params", &params(&ours)]);
            }
            (Family::Nvenc, _) => {
                put(&[
                    "-preset",
                    "p4",
                    "-tune",
                    "ull",
                    "-rc",
                    "cbr",
                    "-zerolatency",
                    "1",
                    "-delay",
                    "0",
                ]);
                put(&["-forced-idr", "1", "-no-scenecut", "1", "-surfaces", "8"]);
            }
            (Family::Vaapi, _) => put(&["-rc_mode", "CBR", "-async_depth", "1", "-idr_interval", "0"]),
            (Family::Qsv, _) => {
                put(&[
                    "-preset",
                    "veryfast",
                    "-look_ahead",
                    "0",
                    "-async_depth",
                    "1",
                    "-forced_idr",
                    "1",
                ]);
            }
        }
        let (average, peak) = (shape.bitrate.to_string(), shape.peak().to_string());
        put(&["-b:v", &average]);
        // SVT-AV1 takes a peak only where it aims at a constant quality.
        if self.codec != Codec::Av1 {
            put(&["-maxrate:v", &peak, "-bufsize:v", &average]);
        }
        put(&["-bf", "0", "-g", GROUP_MAX, "-force_key_frames", "source"]);
        put(&["-threads:v", &threads.to_string()]);
        if self.family == Family::Software && self.codec == Codec::Avc && own.params(self).next().is_some() {
            put(&["-x264-params", params("").trim_start_matches(':')]);
        }
        out.extend(own.for_encoder(self));
        out
    }
}

fn x26x_preset(speed: Speed) -> &'static str {
    match speed {
        Speed::Superfast => "superfast",
        Speed::Veryfast => "veryfast",
        Speed::Fast => "fast",
    }
}

fn svt_preset(speed: Speed) -> &'static str {
    match speed {
        Speed::Superfast => "12",
        Speed::Veryfast => "10",
        Speed::Fast => "8",
    }
}

/// `3.1` for level 31.
fn decimal(level: u8) -> String {
    format!("{}.{}", level / 10, level % 10)
}

#[cfg(test)]
mod tests {
    use media::{FrameRate, TrackId};

    use super::*;

    fn arguments(family: Family, codec: Codec) -> String {
        let shape = Shape {
            track: TrackId::VIDEO,
            name: "480p".into(),
            width: 854,
            height: 480,
            divisor: 1,
            frame_rate: FrameRate::new(30, 1),
            frame_rate_max: 30,
            bitrate: 1_100_000,
            codec,
        };
        Encoder::of(family, codec)
            .arguments(&shape, Speed::Veryfast, 2, &OwnOptions::default())
            .join(" ")
    }

    #[test]
    fn x264_keeps_to_the_source() {
        assert_eq!(
            arguments(Family::Software, Codec::Avc),
            "-c:v libx264 -preset veryfast -tune zerolatency -profile:v high -level:v 3.1 -sc_threshold 0 -forced-idr 1 \
             -b:v 1100000 -maxrate:v 1320000 -bufsize:v 1100000 -bf 0 -g 100000 -force_key_frames source -threads:v 2"
        );
    }

    #[test]
    fn every_encoder_takes_its_key_frames_from_the_source_and_reorders_nothing() {
        for encoder in ENCODERS {
            let arguments = arguments(encoder.family, encoder.codec);
            assert!(arguments.starts_with(&format!("-c:v {} ", encoder.name())));
            assert!(
                arguments.contains(" -bf 0 -g 100000 -force_key_frames source"),
                "{arguments}"
            );
            assert!(arguments.contains(" -b:v 1100000 "), "{arguments}");
        }
    }

    #[test]
    fn nvenc_gives_frames_out_at_once() {
        assert_eq!(
            arguments(Family::Nvenc, Codec::Avc),
            "-c:v h264_nvenc -preset p4 -tune ull -rc cbr -zerolatency 1 -delay 0 -forced-idr 1 -no-scenecut 1 -surfaces 8 \
             -b:v 1100000 -maxrate:v 1320000 -bufsize:v 1100000 -bf 0 -g 100000 -force_key_frames source -threads:v 2"
        );
    }

    #[test]
    fn vaapi_and_quick_sync_keep_one_frame_at_a_time() {
        assert!(
            arguments(Family::Vaapi, Codec::Hevc)
                .contains("-c:v hevc_vaapi -rc_mode CBR -async_depth 1 -idr_interval 0")
        );
        assert!(arguments(Family::Qsv, Codec::Avc).contains("-look_ahead 0 -async_depth 1 -forced_idr 1"));
    }

    #[test]
    fn what_a_family_does_not_make_is_made_in_software() {
        assert_eq!(Encoder::of(Family::Vaapi, Codec::Av1).name(), "libsvtav1");
    }
}
