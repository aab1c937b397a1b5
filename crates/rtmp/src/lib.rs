//! RTMP and Enhanced RTMP, AMF0 and FLV as values: bytes and time in, events and bytes out.
//!
//! Nothing here names a socket, a task, a clock or a random source. A [`server::Session`] or [`client::Session`] is fed with
//! what the peer sent and with the time, and is asked what happened and what to send:
//!
//! | verb | for |
//! |---|---|
//! | `handle_input(bytes, now)` | bytes that the peer sent, split anywhere |
//! | `handle_timeout(now)` | the time that `poll_timeout` named has come |
//! | `poll_event()` | what the peer did, in order |
//! | `poll_transmit()` | bytes to send |
//! | `poll_timeout()` | when to call `handle_timeout` at the latest |
//!
//! Payload bytes are copied once, from the input into their message; from there on they are shared.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)
)]

mod ack;
pub mod amf0;
mod capabilities;
pub mod chunk;
pub mod client;
mod command;
mod error;
mod fields;
pub mod flv;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod handshake;
mod limits;
mod message;
pub mod server;
mod wire;

pub use ack::AckWindow;
pub use capabilities::Capabilities;
pub use command::Command;
pub use error::Error;
pub use limits::Limits;
pub use message::{Control, Message, UserControl, kind};
