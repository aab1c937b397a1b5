//! People and what is theirs: accounts, channels, streams and keys. Nothing else speaks SQL.

pub mod actor;
pub mod api;
pub mod audit;
pub mod authority;
pub mod authorize;
pub mod callback;
pub mod channels;
pub mod clock;
pub mod directory;
pub mod error;
pub mod events;
pub mod https;
pub mod id;
pub mod idempotency;
pub mod images;
pub mod ladder;
pub mod live_state;
pub mod mail;
pub mod obs;
pub mod outbound;
pub mod people;
pub mod platform;
pub mod publish_token;
pub mod retention;
#[cfg(test)]
mod scene;
pub mod secret;
pub mod settings;
pub mod stop;
pub mod store;
pub mod streams;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod transfer;

pub use error::{Error, Result};
pub use platform::{Options, Platform};
