//! People: how they sign in and what they are.

pub mod roles;
pub mod sessions;
pub mod tokens;
