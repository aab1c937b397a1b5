use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hub::{Announced, Ending, Publisher, Revoked};
use media::codec::{self, aac, ac3, av1, avc, flac, hevc, mp3, opus, vp9};
use media::{AudioCodec, Kind, Parameters, TrackId, VideoCodec, VideoParameters};
use rtmp::flv::{Audio, Metadata, Unused, Video};
use tracing::{debug, warn};

use super::Stats;
use super::stats::count;

/// Turns a publisher's FLV tags into samples of the hub.
#[derive(Debug)]
pub struct Ingest {
    publisher: Publisher,
    stats: Arc<Stats>,
    video: Option<VideoParameters>,
    /// VP9's record says nothing of the picture's size: it waits for a key frame.
    vpcc: Bytes,
    audio: Option<AudioCodec>,
    /// What the log has been told, so that it is told once.
    told: BTreeSet<&'static str>,
}

impl Ingest {
    /// A translator for this publisher; what cannot be used is counted in `stats`.
    pub fn new(publisher: Publisher, stats: Arc<Stats>) -> Self {
        Self {
            publisher,
            stats,
            video: None,
            vpcc: Bytes::new(),
            audio: None,
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
        let trouble = match kind {
            Kind::Video => self.video_tag(timestamp, tag),
            Kind::Audio => self.audio_tag(timestamp, tag),
        };
        trouble.err().and_then(|trouble| self.tell(kind, &trouble))
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

    fn video_tag(&mut self, timestamp: u32, tag: &Bytes) -> Result<(), Trouble> {
        match Video::read(tag)? {
            Video::Config {
                codec: VideoCodec::Vp9,
                record,
            } => {
                self.vpcc = record;
                Ok(())
            }
            Video::Config { codec, record } => self.configure_video(codec, record),
            Video::Frame {
                codec,
                keyframe,
                cts_ms,
                data,
            } => self.frame(codec, keyframe, timestamp, cts_ms, data),
            Video::End { .. } => Ok(()),
            Video::Unused(unused) => Err(unused.into()),
        }
    }

    fn configure_video(&mut self, codec: VideoCodec, record: Bytes) -> Result<(), Trouble> {
        let parameters = match codec {
            VideoCodec::Avc => avc::parameters(record),
            VideoCodec::Hevc => hevc::parameters(record),
            VideoCodec::Av1 => av1::parameters(record),
            VideoCodec::Vp9 => return Ok(()),
        }?;
        self.use_video(parameters);
        Ok(())
    }

    fn use_video(&mut self, parameters: VideoParameters) {
        if self.video.as_ref() != Some(&parameters) {
            self.video = Some(parameters.clone());
            self.publisher.configure(TrackId::VIDEO, Parameters::Video(parameters));
        }
    }

    fn frame(
        &mut self,
        codec: VideoCodec,
        keyframe: bool,
        timestamp: u32,
        cts_ms: i32,
        data: Bytes,
    ) -> Result<(), Trouble> {
        if keyframe {
            self.look_for_parameters(codec, &data)?;
        }
        let Some(video) = self.video.as_ref().filter(|video| video.codec == codec) else {
            return Err(Trouble::NoConfig);
        };
        // The bitstream knows better than the tag.
        let keyframe = codec::is_keyframe(video, &data);
        let data = out_of_band(video, data);
        self.publisher
            .push(TrackId::VIDEO, u64::from(timestamp), cts_ms, keyframe, data);
        Ok(())
    }

    /// Parameters that a key frame brings along.
    fn look_for_parameters(&mut self, codec: VideoCodec, data: &Bytes) -> Result<(), Trouble> {
        if codec == VideoCodec::Vp9 {
            let parameters = vp9::parameters(self.vpcc.clone(), data)?;
            self.use_video(parameters);
            return Ok(());
        }
        let in_band = self.video.as_ref().filter(|video| video.codec == codec);
        match in_band.and_then(|video| codec::in_band_config(video, data)) {
            Some(record) => self.configure_video(codec, record),
            None => Ok(()),
        }
    }

    fn audio_tag(&mut self, timestamp: u32, tag: &Bytes) -> Result<(), Trouble> {
        match Audio::read(tag)? {
            Audio::Config { codec, record } => self.configure_audio(codec, record),
            Audio::Frame { codec, data } => self.sound(codec, timestamp, data),
            Audio::End { .. } => Ok(()),
            Audio::Unused(unused) => Err(unused.into()),
        }
    }

    fn configure_audio(&mut self, codec: AudioCodec, record: Bytes) -> Result<(), Trouble> {
        let parameters = match codec {
            AudioCodec::Aac => aac::parameters(record),
            AudioCodec::Opus => opus::parameters(record),
            AudioCodec::Flac => flac::parameters(record),
            AudioCodec::Mp3 | AudioCodec::Ac3 | AudioCodec::Eac3 => return Ok(()),
        }?;
        self.audio = Some(codec);
        self.publisher.configure(TrackId::AUDIO, Parameters::Audio(parameters));
        Ok(())
    }

    fn sound(&mut self, codec: AudioCodec, timestamp: u32, data: Bytes) -> Result<(), Trouble> {
        // An empty frame is how some encoders say that nothing is heard.
        if data.is_empty() {
            return Ok(());
        }
        if self.audio != Some(codec) {
            self.configure_from_frame(codec, &data)?;
        }
        self.publisher.push(TrackId::AUDIO, u64::from(timestamp), 0, true, data);
        Ok(())
    }

    /// Codecs whose every frame says all that is to be known.
    fn configure_from_frame(&mut self, codec: AudioCodec, frame: &Bytes) -> Result<(), Trouble> {
        let parameters = match codec {
            AudioCodec::Mp3 => mp3::parameters(frame),
            AudioCodec::Ac3 | AudioCodec::Eac3 => ac3::parameters(frame),
            AudioCodec::Aac | AudioCodec::Opus | AudioCodec::Flac => return Err(Trouble::NoConfig),
        }?;
        self.audio = Some(codec);
        self.publisher.configure(TrackId::AUDIO, Parameters::Audio(parameters));
        Ok(())
    }

    fn tell(&mut self, kind: Kind, trouble: &Trouble) -> Option<String> {
        count(&self.stats.unused_messages, 1);
        let label = trouble.label(kind);
        if !self.told.insert(label) {
            return None;
        }
        let broadcast = self.publisher.broadcast().name();
        if trouble.is_harmless() {
            debug!(%broadcast, ?kind, "message not used: {trouble}");
            return None;
        }
        warn!(%broadcast, ?kind, "message not used: {trouble}");
        Some(trouble.to_string())
    }
}

/// The frame as it is to be carried: parameter sets stand in the configuration record, and AV1 has no delimiters.
fn out_of_band(video: &VideoParameters, data: Bytes) -> Bytes {
    match video.codec {
        VideoCodec::Avc => avc::without_parameter_sets(data, avc::length_size(&video.config)),
        VideoCodec::Hevc => hevc::without_parameter_sets(data, hevc::length_size(&video.config)),
        VideoCodec::Av1 => av1::strip_temporal_delimiters(data),
        VideoCodec::Vp9 => data,
    }
}

/// Why a message is not used.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Tag(#[from] rtmp::flv::Error),
    #[error(transparent)]
    Unused(#[from] Unused),
    #[error(transparent)]
    Codec(#[from] media::Error),
    #[error("media came before its configuration")]
    NoConfig,
}

impl Trouble {
    /// One word for each trouble of each kind of media.
    fn label(&self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Unused(unused), _) => unused.label(),
            (Self::Tag(_), Kind::Video) => "video tag",
            (Self::Tag(_), Kind::Audio) => "audio tag",
            (Self::Codec(_), Kind::Video) => "video configuration",
            (Self::Codec(_), Kind::Audio) => "audio configuration",
            (Self::NoConfig, Kind::Video) => "video before configuration",
            (Self::NoConfig, Kind::Audio) => "audio before configuration",
        }
    }

    /// Whether nothing is missing without it.
    fn is_harmless(&self) -> bool {
        matches!(self, Self::Unused(Unused::Metadata | Unused::Command))
    }
}
