//! A client and a server session against each other, driven by a virtual clock.

use std::time::{Duration, Instant};

use bytes::Bytes;
use media::Kind;
use rtmp::{
    Command, Error,
    amf0::Value,
    client::{self, Intent},
    flv::Metadata,
    server::{self, PlayRefusal, PublishRefusal},
};

/// Two peers and the wire between them, which cuts everything into pieces of `piece` bytes.
struct Pair {
    client: client::Session,
    server: server::Session,
    now: Instant,
    piece: usize,
    answers: Answers,
    client_events: Vec<client::Event>,
    server_events: Vec<server::Event>,
    fault: Option<Error>,
}

/// What the server's owner says to the questions.
#[derive(Clone, Copy, PartialEq)]
enum Answers {
    Yes,
    BadName,
    NotFound,
    NoApp,
}

#[expect(
    clippy::disallowed_methods,
    reason = "an Instant can be had from the clock only; any will do"
)]
fn some_moment() -> Instant {
    Instant::now()
}

impl Pair {
    fn new(options: client::Options) -> Self {
        let now = some_moment();
        Self {
            client: client::Session::new(options, 1, now),
            server: server::Session::new(server::Options::default(), 2, now),
            now,
            piece: 1_000,
            answers: Answers::Yes,
            client_events: Vec::new(),
            server_events: Vec::new(),
            fault: None,
        }
    }

    fn publisher() -> Self {
        Self::new(client::Options::new(
            Intent::Publish,
            "localhost",
            "live",
            "key?token=a",
        ))
    }

    fn player() -> Self {
        Self::new(client::Options::new(Intent::Play, "localhost", "live", "colors"))
    }

    /// Moves bytes until both are idle.
    fn drive(&mut self) -> &mut Self {
        let len = self.piece;
        loop {
            let to_server = self.client.poll_transmit();
            let to_client = self.server.poll_transmit();
            if to_server.is_none() && to_client.is_none() {
                return self;
            }
            for piece in to_server.iter().flat_map(|bytes| bytes.chunks(len)) {
                let taken = self.server.handle_input(piece, self.now).and_then(|()| self.answer());
                self.fault = self.fault.take().or(taken.err());
            }
            for piece in to_client.iter().flat_map(|bytes| bytes.chunks(len)) {
                self.client
                    .handle_input(piece, self.now)
                    .expect("the server speaks RTMP");
            }
            while let Some(event) = self.client.poll_event() {
                self.client_events.push(event);
            }
        }
    }

    fn answer(&mut self) -> Result<(), Error> {
        while let Some(event) = self.server.poll_event() {
            let (server, now) = (&mut self.server, self.now);
            match (&event, self.answers) {
                (server::Event::Connect(_), Answers::NoApp) => server.refuse_connect("no such application"),
                (server::Event::Connect(_), _) => server.accept_connect(now)?,
                (server::Event::Publish(_), Answers::BadName) => {
                    server.refuse_publish(PublishRefusal::BadName, "no such key");
                }
                (server::Event::Publish(_), _) => server.accept_publish(now)?,
                (server::Event::Play(_), Answers::NotFound) => {
                    server.refuse_play(PlayRefusal::StreamNotFound, "no such stream", now)?;
                }
                (server::Event::Play(_), _) => {
                    server.accept_play(
                        Some(&Metadata {
                            width: Some(64.0),
                            ..Metadata::default()
                        }),
                        now,
                    )?;
                }
                _ => {}
            }
            self.server_events.push(event);
        }
        Ok(())
    }

    fn refusal(&self) -> Option<&str> {
        self.client_events.iter().find_map(|event| match event {
            client::Event::Refused { code, .. } => Some(code.as_str()),
            _ => None,
        })
    }

    fn received(&self) -> Vec<(Kind, u32, Bytes)> {
        let media = self.server_events.iter().filter_map(|event| match event {
            server::Event::Media { kind, timestamp, tag } => Some((*kind, *timestamp, tag.clone())),
            _ => None,
        });
        media.collect()
    }

    fn unpublished(&self) -> usize {
        self.server_events
            .iter()
            .filter(|event| **event == server::Event::Unpublish)
            .count()
    }
}

