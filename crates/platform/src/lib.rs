//! People and what is theirs: accounts, channels, streams and keys. Nothing else speaks SQL.

pub mod clock;
pub mod id;
pub mod secret;
pub mod store;
