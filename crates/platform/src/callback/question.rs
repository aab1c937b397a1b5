use std::fmt;
use std::net::IpAddr;

use hub::Protocol;

use crate::secret::{Digest, Secret};

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A publisher wants to begin.
    Publish,
    /// A player wants to begin.
    Play,
    /// A publisher has ended.
    PublishDone,
    /// A player has ended.
    PlayDone,
}

impl Event {
    /// Its name in the JSON form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Play => "play",
            Self::PublishDone => "publish_done",
            Self::PlayDone => "play_done",
        }
    }

    /// Whether it tells of an end, and so asks nothing.
    pub fn is_end(self) -> bool {
        matches!(self, Self::PublishDone | Self::PlayDone)
    }

    pub(super) fn is_of_publisher(self) -> bool {
        matches!(self, Self::Publish | Self::PublishDone)
    }
}

/// Who wants what. Its `Debug` shows nothing that the peer wrote: applications and addresses may hold keys too.
#[derive(Clone)]
pub struct Question {
    /// What happens.
    pub event: Event,
    /// The stream's name as the peer asks for it, also at the end of what began under another: a publisher's is its key.
    pub stream: Secret,
    /// The query behind the stream's name, as the peer wrote it; empty for none.
    pub query: Secret,
    /// The application.
    pub app: String,
    /// The address that the peer says it connected to (`tcUrl`).
    pub tc_url: String,
    /// What the peer calls itself (`flashVer`).
    pub agent: String,
    /// Where it connects from.
    pub address: IpAddr,
    /// How it is connected.
    pub protocol: Protocol,
    /// The number of its connection: the same at its beginning and at its end.
    pub client: u64,
}

impl Question {
    /// What tells it from other questions: not the connection, so that who returns is known.
    pub(super) fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        let address = self.address.to_canonical().to_string();
        for part in [
            self.event.as_str(),
            self.stream.expose(),
            self.query.expose(),
            &self.app,
            &address,
        ] {
            bytes.extend_from_slice(&part.len().to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Digest::of(&bytes)
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("event", &self.event)
            .field("address", &self.address)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}
