//! Entry points of the fuzz targets. Each takes anything and must come back; what it understood, it must say the same way again.

use std::time::{Duration, Instant};

use bytes::Bytes;
use media::Kind;

use crate::{
    Command, Limits, Message,
    amf0::{self, Budget},
    chunk::{self, Envelope},
    flv::{self, Audio, Metadata, Packet, Packets, Video},
    handshake::{self, Progress},
    kind,
    server::{Event, Options, PlayRefusal, Session},
};

/// Feeds the server's and the client's side of a handshake.
pub fn handshake(bytes: &[u8]) {
    let mut input = bytes;
    let mut server = handshake::Server::new(1);
    while let Ok(Progress::Reply(reply)) = server.handle_input(&mut input) {
        assert_eq!(reply.len(), 3_073, "S0, S1 and S2");
    }
    let (mut client, hello) = handshake::Client::with_digest(1);
    assert_eq!(hello.len(), 1_537, "C0 and C1");
    if let Ok(Progress::Done(answer)) = client.handle_input(&mut &*bytes) {
        assert_eq!(answer.len(), 1_536, "C2");
    }
}

/// Reads chunks, split by the first byte's measure; writes the messages again and reads the same ones.
pub fn chunk_stream(bytes: &[u8]) {
    let Some((piece, bytes)) = bytes.split_first() else {
        return;
    };
    let messages = read_chunks(bytes, usize::from(*piece).max(1));
    let mut written = Vec::new();
    for message in &messages {
        let envelope = Envelope {
            chunk_stream: 6,
            kind: message.kind,
            stream: message.stream,
            timestamp: message.timestamp,
        };
        chunk::append(&mut written, envelope, &message.payload, chunk::DEFAULT_SIZE);
    }
    assert_eq!(read_chunks(&written, usize::MAX), messages, "written and read again");
}

fn read_chunks(bytes: &[u8], piece: usize) -> Vec<Message> {
    let mut reader = chunk::Reader::new(Limits::default());
    let mut messages = Vec::new();
    for mut input in bytes.chunks(piece) {
        loop {
            match reader.read(&mut input) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(_) => return messages,
            }
        }
    }
    messages
}

/// Reads values and commands; writes them and reads the same ones.
pub fn amf0(bytes: &[u8]) {
    let mut reader = amf0::Reader::new(bytes, Budget::default());
    while let Ok(value) = reader.value() {
        let mut once = Vec::new();
        amf0::write(&mut once, &value);
        let again = amf0::Reader::new(&once, Budget::default())
            .value()
            .expect("what was written can be read");
        let mut twice = Vec::new();
        amf0::write(&mut twice, &again);
        assert_eq!(once, twice, "written, read and written again");
    }
    let payload = Bytes::copy_from_slice(bytes);
    for kind in [kind::COMMAND, kind::COMMAND_AMF3] {
        let message = Message {
            kind,
            stream: 0,
            timestamp: 0,
            payload: payload.clone(),
        };
        if let Ok(command) = Command::read(&message, Budget::default()) {
            Metadata::read(&command.arguments);
        }
    }
}

/// Reads tags; writes what they hold, each packet alone and all in one message, and reads the same.
pub fn flv(bytes: &[u8]) {
    let tag = Bytes::copy_from_slice(bytes);
    flv_packets(&tag, Video::read);
    flv_packets(&tag, Audio::read);
}

fn flv_packets<B>(tag: &Bytes, read: fn(&Bytes) -> Packets<B>)
where
    B: flv::Body + Clone + PartialEq + std::fmt::Debug,
{
    let packets: Vec<Packet<B>> = read(tag).map_while(Result::ok).collect();
    assert!(packets.len() <= flv::TRACKS_MAX, "too many tracks");
    for packet in &packets {
        assert!(packet.offset_ns < 1_000_000, "an offset of a millisecond");
        let Some(written) = packet.write() else { continue };
        let again: Vec<_> = read(&written.into()).collect();
        assert_eq!(again, [Ok(packet.clone())], "written alone and read again");
    }
    if let Some(written) = flv::write_several(&packets) {
        let again: Result<Vec<_>, _> = read(&written.into()).collect();
        assert_eq!(again, Ok(packets), "written together and read again");
    }
}

/// Feeds a server's session after a handshake, split by the first byte's measure, and answers all it asks.
pub fn server_session(bytes: &[u8]) {
    let Some((piece, bytes)) = bytes.split_first() else {
        return;
    };
    // A moment like any other: nothing here looks at the clock.
    let Some(mut now) = a_moment() else { return };
    let mut session = Session::new(Options::default(), 1, now);
    let (_, hello) = handshake::Client::plain(1);
    let greeting = [&hello[..], &[0; 1_536]].concat();
    session.handle_input(&greeting, now).expect("the handshake is right");
    for input in bytes.chunks(usize::from(*piece).max(1)) {
        now = now.checked_add(Duration::from_millis(10)).unwrap_or(now);
        if session.handle_input(input, now).is_err() || answer(&mut session, now).is_err() || session.is_closing() {
            break;
        }
    }
    let _ = session.handle_timeout(now);
    while session.poll_transmit().is_some() {}
}

