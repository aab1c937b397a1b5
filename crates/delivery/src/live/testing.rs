//! Streams for tests: a hub with an encoder, under paused time.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use hub::authority::Local;
use hub::directory::{Directory, Plain};
use hub::{Announced, Caller, Clock, Hub, Protocol, PublishRequest, Publisher, Settings, SourceClock, StreamKey};
use media::{AudioCodec, AudioParameters, FrameRate, Parameters, Sample, TrackId, VideoCodec, VideoParameters};
use packager::{Input, Packager, Window};
use tower_service::Service;

use super::Live;

pub(super) fn video() -> Parameters {
    Parameters::Video(VideoParameters {
        codec: VideoCodec::Avc,
        config: Bytes::from_static(&[1, 0x64, 0, 0x1f, 0xff, 0xe0, 0]),
        width: 1_280,
        height: 720,
        frame_rate: FrameRate::new(30, 1),
        reorders: false,
        color: None,
        codec_string: "avc1.64001F".into(),
    })
}

pub(super) fn audio() -> Parameters {
    Parameters::Audio(AudioParameters {
        codec: AudioCodec::Aac,
        config: Bytes::from_static(&[0x11, 0x90]),
        sample_rate: 48_000,
        channels: 2,
        frame_samples: 1_024,
        codec_string: "mp4a.40.2".into(),
    })
}

/// The window of a picture without sound that ran for so many milliseconds, with a key frame every second.
pub(super) fn window(millis: u64) -> Arc<Window> {
    let mut packager = Packager::new(packager::Settings::default());
    let parameters = Input::Parameters {
        track: TrackId::VIDEO,
        parameters: video(),
    };
    packager.push(parameters, 0);
    for n in 0..millis * 30 / 1_000 {
        let sample = Sample {
            dts: i64::try_from(n * 3_000).expect("small"),
            cts: 0,
            duration: None,
            keyframe: n % 30 == 0,
            data: Bytes::from(vec![n as u8; 1_000]),
        };
        packager.push(
            Input::Sample {
                track: TrackId::VIDEO,
                sample,
            },
            0,
        );
    }
    packager.window().expect("parts")
}

/// A server without sockets.
pub(super) struct World {
    pub(super) hub: Hub,
    pub(super) live: Live,
    router: Router,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut world = Self::at(folder.path());
        world._folder = Some(folder);
        world
    }

    /// A server whose names lead where this directory says.
    pub(super) fn with(names: Arc<dyn Directory>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut world = Self::start(folder.path(), names);
        world._folder = Some(folder);
        world
    }

    /// A server on a data folder that another may have left.
    pub(super) fn at(folder: &std::path::Path) -> Self {
        Self::start(folder, Arc::new(Plain))
    }

    fn start(folder: &std::path::Path, names: Arc<dyn Directory>) -> Self {
        let authority = Local::new(true, Settings::default());
        let clock = Clock::starting_at(1_795_165_644_153_000);
        let hub = Hub::with_clock(Arc::new(authority), hub::Limits::default(), clock);
        let live = Live::start(hub.clone(), names, folder).expect("a folder that can be written");
        tokio::spawn(hub.clone().run());
        Self {
            router: live.router(),
            hub,
            live,
            _folder: None,
        }
    }

    pub(super) async fn encoder(&self, name: &str) -> Encoder {
        let request = PublishRequest {
            key: StreamKey::new(name),
            caller: Caller::at(([127, 0, 0, 1], 4_000).into(), Protocol::Rtmp),
            clock: SourceClock::RTMP,
        };
        Encoder::new(self.hub.publish(request).await.expect("loopback may publish"))
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().call(request).await.expect("a router never fails")
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub(super) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(self.send(request.body(Body::empty()).expect("a request")).await).await
    }

    /// Where a stream's media playlists are: `/live/NAME/ID/`.
    pub(super) async fn folder(&self, name: &str) -> String {
        let answer = self.get(&format!("/live/{name}.m3u8")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let text = answer.text();
        let line = text
            .lines()
            .find(|line| line.ends_with("video.m3u8"))
            .expect("a variant");
        format!("/live/{}", line.trim_end_matches("video.m3u8"))
    }
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.expect("a body").to_bytes(),
        }
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

/// 30 frames a second with a key frame each second, and sound, each frame when it is due.
pub(super) struct Encoder {
    pub(super) publisher: Publisher,
    frames: u64,
    sounds: u64,
}

impl Encoder {
    fn new(mut publisher: Publisher) -> Self {
        publisher.announce(Announced {
            video: true,
            audio: true,
            frame_rate: None,
        });
        publisher.configure(TrackId::VIDEO, video());
        publisher.configure(TrackId::AUDIO, audio());
        Self {
            publisher,
            frames: 0,
            sounds: 0,
        }
    }

    pub(super) async fn run_millis(&mut self, millis: u64) {
        for _ in 0..millis * 30 / 1_000 {
            self.frame();
            tokio::time::sleep(Duration::from_micros(33_333)).await;
        }
    }

    fn frame(&mut self) {
        let at = self.frames * 1_000 / 30;
        let picture = Bytes::from(vec![self.frames as u8; 1_000]);
        self.publisher
            .push(TrackId::VIDEO, at, 0, self.frames.is_multiple_of(30), picture);
        self.frames += 1;
        while self.sounds * 1_024 / 48 <= at {
            let sound = Bytes::from(vec![self.sounds as u8; 100]);
            self.publisher
                .push(TrackId::AUDIO, self.sounds * 1_024 / 48, 0, true, sound);
            self.sounds += 1;
        }
        self.publisher.flush();
    }
}
