//! Mails that are on their way. Whoever causes one does not wait for it: how long it takes tells nobody whether there was one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tracing::{info, warn};

use super::{Letter, Server, send};

/// Mails that are on their way at once.
const WAITING_MAX: u32 = 256;
/// How long after a failure it is tried again.
const AGAIN_AFTER: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];

/// Where mails wait until the mail server has taken them.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Semaphore>);

impl Default for Outbox {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(WAITING_MAX as usize)))
    }
}

impl Outbox {
    /// Sends a mail, in a while and three times at most. One that finds the outbox full is lost, and the log says so.
    pub fn post(&self, server: Server, letter: Letter) {
        let Ok(place) = self.0.clone().try_acquire_owned() else {
            warn!("a mail is lost: {WAITING_MAX} wait for the mail server already");
            return;
        };
        tokio::spawn(async move {
            deliver(&server, &letter).await;
            drop(place);
        });
    }

    /// Waits until every mail has left or was given up.
    pub async fn idle(&self) {
        // The semaphore is never closed.
        let _ = self.0.acquire_many(WAITING_MAX).await;
    }
}

async fn deliver(server: &Server, letter: &Letter) {
    for wait in AGAIN_AFTER.map(Some).into_iter().chain([None]) {
        let Err(error) = send(server, letter).await else {
            info!(text = ?letter.text, "a mail has left");
            return;
        };
        warn!(%error, again = wait.is_some(), "a mail did not leave");
        match wait {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return,
        }
    }
}
