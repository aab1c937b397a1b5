//! The server's end of a connection: what publishers and players say, and the answers they wait for.

mod answer;
mod commands;
mod event;
mod media;

use std::{collections::VecDeque, time::Instant};

use bytes::Bytes;

pub use answer::{PlayRefusal, PublishRefusal};
pub use event::{Connect, Event, Play, Publish};

use crate::{
    Capabilities, Error, Limits, Message, handshake,
    message::kind,
    wire::{Handshake, Wire},
};

/// The length of our chunks unless the owner says otherwise.
pub const CHUNK_SIZE: u32 = 65_536;

/// How a session speaks to its peer.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What the peer may cost.
    pub limits: Limits,
    /// The length of our chunks. Long ones make most messages one chunk.
    pub chunk_size: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            chunk_size: CHUNK_SIZE,
        }
    }
}

/// One publisher's or player's connection.
///
/// [`Event::Connect`], [`Event::Publish`] and [`Event::Play`] are questions: the session holds back everything the peer
/// sent after them until it is told `accept_…` or `refuse_…`.
#[derive(Debug)]
pub struct Session {
    wire: Wire,
    chunk_size: u32,
    phase: Phase,
    app: String,
    capabilities: Capabilities,
    streams: Vec<u32>,
    events: VecDeque<Event>,
    held: VecDeque<Message>,
    closing: bool,
}

/// How far the peer has come.
#[derive(Clone, Debug, PartialEq)]
enum Phase {
    /// Nothing yet, or only the handshake.
    Open,
    /// `connect` waits for its answer.
    Connecting { transaction: f64 },
    /// Ready for `publish` or `play`.
    Connected,
    /// `publish` waits for its answer.
    PublishAsked { stream: u32 },
    /// Sends media.
    Publishing { stream: u32 },
    /// `play` waits for its answer.
    PlayAsked { stream: u32, reset: bool },
    /// Receives media.
    Playing { stream: u32 },
}

impl Phase {
    fn is_question(&self) -> bool {
        matches!(
            self,
            Self::Connecting { .. } | Self::PublishAsked { .. } | Self::PlayAsked { .. }
        )
    }

    /// The message stream in use.
    fn stream(&self) -> Option<u32> {
        match self {
            Self::Open | Self::Connecting { .. } | Self::Connected => None,
            Self::PublishAsked { stream }
            | Self::Publishing { stream }
            | Self::PlayAsked { stream, .. }
            | Self::Playing { stream } => Some(*stream),
        }
    }
}

impl Session {
    /// A session at `now`, before the peer's first byte. The handshake's random bytes come from `seed`.
    pub fn new(options: Options, seed: u64, now: Instant) -> Self {
        let handshake = Handshake::Server(handshake::Server::new(seed));
        Self {
            wire: Wire::new(handshake, Vec::new(), options.limits, now),
            chunk_size: options.chunk_size,
            phase: Phase::Open,
            app: String::new(),
            capabilities: Capabilities::default(),
            streams: Vec::new(),
            events: VecDeque::new(),
            held: VecDeque::new(),
            closing: false,
        }
    }

    /// Takes what the peer sent. After an error the connection is to be closed, once what is to be sent has been sent.
    pub fn handle_input(&mut self, bytes: &[u8], now: Instant) -> Result<(), Error> {
        let mut input = bytes;
        self.wire.received(bytes.len(), now);
        while !self.closing {
            let Some(message) = self.wire.next_message(&mut input, now)? else {
                break;
            };
            self.handle_or_hold(message, now)?;
        }
        Ok(())
    }

    fn handle_or_hold(&mut self, message: Message, now: Instant) -> Result<(), Error> {
        if self.phase.is_question() {
            self.held.push_back(message);
            return Ok(());
        }
        self.handle_message(message, now)
    }

    /// Handles what was held back, until the next question.
    fn resume(&mut self, now: Instant) -> Result<(), Error> {
        while !self.closing && !self.phase.is_question() {
            let Some(message) = self.held.pop_front() else {
                // One read's worth of messages may have been here: give the room back.
                self.held = VecDeque::new();
                break;
            };
            self.handle_message(message, now)?;
        }
        Ok(())
    }

    fn handle_message(&mut self, message: Message, now: Instant) -> Result<(), Error> {
        match message.kind {
            kind::COMMAND | kind::COMMAND_AMF3 => self.handle_command(&message, now),
            kind::AUDIO | kind::VIDEO => {
                self.handle_media(message);
                Ok(())
            }
            kind::AGGREGATE => {
                self.handle_aggregate(&message);
                Ok(())
            }
            kind::DATA | kind::DATA_AMF3 => {
                self.handle_data(&message);
                Ok(())
            }
            // Shared objects and whatever else belongs to other servers.
            _ => Ok(()),
        }
    }

    /// The time that [`Self::poll_timeout`] named has come, or another.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        if self.poll_timeout().is_none_or(|deadline| now < deadline) {
            return Ok(());
        }
        let limits = self.wire.limits();
        Err(match self.phase {
            _ if !self.wire.is_open() => Error::HandshakeTimeout(limits.handshake),
            Phase::Publishing { .. } => Error::Idle(limits.idle),
            _ => Error::SetupTimeout(limits.setup),
        })
    }

    /// When to call [`Self::handle_timeout`] at the latest. A player may stay silent for ever.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let limits = self.wire.limits();
        match self.phase {
            _ if !self.wire.is_open() => self.wire.handshake_deadline(),
            Phase::Publishing { .. } => self.wire.idle_deadline(limits.idle),
            Phase::Playing { .. } => None,
            _ => self.wire.began()?.checked_add(limits.setup),
        }
    }

    /// What the peer did next.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if self.events.is_empty() && self.events.capacity() > Self::EVENTS_KEPT {
            self.events = VecDeque::new();
        }
        event
    }

    const EVENTS_KEPT: usize = 64;

    /// Bytes to send.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        self.wire.transmit()
    }

    /// Whether the handshake is over.
    pub fn is_open(&self) -> bool {
        self.wire.is_open()
    }

    /// Whether the connection is to be closed once everything has been sent.
    pub fn is_closing(&self) -> bool {
        self.closing
    }

    /// The message stream that is published or played.
    pub fn stream(&self) -> Option<u32> {
        self.phase.stream()
    }

    /// The length of the chunks that the peer expects of us.
    pub fn chunk_size(&self) -> usize {
        self.wire.out_chunk_size()
    }

    /// What the peer said about Enhanced RTMP.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
}
