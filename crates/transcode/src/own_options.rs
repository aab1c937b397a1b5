//! What an operator adds to the encoders' arguments: only what opens nothing and leaves every frame where it is.

use hub::Codec;

use crate::encoder::{Encoder, Family};

/// Why an option is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option} cannot be used: {reason}")]
pub struct Refused {
    /// The option as it was written.
    pub option: String,
    /// Why.
    pub reason: &'static str,
}

/// Options that were checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnOptions {
    filters: Vec<String>,
    /// Of the encoder of this row of `ENCODER_OPTIONS`, with its value.
    encoder: Vec<(usize, String)>,
    params: Vec<(Params, String)>,
}

/// Encoders that take many settings in one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Params {
    X264,
    X265,
    SvtAv1,
}

const OPENS: &str = "it would open a file, a device or a network";
const MOVES: &str = "the qualities would not begin and end at the same frames";
const RATE: &str = "a rung's bitrate is its own";
const SIZE: &str = "a rung's size is its own";
const SPEED: &str = "it is said by speed";
const DELAYS: &str = "it would keep frames back";
const UNKNOWN: &str = "it is not known to be harmless";
const FORM: &str = "its value may hold letters, digits and _ . : = , + - alone";

/// Option and the encoders that take it.
const ENCODER_OPTIONS: [(&str, &[&str]); 17] = [
    ("-tune", &["libx264"]),
    ("-aq-mode", &["libx264"]),
    ("-aq-strength", &["libx264", "h264_nvenc", "hevc_nvenc"]),
    ("-psy-rd", &["libx264"]),
    ("-me_range", &["libx264"]),
    ("-motion-est", &["libx264"]),
    ("-subq", &["libx264"]),
    ("-refs", &["libx264"]),
    ("-trellis", &["libx264"]),
    ("-deblock", &["libx264"]),
    ("-qmin", &["libx264", "h264_nvenc", "hevc_nvenc"]),
    ("-qmax", &["libx264", "h264_nvenc", "hevc_nvenc"]),
    ("-qcomp", &["libx264"]),
    ("-spatial-aq", &["h264_nvenc"]),
    ("-spatial_aq", &["hevc_nvenc"]),
    ("-quality", &["h264_vaapi", "hevc_vaapi"]),
    ("-low_power", &["h264_vaapi", "hevc_vaapi", "h264_qsv", "hevc_qsv"]),
];

/// Tunings of libx264 that keep no frames back.
const TUNES: [&str; 5] = ["film", "animation", "grain", "stillimage", "psnr"];

/// Keys of `-x264-params` and `-x265-params` that change how a frame is coded and nothing else.
const X26X_PARAMS: [&str; 24] = [
    "aq-mode",
    "aq-strength",
    "psy-rd",
    "psy-rdoq",
    "psy",
    "rd",
    "deblock",
    "me",
    "merange",
    "subme",
    "ref",
    "trellis",
    "weightp",
    "qcomp",
    "qpmin",
    "qpmax",
    "ipratio",
    "chroma-qp-offset",
    "nr",
    "partitions",
    "sao",
    "limit-refs",
    "max-merge",
    "strong-intra-smoothing",
];

/// Keys of `-svtav1-params`.
const SVT_PARAMS: [&str; 5] = ["tune", "film-grain", "aq-mode", "sharpness", "enable-cdef"];

/// Filters that change colours and detail of single pictures.
const FILTERS: [&str; 14] = [
    "unsharp",
    "hqdn3d",
    "eq",
    "hue",
    "gradfun",
    "deband",
    "deblock",
    "smartblur",
    "colorbalance",
    "colortemperature",
    "vibrance",
    "cas",
    "yadif",
    "bwdif",
];

