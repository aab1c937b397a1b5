//! People: how they sign in and what they are.

pub mod challenges;
pub mod erase;
pub mod export;
pub mod profile;
pub mod roles;
pub mod sessions;
pub mod tokens;
