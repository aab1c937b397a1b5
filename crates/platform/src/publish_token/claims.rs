//! What a token says, and whether it says it now.

use hub::Name;
use jsonwebtoken::errors::ErrorKind;
use serde::Deserialize;

use super::Error;
use crate::clock::Time;

/// How far ahead a token may end: it is a ticket for today, not a key.
pub(super) const AHEAD_SECONDS_MAX: f64 = 86_400.0;
/// How far the signer's clock may be off.
const LEEWAY_SECONDS: f64 = 30.0;

pub(super) const OTHER_AUDIENCE: &str = "it is meant for another audience";

/// The claims that matter; times are seconds since 1970, with a fraction if they like (RFC 7519 §2).
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    exp: f64,
    nbf: Option<f64>,
    stream: Option<String>,
    sub: Option<String>,
    aud: Option<serde_json::Value>,
}

impl Claims {
    /// Whether it is meant for somebody in particular.
    pub(super) fn names_audience(&self) -> bool {
        self.aud.is_some()
    }

    /// The name that may be published: `stream`, or else `sub`.
    pub(super) fn name(self, now: Time) -> Result<Name, Error> {
        // Seconds of any real date are exact in a float.
        let now = now.unix_seconds() as f64;
        if self.exp + LEEWAY_SECONDS <= now {
            return Err(Error::Refused("it has expired"));
        }
        if self.exp > now + AHEAD_SECONDS_MAX + LEEWAY_SECONDS {
            return Err(Error::Refused("it is good for longer than a day"));
        }
        if self.nbf.is_some_and(|begins| begins > now + LEEWAY_SECONDS) {
            return Err(Error::Refused("it is not good yet"));
        }
        let name = self.stream.or(self.sub).ok_or(Error::Refused("it names no stream"))?;
        Name::parse(&name).map_err(|_| Error::Refused("the name of its stream cannot be one"))
    }
}

/// What the library found wrong, in our words.
pub(super) fn fault(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidIssuer => "its issuer is not the trusted one",
        ErrorKind::InvalidAudience => OTHER_AUDIENCE,
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::MissingRequiredClaim(_) => "it lacks exp, iss or aud",
        _ => "it cannot be read",
    }
}
