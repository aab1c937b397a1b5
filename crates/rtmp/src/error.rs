use std::time::Duration;

use crate::amf0;

/// Why a connection cannot continue. Always the peer's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// HTTP, TLS or noise on the RTMP port.
    #[error("not RTMP, {guess}: first byte is {first:#04x}")]
    NotRtmp {
        /// The byte where an RTMP version should be.
        first: u8,
        /// What it looks like, and what to do about it.
        guess: &'static str,
    },
    /// RTMPE, whose encryption protects nobody: its keys are public.
    #[error("RTMPE (handshake version {version}) is not supported: use RTMPS, which is RTMP over TLS")]
    Encrypted {
        /// The version byte: 6, 8 or 9.
        version: u8,
    },
    /// The handshake took too long.
    #[error("no complete handshake within {0:?}")]
    HandshakeTimeout(Duration),
    /// The peer neither published nor played.
    #[error("neither publish nor play within {0:?}")]
    SetupTimeout(Duration),
    /// A publisher fell silent.
    #[error("the publisher sent nothing for {0:?}")]
    Idle(Duration),
    /// Zero, or the reserved top bit set (§5.4.1).
    #[error("chunk size is not valid: {size:#x}")]
    ChunkSize {
        /// The size that the peer announced.
        size: u32,
    },
    /// A chunk header that refers to one that never came.
    #[error("chunk stream {id} continues a message that never began")]
    OrphanChunk {
        /// The chunk stream.
        id: u32,
    },
    /// More chunk streams than allowed.
    #[error("more than {max} chunk streams")]
    TooManyChunkStreams {
        /// How many are allowed.
        max: usize,
    },
    /// A message that declares too great a length.
    #[error("message of {len} bytes is over the limit of {max}")]
    MessageTooLarge {
        /// The declared length.
        len: usize,
        /// The limit for messages of this kind.
        max: usize,
    },
    /// Too much in messages that have begun and not ended.
    #[error("half-received messages are over the limit of {max} bytes")]
    HalfReceived {
        /// The limit of the connection.
        max: usize,
    },
    /// A flood of tiny messages, each dear to handle and cheap to send.
    #[error("messages are too small and too many")]
    MessageFlood,
    /// A field is missing.
    #[error("{what} is cut off")]
    Truncated {
        /// The structure that was being read.
        what: &'static str,
    },
    /// A command that cannot be understood.
    #[error("command cannot be read")]
    Amf(#[from] amf0::Error),
}

impl Error {
    /// One word for counting errors of this kind.
    pub fn label(&self) -> &'static str {
        match self {
            Self::NotRtmp { .. } => "not_rtmp",
            Self::Encrypted { .. } => "rtmpe",
            Self::HandshakeTimeout(_) => "handshake_timeout",
            Self::SetupTimeout(_) => "setup_timeout",
            Self::Idle(_) => "idle",
            Self::ChunkSize { .. } => "chunk_size",
            Self::OrphanChunk { .. } => "orphan_chunk",
            Self::TooManyChunkStreams { .. } => "chunk_streams",
            Self::MessageTooLarge { .. } => "message_size",
            Self::HalfReceived { .. } => "half_received",
            Self::MessageFlood => "message_flood",
            Self::Truncated { .. } => "truncated",
            Self::Amf(_) => "amf",
        }
    }
}
