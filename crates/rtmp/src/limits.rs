use std::time::Duration;

/// What one peer may cost: every size, count, depth and time that RTMP lets a stranger choose.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one audio, video or aggregate message.
    pub media_bytes_max: usize,
    /// Bytes of one command or protocol control message.
    pub command_bytes_max: usize,
    /// Bytes of one data message: `onMetaData` may list a file's key frames.
    pub data_bytes_max: usize,
    /// Bytes of all messages of one connection that have begun and not ended.
    pub half_received_bytes_max: usize,
    /// Chunk streams that one connection may use.
    pub chunk_streams_max: usize,
    /// Message streams that one connection may have created at once.
    pub message_streams_max: u32,
    /// How deep AMF0 values may be nested.
    pub amf_depth_max: usize,
    /// AMF0 values in one message.
    pub amf_values_max: usize,
    /// Bytes of the application's name with its query.
    pub app_bytes_max: usize,
    /// Bytes of a stream's name with its query: a signed token must fit.
    pub name_bytes_max: usize,
    /// Time from the first byte to the end of the handshake.
    pub handshake: Duration,
    /// Time from the handshake, or from the end of a stream, to the next `publish` or `play`.
    pub setup: Duration,
    /// Time that a publisher may send nothing at all.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            media_bytes_max: 8 << 20,
            command_bytes_max: 128 << 10,
            data_bytes_max: 256 << 10,
            half_received_bytes_max: 10 << 20,
            chunk_streams_max: 64,
            message_streams_max: 16,
            amf_depth_max: 16,
            amf_values_max: 4_096,
            app_bytes_max: 2_048,
            name_bytes_max: 4_096,
            handshake: Duration::from_secs(10),
            setup: Duration::from_secs(30),
            idle: Duration::from_secs(30),
        }
    }
}
