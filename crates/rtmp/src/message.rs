use bytes::Bytes;

use crate::{Error, fields::Fields};

/// Message types as their number on the wire.
pub mod kind {
    /// Set Chunk Size (§5.4.1).
    pub const SET_CHUNK_SIZE: u8 = 1;
    /// Abort Message (§5.4.2).
    pub const ABORT: u8 = 2;
    /// Acknowledgement (§5.4.3).
    pub const ACKNOWLEDGEMENT: u8 = 3;
    /// User Control (§7.1.7).
    pub const USER_CONTROL: u8 = 4;
    /// Window Acknowledgement Size (§5.4.4).
    pub const WINDOW_ACK_SIZE: u8 = 5;
    /// Set Peer Bandwidth (§5.4.5).
    pub const PEER_BANDWIDTH: u8 = 6;
    /// An FLV audio tag's body.
    pub const AUDIO: u8 = 8;
    /// An FLV video tag's body.
    pub const VIDEO: u8 = 9;
    /// Data flagged as AMF3: a zero byte, then AMF0.
    pub const DATA_AMF3: u8 = 15;
    /// A command flagged as AMF3: a zero byte, then AMF0.
    pub const COMMAND_AMF3: u8 = 17;
    /// Data in AMF0: metadata.
    pub const DATA: u8 = 18;
    /// A command in AMF0.
    pub const COMMAND: u8 = 20;
    /// Several FLV tags in one message.
    pub const AGGREGATE: u8 = 22;
}

/// One whole message, put together from its chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it carries: one of [`kind`].
    pub kind: u8,
    /// The message stream it belongs to; zero is the connection itself.
    pub stream: u32,
    /// Milliseconds on the peer's clock, which wraps.
    pub timestamp: u32,
    /// What it says.
    pub payload: Bytes,
}

/// A message about the connection itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The sender's chunks are from now on at most this long.
    SetChunkSize(u32),
    /// The unfinished message of this chunk stream will not be finished.
    Abort(u32),
    /// Bytes that the sender has received.
    Acknowledgement(u32),
    /// An event of a stream, or a ping.
    User(UserControl),
    /// The sender expects an acknowledgement for every so many bytes.
    WindowAckSize(u32),
    /// The peer should send no more than this unacknowledged.
    PeerBandwidth {
        /// The window in bytes.
        size: u32,
        /// 0 hard, 1 soft, 2 dynamic.
        limit: u8,
    },
}

/// The events of a User Control message (§7.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserControl {
    /// The stream can be used.
    StreamBegin(u32),
    /// Nothing more comes on the stream.
    StreamEof(u32),
    /// A player tells how much it buffers.
    SetBufferLength {
        /// The message stream.
        stream: u32,
        /// The buffer in milliseconds.
        ms: u32,
    },
    /// Asks for a [`UserControl::PingResponse`] with the same number.
    PingRequest(u32),
    /// Answers a ping.
    PingResponse(u32),
    /// An event that needs no answer.
    Other(u16),
}

impl Control {
    /// Reads a message of types 1 to 6; `None` for any other type.
    pub fn read(message: &Message) -> Result<Option<Self>, Error> {
        let mut fields = Fields::new(&message.payload);
        let control = match message.kind {
            kind::SET_CHUNK_SIZE => fields.be32().map(Self::SetChunkSize),
            kind::ABORT => fields.be32().map(Self::Abort),
            kind::ACKNOWLEDGEMENT => fields.be32().map(Self::Acknowledgement),
            kind::USER_CONTROL => UserControl::read(&mut fields).map(Self::User),
            kind::WINDOW_ACK_SIZE => fields.be32().map(Self::WindowAckSize),
            kind::PEER_BANDWIDTH => peer_bandwidth(&mut fields),
            _ => return Ok(None),
        };
        control.map(Some).ok_or(Error::Truncated {
            what: "control message",
        })
    }