#[test]
fn a_publisher_is_ready_however_its_bytes_are_split() {
    for piece in [1, 7, 1_536, 100_000] {
        for digest in [false, true] {
            let options = client::Options::new(Intent::Publish, "localhost", "live?x=1", "key?token=a");
            let mut pair = Pair::new(client::Options { digest, ..options });
            pair.piece = piece;
            pair.drive();
            assert!(
                pair.client.is_running(),
                "pieces of {piece}, digest {digest}: {:?}",
                pair.fault
            );
            let server::Event::Connect(connect) = &pair.server_events[0] else {
                panic!("connect comes first")
            };
            assert_eq!(
                (connect.app.as_str(), connect.tc_url.as_str()),
                ("live", "rtmp://localhost/live?x=1")
            );
            assert!(connect.capabilities.takes("hvc1"));
            let server::Event::Publish(publish) = &pair.server_events[1] else {
                panic!("publish comes second")
            };
            assert_eq!((publish.name.as_str(), publish.query.as_str()), ("key", "token=a"));
        }
    }
}

#[test]
fn media_arrives_as_it_was_sent_also_where_the_clock_wraps() {
    for chunk_size in [1, 128, 4_096, 1 << 20] {
        for piece in [1, 333, 65_536] {
            let options = client::Options::new(Intent::Publish, "localhost", "live", "key");
            let mut pair = Pair::new(client::Options { chunk_size, ..options });
            pair.piece = piece;
            pair.drive();
            let sent: Vec<(Kind, u32, Bytes)> = [0, 33, 0xff_fffe, 0xff_ffff, 0x100_0000, u32::MAX, 3]
                .into_iter()
                .enumerate()
                .map(|(index, time)| {
                    let kind = if index % 2 == 0 { Kind::Video } else { Kind::Audio };
                    (kind, time, Bytes::from(vec![index as u8; 1 + 900 * index]))
                })
                .collect();
            for (kind, timestamp, tag) in &sent {
                pair.client.send_media(*kind, *timestamp, tag);
            }
            pair.drive();
            assert_eq!(pair.received(), sent, "chunks of {chunk_size}, pieces of {piece}");
        }
    }
}

#[test]
fn a_publisher_that_sends_everything_at_once_is_understood_in_order() {
    // The answers to connect and publish come only after the media has.
    let mut pair = Pair::publisher();
    pair.drive();
    let mut eager = Pair::publisher();
    eager.piece = usize::MAX;
    eager.drive();
    eager.client.send_metadata(&Metadata {
        width: Some(1280.0),
        ..Metadata::default()
    });
    eager.client.send_media(Kind::Video, 5, b"\x17\x01\0\0\0data");
    eager.client.finish();
    eager.drive();
    let order: Vec<&str> = eager.server_events.iter().map(name).collect();
    assert_eq!(order, ["connect", "publish", "metadata", "media", "unpublish"]);
}

fn name(event: &server::Event) -> &'static str {
    match event {
        server::Event::Connect(_) => "connect",
        server::Event::Publish(_) => "publish",
        server::Event::Play(_) => "play",
        server::Event::Media { .. } => "media",
        server::Event::Metadata(_) => "metadata",
        server::Event::Unpublish => "unpublish",
        server::Event::Stop => "stop",
        server::Event::Pause(_) => "pause",
        server::Event::Receive { .. } => "receive",
    }
}

#[test]
fn what_comes_with_a_question_waits_for_its_answer() {
    let now = some_moment();
    let mut server = server::Session::new(server::Options::default(), 2, now);
    let object = Value::Object(vec![("app".into(), "live".into())]);
    let mut bytes = vec![3; 1];
    bytes.extend([0; 2 * 1_536]);
    for (stream, command) in [
        (0, Command::new("connect", 1.0, vec![object])),
        (0, Command::new("createStream", 2.0, vec![Value::Null])),
        (
            1,
            Command::new("publish", 3.0, vec![Value::Null, "key".into(), "live".into()]),
        ),
    ] {
        let envelope = rtmp::chunk::Envelope {
            chunk_stream: 3,
            kind: rtmp::kind::COMMAND,
            stream,
            timestamp: 0,
        };
        rtmp::chunk::append(&mut bytes, envelope, &command.write(), 128);
    }
    let envelope = rtmp::chunk::Envelope {
        chunk_stream: 6,
        kind: rtmp::kind::VIDEO,
        stream: 1,
        timestamp: 0,
    };
    rtmp::chunk::append(&mut bytes, envelope, b"\x17\x01\0\0\0data", 128);

    server.handle_input(&bytes, now).unwrap();
    assert!(matches!(server.poll_event(), Some(server::Event::Connect(_))));
    assert_eq!(server.poll_event(), None);
    server.accept_connect(now).unwrap();
    assert!(matches!(server.poll_event(), Some(server::Event::Publish(_))));
    assert_eq!(server.poll_event(), None);
    server.accept_publish(now).unwrap();
    assert!(matches!(server.poll_event(), Some(server::Event::Media { .. })));
}

