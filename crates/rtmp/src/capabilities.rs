use crate::amf0::{Properties, Value};

/// What a peer says in `connect` about Enhanced RTMP: which codecs it takes beyond those of classic FLV.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    codecs: Vec<String>,
}

impl Capabilities {
    /// The FourCCs that this crate reads and writes.
    pub const OURS: [&'static str; 10] = [
        "avc1", "hvc1", "av01", "vp09", "mp4a", "Opus", ".mp3", "fLaC", "ac-3", "ec-3",
    ];

    // What a peer may list at most; nobody has more codecs than FourCCs worth listing.
    const CODECS_MAX: usize = 64;

    /// Reads `fourCcList` (v1) and `videoFourCcInfoMap`, `audioFourCcInfoMap` (v2) of a command object.
    pub fn read(object: &Value) -> Self {
        let list = match object.property("fourCcList") {
            Some(Value::StrictArray(values)) => values.iter().filter_map(Value::as_str).collect(),
            // ffmpeg writes an associative array by the same name.
            Some(value) => value
                .properties()
                .unwrap_or_default()
                .iter()
                .filter_map(|(_, value)| value.as_str())
                .collect(),
            None => Vec::new(),
        };
        let maps = ["videoFourCcInfoMap", "audioFourCcInfoMap"]
            .into_iter()
            .filter_map(|name| object.property(name)?.properties())
            .flatten()
            .map(|(name, _)| name.as_str());
        let fourccs = list
            .into_iter()
            .chain(maps)
            .filter(|name| *name == "*" || name.len() == 4);
        Self {
            codecs: fourccs.take(Self::CODECS_MAX).map(str::to_owned).collect(),
        }
    }

    /// Whether the peer takes messages in the enhanced form at all.
    pub fn is_enhanced(&self) -> bool {
        !self.codecs.is_empty()
    }

    /// Whether the peer takes the codec with this FourCC in the enhanced form.
    pub fn takes(&self, fourcc: &str) -> bool {
        self.codecs.iter().any(|codec| codec == "*" || codec == fourcc)
    }

    /// Our own side of the exchange, for the objects of `connect` and of its answer.
    pub fn ours() -> Properties {
        let list = Self::OURS.into_iter().map(Value::from).collect();
        vec![
            ("fourCcList".into(), Value::StrictArray(list)),
            ("videoFourCcInfoMap".into(), info_map(&["avc1", "hvc1", "av01", "vp09"])),
            (
                "audioFourCcInfoMap".into(),
                info_map(&["mp4a", "Opus", ".mp3", "fLaC", "ac-3", "ec-3"]),
            ),
            // None of reconnect, multitrack, ModEx and nanosecond offsets.
            ("capsEx".into(), Value::Number(0.0)),
        ]
    }
}

// A server neither decodes nor encodes: it forwards, which is flag 4.
fn info_map(fourccs: &[&str]) -> Value {
    const CAN_FORWARD: f64 = 4.0;
    let entries = fourccs
        .iter()
        .map(|name| ((*name).to_owned(), Value::Number(CAN_FORWARD)));
    Value::Object(entries.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_announcement_reads_as_ours() {
        let read = Capabilities::read(&Value::Object(Capabilities::ours()));
        assert!(Capabilities::OURS.iter().all(|fourcc| read.takes(fourcc)));
        assert!(!read.takes("vp08"));
    }

    #[test]
    fn a_star_means_everything_and_silence_means_nothing() {
        let star = Value::Object(vec![("fourCcList".into(), Value::StrictArray(vec!["*".into()]))]);
        assert!(Capabilities::read(&star).takes("av01"));
        assert!(!Capabilities::read(&Value::Null).is_enhanced());
    }
}
