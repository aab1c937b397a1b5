//! What can be had of a broadcast at one moment: a snapshot that costs little to make and nothing to share.
//!
//! Everything that playlists, manifests and media requests are answered from is here. A snapshot never changes; the
//! packager gives out a new one after each part.

use std::sync::Arc;

use bytes::Bytes;
use media::{FrameRate, Parameters, Planned, TrackId};

use crate::Targets;
use crate::bandwidth::Bandwidth;
use crate::cmaf;
use crate::time::{DateTime, Span};

/// A broadcast at one moment.
#[derive(Clone, Debug)]
pub struct Window {
    /// What the playlists promise.
    pub targets: Targets,
    /// Microseconds since 1970 of media time 0, as it was when the broadcast began.
    pub started_micros: i64,
    /// Whether the broadcast is over: nothing will be added.
    pub ended: bool,
    /// Whether key frames come so often that every segment can be expected to begin with one.
    pub independent: bool,
    /// The video track, if the broadcast has one.
    pub video: Option<Arc<Rendition>>,
    /// The audio track, if the broadcast has one.
    pub audio: Option<Arc<Rendition>>,
    /// Further tracks, in the order of their ids: other qualities of the picture, other sounds. Their segments have the
    /// numbers, and begin at the times, of those of the main tracks.
    pub further: Arc<[Arc<Rendition>]>,
    /// Which further tracks will come, or have come, by an encoder of ours.
    pub planned: Arc<[Planned]>,
}

impl Window {
    /// The rendition of a track.
    pub fn rendition(&self, track: TrackId) -> Option<&Arc<Rendition>> {
        match track {
            TrackId::VIDEO => self.video.as_ref(),
            TrackId::AUDIO => self.audio.as_ref(),
            _ => self.further.iter().find(|rendition| rendition.track == track),
        }
    }

    /// The renditions of the main tracks, video first.
    pub fn mains(&self) -> impl Iterator<Item = &Arc<Rendition>> {
        self.video.iter().chain(&self.audio)
    }

    /// All renditions, those of the main tracks first.
    pub fn renditions(&self) -> impl Iterator<Item = &Arc<Rendition>> {
        self.mains().chain(self.further.iter())
    }

    /// What is planned of a track.
    pub fn plan(&self, track: TrackId) -> Option<&Planned> {
        self.planned.iter().find(|planned| planned.track == track)
    }

    /// Whether every main rendition lists a whole segment: players that know no parts can begin.
    pub fn has_segments(&self) -> bool {
        self.mains().all(|rendition| !rendition.listed().is_empty())
    }

    /// The newest key frame that is still there, as an MP4 of its own.
    pub fn still(&self) -> Option<Bytes> {
        let video = self.video.as_ref()?;
        let segments = video.open.iter().chain(video.kept.iter().rev());
        let newest = |segment: &Arc<Segment>| {
            let key_frame = segment.parts.iter().rev().find_map(Part::key_frame)?;
            Some(cmaf::still(&segment.init.bytes, key_frame, segment.timescale))
        };
        segments.into_iter().find_map(newest)
    }
}

/// Counts the changes of a rendition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    pub(crate) fn count(&mut self) {
        self.0 += 1;
    }

    /// The number of changes.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// One track of a broadcast at one moment.
#[derive(Clone, Debug)]
pub struct Rendition {
    /// The track.
    pub track: TrackId,
    /// Counts changes: two snapshots with the same version are the same.
    pub version: Version,
    /// Whole segments, oldest first. Those that left the playlists stay for a while, as RFC 8216 §6.2.2 asks.
    pub kept: Arc<[Arc<Segment>]>,
    /// Where in `kept` the playlists begin.
    pub first_listed: usize,
    /// The segment that is growing; `None` before its first sample.
    pub open: Option<Arc<Segment>>,
    /// The number that the next segment after the growing one gets, or the next one where none grows.
    pub next_segment: u64,
    /// The number of the next part: that of the preload hint.
    pub next_part: u64,
    /// The initialisation segment in force.
    pub init: Arc<Init>,
    /// Measured bit rates.
    pub bandwidth: Bandwidth,
    /// Frames per second, of video that a source sends; `None` while a picture is held.
    pub frame_rate: Option<FrameRate>,
}

impl Rendition {
    /// The whole segments that playlists list.
    pub fn listed(&self) -> &[Arc<Segment>] {
        self.kept.get(self.first_listed..).unwrap_or_default()
    }

