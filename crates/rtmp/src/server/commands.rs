use std::time::Instant;

use media::Kind;

use super::{
    Connect, Event, Phase, Play, Publish, PublishRefusal, Session,
    answer::{PlayRefusal, error, result},
};
use crate::{
    Capabilities, Command, Error, Message,
    amf0::{self, Value},
    command,
};

impl Session {
    pub(super) fn handle_command(&mut self, message: &Message, now: Instant) -> Result<(), Error> {
        let command = match Command::read(message, self.wire.budget()) {
            Ok(command) => command,
            Err(fault) => return self.unreadable(fault),
        };
        let stream = message.stream;
        match command.name.as_str() {
            "connect" => self.connect(&command),
            _ if self.phase == Phase::Open => self.before_connect(stream, &command),
            "createStream" => self.create_stream(&command),
            "publish" => self.publish(stream, &command),
            "play" | "play2" => self.play(stream, &command),
            "deleteStream" => self.delete_stream(&command, now),
            "closeStream" => self.close_stream(stream, now),
            "FCPublish" => self.fc_publish(&command),
            "FCUnpublish" => self.fc_unpublish(&command, now),
            "pause" | "pauseRaw" => self.pause(&command),
            "seek" => self.seek(),
            "receiveAudio" => self.receive(Kind::Audio, &command),
            "receiveVideo" => self.receive(Kind::Video, &command),
            "getStreamLength" => self.answer(&command, Value::Number(0.0)),
            "FCSubscribe" => self.fc_subscribe(&command),
            "releaseStream" | "FCUnsubscribe" | "_checkbw" | "checkBandwidth" | "setPeerInfo" => {
                self.answer(&command, Value::Null);
            }
            // Answers to us.
            "_result" | "_error" | "onStatus" => {}
            _ => self.unknown(&command),
        }
        Ok(())
    }

    // Before `connect` nobody is there to be polite to; afterwards one bad command must not cost a stream.
    fn unreadable(&mut self, fault: Error) -> Result<(), Error> {
        if self.phase == Phase::Open {
            return Err(fault);
        }
        self.wire
            .command(0, &error(0.0, "NetConnection.Call.Failed", &fault.to_string()));
        Ok(())
    }

    fn connect(&mut self, command: &Command) {
        if self.phase != Phase::Open {
            self.wire.command(
                0,
                &error(command.transaction, "NetConnection.Connect.Failed", "already connected"),
            );
            return;
        }
        self.phase = Phase::Connecting {
            transaction: command.transaction,
        };
        let object = command.argument(0).unwrap_or(&Value::Null);
        let text = |name| object.property(name).and_then(Value::as_str).unwrap_or_default();
        if let Err(fault) = check_app(object, self.wire.limits().app_bytes_max) {
            self.refuse_connect(&fault);
            return;
        }
        let (app, _) = split_query(text("app"));
        app.trim_matches('/').clone_into(&mut self.app);
        self.capabilities = Capabilities::read(object);
        self.events.push_back(Event::Connect(Connect {
            app: self.app.clone(),
            tc_url: text("tcUrl").to_owned(),
            agent: text("flashVer").to_owned(),
            capabilities: self.capabilities.clone(),
        }));
    }

    fn before_connect(&mut self, stream: u32, command: &Command) {
        let text = "send connect first";
        match command.name.as_str() {
            "publish" => self.status(stream, "error", PublishRefusal::Denied.code(), text),
            "play" => self.status(stream, "error", PlayRefusal::Failed.code(), text),
            _ => self
                .wire
                .command(0, &error(command.transaction, "NetConnection.Call.Failed", text)),
        }
        self.closing = true;
    }

    fn create_stream(&mut self, command: &Command) {
        let max = self.wire.limits().message_streams_max;
        let Some(id) = (1..=max).find(|id| !self.streams.contains(id)) else {
            let fault = error(command.transaction, "NetConnection.Call.Failed", "too many streams");
            self.wire.command(0, &fault);
            return;
        };
        self.streams.push(id);
        self.answer(command, Value::Number(f64::from(id)));
    }

    fn publish(&mut self, stream: u32, command: &Command) {
        let mode = command.text(2).unwrap_or("live").to_owned();
        let asked = match self.check_name(stream, command) {
            Ok((name, query)) => Publish {
                app: self.app.clone(),
                name,
                query,
                mode,
            },
            Err(fault) => {
                self.status(stream, "error", PublishRefusal::BadName.code(), &fault);
                self.closing = self.phase == Phase::Connected;
                return;
            }
        };
        self.phase = Phase::PublishAsked { stream };
        self.events.push_back(Event::Publish(asked));
    }

    fn play(&mut self, stream: u32, command: &Command) {
        // play2 carries an object where play has a name.
        let (name, query) = match self.check_name(stream, command) {
            Ok(name) => name,
            Err(fault) => {
                self.status(stream, "error", PlayRefusal::StreamNotFound.code(), &fault);
                return;
            }
        };
        let asked = Play {
            app: self.app.clone(),
            name,
            query,
            start: command.number(2).unwrap_or(-2.0),
            duration: command.number(3).unwrap_or(-1.0),
        };
        let reset = command.argument(4).and_then(Value::as_bool).unwrap_or(true);
        self.phase = Phase::PlayAsked { stream, reset };
        self.events.push_back(Event::Play(asked));
    }

