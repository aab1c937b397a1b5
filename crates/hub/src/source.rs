use std::net::SocketAddr;
use std::time::SystemTime;

/// How a source or a viewer is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// RTMP over TCP.
    Rtmp,
    /// RTMP over TLS.
    Rtmps,
    /// A child process of this server.
    Pipe,
}

impl Protocol {
    /// The protocol's name as labels and logs have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::Rtmps => "rtmps",
            Self::Pipe => "pipe",
        }
    }
}

/// The clock that a source's raw timestamps count in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceClock {
    /// Ticks per second.
    pub timescale: u32,
    /// Bits after which the count wraps, at most 63.
    pub bits: u32,
}

impl SourceClock {
    /// RTMP counts milliseconds in 32 bits and wraps every 49.7 days.
    pub const RTMP: Self = Self {
        timescale: 1_000,
        bits: 32,
    };
}

/// Who feeds a broadcast now.
#[derive(Clone, Debug)]
pub struct SourceInfo {
    /// Where it connects from.
    pub peer: SocketAddr,
    /// How it is connected.
    pub protocol: Protocol,
    /// Since when.
    pub since: SystemTime,
}
