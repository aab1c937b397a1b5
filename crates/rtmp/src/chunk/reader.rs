use bytes::Bytes;

use super::{
    DEFAULT_SIZE,
    header::{self, Form, Header},
};
use crate::{Error, Limits, Message, message::kind};

/// Joins chunks into messages.
///
/// Payload is copied once, from the input into the message. The buffer of a message grows with what has come, whatever
/// length was declared, and is exactly as long as the message when that is complete.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    chunk_size: usize,
    streams: Vec<ChunkStream>,
    /// Bytes that came without the end of their chunk header, or that turned out to be payload.
    carry: Vec<u8>,
    current: usize,
    chunk_left: usize,
    half_received: usize,
    patience: Patience,
}

/// What the next header on a chunk stream may leave out, and the message that is being received there.
#[derive(Debug)]
struct ChunkStream {
    id: u32,
    stream: u32,
    kind: u8,
    length: usize,
    timestamp: u32,
    delta: u32,
    extended: Option<u32>,
    body: Vec<u8>,
}

impl Reader {
    /// A reader before the first chunk.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            chunk_size: DEFAULT_SIZE,
            streams: Vec::new(),
            carry: Vec::new(),
            current: 0,
            chunk_left: 0,
            half_received: 0,
            patience: Patience::default(),
        }
    }

    /// The peer's chunks are from now on at most `size` bytes long (§5.4.1).
    pub fn set_chunk_size(&mut self, size: u32) -> Result<(), Error> {
        // The top bit is reserved to be zero. A size above the greatest message is as good as that.
        match i32::try_from(size) {
            Ok(valid) if valid > 0 => self.chunk_size = (size as usize).min(0xff_ffff),
            _ => return Err(Error::ChunkSize { size }),
        }
        Ok(())
    }

    /// The unfinished message of chunk stream `id` will not be finished (§5.4.2).
    pub fn abort(&mut self, id: u32) {
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == id) {
            self.half_received = self.half_received.saturating_sub(stream.body.len());
            stream.body = Vec::new();
        }
    }

    /// Takes bytes off `input` until a message is complete or nothing is left.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Error> {
        let before = input.len();
        let message = self.read_message(input);
        self.patience.received(before.saturating_sub(input.len()));
        if matches!(message, Ok(Some(_))) {
            self.patience.message()?;
        }
        message
    }

    fn read_message(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Error> {
        loop {
            if self.chunk_left == 0 {
                let Some(header) = self.next_header(input) else {
                    return Ok(None);
                };
                self.begin_chunk(&header)?;
            }
            if self.chunk_left > 0 && self.carry.is_empty() && input.is_empty() {
                return Ok(None);
            }
            if let Some(message) = self.payload(input)? {
                return Ok(Some(message));
            }
        }
    }

    /// The next chunk's header, taken off `input`; `None` when it has not come whole.
    fn next_header(&mut self, input: &mut &[u8]) -> Option<Header> {
        let streams = &self.streams;
        let extended = |id| streams.iter().find(|stream| stream.id == id)?.extended;
        if self.carry.is_empty() {
            if let Some(header) = header::parse(input, extended) {
                *input = input.get(header.len..).unwrap_or_default();
                return Some(header);
            }
            self.carry.extend_from_slice(input);
            *input = &[];
            return None;
        }
        let carried = self.carry.len();
        let (more, rest) = input.split_at(header::LEN_MAX.saturating_sub(carried).min(input.len()));
        self.carry.extend_from_slice(more);
        let Some(header) = header::parse(&self.carry, extended) else {
            *input = rest;
            return None;
        };
        // Give back what was not needed. What had been carried before and is no header is payload: it stays in front.
        self.carry.truncate(header.len.max(carried));
        let used = self.carry.len().saturating_sub(carried);
        *input = input.get(used..).unwrap_or_default();
        self.carry.drain(..header.len);
        Some(header)
    }

    /// Applies a header to its chunk stream.
    fn begin_chunk(&mut self, header: &Header) -> Result<(), Error> {
        self.current = self.find_or_open(header)?;
        let Some(stream) = self.streams.get_mut(self.current) else {
            return Err(Error::OrphanChunk {
                id: header.chunk_stream,
            });
        };
        if header.form != Form::Continuation {
            // A new header in mid-message means that the sender gave the old message up.
            self.half_received = self.half_received.saturating_sub(stream.body.len());
            stream.body = Vec::new();
        }
        if stream.body.is_empty() {
            stream.begin_message(header);
            let max = self.limits.bytes_max(stream.kind);
            if stream.length > max {
                return Err(Error::MessageTooLarge {
                    len: stream.length,
                    max,
                });
            }
        }
        self.chunk_left = stream.length.saturating_sub(stream.body.len()).min(self.chunk_size);
        Ok(())
    }

    fn find_or_open(&mut self, header: &Header) -> Result<usize, Error> {
        let id = header.chunk_stream;
        if let Some(index) = self.streams.iter().position(|stream| stream.id == id) {
            return Ok(index);
        }
        // Old versions of librtmp begin a chunk stream with a type 1 header.
        if !matches!(header.form, Form::Full { .. } | Form::SameStream { .. }) {
            return Err(Error::OrphanChunk { id });
        }
        let max = self.limits.chunk_streams_max;
        if self.streams.len() >= max {
            return Err(Error::TooManyChunkStreams { max });
        }
        self.streams.push(ChunkStream::new(id));
        Ok(self.streams.len().saturating_sub(1))
    }

    /// Copies payload of the current chunk; returns the message if that was its end.
    fn payload(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Error> {
        let Some(stream) = self.streams.get_mut(self.current) else {
            return Ok(None);
        };
        let copied = if self.carry.is_empty() {
            let (bytes, rest) = input.split_at(self.chunk_left.min(input.len()));
            stream.append(bytes);
            *input = rest;
            bytes.len()
        } else {
            let bytes = self.carry.drain(..self.chunk_left.min(self.carry.len()));
            stream.append(bytes.as_slice());
            bytes.len()
        };
        self.chunk_left = self.chunk_left.saturating_sub(copied);
        self.half_received = self.half_received.saturating_add(copied);
        if stream.body.len() < stream.length {
            let max = self.limits.half_received_bytes_max;
            return if self.half_received > max {
                Err(Error::HalfReceived { max })
            } else {
                Ok(None)
            };
        }
        self.half_received = self.half_received.saturating_sub(stream.body.len());
        // An empty message says nothing, and one header byte would make one.
        Ok((stream.length > 0).then(|| stream.finish()))
    }
}

impl ChunkStream {
    /// What is reserved for a message before its length has been seen to be true.
    const TRUST_BYTES: usize = 16 << 10;
    /// How much more than its first chunk a message is believed to have.
    const TRUST_FACTOR: usize = 16;

    fn new(id: u32) -> Self {
        Self {
            id,
            stream: 0,
            kind: 0,
            length: 0,
            timestamp: 0,
            delta: 0,
            extended: None,
            body: Vec::new(),
        }
    }

    fn begin_message(&mut self, header: &Header) {
        match header.form {
            Form::Full { length, kind, stream } => {
                self.length = length as usize;
                self.kind = kind;
                self.stream = stream;
                self.timestamp = header.time;
                self.delta = header.time;
            }
            Form::SameStream { length, kind } => {
                self.length = length as usize;
                self.kind = kind;
                self.advance(header.time);
            }
            Form::SameLength => self.advance(header.time),
            // §5.3.1.2.4: after a type 0 header its time is the difference, too. ffmpeg relies on it.
            Form::Continuation => self.advance(self.delta),
        }
        if header.form != Form::Continuation {
            self.extended = header.extended.then_some(header.time);
        }
    }

    fn advance(&mut self, delta: u32) {
        self.delta = delta;
        self.timestamp = self.timestamp.wrapping_add(delta);
    }

    fn append(&mut self, bytes: &[u8]) {
        let needed = self.body.len().saturating_add(bytes.len());
        if needed > self.body.capacity() {
            let trusted = match self.body.capacity() {
                0 => bytes.len().saturating_mul(Self::TRUST_FACTOR).max(Self::TRUST_BYTES),
                capacity => capacity.saturating_mul(2),
            };
            let target = trusted.max(needed).min(self.length.max(needed));
            self.body.reserve_exact(target.saturating_sub(self.body.len()));
        }
        self.body.extend_from_slice(bytes);
    }

    fn finish(&mut self) -> Message {
        Message {
            kind: self.kind,
            stream: self.stream,
            timestamp: self.timestamp,
            payload: Bytes::from(std::mem::take(&mut self.body)),
        }
    }
}

impl Limits {
    fn bytes_max(&self, kind: u8) -> usize {
        match kind {
            kind::AUDIO | kind::VIDEO | kind::AGGREGATE => self.media_bytes_max,
            kind::DATA | kind::DATA_AMF3 => self.data_bytes_max,
            _ => self.command_bytes_max,
        }
    }
}

/// A message costs more to handle than its bytes to send: every message is paid for with bytes.
#[derive(Debug)]
struct Patience {
    credit: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            credit: Self::CREDIT_MAX,
        }
    }
}

