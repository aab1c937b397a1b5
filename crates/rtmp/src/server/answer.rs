use std::time::Instant;

use super::{Phase, Session};
use crate::{Capabilities, Command, Control, Error, UserControl, amf0::Value, command, flv::Metadata, wire::Wire};

/// Why somebody may not publish, in RTMP's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishRefusal {
    /// The name is not known, not valid or taken.
    BadName,
    /// The publisher may not publish here, or not now.
    Denied,
}

impl PublishRefusal {
    /// The code that the publisher reads.
    pub fn code(self) -> &'static str {
        match self {
            Self::BadName => "NetStream.Publish.BadName",
            Self::Denied => "NetStream.Publish.Denied",
        }
    }
}

/// Why somebody may not play, in RTMP's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayRefusal {
    /// No such stream.
    StreamNotFound,
    /// There is one, but not for this player, or not now.
    Failed,
}

impl PlayRefusal {
    /// The code that the player reads.
    pub fn code(self) -> &'static str {
        match self {
            Self::StreamNotFound => "NetStream.Play.StreamNotFound",
            Self::Failed => "NetStream.Play.Failed",
        }
    }
}

/// Answers to the peer's questions. Each does nothing when its question is not open.
///
/// Accepting handles what the peer sent after the question, so it can find the peer at fault like any input.
impl Session {
    /// The application exists: tells our limits and capabilities.
    pub fn accept_connect(&mut self, now: Instant) -> Result<(), Error> {
        let Phase::Connecting { transaction } = self.phase else {
            return Ok(());
        };
        self.wire.control(Control::WindowAckSize(Wire::WINDOW));
        self.wire.control(Control::PeerBandwidth {
            size: Wire::WINDOW,
            limit: 2,
        });
        self.wire.set_out_chunk_size(self.chunk_size);
        self.wire.command(0, &connected(transaction));
        self.phase = Phase::Connected;
        self.resume(now)
    }

    /// No such application for this peer; the connection is to be closed.
    pub fn refuse_connect(&mut self, reason: &str) {
        let Phase::Connecting { transaction } = self.phase else {
            return;
        };
        self.wire
            .command(0, &error(transaction, "NetConnection.Connect.Rejected", reason));
        self.phase = Phase::Open;
        self.closing = true;
    }

    /// The peer may publish.
    pub fn accept_publish(&mut self, now: Instant) -> Result<(), Error> {
        let Phase::PublishAsked { stream } = self.phase else {
            return Ok(());
        };
        self.wire.control(Control::User(UserControl::StreamBegin(stream)));
        self.status(stream, "status", "NetStream.Publish.Start", "publishing");
        self.phase = Phase::Publishing { stream };
        self.resume(now)
    }

    /// The peer may not publish; the connection is to be closed.
    pub fn refuse_publish(&mut self, refusal: PublishRefusal, reason: &str) {
        let Phase::PublishAsked { stream } = self.phase else {
            return;
        };
        self.status(stream, "error", refusal.code(), reason);
        self.phase = Phase::Connected;
        self.closing = true;
    }

    /// Takes the stream away from its publisher and says why; the connection is to be closed.
    pub fn end_publish(&mut self, refusal: PublishRefusal, reason: &str) {
        if let Phase::Publishing { stream } = self.phase {
            self.status(stream, "error", refusal.code(), reason);
            self.closing = true;
        }
    }

    /// Tells a publisher something about its stream that does not end it.
    pub fn warn_publisher(&mut self, text: &str) {
        if let Phase::Publishing { stream } = self.phase {
            self.status(stream, "warning", "NetStream.Publish.Warning", text);
        }
    }

    /// Whether the peer said that it connects anew when it is asked to.
    pub fn reconnects(&self) -> bool {
        self.capabilities.reconnects()
    }

    /// Asks the peer to connect anew at its next key frame, to `tc_url` or else where it is now, and serves it until it does.
    /// `false` if it never said that it can: nothing is sent then.
    pub fn request_reconnect(&mut self, tc_url: Option<&str>, description: &str) -> bool {
        let may = self.capabilities.reconnects() && !matches!(self.phase, Phase::Open | Phase::Connecting { .. });
        if may {
            self.wire.command(0, &reconnect(tc_url, description));
        }
        may
    }