    /// All segments that can be had, oldest first, the growing one last.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &Arc<Segment>> {
        self.kept.iter().chain(&self.open)
    }

    /// A segment by its number.
    pub fn segment(&self, number: u64) -> Option<&Arc<Segment>> {
        let kept = self.kept.binary_search_by_key(&number, |segment| segment.number);
        match kept {
            Ok(at) => self.kept.get(at),
            Err(_) => self.open.as_ref().filter(|open| open.number == number),
        }
    }

    /// A part by its number.
    pub fn part(&self, number: u64) -> Option<&Part> {
        let at = self.kept.partition_point(|segment| segment.next_part() <= number);
        let segment = self.kept.get(at).or(self.open.as_ref())?;
        let place = number.checked_sub(segment.parts.first()?.number)?;
        segment.parts.get(usize::try_from(place).ok()?)
    }

    /// An initialisation segment by its number.
    pub fn init(&self, number: u64) -> Option<&Arc<Init>> {
        let used = self.segments().map(|segment| &segment.init);
        used.chain([&self.init]).find(|init| init.number == number)
    }

    /// The media sequence number of the next whole segment: one more than the last one's.
    pub fn next_whole(&self) -> u64 {
        self.open.as_ref().map_or(self.next_segment, |open| open.number)
    }

    /// Number of the newest segment that has a part, and the index of that part.
    pub fn newest(&self) -> Option<(u64, u64)> {
        let there = |segment: &&Arc<Segment>| segment.gap.is_some() || !segment.parts.is_empty();
        let newest = self.segments().rev().find(there)?;
        Some((newest.number, (newest.parts.len() as u64).saturating_sub(1)))
    }

    /// The parts of the growing segment.
    pub fn open_parts(&self) -> &[Part] {
        self.open.as_ref().map(|open| &open.parts[..]).unwrap_or_default()
    }
}

/// An initialisation segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// Unique in the broadcast, for its name.
    pub number: u64,
    /// What it was made from.
    pub parameters: Parameters,
    /// The file.
    pub bytes: Bytes,
}

/// A segment: whole, or still growing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its media sequence number.
    pub number: u64,
    /// Its discontinuity sequence number.
    pub discontinuity: u64,
    /// How many discontinuities come just before it.
    pub discontinuities: u64,
    /// What a decoder needs before it.
    pub init: Arc<Init>,
    /// Ticks per second of all times in it.
    pub timescale: u32,
    /// Decode time of its first sample, on the broadcast's timeline.
    pub start: i64,
    /// Presentation time of its first sample minus `start`: what reordering delays.
    pub presentation_delay: i64,
    /// Wall-clock time of its first sample. It stays what it was when the segment began.
    pub date_time: DateTime,
    /// Its parts in order: their bytes one after another are the segment.
    pub parts: Vec<Part>,
    /// Set where nothing was made in time: playlists list it as a gap (RFC 8216bis §4.4.4.7), and it has no parts.
    pub gap: Option<Gap>,
}

/// A segment that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How long it would have been.
    pub ticks: u64,
    /// The number of the part that comes next.
    pub next_part: u64,
}

impl Segment {
    /// How long it is, so far.
    pub fn span(&self) -> Span {
        let parts = self.parts.iter().map(|part| u64::from(part.ticks)).sum();
        Span {
            ticks: self.gap.map_or(parts, |gap| gap.ticks),
            timescale: self.timescale,
        }
    }

    /// How many bytes it has, so far.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes.len() as u64).sum()
    }

    /// How many samples it has, so far.
    pub fn frames(&self) -> u32 {
        self.parts.iter().map(|part| part.frames).sum()
    }

    /// Whether it can be decoded without the segments before it.
    pub fn independent(&self) -> bool {
        self.gap.is_some() || self.parts.first().is_some_and(|part| part.independent)
    }

    /// The number that its next part has or would have.
    fn next_part(&self) -> u64 {
        let missing = self.gap.map_or(0, |gap| gap.next_part);
        self.parts.last().map_or(missing, |part| part.number + 1)
    }
}

/// A part: one CMAF chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number; parts are numbered independently of segments.
    pub number: u64,
    /// Decode time of its first sample.
    pub start: i64,
    /// How long it is.
    pub ticks: u32,
    /// Whether it begins with a key frame; always so for audio.
    pub independent: bool,
    /// How many samples it has.
    pub frames: u32,
    /// The chunk.
    pub bytes: Bytes,
    /// Where its first sample's bytes are, if that is a video key frame.
    pub(crate) key_frame: Option<(u32, u32)>,
}

impl Part {
    /// Where the key frame ends that it begins with, in bytes from its start.
    pub(crate) fn key_frame_end(&self) -> Option<u64> {
        self.key_frame.map(|(_, end)| end.into())
    }

    /// The key frame that it begins with.
    fn key_frame(&self) -> Option<Bytes> {
        let (start, end) = self.key_frame?;
        let (start, end) = (start as usize, end as usize);
        (end <= self.bytes.len()).then(|| self.bytes.slice(start..end))
    }
}
