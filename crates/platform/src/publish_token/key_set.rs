//! A JWKS (RFC 7517) as far as it can verify publish tokens.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// Keys of one set that are looked at.
pub(super) const KEYS_MAX: usize = 100;

/// The usable keys of a set.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<Key>);

/// A key, and what it may verify.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// Reads a set; keys of kinds that are not used here are passed over. `None` if it is no set at all.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(bytes).ok()?;
        let usable = |value| Key::of(&serde_json::from_value::<Jwk>(value).ok()?);
        Some(Self(
            document.keys.into_iter().take(KEYS_MAX).filter_map(usable).collect(),
        ))
    }

    pub(super) fn holds(&self, id: Option<&str>) -> bool {
        match id {
            Some(_) => self.0.iter().any(|key| key.id.as_deref() == id),
            None => !self.0.is_empty(),
        }
    }

    /// The key of this id that verifies this algorithm; a token that names no key is taken for the only one there is.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let fits = |key: &&Key| key.algorithms.contains(&algorithm);
        match (id, &self.0[..]) {
            (Some(_), keys) => keys.iter().filter(|key| key.id.as_deref() == id).find(fits),
            (None, [only]) => Some(only).filter(fits),
            (None, _) => None,
        }
    }
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Self> {
        let for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        // What the key is decides what it verifies, never what the token says: a token cannot choose.
        let algorithms: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[Algorithm::ES256],
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
            _ => return None,
        };
        let stated = jwk.common.key_algorithm;
        let algorithms: Vec<_> = algorithms
            .iter()
            .copied()
            .filter(|algorithm| stated.is_none_or(|stated| is_named(*algorithm, stated)))
            .collect();
        if !for_signatures || algorithms.is_empty() {
            return None;
        }
        Some(Self {
            id: jwk.common.key_id.clone(),
            algorithms,
            decoding: DecodingKey::from_jwk(jwk).ok()?,
        })
    }
}

fn is_named(algorithm: Algorithm, stated: KeyAlgorithm) -> bool {
    stated.to_string() == format!("{algorithm:?}")
}
