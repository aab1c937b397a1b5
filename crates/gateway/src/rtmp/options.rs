use std::time::Duration;

/// How the RTMP server is run, and what its peers may cost together.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What one peer may cost.
    pub limits: rtmp::Limits,
    /// Connections at once. One more is closed at once.
    pub connections_max: usize,
    /// Connections from one address that have not ended their handshake. One more is closed at once.
    pub half_open_per_address_max: u32,
    /// A player that takes nothing for this long is disconnected.
    pub stall: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: rtmp::Limits::default(),
            connections_max: 50_000,
            half_open_per_address_max: 12_000,
            stall: Duration::from_secs(30),
        }
    }
}