    /// The message's type and payload.
    pub fn write(self) -> (u8, Vec<u8>) {
        match self {
            Self::SetChunkSize(size) => (kind::SET_CHUNK_SIZE, size.to_be_bytes().to_vec()),
            Self::Abort(id) => (kind::ABORT, id.to_be_bytes().to_vec()),
            Self::Acknowledgement(count) => (kind::ACKNOWLEDGEMENT, count.to_be_bytes().to_vec()),
            Self::User(event) => (kind::USER_CONTROL, event.write()),
            Self::WindowAckSize(size) => (kind::WINDOW_ACK_SIZE, size.to_be_bytes().to_vec()),
            Self::PeerBandwidth { size, limit } => {
                let mut payload = size.to_be_bytes().to_vec();
                payload.push(limit);
                (kind::PEER_BANDWIDTH, payload)
            }
        }
    }
}

// Some encoders leave out the limit type.
fn peer_bandwidth(fields: &mut Fields<'_>) -> Option<Control> {
    let size = fields.be32()?;
    let limit = fields.u8().unwrap_or(2);
    Some(Control::PeerBandwidth { size, limit })
}

impl UserControl {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(match fields.be16()? {
            0 => Self::StreamBegin(fields.be32()?),
            1 => Self::StreamEof(fields.be32()?),
            3 => Self::SetBufferLength {
                stream: fields.be32()?,
                ms: fields.be32()?,
            },
            6 => Self::PingRequest(fields.be32()?),
            7 => Self::PingResponse(fields.be32()?),
            other => Self::Other(other),
        })
    }

    fn write(self) -> Vec<u8> {
        let (event, numbers) = match self {
            Self::StreamBegin(stream) => (0_u16, vec![stream]),
            Self::StreamEof(stream) => (1, vec![stream]),
            Self::SetBufferLength { stream, ms } => (3, vec![stream, ms]),
            Self::PingRequest(number) => (6, vec![number]),
            Self::PingResponse(number) => (7, vec![number]),
            Self::Other(event) => (event, vec![]),
        };
        let mut payload = event.to_be_bytes().to_vec();
        numbers
            .iter()
            .for_each(|number| payload.extend_from_slice(&number.to_be_bytes()));
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_message_has_its_form_on_the_wire() {
        let table: [(&str, Control, u8, &[u8]); 10] = [
            ("chunk size", Control::SetChunkSize(4096), 1, b"\0\0\x10\0"),
            ("abort", Control::Abort(5), 2, b"\0\0\0\x05"),
            (
                "acknowledgement",
                Control::Acknowledgement(u32::MAX),
                3,
                b"\xff\xff\xff\xff",
            ),
            (
                "stream begin",
                Control::User(UserControl::StreamBegin(1)),
                4,
                b"\0\0\0\0\0\x01",
            ),
            (
                "stream end",
                Control::User(UserControl::StreamEof(1)),
                4,
                b"\0\x01\0\0\0\x01",
            ),
            (
                "buffer length",
                Control::User(UserControl::SetBufferLength { stream: 1, ms: 3000 }),
                4,
                b"\0\x03\0\0\0\x01\0\0\x0b\xb8",
            ),
            (
                "ping",
                Control::User(UserControl::PingRequest(7)),
                4,
                b"\0\x06\0\0\0\x07",
            ),
            (
                "pong",
                Control::User(UserControl::PingResponse(7)),
                4,
                b"\0\x07\0\0\0\x07",
            ),
            ("window", Control::WindowAckSize(2_500_000), 5, b"\0\x26\x25\xa0"),
            (
                "bandwidth",
                Control::PeerBandwidth {
                    size: 2_500_000,
                    limit: 2,
                },
                6,
                b"\0\x26\x25\xa0\x02",
            ),
        ];
        for (name, control, kind, bytes) in table {
            assert_eq!(control.write(), (kind, bytes.to_vec()), "{name} written");
            let message = Message {
                kind,
                stream: 0,
                timestamp: 0,
                payload: Bytes::from_static(bytes),
            };
            assert_eq!(Control::read(&message), Ok(Some(control)), "{name} read");
            let cut = Message {
                payload: message.payload.slice(..2),
                ..message
            };
            assert!(
                !matches!(Control::read(&cut), Ok(Some(read)) if read == control),
                "{name} cut off"
            );
        }
    }
}