/// What is refused for a reason that is worth telling.
const REASONS: [(&str, &[&str]); 6] = [
    (
        OPENS,
        &[
            "-i",
            "-f",
            "-map",
            "-attach",
            "-init_hw_device",
            "-vaapi_device",
            "-passlogfile",
            "-pass",
            "-stats",
            "-vstats",
            "-report",
            "-progress",
            "-filter_script",
            "-filter_complex_script",
            "movie",
            "amovie",
            "subtitles",
            "ass",
            "drawtext",
            "lut3d",
            "lut1d",
            "haldclut",
            "frei0r",
            "ladspa",
            "zmq",
            "sendcmd",
            "metadata",
            "stats",
            "qpfile",
            "dump-yuv",
            "log-file",
            "cqmfile",
            "csv",
            "analysis-save",
            "analysis-load",
            "zonefile",
        ],
    ),
    (
        MOVES,
        &[
            "-g",
            "-keyint_min",
            "-force_key_frames",
            "-forced-idr",
            "-bf",
            "-b_strategy",
            "-r",
            "-vsync",
            "-fps_mode",
            "-sc_threshold",
            "-enc_time_base",
            "-copyts",
            "-ss",
            "-t",
            "-to",
            "-itsoffset",
            "-frames",
            "-shortest",
            "-async",
            "keyint",
            "min-keyint",
            "scenecut",
            "bframes",
            "open-gop",
            "intra-refresh",
            "fps",
            "force-cfr",
            "b-adapt",
            "framerate",
            "minterpolate",
            "select",
            "setpts",
            "settb",
            "decimate",
            "mpdecimate",
            "tinterlace",
            "telecine",
            "trim",
            "loop",
            "reverse",
            "framestep",
            "tmix",
            "freezeframes",
            "shuffleframes",
            "random",
            "scd",
        ],
    ),
    (
        RATE,
        &[
            "-b",
            "-b:v",
            "-maxrate",
            "-maxrate:v",
            "-bufsize",
            "-bufsize:v",
            "-crf",
            "-qp",
            "-q",
            "-q:v",
            "-rc",
            "-cq",
            "bitrate",
            "vbv-maxrate",
            "vbv-bufsize",
            "crf",
            "qp",
        ],
    ),
    (
        SIZE,
        &[
            "-s",
            "-aspect",
            "scale",
            "crop",
            "pad",
            "rotate",
            "transpose",
            "zscale",
            "scale_vaapi",
            "setsar",
            "setdar",
            "-pix_fmt",
            "format",
            "-profile",
            "-profile:v",
            "-level",
            "-level:v",
        ],
    ),
    (SPEED, &["-preset", "-speed", "preset"]),
    (
        DELAYS,
        &[
            "-rc-lookahead",
            "-look_ahead",
            "-async_depth",
            "-delay",
            "-threads",
            "rc-lookahead",
            "sync-lookahead",
            "lookahead",
            "frame-threads",
            "threads",
            "lookahead-threads",
            "enable-tf",
            "zerolatency",
        ],
    ),
];

impl OwnOptions {
    /// Reads options as they stand in a command line, without quotes: `-tune film -vf hqdn3d=2,unsharp`.
    ///
    /// # Errors
    /// Names the first option that is not allowed, and why.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let mut own = Self::default();
        let mut words = text.split_whitespace();
        while let Some(option) = words.next() {
            let known = ENCODER_OPTIONS.iter().position(|(name, _)| *name == option);
            let params = params_of(option);
            if known.is_none() && params.is_none() && !is_filter(option) {
                return Err(refused(option, option));
            }
            let value = words.next().ok_or(Refused {
                option: option.to_owned(),
                reason: "it has no value",
            })?;
            if !value
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.:=,+-".contains(c))
            {
                return Err(Refused {
                    option: format!("{option} {value}"),
                    reason: FORM,
                });
            }
            match (known, params) {
                (Some(row), _) => own.add_option(row, option, value)?,
                (_, Some(params)) => own.add_params(params, option, value)?,
                _ => own.add_filters(option, value)?,
            }
        }
        Ok(own)
    }

    /// Filters that stand behind the scaling.
    pub(crate) fn filters(&self) -> impl Iterator<Item = &str> {
        self.filters.iter().map(String::as_str)
    }

    /// What goes into the encoder's one argument of many settings, behind what stands there already.
    pub(crate) fn params(&self, encoder: Encoder) -> impl Iterator<Item = &str> {
        let of = match (encoder.family, encoder.codec) {
            (Family::Software, Codec::Avc) => Some(Params::X264),
            (Family::Software, Codec::Hevc) => Some(Params::X265),
            (Family::Software, Codec::Av1) => Some(Params::SvtAv1),
            _ => None,
        };
        let mine = move |(params, _): &&(Params, String)| Some(*params) == of;
        self.params.iter().filter(mine).map(|(_, pair)| pair.as_str())
    }

    /// Arguments for an encoder, behind our own.
    pub(crate) fn for_encoder(&self, encoder: Encoder) -> Vec<String> {
        let mut out = Vec::new();
        for (row, value) in &self.encoder {
            let (name, encoders) = ENCODER_OPTIONS[*row];
            if encoders.contains(&encoder.name()) {
                // Of two tunings the one that keeps nothing back stays.
                let value = if name == "-tune" {
                    format!("{value},zerolatency")
                } else {
                    value.clone()
                };
                out.extend([name.to_owned(), value]);
            }
        }
        out
    }

    fn add_option(&mut self, row: usize, option: &str, value: &str) -> Result<(), Refused> {
        if option == "-tune" && !TUNES.contains(&value) {
            return Err(refused(&format!("-tune {value}"), value));
        }
        self.encoder.push((row, value.to_owned()));
        Ok(())
    }

    fn add_params(&mut self, params: Params, option: &str, value: &str) -> Result<(), Refused> {
        let allowed: &[&str] = match params {
            Params::X264 | Params::X265 => &X26X_PARAMS,
            Params::SvtAv1 => &SVT_PARAMS,
        };
        for pair in value.split(':') {
            let key = pair.split('=').next().unwrap_or_default();
            let plain = key.strip_prefix("no-").unwrap_or(key);
            if !allowed.contains(&plain) {
                return Err(refused(&format!("{key} of {option}"), plain));
            }
            self.params.push((params, pair.to_owned()));
        }
        Ok(())
    }

    fn add_filters(&mut self, option: &str, value: &str) -> Result<(), Refused> {
        for filter in value.split(',') {
            let (name, arguments) = filter.split_once('=').unwrap_or((filter, ""));
            if !FILTERS.contains(&name) {
                return Err(refused(&format!("{name} of {option}"), name));
            }
            // By default they make two pictures of one.
            let single = ["", "0", "mode=0", "send_frame", "mode=send_frame"];
            if ["yadif", "bwdif"].contains(&name) && !single.contains(&arguments) {
                return Err(refused(&format!("{filter} of {option}"), "fps"));
            }
            let filter = if name == "bwdif" { "bwdif=0" } else { filter };
            self.filters.push(filter.to_owned());
        }
        Ok(())
    }
}

