//! Asks somebody else's program which qualities a broadcast shall have. It is told what the source sends, and answers with rungs; where
//! no good answer comes, whoever asked takes a preset.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use hub::Broadcast;
use media::{Kind, Parameters};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tracing::{info, warn};
use url::Url;

use super::setting::{Rung, check_rungs, for_hub};
use super::source::{Source, SourceCodec};
use super::status::per_second;
use crate::callback::signature;
use crate::clock::{Clock, Time};
use crate::error;
use crate::id::{self, Id};
use crate::outbound::{Limits, Outbound, Request, Response};
use crate::platform::Shared;
use crate::secret::Secret;

/// How long an answer may take: viewers wait for the ladder.
pub const TIME_MAX: Duration = Duration::from_secs(2);
/// Bytes of an answer's body: eight rungs are less than two thousand.
pub const ANSWER_BYTES_MAX: usize = 16 << 10;
/// Questions on their way at once; further ones wait, within their own time.
pub const QUESTIONS_MAX: usize = 32;

/// Whom to ask.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where.
    pub url: Url,
    /// Signs the question, as Standard Webhooks has it.
    pub secret: Secret,
}

/// Asks for ladders.
#[derive(Debug)]
pub struct Webhook {
    outbound: Outbound,
    clock: Clock,
    options: Options,
    limits: Limits,
    slots: Semaphore,
    /// Whether the last question came to nothing: said once, not for each broadcast.
    away: AtomicBool,
}

/// What is told of a broadcast.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Question {
    /// The stream, where it is one of an account.
    pub stream_id: Option<Id>,
    /// The name by which it can be watched.
    pub name: Option<String>,
    /// The broadcast; none where none runs.
    pub broadcast_id: Option<String>,
    /// Whether somebody only wants to see what the answer would be.
    pub preview: bool,
    /// What the source sends.
    pub input: Input,
}

/// What a source sends.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Input {
    /// As RFC 6381 names it: `avc1.64001F`; of a preview its first part.
    pub video_codec: Option<String>,
    /// Pixels across.
    pub width: Option<u32>,
    /// Pixels down.
    pub height: Option<u32>,
    /// Frames a second, where known.
    pub frame_rate: Option<f64>,
    /// Bits per second that came in, where measured yet.
    pub bitrate: Option<u64>,
    /// As RFC 6381 names it: `mp4a.40.2`.
    pub audio_codec: Option<String>,
}

/// Why there is no ladder. The texts are for the stream's owner; the log has more for whoever runs the server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This server asks nobody.
    #[error("this server asks no program for the qualities")]
    Nobody,
    /// No answer came in time, or none at all.
    #[error("the program that chooses the qualities did not answer")]
    Away,
    /// It did not say yes.
    #[error("the program that chooses the qualities answered with status {0}")]
    Status(u16),
    /// What it said cannot be used.
    #[error("the program that chooses the qualities answered with what cannot be used: {0}")]
    Answer(String),
}

/// What is sent.
#[derive(Serialize)]
struct Message<'a> {
    id: &'a str,
    at: Time,
    event: &'static str,
    #[serde(flatten)]
    question: &'a Question,
}

/// What is answered.
#[derive(Deserialize)]
struct Answer {
    rungs: Vec<Rung>,
}

impl Input {
    /// What a broadcast's source sends now.
    pub fn of(broadcast: &Broadcast) -> Self {
        let codec = |parameters: &Option<Parameters>| Some(parameters.as_ref()?.codec_string().to_owned());
        let (video, audio) = (broadcast.parameters(Kind::Video), broadcast.parameters(Kind::Audio));
        let mut input = Self {
            video_codec: codec(&video),
            audio_codec: codec(&audio),
            bitrate: broadcast.health().map(|health| health.bitrate),
            ..Self::default()
        };
        if let Some(Parameters::Video(video)) = video {
            (input.width, input.height) = (Some(video.width), Some(video.height));
            input.frame_rate = video.frame_rate.map(per_second);
        }
        input
    }
}

/// What somebody wants to see the ladder of.
impl From<&Source> for Input {
    fn from(source: &Source) -> Self {
        let codec = match source.codec {
            SourceCodec::Avc => "avc1",
            SourceCodec::Hevc => "hvc1",
            SourceCodec::Av1 => "av01",
            SourceCodec::Vp9 => "vp09",
        };
        Self {
            video_codec: Some(codec.into()),
            width: Some(source.width),
            height: Some(source.height),
            frame_rate: Some(source.frame_rate),
            bitrate: Some(source.bitrate.into()),
            audio_codec: None,
        }
    }
}