#[test]
fn a_clean_end_is_reported_once() {
    let mut pair = Pair::publisher();
    pair.drive().client.finish();
    pair.drive();
    assert_eq!(pair.unpublished(), 1);
}

#[test]
fn a_connection_can_publish_again_after_it_ended_its_stream() {
    let mut pair = Pair::publisher();
    pair.drive();
    pair.client
        .call(&Command::new("FCUnpublish", 8.0, vec![Value::Null, "key".into()]));
    pair.client.call(&Command::new(
        "publish",
        9.0,
        vec![Value::Null, "key".into(), "live".into()],
    ));
    pair.drive();
    let order: Vec<&str> = pair.server_events.iter().map(name).collect();
    assert_eq!(order, ["connect", "publish", "unpublish", "publish"]);
}

#[test]
fn a_refused_publisher_hears_why_and_is_disconnected() {
    let mut pair = Pair::publisher();
    pair.answers = Answers::BadName;
    pair.drive();
    assert_eq!(pair.refusal(), Some("NetStream.Publish.BadName"));
    assert!(pair.server.is_closing());
}

#[test]
fn an_unknown_application_is_rejected() {
    let mut pair = Pair::publisher();
    pair.answers = Answers::NoApp;
    pair.drive();
    assert_eq!(pair.refusal(), Some("NetConnection.Connect.Rejected"));
    assert!(pair.server.is_closing());
}

#[test]
fn hostile_application_names_are_rejected_without_asking() {
    for app in [
        "../..",
        "live/../../../x",
        "live\0",
        "a\nb",
        "a/./b",
        &"a".repeat(40_000),
    ] {
        let mut pair = Pair::new(client::Options::new(Intent::Publish, "localhost", app, "key"));
        pair.drive();
        assert_eq!(pair.refusal(), Some("NetConnection.Connect.Rejected"), "{app:.20}");
        assert!(pair.server_events.is_empty());
    }
}

#[test]
fn stream_names_that_no_one_can_print_or_hold_are_bad_names() {
    for name in ["", "a\0b", "a\nb", "?only=query", &"x".repeat(60_000)] {
        let mut pair = Pair::new(client::Options::new(Intent::Publish, "localhost", "live", name));
        pair.drive();
        assert_eq!(pair.refusal(), Some("NetStream.Publish.BadName"), "{name:.20}");
        assert_eq!(pair.server_events.len(), 1, "only connect was asked");
    }
}

#[test]
fn a_taken_over_publisher_hears_why() {
    let mut pair = Pair::publisher();
    pair.drive();
    pair.server
        .end_publish(PublishRefusal::BadName, "another source took over");
    pair.drive();
    assert_eq!(pair.refusal(), Some("NetStream.Publish.BadName"));
    assert!(pair.server.is_closing());
}

#[test]
fn a_player_gets_metadata_media_and_the_end() {
    let mut pair = Pair::player();
    pair.drive();
    assert!(pair.client.is_running());
    assert!(
        pair.client_events
            .iter()
            .any(|event| matches!(event, client::Event::Metadata(_)))
    );
    let payload = Bytes::from(vec![9; 100_000]);
    let envelope = rtmp::chunk::Envelope {
        chunk_stream: 6,
        kind: rtmp::kind::VIDEO,
        stream: 1,
        timestamp: 0x0100_0000,
    };
    let chunked = rtmp::chunk::Chunked::new(envelope, b"\x17\x01\0\0\0", &payload, pair.server.chunk_size());
    for piece in chunked.pieces() {
        pair.client.handle_input(piece, pair.now).unwrap();
    }
    let Some(client::Event::Media { timestamp, tag, .. }) = pair.client.poll_event() else {
        panic!("media")
    };
    assert_eq!((timestamp, tag.len()), (0x0100_0000, 100_005));
    pair.server.end_play(pair.now);
    pair.drive();
    assert_eq!(pair.client_events.last(), Some(&client::Event::Ended));
}

