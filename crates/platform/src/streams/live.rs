//! What a stream shows now, as the hub knows it.

use std::sync::Arc;

use hub::{Broadcast, Name};
use media::{Kind, Parameters};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Time;
use crate::platform::Platform;

/// Whether a stream is on air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StreamState)]
pub enum State {
    /// Nothing runs.
    Idle,
    /// A source feeds it.
    Live,
    /// A broadcast runs and waits for its source: before the first picture, or after the connection was lost.
    Waiting,
}

/// What a stream shows now, as whoever runs it sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Live {
    /// The broadcast.
    pub broadcast_id: String,
    /// When it began.
    pub started_at: Time,
    /// How many watch.
    pub viewers: Option<u64>,
    /// How its source is connected: `rtmp`, `rtmps`; none while none is there.
    pub protocol: Option<&'static str>,
    /// Pixels across.
    pub width: Option<u32>,
    /// Pixels down.
    pub height: Option<u32>,
    /// Frames a second, as measured.
    pub frame_rate: Option<f64>,
    /// As RFC 6381 names it: `avc1.64001F`.
    pub video_codec: Option<String>,
    /// As RFC 6381 names it: `mp4a.40.2`.
    pub audio_codec: Option<String>,
    /// How many pictures the source itself sends.
    pub video_tracks: u32,
    /// How many sounds the source itself sends.
    pub audio_tracks: u32,
    /// Bits per second that came in, as measured.
    pub bitrate: Option<u64>,
}

/// The broadcast that a stream runs.
pub fn broadcast(platform: &Platform, stream: &str) -> Option<Arc<Broadcast>> {
    let broadcast = platform.hub()?.broadcast(&Name::parse(stream).ok()?)?;
    (broadcast.state() != hub::State::Ended).then_some(broadcast)
}

/// Whether there is something to see: it has had a picture or a sound.
pub fn is_visible(broadcast: &Broadcast) -> bool {
    broadcast.parameters(Kind::Video).is_some() || broadcast.parameters(Kind::Audio).is_some()
}

/// Whether a broadcast is on air.
pub fn state(broadcast: Option<&Broadcast>) -> State {
    match broadcast {
        None => State::Idle,
        Some(running) if running.state() == hub::State::Live && is_visible(running) => State::Live,
        Some(_) => State::Waiting,
    }
}

/// What a broadcast shows.
pub fn describe(platform: &Platform, broadcast: &Broadcast) -> Live {
    let (video, audio) = (broadcast.parameters(Kind::Video), broadcast.parameters(Kind::Audio));
    let size = match &video {
        Some(Parameters::Video(video)) => Some((video.width, video.height)),
        _ => None,
    };
    let codec = |parameters: Option<Parameters>| parameters.map(|parameters| parameters.codec_string().to_owned());
    let tracks = broadcast.tracks();
    let sent = |kind| tracks.iter().filter(|(track, _)| track.kind == kind).count() as u32;
    let health = broadcast.health();
    Live {
        broadcast_id: broadcast.id().to_string(),
        started_at: Time::of(broadcast.started()),
        viewers: platform.viewers(broadcast.name().as_str()),
        protocol: broadcast.source().map(|source| source.protocol.as_str()),
        width: size.map(|(width, _)| width),
        height: size.map(|(_, height)| height),
        frame_rate: health.as_ref().map(|health| health.frame_rate),
        video_codec: codec(video),
        audio_codec: codec(audio),
        video_tracks: sent(Kind::Video),
        audio_tracks: sent(Kind::Audio),
        bitrate: health.map(|health| health.bitrate),
    }
}