    /// The peer may play: media can follow.
    pub fn accept_play(&mut self, metadata: Option<&Metadata>, now: Instant) -> Result<(), Error> {
        let Phase::PlayAsked { stream, reset } = self.phase else {
            return Ok(());
        };
        self.wire.control(Control::User(UserControl::StreamBegin(stream)));
        if reset {
            self.status(stream, "status", "NetStream.Play.Reset", "resetting");
        }
        self.status(stream, "status", "NetStream.Play.Start", "playing");
        // Without it Flash players may not look into the samples.
        self.wire
            .data(stream, 0, &["|RtmpSampleAccess".into(), true.into(), true.into()]);
        if let Some(metadata) = metadata {
            self.wire.data(stream, 0, &["onMetaData".into(), metadata.to_value()]);
        }
        self.phase = Phase::Playing { stream };
        self.resume(now)
    }

    /// The peer may not play this; it may ask for something else.
    pub fn refuse_play(&mut self, refusal: PlayRefusal, reason: &str, now: Instant) -> Result<(), Error> {
        let Phase::PlayAsked { stream, .. } = self.phase else {
            return Ok(());
        };
        self.status(stream, "error", refusal.code(), reason);
        self.phase = Phase::Connected;
        self.resume(now)
    }

    /// The stream is over: nothing more comes.
    pub fn end_play(&mut self, now: Instant) {
        let Phase::Playing { stream } = self.phase else {
            return;
        };
        self.status(
            stream,
            "status",
            "NetStream.Play.UnpublishNotify",
            "the stream has ended",
        );
        self.wire.data(
            stream,
            0,
            &[
                "onPlayStatus".into(),
                command::status("status", "NetStream.Play.Complete", ""),
            ],
        );
        self.status(stream, "status", "NetStream.Play.Stop", "stopped");
        self.wire.control(Control::User(UserControl::StreamEof(stream)));
        self.phase = Phase::Connected;
        self.wire.begin_again(now);
    }

    pub(super) fn status(&mut self, stream: u32, level: &str, code: &str, description: &str) {
        let information = command::status(level, code, description);
        self.wire
            .command(stream, &Command::new("onStatus", 0.0, vec![Value::Null, information]));
    }
}

/// The answer to `connect`. Clients look for our capabilities in either object.
fn connected(transaction: f64) -> Command {
    let mut properties = vec![
        ("fmsVer".into(), "FMS/3,0,1,123".into()),
        ("capabilities".into(), Value::Number(31.0)),
    ];
    properties.extend(Capabilities::ours());
    let mut information = vec![
        ("level".into(), "status".into()),
        ("code".into(), "NetConnection.Connect.Success".into()),
        ("description".into(), "connected".into()),
        ("objectEncoding".into(), Value::Number(0.0)),
    ];
    information.extend(Capabilities::ours());
    result(transaction, vec![Value::Object(properties), Value::Object(information)])
}

/// "Reconnect Request" of Enhanced RTMP v2: a status of the connection and of no stream.
fn reconnect(tc_url: Option<&str>, description: &str) -> Command {
    let tc_url = tc_url.map(|url| ("tcUrl".to_owned(), url.into()));
    let others = [
        ("code", command::RECONNECT_REQUEST),
        ("description", description),
        ("level", "status"),
    ];
    let others = others.map(|(name, text)| (name.to_owned(), text.into()));
    let information = Value::Object(tc_url.into_iter().chain(others).collect());
    Command::new("onStatus", 0.0, vec![Value::Null, information])
}

pub(super) fn result(transaction: f64, arguments: Vec<Value>) -> Command {
    Command::new("_result", transaction, arguments)
}

pub(super) fn error(transaction: f64, code: &str, description: &str) -> Command {
    let information = command::status("error", code, description);
    Command::new("_error", transaction, vec![Value::Null, information])
}