#[test]
fn a_player_of_nothing_hears_so_and_may_ask_again() {
    let mut pair = Pair::player();
    pair.answers = Answers::NotFound;
    pair.drive();
    assert_eq!(pair.refusal(), Some("NetStream.Play.StreamNotFound"));
    assert!(!pair.server.is_closing());
    pair.answers = Answers::Yes;
    pair.client
        .call(&Command::new("play", 9.0, vec![Value::Null, "other".into()]));
    pair.drive();
    assert!(pair.client.is_running());
}

#[test]
fn a_player_that_pauses_seeks_and_mutes_is_answered() {
    let mut pair = Pair::player();
    pair.drive();
    for command in [
        Command::new("pause", 0.0, vec![Value::Null, true.into(), Value::Number(0.0)]),
        Command::new("seek", 0.0, vec![Value::Null, Value::Number(10.0)]),
        Command::new("receiveAudio", 0.0, vec![Value::Null, false.into()]),
        Command::new("getStreamLength", 10.0, vec![Value::Null, "colors".into()]),
        Command::new("_checkbw", 11.0, vec![Value::Null]),
        Command::new("closeStream", 0.0, vec![Value::Null]),
    ] {
        pair.client.call(&command);
    }
    pair.drive();
    let order: Vec<&str> = pair.server_events.iter().skip(2).map(name).collect();
    assert_eq!(order, ["pause", "receive", "stop"]);
    let codes: Vec<&str> = pair.client_events.iter().filter_map(status).collect();
    assert!(
        codes.contains(&"NetStream.Pause.Notify") && codes.contains(&"NetStream.Seek.Notify"),
        "{codes:?}"
    );
}

fn status(event: &client::Event) -> Option<&str> {
    match event {
        client::Event::Status { code, .. } => Some(code),
        _ => None,
    }
}

#[test]
fn publishing_before_connect_is_denied_and_the_end() {
    let now = some_moment();
    let mut server = server::Session::new(server::Options::default(), 2, now);
    let mut bytes = vec![3; 1];
    bytes.extend([0; 2 * 1_536]);
    let envelope = rtmp::chunk::Envelope {
        chunk_stream: 3,
        kind: rtmp::kind::COMMAND,
        stream: 1,
        timestamp: 0,
    };
    let publish = Command::new("publish", 3.0, vec![Value::Null, "key".into(), "live".into()]);
    rtmp::chunk::append(&mut bytes, envelope, &publish.write(), 128);
    server.handle_input(&bytes, now).unwrap();
    let sent = server.poll_transmit().unwrap();
    assert!(
        sent.windows(26)
            .any(|window| window == b"NetStream.Publish.Denied\x00\x0b".as_slice())
    );
    assert!(server.is_closing());
    assert_eq!(server.poll_event(), None);
}

#[test]
fn media_before_publish_is_dropped() {
    let mut pair = Pair::player();
    pair.drive();
    pair.client.send_media(Kind::Video, 0, b"\x17\x01\0\0\0data");
    pair.drive();
    assert!(pair.received().is_empty());
    assert_eq!(pair.fault, None);
}

#[test]
fn a_handshake_of_one_byte_a_second_is_over_after_ten() {
    let start = some_moment();
    let mut server = server::Session::new(server::Options::default(), 2, start);
    let mut now = start;
    let fault = loop {
        now += Duration::from_secs(1);
        server
            .handle_input(
                if now == start + Duration::from_secs(1) {
                    b"\x03"
                } else {
                    b"\0"
                },
                now,
            )
            .unwrap();
        if let Err(fault) = server.handle_timeout(now) {
            break fault;
        }
    };
    assert_eq!(fault.label(), "handshake_timeout");
    assert_eq!(now - start, Duration::from_secs(10));
}

