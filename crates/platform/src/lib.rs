//! People and what is theirs: accounts, channels, streams and keys. Nothing else speaks SQL.

pub mod actor;
pub mod api;
pub mod audit;
pub mod authorize;
pub mod callback;
pub mod channels;
pub mod clock;
pub mod error;
pub mod https;
pub mod id;
pub mod idempotency;
pub mod images;
pub mod mail;
pub mod outbound;
pub mod people;
pub mod platform;
pub mod publish_token;
pub mod retention;
pub mod secret;
pub mod settings;
pub mod store;
pub mod streams;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod transfer;

pub use error::{Error, Result};
pub use platform::{Options, Platform};