fn answer(session: &mut Session, now: Instant) -> Result<(), crate::Error> {
    while let Some(event) = session.poll_event() {
        match event {
            Event::Connect(_) => session.accept_connect(now)?,
            Event::Publish(_) => session.accept_publish(now)?,
            Event::Play(play) if play.name.len() > 20 => {
                session.refuse_play(PlayRefusal::StreamNotFound, "no such stream", now)?;
            }
            Event::Play(_) => session.accept_play(Some(&Metadata::default()), now)?,
            Event::Media {
                kind: Kind::Video, tag, ..
            } => Video::read(&tag).for_each(drop),
            Event::Media { tag, .. } => Audio::read(&tag).for_each(drop),
            _ => {}
        }
        session.poll_transmit();
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "an Instant can be had from the clock only; any will do"
)]
fn a_moment() -> Option<Instant> {
    Some(Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: [fn(&[u8]); 5] = [handshake, chunk_stream, amf0, flv, server_session];

    /// A publisher's session after the handshake, as a seed for mutation.
    fn seed() -> Vec<u8> {
        let mut bytes = vec![200];
        let object = amf0::Value::Object(vec![("app".into(), "live".into())]);
        let commands = [
            (0, Command::new("connect", 1.0, vec![object])),
            (0, Command::new("createStream", 2.0, vec![amf0::Value::Null])),
            (
                1,
                Command::new("publish", 3.0, vec![amf0::Value::Null, "key".into(), "live".into()]),
            ),
        ];
        for (stream, command) in commands {
            let envelope = Envelope {
                chunk_stream: 3,
                kind: kind::COMMAND,
                stream,
                timestamp: 0,
            };
            chunk::append(&mut bytes, envelope, &command.write(), 128);
        }
        for timestamp in [0, 33, 0xff_ffff] {
            let envelope = Envelope {
                chunk_stream: 6,
                kind: kind::VIDEO,
                stream: 1,
                timestamp,
            };
            chunk::append(&mut bytes, envelope, &[&b"\x17\x01\0\0\0"[..], &[9; 300]].concat(), 128);
        }
        bytes
    }

    /// The same numbers each time, as if by chance.
    struct Chance(u64);

    impl Chance {
        fn number(&mut self) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize
        }

        /// The seed, changed in a few places; never empty.
        fn mutation(&mut self, seed: &[u8]) -> Vec<u8> {
            let mut bytes = seed.to_vec();
            for _ in 0..=self.number() % 8 {
                if bytes.is_empty() {
                    bytes.push(0);
                }
                let at = self.number() % bytes.len();
                match self.number() % 4 {
                    0 => bytes[at] = self.number() as u8,
                    1 => drop(bytes.drain(at..bytes.len().min(at + 1 + self.number() % 16))),
                    2 => bytes.insert(at, self.number() as u8),
                    _ => bytes[at] = 0xff,
                }
            }
            bytes
        }
    }

    #[test]
    fn twenty_thousand_mutations_of_a_session_find_nothing() {
        let seed = seed();
        let mut chance = Chance(1);
        for _ in 0..4_000 {
            let bytes = chance.mutation(&seed);
            TARGETS.iter().for_each(|target| target(&bytes));
        }
    }

    #[test]
    fn fifty_mutations_of_each_tag_of_the_corpus_find_nothing() {
        let tags = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/rtmp_flv");
        let mut chance = Chance(1);
        for tag in std::fs::read_dir(tags).unwrap() {
            let tag = std::fs::read(tag.unwrap().path()).unwrap();
            (0..50).for_each(|_| flv(&chance.mutation(&tag)));
        }
    }

    #[test]
    fn the_targets_take_nothing_and_little() {
        for bytes in [&b""[..], b"\0", b"\x03", b"\xff\xff", &[0x16; 4_000]] {
            TARGETS.iter().for_each(|target| target(bytes));
        }
    }

    #[test]
    fn the_committed_corpora_pass() {
        let corpora = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        let names = ["rtmp_handshake", "rtmp_chunks", "rtmp_amf0", "rtmp_flv", "rtmp_session"];
        for (name, target) in names.into_iter().zip(TARGETS) {
            for input in std::fs::read_dir(corpora.join(name)).unwrap() {
                target(&std::fs::read(input.unwrap().path()).unwrap());
            }
        }
    }
}
