//! The client's end of a connection: publishes or plays one stream. For tests and for relays.

use std::{collections::VecDeque, time::Instant};

use bytes::Bytes;
use media::Kind;

use crate::{
    Capabilities, Command, Control, Error, Limits, Message, UserControl,
    amf0::Value,
    chunk::Chunked,
    command,
    flv::Metadata,
    handshake,
    message::kind,
    wire::{Handshake, Wire, chunk_stream},
};

/// What a client wants of its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// To send a stream.
    Publish,
    /// To receive one.
    Play,
}

/// Where a client goes and what it does there.
#[derive(Clone, Debug)]
pub struct Options {
    /// The whole address up to the application: `rtmp://host:1935/live`.
    pub tc_url: String,
    /// The application: `live`.
    pub app: String,
    /// The stream's name or key.
    pub stream: String,
    /// To publish or to play.
    pub intent: Intent,
    /// The length of our chunks.
    pub chunk_size: u32,
    /// Whether to shake hands with digests.
    pub digest: bool,
    /// Whether to announce the codecs of Enhanced RTMP.
    pub enhanced: bool,
    /// What the server may cost.
    pub limits: Limits,
}

impl Options {
    /// The usual options for a stream on a server.
    pub fn new(intent: Intent, address: &str, app: &str, stream: &str) -> Self {
        Self {
            tc_url: format!("rtmp://{address}/{app}"),
            app: app.to_owned(),
            stream: stream.to_owned(),
            intent,
            chunk_size: 65_536,
            digest: false,
            enhanced: true,
            limits: Limits::default(),
        }
    }
}

/// What the server did.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The stream runs: a publisher may send.
    Ready,
    /// The server said no; the connection is over.
    Refused {
        /// RTMP's word for it: `NetStream.Publish.BadName`.
        code: String,
        /// The server's own words.
        description: String,
    },
    /// Audio or video of a played stream.
    Media {
        /// Which of both.
        kind: Kind,
        /// Milliseconds, wrapping.
        timestamp: u32,
        /// The body of an FLV tag.
        tag: Bytes,
    },
    /// What is said of a played stream.
    Metadata(Metadata),
    /// The server asks its client to connect anew at the next key frame, and serves it until then.
    Reconnect {
        /// Where to, whole or relative to the address of this connection; the same address if it does not say.
        tc_url: Option<String>,
        /// The server's own words.
        description: String,
    },
    /// A status in passing.
    Status {
        /// RTMP's word for it.
        code: String,
        /// The server's own words.
        description: String,
    },
    /// The played stream is over.
    Ended,
}

/// One client's connection.
#[derive(Debug)]
pub struct Session {
    wire: Wire,
    options: Options,
    step: Step,
    stream: u32,
    events: VecDeque<Event>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Handshake,
    Connect,
    CreateStream,
    Start,
    Running,
    Over,
}

impl Session {
    const CONNECT: f64 = 1.0;
    const CREATE_STREAM: f64 = 4.0;
    const START: f64 = 5.0;

    /// A session that wants to send its first bytes. The handshake's random bytes come from `seed`.
    pub fn new(options: Options, seed: u64, now: Instant) -> Self {
        let (client, hello) = if options.digest {
            handshake::Client::with_digest(seed)
        } else {
            handshake::Client::plain(seed)
        };
        Self {
            wire: Wire::new(Handshake::Client(client), hello, options.limits, now),
            options,
            step: Step::Handshake,
            stream: 0,
            events: VecDeque::new(),
        }
    }

    /// Takes what the server sent.
    pub fn handle_input(&mut self, bytes: &[u8], now: Instant) -> Result<(), Error> {
        let mut input = bytes;
        self.wire.received(bytes.len(), now);
        while let Some(message) = self.next_message(&mut input, now)? {
            self.handle_message(message)?;
        }
        Ok(())
    }

