//! The certificates that TLS listeners show: from files, or got and renewed from an authority by ACME.

mod acme;
mod cache;
mod certificate;
mod challenges;
mod files;
mod schedule;
mod store;

use std::path::PathBuf;

use axum::Router;

pub use acme::AcmeSettings;
pub use cache::kept;
pub use certificate::Facts;
pub use files::inspect;
pub use store::{Kind, Status, Store};

/// What a connection speaks on which an authority only wants to see a certificate (RFC 8737).
pub(crate) const ACME_PROTOCOL: &[u8] = b"acme-tls/1";

/// Why a certificate cannot be used, or cannot be got. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("cannot use {}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key do not belong together, or are of a kind that is not understood.
    #[error("certificate and key do not fit: {0}")]
    Pair(#[from] rustls::Error),
    /// A certificate cannot be read.
    #[error("this is no certificate: {0}")]
    Certificate(String),
    /// A certificate cannot be written, which a name may be to blame for.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The authority cannot be reached, or does not answer as it should.
    #[error("cannot ask the authority: {0}")]
    Authority(String),
    /// The authority answers that it will not give the certificate.
    #[error("the authority refuses: {0}")]
    Refused(String),
    /// The authority could not see for itself that a name belongs to this server.
    #[error("{name} could not be proved by {by}: {reason}")]
    Unproved {
        /// The name.
        name: String,
        /// The kind of proof.
        by: &'static str,
        /// The authority's words.
        reason: String,
    },
}

/// Answers an authority that wants to see, over plain HTTP, that a name belongs to this server (http-01 of RFC 8555 §8.3).
pub fn acme_router(store: &std::sync::Arc<Store>) -> Router {
    challenges::router(store.challenges())
}