impl Webhook {
    /// Questions go out over `outbound`.
    pub fn new(outbound: Outbound, clock: Clock, options: Options) -> Self {
        Self {
            outbound,
            clock,
            options,
            limits: Limits {
                time_max: TIME_MAX,
                body_bytes_max: ANSWER_BYTES_MAX,
                redirects_max: 0,
            },
            slots: Semaphore::new(QUESTIONS_MAX),
            away: AtomicBool::new(false),
        }
    }

    /// Asks for the rungs of a broadcast, the best first. None at all is an answer, too.
    ///
    /// # Errors
    /// [`Error`], after [`TIME_MAX`] at the latest.
    pub async fn ask(&self, question: &Question) -> Result<Vec<hub::Rung>, Error> {
        let asked = tokio::time::timeout(self.limits.time_max, self.send(question)).await;
        let answer = asked.unwrap_or_else(|_| {
            self.tell_away("no answer in time");
            Err(Error::Away)
        });
        answer.and_then(|response| read(&response)).inspect_err(|error| {
            if matches!(error, Error::Status(_) | Error::Answer(_)) {
                warn!(name = question.name, "no ladder: {error}");
            }
        })
    }

    async fn send(&self, question: &Question) -> Result<Response, Error> {
        let _slot = self.slots.acquire().await.map_err(|_| Error::Away)?;
        let response = self.outbound.send(self.request(question), self.limits).await;
        response
            .inspect(|_| {
                if self.away.swap(false, Ordering::Relaxed) {
                    info!("the program of transcode.webhook_url answers again");
                }
            })
            .map_err(|error| {
                self.tell_away(&error.to_string());
                Error::Away
            })
    }

    fn tell_away(&self, reason: &str) {
        if !self.away.swap(true, Ordering::Relaxed) {
            warn!("the program of transcode.webhook_url does not answer, presets stand in: {reason}");
        }
    }

    fn request(&self, question: &Question) -> Request {
        let (id, at) = (format!("msg_{}", id::random_text()), self.clock.now());
        let message = Message {
            id: &id,
            at,
            event: "ladder",
            question,
        };
        let body = serde_json::to_vec(&message).expect("a message is plain JSON");
        let headers = signature::headers(&self.options.secret, &id, at, &body);
        let mut request = Request::post(self.options.url.clone(), body);
        request.headers = headers;
        request
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request
    }
}

fn read(response: &Response) -> Result<Vec<hub::Rung>, Error> {
    if !response.status.is_success() {
        return Err(Error::Status(response.status.as_u16()));
    }
    let answer: Answer =
        serde_json::from_slice(&response.body).map_err(|fault| Error::Answer(printable(&fault.to_string())))?;
    check_rungs(&answer.rungs, "/rungs").map_err(|fault: error::Error| Error::Answer(fault.to_string()))?;
    Ok(for_hub(&answer.rungs))
}

/// A fault may repeat what was answered.
fn printable(fault: &str) -> String {
    fault.chars().filter(|c| !c.is_control()).take(200).collect()
}

impl Shared {
    /// Asks the program of `transcode.webhook_url` which rungs a broadcast shall have, the best first.
    ///
    /// # Errors
    /// [`Error`], after [`TIME_MAX`] at the latest: then a preset stands in, and its text is what the owner should know.
    pub async fn ask_for_ladder(&self, broadcast: &Broadcast) -> Result<Vec<hub::Rung>, Error> {
        let webhook = self.ladder_webhook.as_ref().ok_or(Error::Nobody)?;
        webhook.ask(&self.question_of(broadcast)).await
    }

    fn question_of(&self, broadcast: &Broadcast) -> Question {
        let entry = self.live.names.entry(broadcast.name());
        let name = match &entry {
            Some(entry) => entry.aliases.first().map(|(alias, _)| alias.clone()),
            None => Some(broadcast.name().to_string()),
        };
        Question {
            stream_id: entry.map(|entry| entry.stream.clone()),
            name,
            broadcast_id: Some(broadcast.id().to_string()),
            preview: false,
            input: Input::of(broadcast),
        }
    }
}
