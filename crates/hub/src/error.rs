use crate::InvalidName;

/// Why somebody may not publish or play. The text is fit for the peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The stream's name cannot be a public name, or it belongs to somebody else.
    #[error("bad stream name: {reason}")]
    BadName {
        /// What is wrong with it.
        reason: String,
    },
    /// The key is unknown, or this address may not publish without one.
    #[error("publishing is not allowed: {reason}")]
    Unauthorized {
        /// What is missing.
        reason: String,
    },
    /// Another source holds the broadcast.
    #[error("the stream is already being published by another source")]
    Busy,
    /// Nothing of that name is live.
    #[error("no such stream is live")]
    NotFound,
    /// The server cannot decide or has no room now; trying again later may help.
    #[error("try again later: {reason}")]
    Unavailable {
        /// What is short.
        reason: String,
    },
}

impl From<InvalidName> for Refusal {
    fn from(invalid: InvalidName) -> Self {
        Self::BadName {
            reason: invalid.to_string(),
        }
    }
}
