mod clock;
mod picture;
mod sound;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hub::{Announced, Ending, Publisher, Revoked, SourceClock};
use media::{Kind, TrackId};
use rtmp::flv::{self, Audio, Metadata, Packet, Video};
use tracing::{debug, warn};

use self::clock::Clock;
use self::picture::Picture;
use self::sound::Sound;
use self::trouble::Trouble;
use super::Stats;
use super::stats::count;

/// Turns a publisher's FLV tags into samples of the hub.
///
/// Each track of the encoder is a track of the broadcast by the same number; 0 is the main one, and what encoders with one
/// track send.
#[derive(Debug)]
pub struct Ingest {
    publisher: Publisher,
    stats: Arc<Stats>,
    clock: Clock,
    pictures: BTreeMap<u8, Picture>,
    sounds: BTreeMap<u8, Sound>,
    /// What the log has been told, and of which track, so that it is told once.
    told: BTreeSet<(&'static str, u8)>,
}

impl Ingest {
    /// The clock that the hub is to be told of: RTMP's milliseconds, and what modifiers add to them.
    pub const CLOCK: SourceClock = SourceClock::MICROSECONDS;

    /// A translator for this publisher, whose clock is [`Self::CLOCK`]; what cannot be used is counted in `stats`.
    pub fn new(publisher: Publisher, stats: Arc<Stats>) -> Self {
        Self {
            publisher,
            stats,
            clock: Clock::default(),
            pictures: BTreeMap::new(),
            sounds: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    /// Takes what the encoder says of its stream. Hints only: what comes is what counts.
    pub fn metadata(&mut self, metadata: &Metadata) {
        debug!(broadcast = %self.publisher.broadcast().name(), ?metadata, "metadata");
        if metadata.has_video() || metadata.has_audio() {
            self.publisher.announce(Announced {
                video: metadata.has_video(),
                audio: metadata.has_audio(),
                frame_rate: metadata.frame_rate(),
            });
        }
    }

    /// Takes one audio or video message; returns what the publisher should be told, once for each trouble.
    pub fn media(&mut self, kind: Kind, timestamp: u32, tag: &Bytes) -> Option<String> {
        let ms = self.clock.unwrap(timestamp);
        match kind {
            Kind::Video => self.packets(kind, ms, Video::read(tag), Self::picture),
            Kind::Audio => self.packets(kind, ms, Audio::read(tag), Self::sound),
        }
    }

    /// Tells followers: call it after all the tags that came together.
    pub fn flush(&mut self) {
        self.publisher.flush();
    }

    /// How long to wait before reading on, if the source is ahead of real time.
    pub fn pace(&self) -> Option<Duration> {
        self.publisher.pace()
    }

    pub(super) fn revoked(&self) -> impl Future<Output = Revoked> + Send + use<> {
        self.publisher.revoked()
    }

    /// Whether to read in batches.
    pub fn batching(&self) -> bool {
        self.publisher.batching()
    }

    /// Leaves the broadcast.
    pub fn finish(self, ending: Ending) {
        self.publisher.finish(ending);
    }

    /// Takes the packets of one message. Trouble with one of them does not keep the others out.
    fn packets<B>(
        &mut self,
        kind: Kind,
        ms: i64,
        packets: impl Iterator<Item = Result<Packet<B>, flv::Error>>,
        take: fn(&mut Self, u8, u64, B) -> Result<(), Trouble>,
    ) -> Option<String> {
        let mut told = None;
        for packet in packets {
            let (track, taken) = match packet {
                Ok(Packet { track, .. }) if track >= TrackId::SENT_MAX => {
                    (TrackId::SENT_MAX, Err(Trouble::TooManyTracks))
                }
                Ok(packet) => {
                    let at = clock::micros(ms, packet.offset_ns);
                    (packet.track, take(self, packet.track, at, packet.body))
                }
                Err(error) => (0, Err(error.into())),
            };
            if let Err(trouble) = taken {
                let words = self.tell(kind, track, &trouble);
                told = told.or(words);
            }
        }
        told
    }

    fn picture(&mut self, index: u8, at: u64, video: Video) -> Result<(), Trouble> {
        let track = TrackId {
            kind: Kind::Video,
            index,
        };
        let picture = self.pictures.entry(index).or_default();
        picture.take(&mut self.publisher, track, at, video)
    }

    fn sound(&mut self, index: u8, at: u64, audio: Audio) -> Result<(), Trouble> {
        let track = TrackId {
            kind: Kind::Audio,
            index,
        };
        let sound = self.sounds.entry(index).or_default();
        sound.take(&mut self.publisher, track, at, audio)
    }

    fn tell(&mut self, kind: Kind, track: u8, trouble: &Trouble) -> Option<String> {
        count(&self.stats.unused_messages, 1);
        let label = trouble.label(kind);
        if !self.told.insert((label, track)) {
            return None;
        }
        let broadcast = self.publisher.broadcast().name();
        if trouble.is_harmless() {
            debug!(%broadcast, ?kind, track, "message not used: {trouble}");
            return None;
        }
        warn!(%broadcast, ?kind, track, "message not used: {trouble}");
        Some(if track == 0 {
            trouble.to_string()
        } else {
            format!("track {track}: {trouble}")
        })
    }
}

#[cfg(test)]
mod tests;
