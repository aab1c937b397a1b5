//! What somebody else's program is asked, and told.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hub::{Caller, Name, Refusal, Standing};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::warn;

use super::unauthorized;
use crate::callback::{Event, Question, Verdict};
use crate::platform::Platform;
use crate::secret::Secret;

/// What it said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Nobody is to be asked.
    Nothing,
    /// It may begin.
    Yes,
    /// It may begin, under this name.
    As(Name),
}

pub(super) fn question(event: Event, stream: &str, caller: &Caller) -> Question {
    Question {
        event,
        stream: Secret::new(stream),
        query: Secret::new(&caller.query),
        app: caller.app.clone(),
        tc_url: caller.url.clone(),
        agent: caller.agent.clone(),
        address: caller.peer.ip(),
        protocol: caller.protocol,
        client: caller.connection,
    }
}

/// Asks, where somebody is to be asked.
pub(super) async fn ask(platform: &Platform, question: &Question) -> Result<Said, Refusal> {
    let Some(callbacks) = &platform.callbacks else {
        return Ok(Said::Nothing);
    };
    match callbacks.ask(question).await {
        None => Ok(Said::Nothing),
        Some(Verdict::Allow) => Ok(Said::Yes),
        Some(Verdict::AllowAs(name)) => Ok(Said::As(name)),
        Some(Verdict::Deny { reason }) => Err(unauthorized(reason)),
        Some(Verdict::Unavailable { reason }) => Err(Refusal::Unavailable { reason }),
    }
}

/// The news of ends that are on their way.
#[derive(Debug, Default)]
pub(super) struct Ends(Mutex<JoinSet<()>>);

impl Ends {
    /// Tells of the end as soon as nobody holds the right any more.
    pub(super) fn tell(
        &self,
        platform: &Platform,
        right: watch::Sender<Standing>,
        mut question: Question,
        event: Event,
    ) {
        question.event = event;
        let platform = platform.clone();
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            right.closed().await;
            if let Some(callbacks) = &platform.callbacks {
                callbacks.ask(&question).await;
            }
        });
    }

    /// Waits until all of them are out, for a while.
    pub(super) async fn finish(&self, at_most: Duration) {
        let mut tasks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(at_most, all).await.is_err() {
            warn!("callbacks that tell of an end were not answered in time");
        }
    }
}
