//! Broadcasts: one timeline each, fed by sources that come and go, followed by any number.
//!
//! A publisher's connection is a [`Publisher`]; what it pushes is put on the broadcast's own timeline and appended to its
//! log. Whoever wants samples holds a [`Follower`], a position in that log: nothing is queued per follower, and a slow one
//! loses samples instead of holding anybody up. The broadcast outlives its sources: while none is there, the last key frame
//! is held as a still over silence, so that viewers see a pause and never an end.
//!
//! Two seams lead out: [`Authority`] judges who may publish and play, with a [`Directory`] for what names lead to and who may watch there;
//! [`Event`] reports what happens.

mod audio_clock;
pub mod authority;
mod broadcast;
mod clock;
mod derived;
pub mod directory;
mod error;
mod event;
mod follower;
mod health;
mod hub;
mod inner;
mod ladder;
mod log;
mod name;
mod publisher;
mod rebase;
mod source;
mod source_view;
mod timeline;
mod video_clock;
mod wall_clock;

pub use authority::{Authority, Grant, Pass, PlayRequest, Priority, PublishRequest, Standing};
pub use broadcast::{Broadcast, Settings, State, Takeover};
pub use clock::Clock;
pub use derived::Derived;
pub use directory::Directory;
pub use error::Refusal;
pub use event::Event;
pub use follower::{Follow, Follower};
pub use health::{Advice, Health};
pub use hub::{Hub, Limits, Restored, Viewing};
pub use ladder::{Codec, Ladder, LadderReport, Rung, RungReport, RungState};
pub use log::Item;
pub use media::Planned;
pub use name::{BroadcastId, InvalidName, Name, StreamKey};
pub use publisher::{Announced, Ending, Publisher, Revoked};
pub use source::{Caller, Protocol, SourceClock, SourceInfo};
