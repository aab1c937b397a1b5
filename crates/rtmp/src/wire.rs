use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::{
    AckWindow, Command, Control, Error, Limits, Message, UserControl,
    amf0::{self, Budget, Value},
    chunk::{self, Envelope},
    handshake::{self, Progress},
    message::kind,
};

/// Chunk streams that we send on.
pub(crate) mod chunk_stream {
    pub(crate) const CONTROL: u8 = 2;
    pub(crate) const COMMAND: u8 = 3;
    pub(crate) const AUDIO: u8 = 4;
    pub(crate) const DATA: u8 = 5;
    pub(crate) const VIDEO: u8 = 6;
}

/// What both ends of a connection do alike: the handshake, chunks, acknowledgements, pings and the times of all that.
#[derive(Debug)]
pub(crate) struct Wire {
    handshake: Option<Handshake>,
    reader: chunk::Reader,
    ack: AckWindow,
    out: Vec<u8>,
    out_chunk_size: usize,
    limits: Limits,
    began: Option<Instant>,
    last_input: Option<Instant>,
}

#[derive(Debug)]
pub(crate) enum Handshake {
    Server(handshake::Server),
    Client(handshake::Client),
}

impl Handshake {
    fn handle_input(&mut self, input: &mut &[u8]) -> Result<Progress, Error> {
        match self {
            Self::Server(server) => server.handle_input(input),
            Self::Client(client) => client.handle_input(input),
        }
    }
}

impl Wire {
    /// The window that we expect acknowledgements for, and grant.
    pub(crate) const WINDOW: u32 = 2_500_000;

    pub(crate) fn new(handshake: Handshake, first_bytes: Vec<u8>, limits: Limits, now: Instant) -> Self {
        Self {
            handshake: Some(handshake),
            reader: chunk::Reader::new(limits),
            ack: AckWindow::new(Self::WINDOW),
            out: first_bytes,
            out_chunk_size: chunk::DEFAULT_SIZE,
            limits,
            began: Some(now),
            last_input: None,
        }
    }

    /// Bytes came in at `now`; to be called once before they are taken by [`Self::next_message`].
    pub(crate) fn received(&mut self, len: usize, now: Instant) {
        self.last_input = Some(now);
        if self.handshake.is_some() {
            return;
        }
        if let Some(sequence) = self.ack.receive(len) {
            self.control(Control::Acknowledgement(sequence));
        }
    }

    /// The next message that is not about the connection itself; `None` when `input` is used up.
    pub(crate) fn next_message(&mut self, input: &mut &[u8], now: Instant) -> Result<Option<Message>, Error> {
        if !self.shake(input, now)? {
            return Ok(None);
        }
        while let Some(message) = self.reader.read(input)? {
            match Control::read(&message)? {
                Some(control) => self.handle_control(control)?,
                None => return Ok(Some(message)),
            }
        }
        Ok(None)
    }

    /// Goes on with the handshake; returns whether it is over.
    fn shake(&mut self, input: &mut &[u8], now: Instant) -> Result<bool, Error> {
        while let Some(handshake) = &mut self.handshake {
            match handshake.handle_input(input)? {
                Progress::Waiting => return Ok(false),
                Progress::Reply(bytes) => self.out.extend_from_slice(&bytes),
                Progress::Done(bytes) => {
                    self.out.extend_from_slice(&bytes);
                    self.handshake = None;
                    self.began = Some(now);
                }
            }
        }
        Ok(true)
    }

    fn handle_control(&mut self, control: Control) -> Result<(), Error> {
        match control {
            Control::SetChunkSize(size) => self.reader.set_chunk_size(size)?,
            Control::Abort(id) => self.reader.abort(id),
            Control::WindowAckSize(size) => self.ack.resize(size),
            Control::PeerBandwidth { .. } => self.control(Control::WindowAckSize(Self::WINDOW)),
            Control::User(UserControl::PingRequest(number)) => {
                self.control(Control::User(UserControl::PingResponse(number)));
            }
            Control::Acknowledgement(_) | Control::User(_) => {}
        }
        Ok(())
    }

    /// Whether the handshake is over.
    pub(crate) fn is_open(&self) -> bool {
        self.handshake.is_none()
    }

    /// When the handshake must be over, while it is not.
    pub(crate) fn handshake_deadline(&self) -> Option<Instant> {
        self.handshake
            .as_ref()
            .and(self.began)?
            .checked_add(self.limits.handshake)
    }

    /// When the handshake was over, or the last stream.
    pub(crate) fn began(&self) -> Option<Instant> {
        self.began
    }

    /// The time until `publish` or `play` starts anew.
    pub(crate) fn begin_again(&mut self, now: Instant) {
        self.began = Some(now);
    }

    /// When a peer that sends nothing from now on will have been silent for `idle`.
    pub(crate) fn idle_deadline(&self, idle: Duration) -> Option<Instant> {
        self.last_input.or(self.began)?.checked_add(idle)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn budget(&self) -> Budget {
        Budget {
            depth: self.limits.amf_depth_max,
            values: self.limits.amf_values_max,
        }
    }

    pub(crate) fn out_chunk_size(&self) -> usize {
        self.out_chunk_size
    }

    /// From now on our chunks are at most `size` long, and the peer is told.
    pub(crate) fn set_out_chunk_size(&mut self, size: u32) {
        self.control(Control::SetChunkSize(size));
        self.out_chunk_size = size as usize;
    }

    pub(crate) fn control(&mut self, control: Control) {
        let (kind, payload) = control.write();
        self.send(chunk_stream::CONTROL, kind, 0, 0, &payload);
    }

    pub(crate) fn command(&mut self, stream: u32, command: &Command) {
        self.send(chunk_stream::COMMAND, kind::COMMAND, stream, 0, &command.write());
    }

    pub(crate) fn data(&mut self, stream: u32, timestamp: u32, values: &[Value]) {
        let mut payload = Vec::new();
        values.iter().for_each(|value| amf0::write(&mut payload, value));
        self.send(chunk_stream::DATA, kind::DATA, stream, timestamp, &payload);
    }

    pub(crate) fn send(&mut self, chunk_stream: u8, kind: u8, stream: u32, timestamp: u32, payload: &[u8]) {
        let envelope = Envelope {
            chunk_stream,
            kind,
            stream,
            timestamp,
        };
        chunk::append(&mut self.out, envelope, payload, self.out_chunk_size);
    }

    pub(crate) fn transmit(&mut self) -> Option<Bytes> {
        (!self.out.is_empty()).then(|| Bytes::from(std::mem::take(&mut self.out)))
    }
}
