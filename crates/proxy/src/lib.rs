//! What proxies in front of the server say of those whom they serve, as values.
//!
//! [`Trusted`] is the list of proxies that are believed. [`protocol`] reads the PROXY protocol, which stands before anything
//! else on a connection; [`forwarded`] reads `Forwarded` (RFC 7239) and the `X-Forwarded-…` headers of one HTTP request.
//! Nothing here names a socket: whoever reads the bytes asks [`Trusted::trusts`] first.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)
)]

mod error;
pub mod forwarded;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod node;
pub mod protocol;
mod trusted;

pub use error::Error;
pub use ipnet::IpNet;
pub use trusted::Trusted;