    /// The name and query that a `publish` or `play` on `stream` asks for, or what is wrong with them.
    fn check_name(&self, stream: u32, command: &Command) -> Result<(String, String), String> {
        if self.phase != Phase::Connected {
            return Err("this connection already has a stream".to_owned());
        }
        if !self.streams.contains(&stream) {
            return Err(format!("no such stream was created: {stream}"));
        }
        let argument = command.argument(1);
        let text = argument.and_then(|value| value.as_str().or_else(|| value.property("streamName")?.as_str()));
        let text = text.ok_or("a stream name is missing")?;
        check_text("stream name", text, self.wire.limits().name_bytes_max)?;
        let (name, query) = split_query(text);
        if name.is_empty() {
            return Err("the stream name is empty".to_owned());
        }
        Ok((name.to_owned(), query.to_owned()))
    }

    fn delete_stream(&mut self, command: &Command, now: Instant) {
        let id = command.number(1).unwrap_or_default();
        let deleted = self.streams.iter().copied().find(|stream| f64::from(*stream) == id);
        if let Some(stream) = deleted {
            self.streams.retain(|kept| *kept != stream);
            self.close_stream(stream, now);
        }
    }

    /// Ends what runs on `stream`.
    fn close_stream(&mut self, stream: u32, now: Instant) {
        if self.phase.stream() != Some(stream) {
            return;
        }
        let event = match self.phase {
            Phase::Publishing { .. } => Event::Unpublish,
            Phase::Playing { .. } => Event::Stop,
            _ => return,
        };
        self.events.push_back(event);
        self.phase = Phase::Connected;
        self.wire.begin_again(now);
    }

    fn fc_publish(&mut self, command: &Command) {
        self.answer(command, Value::Null);
        let name = command.text(1).unwrap_or_default();
        let information = command::status("status", "NetStream.Publish.Start", name);
        self.wire
            .command(0, &Command::new("onFCPublish", 0.0, vec![Value::Null, information]));
    }

    fn fc_unpublish(&mut self, command: &Command, now: Instant) {
        self.answer(command, Value::Null);
        if let Phase::Publishing { stream } = self.phase {
            self.close_stream(stream, now);
        }
    }

    fn fc_subscribe(&mut self, command: &Command) {
        let name = command.text(1).unwrap_or_default();
        let information = command::status("status", "NetStream.Play.Start", name);
        self.wire
            .command(0, &Command::new("onFCSubscribe", 0.0, vec![Value::Null, information]));
    }

    fn pause(&mut self, command: &Command) {
        let Phase::Playing { stream } = self.phase else {
            return;
        };
        let paused = command.argument(1).and_then(Value::as_bool).unwrap_or(true);
        let code = if paused {
            "NetStream.Pause.Notify"
        } else {
            "NetStream.Unpause.Notify"
        };
        self.status(stream, "status", code, "");
        self.events.push_back(Event::Pause(paused));
    }

    // A live stream has nowhere to go to.
    fn seek(&mut self) {
        if let Phase::Playing { stream } = self.phase {
            self.status(
                stream,
                "status",
                "NetStream.Seek.Notify",
                "a live stream stays where it is",
            );
        }
    }

    fn receive(&mut self, kind: Kind, command: &Command) {
        if let Phase::Playing { .. } = self.phase {
            let wanted = command.argument(1).and_then(Value::as_bool).unwrap_or(true);
            self.events.push_back(Event::Receive { kind, wanted });
        }
    }

    fn unknown(&mut self, command: &Command) {
        if command.transaction != 0.0 {
            let text = format!("no such command: {}", printable(&command.name));
            self.wire
                .command(0, &error(command.transaction, "NetConnection.Call.Failed", &text));
        }
    }

    /// Answers a command that wants an answer.
    fn answer(&mut self, command: &Command, value: Value) {
        if command.transaction != 0.0 {
            self.wire
                .command(0, &result(command.transaction, vec![Value::Null, value]));
        }
    }
}

fn check_app(object: &Value, bytes_max: usize) -> Result<(), String> {
    let app = match object.property("app") {
        Some(Value::String(app)) => app,
        Some(_) => return Err("the application's name is not text".to_owned()),
        None => return Err(amf0::Error::Expected("app").to_string()),
    };
    check_text("application's name", app, bytes_max)?;
    let (name, _) = split_query(app);
    if name.split('/').any(|segment| segment == "." || segment == "..") {
        return Err("the application's name is not a path".to_owned());
    }
    Ok(())
}

fn check_text(what: &str, text: &str, bytes_max: usize) -> Result<(), String> {
    if text.len() > bytes_max {
        return Err(format!("the {what} is longer than {bytes_max} bytes"));
    }
    if text
        .chars()
        .any(|char| char.is_control() || char == char::REPLACEMENT_CHARACTER)
    {
        return Err(format!("the {what} has characters that cannot be printed"));
    }
    Ok(())
}

fn split_query(text: &str) -> (&str, &str) {
    text.split_once('?').unwrap_or((text, ""))
}

/// What a stranger wrote, short and harmless enough to be repeated.
fn printable(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(40).collect()
}
