use bytes::Bytes;
use media::Kind;

use crate::{Capabilities, flv::Metadata};

/// What a peer did.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// It wants to use an application: answer with `accept_connect` or `refuse_connect`.
    Connect(Connect),
    /// It wants to publish: answer with `accept_publish` or `refuse_publish`.
    Publish(Publish),
    /// It wants to play: answer with `accept_play` or `refuse_play`.
    Play(Play),
    /// A publisher's audio or video.
    Media {
        /// Which of both.
        kind: Kind,
        /// Milliseconds on the publisher's clock, which wraps.
        timestamp: u32,
        /// The body of an FLV tag: for [`flv`](crate::flv) to read.
        tag: Bytes,
    },
    /// What a publisher says of its stream.
    Metadata(Metadata),
    /// The publisher ended its stream cleanly.
    Unpublish,
    /// The player wants no more.
    Stop,
    /// The player pauses, or goes on.
    Pause(bool),
    /// The player turns a kind of media on or off.
    Receive {
        /// Which kind.
        kind: Kind,
        /// Whether it wants it.
        wanted: bool,
    },
}

/// The question of [`Event::Connect`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// The application's name, without the query that some clients add.
    pub app: String,
    /// The address as the client was given it; may hold a secret.
    pub tc_url: String,
    /// What the client calls itself.
    pub agent: String,
    /// What it says about Enhanced RTMP.
    pub capabilities: Capabilities,
}

/// The question of [`Event::Publish`].
#[derive(Clone, PartialEq, Eq)]
pub struct Publish {
    /// The application's name.
    pub app: String,
    /// The stream's name without its query: for most servers a secret key.
    pub name: String,
    /// What stood behind the name's question mark.
    pub query: String,
    /// `live`, `record` or `append`.
    pub mode: String,
}

// The name is a key.
impl std::fmt::Debug for Publish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publish")
            .field("app", &self.app)
            .field("name", &"***")
            .finish_non_exhaustive()
    }
}

/// The question of [`Event::Play`].
#[derive(Clone, PartialEq)]
pub struct Play {
    /// The application's name.
    pub app: String,
    /// The stream's name without its query.
    pub name: String,
    /// What stood behind the name's question mark.
    pub query: String,
    /// Seconds into a recording; -2 is live or else recorded, -1 is live only.
    pub start: f64,
    /// Seconds to play; -1 is to the end.
    pub duration: f64,
}

// The query may hold a token.
impl std::fmt::Debug for Play {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Play")
            .field("app", &self.app)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
