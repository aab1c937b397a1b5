//! Secrets: those that are only checked are kept as a digest, those that are shown or used again are sealed.

mod digest;
mod key_ring;
pub mod reseal;

use std::fmt;

pub use digest::Digest;
pub use key_ring::{KeyRing, Lookup, Place, RingError, Sealed};

/// A secret text: a password, a token, a stream key. Its `Debug` and `Display` are stars.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret as somebody sent it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A new one of 256 random bits, as base64url.
    pub fn random() -> Self {
        use base64::Engine;
        Self(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random::<32>()))
    }

    /// The secret itself: to check, to seal, or to show to whom it belongs; never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it where it is only checked.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl utoipa::PartialSchema for Secret {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .into()
    }
}

impl utoipa::ToSchema for Secret {}

/// Bytes from the system's random source.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a random source");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::random();
        assert_eq!(format!("{secret} {secret:?}"), "**** ****");
        assert_eq!(secret.expose().len(), 43);
    }
}
