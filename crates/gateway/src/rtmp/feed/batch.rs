use std::sync::Arc;

use bytes::Bytes;
use media::Kind;
use rtmp::chunk::Chunked;

use super::head::Head;

/// What players are woken for: a video frame with the audio before it, or a little audio alone.
#[derive(Debug)]
pub(in super::super) struct Batch {
    messages: Vec<Message>,
    len: usize,
    pub(super) starts: bool,
    pub(super) time_ms: u32,
    pub(super) head: Arc<Head>,
}

#[derive(Debug)]
struct Message {
    kind: Kind,
    chunked: Chunked,
}

impl Batch {
    /// An empty batch whose first message is of `time_ms`; `head` is what decoders must know before it.
    pub(super) fn new(time_ms: u32, head: Arc<Head>) -> Self {
        Self {
            messages: Vec::with_capacity(3),
            len: 0,
            starts: false,
            time_ms,
            head,
        }
    }

    pub(super) fn push(&mut self, kind: Kind, chunked: Chunked) {
        self.len += chunked.len();
        self.messages.push(Message { kind, chunked });
    }

    /// Bytes of all messages.
    pub(in super::super) fn len(&self) -> usize {
        self.len
    }

    /// What a player must be told before it begins here.
    pub(in super::super) fn head_for(&self, stream: u32) -> Bytes {
        self.head.messages(stream, self.time_ms)
    }

    /// All bytes, in order.
    pub(in super::super) fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        self.messages.iter().flat_map(|message| message.chunked.pieces())
    }

    /// The same for a player that uses another message stream, or wants only one kind of media. Built for it alone.
    pub(in super::super) fn tailored(&self, stream: u32, wants: impl Fn(Kind) -> bool) -> Self {
        let wanted = self.messages.iter().filter(|message| wants(message.kind));
        let mut batch = Self::new(self.time_ms, Arc::clone(&self.head));
        for message in wanted {
            batch.push(message.kind, message.chunked.for_stream(stream));
        }
        batch
    }
}
