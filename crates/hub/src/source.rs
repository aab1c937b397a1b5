use std::fmt;
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

/// Whoever is at the other end of a connection, as far as it is known and it has said. Its `Debug` leaves out what may hold a secret.
#[derive(Clone)]
pub struct Caller {
    /// Where it connects from.
    pub peer: SocketAddr,
    /// How it is connected.
    pub protocol: Protocol,
    /// The application name it asked for.
    pub app: String,
    /// The address that it says it connected to.
    pub url: String,
    /// What it calls itself.
    pub agent: String,
    /// What stood behind the question mark of the stream's name.
    pub query: String,
    /// The number of its connection on this server.
    pub connection: u64,
}

impl Caller {
    /// One that has said nothing of itself.
    pub fn at(peer: SocketAddr, protocol: Protocol) -> Self {
        Self {
            peer,
            protocol,
            app: String::new(),
            url: String::new(),
            agent: String::new(),
            query: String::new(),
            connection: 0,
        }
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("peer", &self.peer)
            .field("protocol", &self.protocol)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
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
    /// Microseconds that whoever reads the source has unwrapped.
    pub const MICROSECONDS: Self = Self {
        timescale: 1_000_000,
        bits: 63,
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
