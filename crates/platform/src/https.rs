//! How it stands with HTTPS, as whoever serves says: the setup and the admin's pages show it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Time;

/// Where the certificate comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Certificate {
    /// There is none that anybody vouches for.
    #[default]
    None,
    /// From files that the configuration names.
    Files,
    /// From an authority.
    Acme,
}

/// How it stands with HTTPS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Https {
    /// Whether the server listens for it.
    pub listening: bool,
    /// Where its certificate comes from.
    pub certificate: Certificate,
    /// The names that the certificate is for.
    pub names: Vec<String>,
    /// When the certificate stops being valid.
    pub expires_at: Option<Time>,
    /// Why the last try to get or read one failed, if it did.
    pub error: Option<String>,
}
