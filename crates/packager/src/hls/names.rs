//! The names of what playlists lead to.

use media::{Kind, TrackId};

use crate::window::Segment;

/// The folder, and the stem of the playlist, of a rendition: `video`, `audio`; `video-1` for a further track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stem(pub TrackId);

impl std::fmt::Display for Stem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(kind_name(self.0.kind))?;
        match self.0.index {
            0 => Ok(()),
            index => write!(f, "-{index}"),
        }
    }
}

impl Stem {
    /// Reads a stem; `None` if no rendition is ever called so.
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, index) = name.split_once('-').unwrap_or((name, ""));
        let kind = [Kind::Video, Kind::Audio]
            .into_iter()
            .find(|known| kind_name(*known) == kind)?;
        if !name.contains('-') {
            return Some(Self(TrackId::main(kind)));
        }
        let index = u8::try_from(number(index)?).ok().filter(|&index| index > 0)?;
        let track = TrackId { kind, index };
        track.slot().map(|_| Self(track))
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Video => "video",
        Kind::Audio => "audio",
    }
}

/// A file in a rendition's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// `init-1.mp4`
    Init(u64),
    /// `123.mp4`; `123-2.mp4` behind the second discontinuity. Players of DASH ask for a segment before it is there, and would take one of
    /// another source for one of theirs.
    Segment {
        /// Media sequence number.
        number: u64,
        /// Discontinuity sequence number.
        discontinuity: u64,
    },
    /// `p456.mp4`
    Part(u64),
}

impl File {
    /// Reads a name; `None` if no file is ever called so.
    pub fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".mp4")?;
        if let Some(digits) = stem.strip_prefix("init-") {
            return Some(Self::Init(number(digits)?));
        }
        if let Some(digits) = stem.strip_prefix('p') {
            return Some(Self::Part(number(digits)?));
        }
        let (stem, discontinuity) = match stem.split_once('-') {
            Some((stem, discontinuity)) => (stem, number(discontinuity).filter(|&discontinuity| discontinuity > 0)?),
            None => (stem, 0),
        };
        Some(Self::Segment {
            number: number(stem)?,
            discontinuity,
        })
    }

    /// The name of a segment.
    pub(crate) fn of(segment: &Segment) -> Self {
        Self::Segment {
            number: segment.number,
            discontinuity: segment.discontinuity,
        }
    }
}

impl std::fmt::Display for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Init(number) => write!(f, "init-{number}.mp4"),
            Self::Segment {
                number,
                discontinuity: 0,
            } => write!(f, "{number}.mp4"),
            Self::Segment { number, discontinuity } => write!(f, "{number}-{discontinuity}.mp4"),
            Self::Part(number) => write!(f, "p{number}.mp4"),
        }
    }
}

/// A number in the one way it is written: one file has one name, for caches.
fn number(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    canonical.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(number: u64, discontinuity: u64) -> File {
        File::Segment { number, discontinuity }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for file in [
            File::Init(1),
            segment(0, 0),
            segment(123, 0),
            segment(0, 1),
            segment(123, 22),
            File::Part(u64::MAX),
        ] {
            assert_eq!(File::parse(&file.to_string()), Some(file));
        }
    }

    #[test]
    fn stems_are_read_as_they_are_written() {
        for kind in [Kind::Video, Kind::Audio] {
            for index in [0, 1, 7, 16, 23] {
                let stem = Stem(TrackId { kind, index });
                assert_eq!(Stem::parse(&stem.to_string()), Some(stem));
            }
        }
        for name in [
            "",
            "text",
            "video-",
            "video-0",
            "video-01",
            "video-8",
            "video-24",
            "video-x",
            "video-1-1",
        ] {
            assert_eq!(Stem::parse(name), None, "{name}");
        }
    }

    #[test]
    fn other_names_are_no_files() {
        for name in [
            "",
            ".mp4",
            "p.mp4",
            "1.m4s",
            "01.mp4",
            "+1.mp4",
            "-1.mp4",
            "p+1.mp4",
            "init-.mp4",
            "x1.mp4",
            "1-0.mp4",
            "1-.mp4",
            "-1-1.mp4",
            "1-1-1.mp4",
            "p1-1.mp4",
        ] {
            assert_eq!(File::parse(name), None, "{name}");
        }
    }
}
