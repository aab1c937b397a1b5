use crate::amf0::{Properties, Value};

/// What a peer says in `connect` about Enhanced RTMP: which codecs it takes beyond those of classic FLV, and what else it can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// FourCCs, or `*`, with the flags that were said of each.
    codecs: Vec<(String, u8)>,
    /// Flags of `capsEx`.
    extended: u8,
}

const CAN_DECODE: u8 = 1;
const CAN_FORWARD: u8 = 4;
/// What a list without flags says of its codecs.
const ALL: u8 = 7;

const RECONNECT: u8 = 1;
const MULTITRACK: u8 = 2;
const MODIFIERS: u8 = 4;
const TIMESTAMP_NANO_OFFSET: u8 = 8;

impl Capabilities {
    /// The FourCCs of the video codecs that this crate reads and writes.
    pub const VIDEO: [&'static str; 4] = ["avc1", "hvc1", "av01", "vp09"];
    /// The FourCCs of the audio codecs that this crate reads and writes.
    pub const AUDIO: [&'static str; 6] = ["mp4a", "Opus", ".mp3", "fLaC", "ac-3", "ec-3"];

    // What a peer may list at most; nobody has more codecs than FourCCs worth listing.
    const CODECS_MAX: usize = 64;

    /// Reads `fourCcList` (v1), and `videoFourCcInfoMap`, `audioFourCcInfoMap` and `capsEx` (v2) of a command object.
    pub fn read(object: &Value) -> Self {
        let maps = ["videoFourCcInfoMap", "audioFourCcInfoMap"]
            .into_iter()
            .filter_map(|name| object.property(name)?.properties())
            .flatten()
            .map(|(name, flags)| (name.as_str(), flags.as_number().map_or(0, flags_of)));
        let listed = listed(object).into_iter().map(|name| (name, ALL));
        let codecs = maps
            .chain(listed)
            .filter(|(name, _)| *name == "*" || name.len() == 4)
            .map(|(name, flags)| (name.to_owned(), flags));
        let extended = object.property("capsEx").and_then(Value::as_number);
        Self {
            codecs: codecs.take(Self::CODECS_MAX).collect(),
            extended: extended.map_or(0, flags_of),
        }
    }

    /// Whether the peer takes messages in the enhanced form at all.
    pub fn is_enhanced(&self) -> bool {
        !self.codecs.is_empty()
    }

    /// Whether the peer takes the codec with this FourCC in the enhanced form: it decodes it, or sends it on.
    pub fn takes(&self, fourcc: &str) -> bool {
        let takes = |flags: u8| flags & (CAN_DECODE | CAN_FORWARD) != 0;
        self.codecs
            .iter()
            .any(|(codec, flags)| (codec == "*" || codec == fourcc) && takes(*flags))
    }

    /// Whether it goes elsewhere when it is asked to.
    pub fn reconnects(&self) -> bool {
        self.extended & RECONNECT != 0
    }

    /// Whether it takes several tracks.
    pub fn has_multitrack(&self) -> bool {
        self.extended & MULTITRACK != 0
    }

    /// Whether it takes packets with modifiers, at least by passing over them.
    pub fn has_modifiers(&self) -> bool {
        self.extended & MODIFIERS != 0
    }

    /// Whether it adds nanoseconds to times.
    pub fn has_nanoseconds(&self) -> bool {
        self.extended & TIMESTAMP_NANO_OFFSET != 0
    }

    /// Our own side of the exchange, for the objects of `connect` and of its answer.
    pub fn ours() -> Properties {
        let all = Self::VIDEO.into_iter().chain(Self::AUDIO);
        let extended = RECONNECT | MULTITRACK | MODIFIERS | TIMESTAMP_NANO_OFFSET;
        vec![
            ("fourCcList".into(), Value::StrictArray(all.map(Value::from).collect())),
            ("videoFourCcInfoMap".into(), info_map(&Self::VIDEO)),
            ("audioFourCcInfoMap".into(), info_map(&Self::AUDIO)),
            ("capsEx".into(), Value::Number(f64::from(extended))),
        ]
    }
}

fn listed(object: &Value) -> Vec<&str> {
    match object.property("fourCcList") {
        Some(Value::StrictArray(values)) => values.iter().filter_map(Value::as_str).collect(),
        // ffmpeg writes an associative array by the same name.
        Some(value) => value
            .properties()
            .unwrap_or_default()
            .iter()
            .filter_map(|(_, value)| value.as_str())
            .collect(),
        None => Vec::new(),
    }
}

/// The lowest bits of a number that stands for flags: there are no higher ones yet.
fn flags_of(number: f64) -> u8 {
    // A float-to-integer cast saturates, and makes nothing of what is no number.
    (number as u32 & 0xff) as u8
}

// A server neither decodes nor encodes: it forwards.
fn info_map(fourccs: &[&str]) -> Value {
    let entries = fourccs
        .iter()
        .map(|name| ((*name).to_owned(), Value::Number(f64::from(CAN_FORWARD))));
    Value::Object(entries.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_announcement_reads_as_ours() {
        let read = Capabilities::read(&Value::Object(Capabilities::ours()));
        let ours = Capabilities::VIDEO.into_iter().chain(Capabilities::AUDIO);
        assert!(ours.into_iter().all(|fourcc| read.takes(fourcc)));
        assert!(!read.takes("vp08"));
        assert!(read.reconnects() && read.has_multitrack() && read.has_modifiers() && read.has_nanoseconds());
    }

    #[test]
    fn a_star_means_everything_and_silence_means_nothing() {
        let star = Value::Object(vec![("fourCcList".into(), Value::StrictArray(vec!["*".into()]))]);
        assert!(Capabilities::read(&star).takes("av01"));
        let silent = Capabilities::read(&Value::Null);
        assert!(!silent.is_enhanced() && !silent.reconnects() && !silent.has_multitrack());
    }

    #[test]
    fn a_codec_that_a_peer_only_encodes_is_not_sent_to_it() {
        const CAN_ENCODE: f64 = 2.0;
        let map = |flags: f64| Value::Object(vec![("av01".into(), Value::Number(flags))]);
        let read = |flags| Capabilities::read(&Value::Object(vec![("videoFourCcInfoMap".into(), map(flags))]));
        assert!(!read(CAN_ENCODE).takes("av01"));
        assert!(read(f64::from(CAN_DECODE)).takes("av01"));
        assert!(read(f64::from(CAN_FORWARD)).takes("av01"));
    }

    #[test]
    fn capabilities_are_bits_and_nonsense_is_none_of_them() {
        let read = |number| Capabilities::read(&Value::Object(vec![("capsEx".into(), Value::Number(number))]));
        assert!(read(3.0).reconnects() && read(3.0).has_multitrack() && !read(3.0).has_modifiers());
        assert_eq!(read(f64::NAN), Capabilities::default());
        assert_eq!(read(-1.0), Capabilities::default());
    }
}
