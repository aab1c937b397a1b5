use bytes::Bytes;
use media::{Kind, Parameters};
use rtmp::chunk::{Chunked, Envelope};
use rtmp::flv::{Audio, Metadata, TagHeader, Video};
use rtmp::kind;

/// The message stream that nearly all players use.
pub(in super::super) const STREAM: u32 = 1;
/// The chunk size of all our sessions: most messages are one chunk.
pub(super) const CHUNK_SIZE: usize = rtmp::server::CHUNK_SIZE as usize;

/// What a decoder must know before the first frame.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Head {
    video: Option<Parameters>,
    audio: Option<Parameters>,
}

impl Head {
    pub(super) fn set(&mut self, parameters: Parameters) {
        match parameters.kind() {
            Kind::Video => self.video = Some(parameters),
            Kind::Audio => self.audio = Some(parameters),
        }
    }

    pub(super) fn get(&self, kind: Kind) -> Option<&Parameters> {
        match kind {
            Kind::Video => self.video.as_ref(),
            Kind::Audio => self.audio.as_ref(),
        }
    }

    /// Metadata and sequence headers for a player that begins at `time_ms`.
    pub(in super::super) fn messages(&self, stream: u32, time_ms: u32) -> Bytes {
        let mut out = Vec::new();
        let envelope = Envelope {
            chunk_stream: 5,
            kind: kind::DATA,
            stream,
            // ffmpeg takes metadata of any other time for subtitles.
            timestamp: 0,
        };
        rtmp::chunk::append(&mut out, envelope, &self.metadata().to_payload(), CHUNK_SIZE);
        let tracks = [&self.video, &self.audio].into_iter().flatten();
        for config in tracks.filter_map(|parameters| config(parameters, time_ms)) {
            config
                .for_stream(stream)
                .pieces()
                .iter()
                .for_each(|piece| out.extend_from_slice(piece));
        }
        Bytes::from(out)
    }

    fn metadata(&self) -> Metadata {
        let mut metadata = Metadata {
            encoder: Some("Headwater".to_owned()),
            ..Metadata::default()
        };
        if let Some(Parameters::Video(video)) = &self.video {
            metadata.width = Some(f64::from(video.width));
            metadata.height = Some(f64::from(video.height));
            metadata.frame_rate = video.frame_rate.map(|rate| rate.per_second());
            metadata.video_codec = Some(Video::codec_id(video.codec));
        }
        if let Some(Parameters::Audio(audio)) = &self.audio {
            metadata.audio_codec = Some(Audio::codec_id(audio.codec));
            metadata.audio_sample_rate = Some(f64::from(audio.sample_rate));
            metadata.stereo = Some(audio.channels > 1);
        }
        metadata
    }
}

/// The sequence header of a track, if its codec has one.
pub(super) fn config(parameters: &Parameters, time_ms: u32) -> Option<Chunked> {
    match parameters {
        Parameters::Video(video) => {
            let header = Video::config_header(video.codec);
            Some(message(Kind::Video, time_ms, &header, &Video::record(video)))
        }
        Parameters::Audio(audio) => {
            let header = Audio::config_header(audio.codec)?;
            Some(message(Kind::Audio, time_ms, &header, &Audio::record(audio)))
        }
    }
}

pub(super) fn message(media: Kind, time_ms: u32, header: &TagHeader, payload: &Bytes) -> Chunked {
    let (chunk_stream, kind) = match media {
        Kind::Audio => (4, kind::AUDIO),
        Kind::Video => (6, kind::VIDEO),
    };
    let envelope = Envelope {
        chunk_stream,
        kind,
        stream: STREAM,
        timestamp: time_ms,
    };
    Chunked::new(envelope, header, payload, CHUNK_SIZE)
}
