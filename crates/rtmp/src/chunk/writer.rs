use bytes::Bytes;

use super::EXTENDED;
use crate::fields::be24;

/// What stands on the outside of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The chunk stream, 2 to 63.
    pub chunk_stream: u8,
    /// One of [`kind`](crate::kind).
    pub kind: u8,
    /// The message stream.
    pub stream: u32,
    /// Milliseconds.
    pub timestamp: u32,
}

impl Envelope {
    /// The full header, which needs no knowledge of earlier ones: anyone may begin with it.
    fn full_header(self, payload_len: usize, out: &mut Vec<u8>) {
        out.push(self.chunk_stream & 0x3f);
        out.extend_from_slice(&be24(self.timestamp.min(EXTENDED)));
        out.extend_from_slice(&be24(u32::try_from(payload_len).unwrap_or(u32::MAX)));
        out.push(self.kind);
        out.extend_from_slice(&self.stream.to_le_bytes());
        self.extended_time(out);
    }

    /// The header of every further chunk.
    fn continuation(self, out: &mut Vec<u8>) {
        out.push(0xc0 | (self.chunk_stream & 0x3f));
        self.extended_time(out);
    }

    fn extended_time(self, out: &mut Vec<u8>) {
        if self.timestamp >= EXTENDED {
            out.extend_from_slice(&self.timestamp.to_be_bytes());
        }
    }
}

/// Appends a message to `out`, cut into chunks. For small messages: the payload is copied.
pub fn append(out: &mut Vec<u8>, envelope: Envelope, payload: &[u8], chunk_size: usize) {
    envelope.full_header(payload.len(), out);
    for (index, chunk) in payload.chunks(chunk_size.max(1)).enumerate() {
        if index > 0 {
            envelope.continuation(out);
        }
        out.extend_from_slice(chunk);
    }
}

/// A message cut into chunks whose payload is shared, not copied: built once for all players of one chunk size.
#[derive(Clone, Debug)]
pub struct Chunked {
    pieces: Vec<Bytes>,
    len: usize,
}

impl Chunked {
    /// Payloads up to this length are copied behind their header: one piece is cheaper to send than two.
    const COPY_MAX: usize = 512;

    /// The message with this envelope, whose payload is `prefix` (a few bytes, copied) and then `payload` (shared).
    pub fn new(envelope: Envelope, prefix: &[u8], payload: &Bytes, chunk_size: usize) -> Self {
        let payload_len = prefix.len().saturating_add(payload.len());
        let mut head = Vec::with_capacity(prefix.len().saturating_add(16));
        envelope.full_header(payload_len, &mut head);
        head.extend_from_slice(prefix);
        if payload.len() <= Self::COPY_MAX && payload_len <= chunk_size {
            head.extend_from_slice(payload);
            return Self::from_pieces(vec![Bytes::from(head)]);
        }
        let mut pieces = vec![Bytes::from(head)];
        let mut rest = payload.clone();
        let first = chunk_size.saturating_sub(prefix.len()).min(rest.len());
        pieces.push(rest.split_to(first));
        if !rest.is_empty() {
            let mut continuation = Vec::with_capacity(5);
            envelope.continuation(&mut continuation);
            let continuation = Bytes::from(continuation);
            while !rest.is_empty() {
                pieces.push(continuation.clone());
                pieces.push(rest.split_to(chunk_size.max(1).min(rest.len())));
            }
        }
        Self::from_pieces(pieces)
    }

    fn from_pieces(pieces: Vec<Bytes>) -> Self {
        let len = pieces
            .iter()
            .fold(0_usize, |sum, piece| sum.saturating_add(piece.len()));
        Self { pieces, len }
    }

    /// The bytes to send, in order.
    pub fn pieces(&self) -> &[Bytes] {
        &self.pieces
    }

    /// Bytes of all pieces.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing to send; never true of a message.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The same message on another message stream. Only the first piece differs.
    pub fn for_stream(&self, stream: u32) -> Self {
        let mut changed = self.clone();
        if let Some(first) = changed.pieces.first_mut() {
            let mut head = first.to_vec();
            if let Some(place) = head.get_mut(8..12) {
                place.copy_from_slice(&stream.to_le_bytes());
            }
            *first = Bytes::from(head);
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind;

    #[test]
    fn shared_chunks_are_the_very_bytes_of_copied_ones() {
        for len in [0, 1, 511, 512, 513, 4_091, 4_092, 100_000] {
            for timestamp in [5, 0x0100_0000] {
                for chunk_size in [128, 4_096, 65_536] {
                    let envelope = Envelope {
                        chunk_stream: 6,
                        kind: kind::VIDEO,
                        stream: 1,
                        timestamp,
                    };
                    let payload = Bytes::from(vec![7; len]);
                    let shared = Chunked::new(envelope, b"head!", &payload, chunk_size);
                    let mut copied = Vec::new();
                    append(&mut copied, envelope, &[b"head!", &payload[..]].concat(), chunk_size);
                    assert_eq!(shared.pieces().concat(), copied, "{len} {timestamp} {chunk_size}");
                    assert_eq!(shared.len(), copied.len());
                }
            }
        }
    }

    #[test]
    fn a_long_payload_is_not_copied() {
        let payload = Bytes::from(vec![7; 10_000]);
        let envelope = Envelope {
            chunk_stream: 6,
            kind: kind::VIDEO,
            stream: 1,
            timestamp: 0,
        };
        let shared = Chunked::new(envelope, b"head!", &payload, 65_536);
        assert_eq!(shared.pieces()[1].as_ptr(), payload.as_ptr());
    }

    #[test]
    fn another_message_stream_changes_only_the_first_piece() {
        let envelope = |stream| Envelope {
            chunk_stream: 6,
            kind: kind::VIDEO,
            stream,
            timestamp: 0,
        };
        let payload = Bytes::from(vec![7; 10_000]);
        let one = Chunked::new(envelope(1), b"head!", &payload, 65_536);
        let two = Chunked::new(envelope(2), b"head!", &payload, 65_536);
        assert_eq!(one.for_stream(2).pieces(), two.pieces());
    }
}