#[test]
fn a_silent_publisher_is_given_up_after_thirty_seconds() {
    let mut pair = Pair::publisher();
    pair.drive();
    let deadline = pair.server.poll_timeout().unwrap();
    assert_eq!(deadline - pair.now, Duration::from_secs(30));
    pair.now += Duration::from_secs(20);
    pair.client.send_media(Kind::Audio, 0, b"\xaf\x01data");
    pair.drive();
    assert_eq!(pair.server.handle_timeout(deadline), Ok(()));
    let later = pair.now + Duration::from_secs(30);
    assert_eq!(pair.server.handle_timeout(later).unwrap_err().label(), "idle");
}

#[test]
fn someone_who_connects_and_wants_nothing_is_given_up() {
    let mut pair = Pair::player();
    pair.answers = Answers::NotFound;
    pair.drive();
    let deadline = pair.server.poll_timeout().unwrap();
    assert_eq!(
        pair.server.handle_timeout(deadline).unwrap_err().label(),
        "setup_timeout"
    );
}

#[test]
fn a_player_may_be_silent_for_ever() {
    let mut pair = Pair::player();
    pair.drive();
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn received_bytes_are_acknowledged_once_a_window() {
    let mut pair = Pair::publisher();
    pair.piece = 65_536;
    pair.drive();
    pair.client.send_media(Kind::Video, 0, &vec![0; 2_500_000]);
    let bytes = pair.client.poll_transmit().unwrap();
    for piece in bytes.chunks(65_536) {
        pair.server.handle_input(piece, pair.now).unwrap();
    }
    let sent = pair.server.poll_transmit().expect("an acknowledgement is due");
    assert_eq!(sent.len(), 16, "one message of four bytes");
    assert_eq!(sent[7], 3, "an acknowledgement");
}

#[test]
fn a_ping_is_answered() {
    let mut pair = Pair::publisher();
    pair.drive();
    pair.client.ping(77);
    let bytes = pair.client.poll_transmit().unwrap();
    pair.server.handle_input(&bytes, pair.now).unwrap();
    let sent = pair.server.poll_transmit().expect("a pong is due");
    assert_eq!(sent[12..], [0, 7, 0, 0, 0, 77]);
}

#[test]
fn a_command_that_cannot_be_read_does_not_cost_a_stream() {
    let mut pair = Pair::publisher();
    pair.drive();
    pair.client.call(&Command::new("strange", 12.0, vec![Value::Null]));
    pair.client.send_media(Kind::Audio, 0, b"\xaf\x01data");
    pair.drive();
    assert_eq!(pair.received().len(), 1);
    assert_eq!(pair.fault, None);
}

#[test]
fn a_key_is_never_printed() {
    let mut pair = Pair::publisher();
    pair.drive();
    assert!(!format!("{:?}", pair.server_events[1]).contains("key"));
}

#[test]
fn a_client_that_can_is_asked_to_connect_elsewhere_and_goes_on_sending_until_it_does() {
    let mut pair = Pair::publisher();
    pair.drive();
    let text = "this server is being updated";
    assert!(pair.server.request_reconnect(Some("rtmp://other/live"), text));
    assert!(pair.server.request_reconnect(None, text));
    pair.drive();
    let asked: Vec<_> = pair.client_events.iter().skip(1).collect();
    let event = |tc_url: Option<&str>| client::Event::Reconnect {
        tc_url: tc_url.map(str::to_owned),
        description: text.to_owned(),
    };
    assert_eq!(asked, [&event(Some("rtmp://other/live")), &event(None)]);
    assert!(pair.client.is_running() && !pair.server.is_closing());
    pair.client.send_media(Kind::Video, 40, b"\x17\x01\0\0\0");
    pair.drive();
    assert_eq!(pair.received().len(), 1);
}

#[test]
fn a_client_that_never_said_that_it_reconnects_is_not_asked() {
    let options = client::Options::new(Intent::Publish, "localhost", "live", "key");
    let mut pair = Pair::new(client::Options {
        enhanced: false,
        ..options
    });
    pair.drive();
    let before = pair.client_events.len();
    assert!(!pair.server.request_reconnect(None, "go"));
    pair.drive();
    assert_eq!(pair.client_events.len(), before);
}
