//! A yes that holds for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::question::Question;
use super::verdict::Verdict;
use crate::secret::Digest;

/// Verdicts that are kept; when it is full of fresh ones, further ones are asked for each time.
pub(super) const VERDICTS_MAX: usize = 10_000;

/// Verdicts by question, for a time.
#[derive(Debug)]
pub(super) struct Cache {
    keeps: Duration,
    known: Mutex<HashMap<Digest, (Verdict, Instant)>>,
}

impl Cache {
    pub(super) fn new(keeps: Duration) -> Self {
        Self {
            keeps,
            known: Mutex::default(),
        }
    }

    pub(super) fn recall(&self, question: &Question) -> Option<Verdict> {
        if self.keeps.is_zero() || question.event.is_end() {
            return None;
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (verdict, until) = known.get(&question.digest())?;
        (Instant::now() < *until).then(|| verdict.clone())
    }

    pub(super) fn keep(&self, question: &Question, verdict: &Verdict) {
        if self.keeps.is_zero() {
            return;
        }
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= VERDICTS_MAX {
            known.retain(|_, (_, until)| now < *until);
        }
        if known.len() < VERDICTS_MAX {
            known.insert(question.digest(), (verdict.clone(), now + self.keeps));
        }
    }
}