impl Patience {
    // The shortest useful message, a few bytes of Opus behind a type 2 header, has more than this.
    const MESSAGE_BYTES: usize = 8;
    const CREDIT_MAX: usize = 64 << 10;

    fn received(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_add(bytes).min(Self::CREDIT_MAX);
    }

    fn message(&mut self) -> Result<(), Error> {
        self.credit = self
            .credit
            .checked_sub(Self::MESSAGE_BYTES)
            .ok_or(Error::MessageFlood)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::{Envelope, append};

    fn envelope(timestamp: u32) -> Envelope {
        Envelope {
            chunk_stream: 6,
            kind: kind::VIDEO,
            stream: 1,
            timestamp,
        }
    }

    fn read_all(reader: &mut Reader, bytes: &[u8], piece: usize) -> Result<Vec<Message>, Error> {
        let mut messages = Vec::new();
        for mut input in bytes.chunks(piece) {
            while let Some(message) = reader.read(&mut input)? {
                messages.push(message);
            }
            assert!(input.is_empty(), "everything is taken");
        }
        Ok(messages)
    }

    fn payload(len: usize) -> Vec<u8> {
        (0..len).map(|index| index as u8).collect()
    }

    #[test]
    fn a_message_comes_out_whole_whatever_its_chunks_and_pieces() {
        for chunk_size in [1, 128, 4096, 70_000] {
            for len in [1, 127, 128, 129, 20_000] {
                for timestamp in [0, 0xff_fffe, 0xff_ffff, u32::MAX] {
                    let mut bytes = Vec::new();
                    append(&mut bytes, envelope(timestamp), &payload(len), chunk_size);
                    for piece in [1, 3, 1_000, 100_000] {
                        let mut reader = Reader::new(Limits::default());
                        reader.set_chunk_size(chunk_size as u32).unwrap();
                        let messages = read_all(&mut reader, &bytes, piece).unwrap();
                        assert_eq!(messages.len(), 1, "{chunk_size} {len} {timestamp:#x} {piece}");
                        assert_eq!(messages[0].timestamp, timestamp);
                        assert_eq!(messages[0].payload, payload(len));
                    }
                }
            }
        }
    }

    #[test]
    fn extended_times_that_old_encoders_leave_out_are_not_missed() {
        let time = 0xff_ffff + 5_u32;
        for len in [129, 130, 131, 400] {
            let body = payload(len);
            let mut bytes = b"\x06\xff\xff\xff".to_vec();
            bytes.extend_from_slice(&(len as u32).to_be_bytes()[1..]);
            bytes.extend_from_slice(b"\x09\x01\0\0\0");
            bytes.extend_from_slice(&time.to_be_bytes());
            for (index, chunk) in body.chunks(128).enumerate() {
                bytes.extend_from_slice(if index == 0 { b"" } else { b"\xc6" });
                bytes.extend_from_slice(chunk);
            }
            for piece in [1, 2, 5, 10_000] {
                let mut reader = Reader::new(Limits::default());
                let messages = read_all(&mut reader, &bytes, piece).unwrap();
                assert_eq!(messages.len(), 1, "{len} in pieces of {piece}");
                assert_eq!(messages[0].payload, body);
                assert_eq!(messages[0].timestamp, time);
            }
        }
    }

    #[test]
    fn payload_that_begins_like_the_extended_time_is_still_payload() {
        // The second chunk's payload begins with the first bytes of the time, then differs, and its sender leaves the time out.
        let mut body = payload(128);
        body.extend_from_slice(&[1, 0, 9, 9]);
        let mut bytes = b"\x06\xff\xff\xff\0\0\x84\x09\x01\0\0\0\x01\0\0\0".to_vec();
        bytes.extend_from_slice(&body[..128]);
        bytes.push(0xc6);
        bytes.extend_from_slice(&body[128..]);
        for piece in [1, 2, 3, 10_000] {
            let messages = read_all(&mut Reader::new(Limits::default()), &bytes, piece).unwrap();
            assert_eq!(messages[0].payload, body, "in pieces of {piece}");
        }
    }

    #[test]
    fn interleaved_messages_come_out_in_the_order_they_end() {
        let mut bytes = b"\x06\0\0\0\0\0\xc8\x09\x01\0\0\0".to_vec();
        bytes.extend_from_slice(&payload(128));
        append(
            &mut bytes,
            Envelope {
                chunk_stream: 4,
                kind: kind::AUDIO,
                stream: 1,
                timestamp: 3,
            },
            b"sound",
            128,
        );
        bytes.push(0xc6);
        bytes.extend_from_slice(&payload(200)[128..]);
        let messages = read_all(&mut Reader::new(Limits::default()), &bytes, 7).unwrap();
        let kinds: Vec<u8> = messages.iter().map(|message| message.kind).collect();
        assert_eq!(kinds, [kind::AUDIO, kind::VIDEO]);
        assert_eq!(messages[1].payload, payload(200));
    }

    #[test]
    fn differences_of_time_add_up_and_wrap() {
        let mut bytes = b"\x06\xff\xff\xff\0\0\x01\x09\x01\0\0\0\xff\xff\xff\xf0a".to_vec();
        bytes.extend_from_slice(b"\x46\0\0\x14\0\0\x01\x09b");
        bytes.extend_from_slice(b"\x86\0\0\x01c");
        bytes.extend_from_slice(b"\xc6d");
        let messages = read_all(&mut Reader::new(Limits::default()), &bytes, 100).unwrap();
        let times: Vec<u32> = messages.iter().map(|message| message.timestamp).collect();
        assert_eq!(times, [0xffff_fff0, 4, 5, 6]);
    }

    #[test]
    fn an_aborted_message_leaves_no_trace() {
        let mut reader = Reader::new(Limits::default());
        let mut begun = b"\x06\0\0\0\0\0\xc8\x09\x01\0\0\0".to_vec();
        begun.extend_from_slice(&payload(128));
        assert_eq!(read_all(&mut reader, &begun, 1_000), Ok(vec![]));
        reader.abort(6);
        assert_eq!(reader.half_received, 0);
        let mut next = Vec::new();
        append(&mut next, envelope(9), b"next", 128);
        assert_eq!(read_all(&mut reader, &next, 1_000).unwrap()[0].payload, &b"next"[..]);
    }

    #[test]
    fn a_chunk_size_of_zero_or_with_the_top_bit_is_an_error() {
        let mut reader = Reader::new(Limits::default());
        assert_eq!(reader.set_chunk_size(0), Err(Error::ChunkSize { size: 0 }));
        assert_eq!(
            reader.set_chunk_size(0x8000_0080),
            Err(Error::ChunkSize { size: 0x8000_0080 })
        );
        assert_eq!(reader.set_chunk_size(0x7fff_ffff), Ok(()));
    }

    #[test]
    fn a_declared_length_over_the_limit_is_refused_before_a_byte_of_it() {
        let bomb = b"\x06\0\0\0\xff\xff\xff\x09\x01\0\0\0";
        let error = read_all(&mut Reader::new(Limits::default()), bomb, 100).unwrap_err();
        assert_eq!(
            error,
            Error::MessageTooLarge {
                len: 0xff_ffff,
                max: 8 << 20
            }
        );
    }

    #[test]
    fn half_open_messages_cost_little_more_than_what_came() {
        let mut reader = Reader::new(Limits::default());
        let mut bytes = Vec::new();
        for id in 8..60 {
            bytes.extend_from_slice(&[id, 0, 0, 0, 0x70, 0, 0, 9, 1, 0, 0, 0]);
            bytes.extend_from_slice(&payload(128));
        }
        assert_eq!(read_all(&mut reader, &bytes, 1_000), Ok(vec![]));
        let reserved: usize = reader.streams.iter().map(|stream| stream.body.capacity()).sum();
        assert!(reserved <= 52 * ChunkStream::TRUST_BYTES, "{reserved}");
    }

    #[test]
    fn what_is_half_received_is_bounded_over_all_chunk_streams() {
        let mut reader = Reader::new(Limits {
            half_received_bytes_max: 100_000,
            ..Limits::default()
        });
        reader.set_chunk_size(60_000).unwrap();
        let mut bytes = Vec::new();
        for id in 8..10 {
            bytes.extend_from_slice(&[id, 0, 0, 0, 0x70, 0, 0, 9, 1, 0, 0, 0]);
            bytes.extend_from_slice(&payload(60_000));
        }
        let error = read_all(&mut reader, &bytes, 4_096).unwrap_err();
        assert_eq!(error, Error::HalfReceived { max: 100_000 });
    }

    #[test]
    fn a_big_message_ends_in_a_buffer_of_its_own_length() {
        let mut bytes = Vec::new();
        append(&mut bytes, envelope(0), &payload(300_001), 4_096);
        let mut reader = Reader::new(Limits::default());
        reader.set_chunk_size(4_096).unwrap();
        let mut capacity = 0;
        for mut input in bytes.chunks(4_000) {
            if let Some(stream) = reader.streams.first() {
                capacity = stream.body.capacity();
            }
            reader.read(&mut input).unwrap();
        }
        assert_eq!(capacity, 300_001);
    }

    #[test]
    fn too_many_chunk_streams_are_refused() {
        let mut bytes = Vec::new();
        for id in 2..64_u8 {
            bytes.extend_from_slice(&[id, 0, 0, 0, 0, 0, 1, 9, 1, 0, 0, 0, 0]);
        }
        for id in 0..3_u8 {
            bytes.extend_from_slice(&[0, id, 0, 0, 0, 0, 0, 1, 9, 1, 0, 0, 0, 0]);
        }
        let error = read_all(&mut Reader::new(Limits::default()), &bytes, 100).unwrap_err();
        assert_eq!(error, Error::TooManyChunkStreams { max: 64 });
    }

    #[test]
    fn a_continuation_of_nothing_is_an_error() {
        let error = read_all(&mut Reader::new(Limits::default()), b"\xc6x", 100).unwrap_err();
        assert_eq!(error, Error::OrphanChunk { id: 6 });
    }

    #[test]
    fn a_flood_of_one_byte_messages_is_cut_off() {
        let mut bytes = b"\x06\0\0\0\0\0\x01\x08\x01\0\0\0a".to_vec();
        bytes.extend(b"\xc6a".repeat(20_000));
        let error = read_all(&mut Reader::new(Limits::default()), &bytes, 65_536).unwrap_err();
        assert_eq!(error, Error::MessageFlood);
    }

    #[test]
    fn empty_messages_are_no_messages() {
        let mut bytes = b"\x06\0\0\0\0\0\0\x08\x01\0\0\0".to_vec();
        bytes.extend([0xc6; 10_000]);
        assert_eq!(
            read_all(&mut Reader::new(Limits::default()), &bytes, 65_536),
            Ok(vec![])
        );
    }
}