fn params_of(option: &str) -> Option<Params> {
    match option {
        "-x264-params" | "-x264opts" => Some(Params::X264),
        "-x265-params" => Some(Params::X265),
        "-svtav1-params" => Some(Params::SvtAv1),
        _ => None,
    }
}

fn is_filter(option: &str) -> bool {
    matches!(option, "-vf" | "-filter:v")
}

fn refused(option: &str, name: &str) -> Refused {
    let reason = REASONS.iter().find(|(_, names)| names.contains(&name));
    Refused {
        option: option.to_owned(),
        reason: reason.map_or(UNKNOWN, |(reason, _)| reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn software(codec: Codec) -> Encoder {
        Encoder::of(Family::Software, codec)
    }

    #[test]
    fn what_is_harmless_reaches_the_encoder_that_knows_it() {
        let own =
            OwnOptions::parse("-tune film -aq-mode 3 -x265-params aq-mode=2:no-sao -vf hqdn3d=2,unsharp").unwrap();
        let x264 = own.for_encoder(software(Codec::Avc));
        assert_eq!(x264, ["-tune", "film,zerolatency", "-aq-mode", "3"]);
        assert!(own.for_encoder(software(Codec::Hevc)).is_empty());
        assert_eq!(
            own.params(software(Codec::Hevc)).collect::<Vec<_>>(),
            ["aq-mode=2", "no-sao"]
        );
        assert_eq!(own.filters().collect::<Vec<_>>(), ["hqdn3d=2", "unsharp"]);
    }

    #[test]
    fn what_opens_or_moves_something_is_refused_with_the_reason() {
        for (text, reason) in [
            ("-i /etc/passwd", OPENS),
            ("-f tee", OPENS),
            ("-vf movie=x", OPENS),
            ("-vf unsharp,subtitles=a.srt", OPENS),
            ("-vf drawtext=textfile=x", OPENS),
            ("-x264-params stats=x", OPENS),
            ("-x264-params aq-mode=1:dump-yuv=x", OPENS),
            ("-x265-params csv=x", OPENS),
            ("-g 30", MOVES),
            ("-keyint_min 2", MOVES),
            ("-force_key_frames 1", MOVES),
            ("-bf 2", MOVES),
            ("-r 25", MOVES),
            ("-vsync 0", MOVES),
            ("-fps_mode cfr", MOVES),
            ("-sc_threshold 40", MOVES),
            ("-x264-params keyint=30", MOVES),
            ("-x264-params no-scenecut=1", MOVES),
            ("-vf fps=30", MOVES),
            ("-vf yadif=1", MOVES),
            ("-vf setpts=2", MOVES),
            ("-b:v 1M", RATE),
            ("-crf 20", RATE),
            ("-vf scale=1:1", SIZE),
            ("-preset slow", SPEED),
            ("-rc-lookahead 40", DELAYS),
            ("-x264-params rc-lookahead=40", DELAYS),
            ("-tune nothing", UNKNOWN),
            ("-hide_banner", UNKNOWN),
            ("-vf unsharp=file:///etc/passwd", FORM),
            ("-vf hqdn3d[a];movie=x", FORM),
            ("-aq-mode http://example.org/", FORM),
            ("-aq-mode $(id)", FORM),
        ] {
            assert_eq!(OwnOptions::parse(text).unwrap_err().reason, reason, "{text}");
        }
        let refused = OwnOptions::parse("-tune film -g 30").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "-g cannot be used: the qualities would not begin and end at the same frames"
        );
    }

    #[test]
    fn an_option_without_a_value_is_refused() {
        assert_eq!(OwnOptions::parse("-aq-mode").unwrap_err().reason, "it has no value");
        assert_eq!(OwnOptions::parse("").unwrap(), OwnOptions::default());
    }
}
