//! People: how they sign in and what they are.

pub mod challenges;
pub mod erase;
pub mod export;
pub mod factors;
pub mod passkeys;
pub mod profile;
pub mod recovery;
pub mod roles;
pub mod sessions;
pub mod tokens;
pub mod totp;
