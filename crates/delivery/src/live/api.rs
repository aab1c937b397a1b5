//! `GET /api/v1/live`: what is live, as JSON; and `GET /time`.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::response::Response;
use http::{StatusCode, header};
use hub::State;
use hub::directory::{Access, Place};
use media::{Kind, Parameters, TrackId};
use packager::{DateTime, Window};
use serde::Serialize;

use super::answer::{self, Asked};
use super::channel::Channel;
use super::rendered::Rendered;
use super::{Live, RtmpAddress};
use crate::server::host;
use crate::web;

/// A stream, as tiles show it.
#[derive(Debug, Serialize)]
struct Stream {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    id: String,
    state: &'static str,
    started_at: String,
    viewers: usize,
    width: Option<u32>,
    height: Option<u32>,
    frame_rate: Option<f64>,
    video_codec: Option<String>,
    audio_codec: Option<String>,
    /// Bits per second.
    bitrate: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Streams {
    streams: Vec<Stream>,
    /// Where publishers send to, without the stream key.
    #[serde(skip_serializing_if = "Option::is_none")]
    publish: Option<String>,
}

/// A stream with all that its player needs.
#[derive(Debug, Serialize)]
struct Playback {
    #[serde(flatten)]
    stream: Stream,
    hls: String,
    dash: String,
    still: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtmp: Option<String>,
    now_ms: i64,
}

#[derive(Debug, Serialize)]
struct Problem {
    title: &'static str,
    status: u16,
    detail: String,
}

/// All streams that everybody may watch and find. `host` is what the page was opened with.
pub(super) fn list(live: &Live, host: Option<&str>, asked: &Asked) -> Response {
    let broadcasts = live.0.hub.broadcasts();
    let listed = broadcasts
        .iter()
        .filter_map(|broadcast| Some((live.0.names.listed(broadcast.name())?, live.channel_of(broadcast))));
    let mut streams: Vec<Stream> = listed
        .filter(|(_, channel)| channel.window().is_some())
        .map(|(listed, channel)| describe(&channel, &listed.name, listed.title.as_deref()))
        .collect();
    streams.sort_by(|a, b| a.name.cmp(&b.name));
    let publish = rtmp(live, host);
    json(asked, &Streams { streams, publish })
}

/// One stream, for whoever was admitted to that place.
pub(super) fn one(live: &Live, name: &str, place: &Place, host: Option<&str>, asked: &Asked) -> Response {
    match find(live, name, place, host) {
        Some(playback) => json(asked, &playback),
        None => missing(name),
    }
}

/// The same for a page that anybody may open.
pub(super) fn playback(live: &Live, name: &str, host: Option<&str>) -> Option<web::Playback> {
    let place = live.0.names.find(name)?;
    if place.access != Access::Everybody {
        return None;
    }
    let playback = find(live, name, &place, host)?;
    Some(web::Playback {
        title: playback.stream.title.clone().unwrap_or_else(|| name.to_owned()),
        json: serde_json::to_string(&playback).ok()?,
    })
}

/// The RTMP address of this server as whoever asks can reach it.
fn rtmp(live: &Live, host: Option<&str>) -> Option<String> {
    match live.0.rtmp.get()? {
        RtmpAddress::Public(address) => Some(format!("{address}/live")),
        RtmpAddress::Port(port) => {
            let host = host::name(host?)?;
            let port = if *port == 1935 {
                String::new()
            } else {
                format!(":{port}")
            };
            Some(format!("rtmp://{host}{port}/live"))
        }
    }
}

/// The server's clock.
pub(super) fn time() -> Response {
    let mut response = Response::new(Body::from(DateTime(now_ms()).to_string()));
    answer::set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    answer::set(&mut response, header::CACHE_CONTROL, answer::NOT_KEPT);
    response
}

fn find(live: &Live, name: &str, place: &Place, host: Option<&str>) -> Option<Playback> {
    let channel = live.channel_of(&live.0.hub.broadcast(&place.name)?);
    // RTMP shows nothing of who plays: it is for what everybody may watch.
    let rtmp = rtmp(live, host).filter(|_| place.access == Access::Everybody);
    Some(Playback {
        stream: describe(&channel, name, place.title.as_deref()),
        hls: format!("/live/{name}.m3u8"),
        dash: format!("/live/{name}.mpd"),
        still: format!("/live/{name}/still.mp4"),
        rtmp: rtmp.map(|base| format!("{base}/{name}")),
        now_ms: now_ms(),
    })
}

fn describe(channel: &Channel, name: &str, title: Option<&str>) -> Stream {
    let (broadcast, window) = (channel.broadcast(), channel.window());
    let parameters = |kind| {
        let of_window = |window: &Arc<Window>| Some(window.rendition(TrackId::main(kind))?.init.parameters.clone());
        window.as_ref().and_then(of_window)
    };
    let (video, audio) = (parameters(Kind::Video), parameters(Kind::Audio));
    let size = video.as_ref().and_then(|parameters| match parameters {
        Parameters::Video(video) => Some((video.width, video.height)),
        Parameters::Audio(_) => None,
    });
    let rate = window.as_ref().and_then(|window| window.video.as_ref()?.frame_rate);
    let measured = |window: &Arc<Window>| window.mains().map(|rendition| rendition.bandwidth.average).sum();
    let started = broadcast.started().duration_since(UNIX_EPOCH).unwrap_or_default();
    Stream {
        name: name.to_owned(),
        title: title.map(str::to_owned),
        id: broadcast.id().to_string(),
        state: if broadcast.state() == State::Live {
            "live"
        } else {
            "waiting"
        },
        started_at: DateTime(i64::try_from(started.as_millis()).unwrap_or(0)).to_string(),
        viewers: channel.viewers(),
        width: size.map(|(width, _)| width),
        height: size.map(|(_, height)| height),
        frame_rate: rate.map(|rate| (rate.per_second() * 1_000.0).round() / 1_000.0),
        video_codec: video.map(|parameters| parameters.codec_string().to_owned()),
        audio_codec: audio.map(|parameters| parameters.codec_string().to_owned()),
        bitrate: broadcast
            .health()
            .map(|health| health.bitrate)
            .or(window.as_ref().map(measured)),
    }
}

fn json(asked: &Asked, value: &impl Serialize) -> Response {
    let text = serde_json::to_string(value).expect("plain structures are always written");
    answer::playlist(asked, &Rendered::new(text), "application/json", "no-cache")
}

/// Nothing of that name is live, or not for whoever asks (RFC 9457).
pub(super) fn missing(name: &str) -> Response {
    let problem = Problem {
        title: "not live",
        status: StatusCode::NOT_FOUND.as_u16(),
        detail: format!("nothing is live under this name: {name}"),
    };
    let text = serde_json::to_string(&problem).expect("plain structures are always written");
    let mut response = answer::sentence(StatusCode::NOT_FOUND, text);
    answer::set(&mut response, header::CONTENT_TYPE, "application/problem+json");
    response
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(0)
}