    fn next_message(&mut self, input: &mut &[u8], now: Instant) -> Result<Option<Message>, Error> {
        let message = self.wire.next_message(input, now)?;
        if self.step == Step::Handshake && self.wire.is_open() {
            self.connect();
        }
        Ok(message)
    }

    /// The time that [`Self::poll_timeout`] named has come, or another.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        if self.poll_timeout().is_none_or(|deadline| now < deadline) {
            return Ok(());
        }
        let limits = self.wire.limits();
        Err(if self.wire.is_open() {
            Error::SetupTimeout(limits.setup)
        } else {
            Error::HandshakeTimeout(limits.handshake)
        })
    }

    /// When to call [`Self::handle_timeout`] at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.step {
            Step::Handshake => self.wire.handshake_deadline(),
            Step::Connect | Step::CreateStream | Step::Start => {
                self.wire.began()?.checked_add(self.wire.limits().setup)
            }
            Step::Running | Step::Over => None,
        }
    }

    /// What the server did next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Bytes to send.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        self.wire.transmit()
    }

    /// Whether the stream runs.
    pub fn is_running(&self) -> bool {
        self.step == Step::Running
    }

    /// Sends a tag's body as audio or video; copies it.
    pub fn send_media(&mut self, media: Kind, timestamp: u32, tag: &[u8]) {
        if self.step == Step::Running {
            let (chunk_stream, kind) = lane(media);
            self.wire.send(chunk_stream, kind, self.stream, timestamp, tag);
        }
    }

    /// Sends a message that was cut for our chunk size, after what is still to be sent; copies it.
    pub fn chunked(&self, media: Kind, timestamp: u32, prefix: &[u8], payload: &Bytes) -> Chunked {
        let (chunk_stream, kind) = lane(media);
        let envelope = crate::chunk::Envelope {
            chunk_stream,
            kind,
            stream: self.stream,
            timestamp,
        };
        Chunked::new(envelope, prefix, payload, self.wire.out_chunk_size())
    }

    /// Sends what is to be said of the stream.
    pub fn send_metadata(&mut self, metadata: &Metadata) {
        if self.step == Step::Running {
            let values = ["@setDataFrame".into(), "onMetaData".into(), metadata.to_value()];
            self.wire.data(self.stream, 0, &values);
        }
    }

    /// Asks whether the server is still there.
    pub fn ping(&mut self, number: u32) {
        self.wire.control(Control::User(UserControl::PingRequest(number)));
    }

    /// Calls a command that this session does not know by itself.
    pub fn call(&mut self, command: &Command) {
        self.wire.command(self.stream, command);
    }

    /// Ends the stream cleanly.
    pub fn finish(&mut self) {
        if self.step != Step::Running {
            return;
        }
        if self.options.intent == Intent::Publish {
            let name = self.options.stream.as_str().into();
            self.wire
                .command(0, &Command::new("FCUnpublish", 6.0, vec![Value::Null, name]));
        }
        let stream = Value::Number(f64::from(self.stream));
        self.wire
            .command(0, &Command::new("deleteStream", 7.0, vec![Value::Null, stream]));
        self.step = Step::Over;
    }

    fn connect(&mut self) {
        self.wire.set_out_chunk_size(self.options.chunk_size);
        let mut object = vec![
            ("app".into(), self.options.app.as_str().into()),
            ("type".into(), "nonprivate".into()),
            ("flashVer".into(), "FMLE/3.0 (compatible; headwater)".into()),
            ("tcUrl".into(), self.options.tc_url.as_str().into()),
        ];
        if self.options.enhanced {
            object.extend(Capabilities::ours());
        }
        self.wire
            .command(0, &Command::new("connect", Self::CONNECT, vec![Value::Object(object)]));
        self.step = Step::Connect;
    }

    fn handle_message(&mut self, message: Message) -> Result<(), Error> {
        match message.kind {
            kind::COMMAND | kind::COMMAND_AMF3 => {
                let command = Command::read(&message, self.wire.budget())?;
                self.handle_command(&command);
            }
            kind::AUDIO => self.media(Kind::Audio, message),
            kind::VIDEO => self.media(Kind::Video, message),
            kind::DATA | kind::DATA_AMF3 => self.data(&message),
            _ => {}
        }
        Ok(())
    }

    fn media(&mut self, kind: Kind, message: Message) {
        self.events.push_back(Event::Media {
            kind,
            timestamp: message.timestamp,
            tag: message.payload,
        });
    }

    fn data(&mut self, message: &Message) {
        let values = command::read_values(message, self.wire.budget()).unwrap_or_default();
        if let Some(metadata) = Metadata::read(&values) {
            self.events.push_back(Event::Metadata(metadata));
        }
    }

    fn handle_command(&mut self, command: &Command) {
        let answers = |transaction: f64| command.transaction == transaction;
        match (command.name.as_str(), self.step) {
            ("_result", Step::Connect) if answers(Self::CONNECT) => self.create_stream(),
            ("_result", Step::CreateStream) if answers(Self::CREATE_STREAM) => self.start(command),
            ("_error", Step::Connect) if answers(Self::CONNECT) => self.refused(command),
            ("_error", Step::CreateStream) if answers(Self::CREATE_STREAM) => self.refused(command),
            ("onStatus", _) => self.status(command),
            _ => {}
        }
    }

    fn create_stream(&mut self) {
        if self.options.intent == Intent::Publish {
            let name = || vec![Value::Null, self.options.stream.as_str().into()];
            let (release, announce) = (name(), name());
            self.wire.command(0, &Command::new("releaseStream", 2.0, release));
            self.wire.command(0, &Command::new("FCPublish", 3.0, announce));
        }
        self.wire
            .command(0, &Command::new("createStream", Self::CREATE_STREAM, vec![Value::Null]));
        self.step = Step::CreateStream;
    }

    fn start(&mut self, created: &Command) {
        // A float-to-integer cast saturates: a server's nonsense becomes a stream that it does not know.
        self.stream = created.number(1).unwrap_or_default() as u32;
        let name = Value::from(self.options.stream.as_str());
        let command = match self.options.intent {
            Intent::Publish => Command::new("publish", Self::START, vec![Value::Null, name, "live".into()]),
            Intent::Play => Command::new("play", Self::START, vec![Value::Null, name, Value::Number(-2.0)]),
        };
        self.wire.command(self.stream, &command);
        self.step = Step::Start;
    }

    fn status(&mut self, command: &Command) {
        let (level, code, description) = information(command);
        match code.as_str() {
            "NetStream.Publish.Start" | "NetStream.Play.Start" => {
                self.step = Step::Running;
                self.events.push_back(Event::Ready);
            }
            "NetStream.Play.Stop" => {
                self.step = Step::Over;
                self.events.push_back(Event::Ended);
            }
            command::RECONNECT_REQUEST => self.events.push_back(Event::Reconnect {
                tc_url: text_property(command, "tcUrl"),
                description,
            }),
            _ if level == "error" => self.refused(command),
            _ => self.events.push_back(Event::Status { code, description }),
        }
    }

    fn refused(&mut self, command: &Command) {
        let (_, code, description) = information(command);
        self.step = Step::Over;
        self.events.push_back(Event::Refused { code, description });
    }
}

/// Level, code and description of a status.
fn information(command: &Command) -> (String, String, String) {
    let text = |name| text_property(command, name).unwrap_or_default();
    (text("level"), text("code"), text("description"))
}

/// A text of a status.
fn text_property(command: &Command, name: &str) -> Option<String> {
    let text = command.argument(1)?.property(name)?.as_str()?;
    Some(text.to_owned())
}

fn lane(media: Kind) -> (u8, u8) {
    match media {
        Kind::Audio => (chunk_stream::AUDIO, kind::AUDIO),
        Kind::Video => (chunk_stream::VIDEO, kind::VIDEO),
    }
}
