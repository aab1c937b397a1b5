//! Questions to somebody else's program: may this publisher or player begin? For those who keep their own list of keys.
//!
//! They go out in one of two forms: a signed JSON object, or the very form that nginx-rtmp's `on_publish`, `on_play` and `on_done` send, so that
//! a script written for those works as it is.

mod cache;
mod json_form;
mod nginx_form;
mod question;
pub(crate) mod signature;
#[cfg(test)]
mod tests;
mod verdict;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tracing::{info, warn};
use url::Url;

use crate::clock::Clock;
use crate::outbound::{Error, Limits, Outbound, Request, Response};
use crate::secret::Secret;
use cache::Cache;

pub use question::{Event, Question};
pub use verdict::Verdict;

/// Bytes of an answer's body: more than any reason or name needs.
pub const ANSWER_BYTES_MAX: usize = 16 << 10;

/// Questions on their way at once: half of what the server may send, so that a slow answer holds up nothing else.
pub const QUESTIONS_MAX: usize = crate::outbound::REQUESTS_MAX / 2;

/// Whom to ask, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Asked before a publisher begins.
    pub publish: Option<Url>,
    /// Asked before a player begins.
    pub play: Option<Url>,
    /// Told when either has ended.
    pub end: Option<Url>,
    /// What is sent.
    pub form: Form,
    /// How long an answer may take.
    pub time_max: Duration,
    /// How long a yes holds for the same question; zero for never.
    pub cache: Duration,
    /// What holds when there is no answer.
    pub fallback: Fallback,
}

/// What a callback carries.
#[derive(Clone, Debug)]
pub enum Form {
    /// A JSON object, signed as Standard Webhooks has it.
    Json {
        /// Signs it: `whsec_` and base64 as that specification writes it, or any other text as it is.
        secret: Secret,
    },
    /// What nginx-rtmp sends with `notify_method post`.
    NginxPost,
    /// What nginx-rtmp sends with `notify_method get`: all in the address, the stream key too, where the asked server may log it.
    NginxGet,
}

/// What holds when there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nobody new comes in; they are told to try again.
    Deny,
    /// Everybody comes in.
    Allow,
}

/// Asks, and remembers a yes for a while.
#[derive(Debug)]
pub struct Callbacks {
    outbound: Outbound,
    clock: Clock,
    options: Options,
    cache: Cache,
    slots: Semaphore,
    /// Whether the last call came to nothing: said once, not for each publisher that tries.
    away: AtomicBool,
}

impl Callbacks {
    /// Calls go out over `outbound`.
    pub fn new(outbound: Outbound, clock: Clock, options: Options) -> Self {
        Self {
            outbound,
            clock,
            cache: Cache::new(options.cache),
            options,
            slots: Semaphore::new(QUESTIONS_MAX),
            away: AtomicBool::new(false),
        }
    }

    /// Asks whether this may begin; `None` if nobody is to be asked about it. What the answer to the news of an end says does not matter: it is
    /// [`Verdict::Allow`] or [`Verdict::Unavailable`].
    pub async fn ask(&self, question: &Question) -> Option<Verdict> {
        let url = self.address(question.event)?;
        if let Some(known) = self.cache.recall(question) {
            return Some(known);
        }
        // Waiting for a turn is no sign that nobody answers: a crowd at the door must not bring the fallback about.
        let Ok(Ok(_slot)) = tokio::time::timeout(self.options.time_max, self.slots.acquire()).await else {
            return Some(Verdict::unavailable());
        };
        let request = match &self.options.form {
            Form::Json { secret } => json_form::request(url, question, secret, self.clock.now()),
            Form::NginxPost => nginx_form::post(url, question),
            Form::NginxGet => nginx_form::get(url, question),
        };
        let answer = self.send(request).await;
        Some(self.judge(question, answer))
    }

    fn address(&self, event: Event) -> Option<Url> {
        match event {
            Event::Publish => self.options.publish.clone(),
            Event::Play => self.options.play.clone(),
            Event::PublishDone | Event::PlayDone => self.options.end.clone(),
        }
    }

    async fn send(&self, request: Request) -> Result<Response, Error> {
        let limits = Limits {
            time_max: self.options.time_max,
            body_bytes_max: ANSWER_BYTES_MAX,
            // A redirect is an answer here: it names the stream to publish under.
            redirects_max: 0,
        };
        let answer = self.outbound.send(request, limits).await;
        match &answer {
            Ok(_) if self.away.swap(false, Ordering::Relaxed) => info!("callbacks are answered again"),
            Err(error) if !self.away.swap(true, Ordering::Relaxed) => {
                warn!(fallback = ?self.options.fallback, "a callback came to nothing: {error}");
            }
            _ => {}
        }
        answer
    }

    fn judge(&self, question: &Question, answer: Result<Response, Error>) -> Verdict {
        let verdict = match answer {
            // That is the configuration's fault, and must not open the door.
            Err(Error::NotAllowed { .. } | Error::Address(_)) => return Verdict::unavailable(),
            Err(_) => Verdict::unavailable(),
            Ok(_) if question.event.is_end() => return Verdict::Allow,
            Ok(response) => match self.options.form {
                Form::Json { .. } => json_form::verdict(&response),
                Form::NginxPost | Form::NginxGet => nginx_form::verdict(&response),
            },
        };
        match verdict {
            Verdict::Unavailable { .. } if self.options.fallback == Fallback::Allow => Verdict::Allow,
            Verdict::Allow | Verdict::AllowAs(_) => {
                self.cache.keep(question, &verdict);
                verdict
            }
            verdict => verdict,
        }
    }
}
