//! Publish tokens: short-lived JWTs that somebody else signs, shown in place of a stream key.
//!
//! The keys come from one address that the operator trusts (a JWKS); what a token itself says about keys is never looked at.

mod claims;
mod key_set;
mod keys;
#[cfg(test)]
mod tests;

use hub::Name;
use jsonwebtoken::{Algorithm, Header, Validation};
use url::Url;

use crate::clock::Clock;
use crate::outbound::Outbound;
use claims::Claims;
use key_set::Key;
use keys::Keys;

/// Signatures that are accepted. Not among them: `none`, and HMAC, for which a public key would be the secret.
const ALGORITHMS: [Algorithm; 4] = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];

/// Whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the keys are.
    pub jwks: Url,
    /// The issuer that tokens must name, if any.
    pub issuer: Option<String>,
    /// The audience that tokens must name. Without it, tokens that name one are refused: they are meant for somebody else.
    pub audience: Option<String>,
}

/// Why a token does not let its bearer publish. The texts are for the publisher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The token is not good.
    #[error("the publish token is refused: {0}")]
    Refused(&'static str),
    /// The keys are not known yet and cannot be had now.
    #[error("publish tokens cannot be checked now")]
    Unavailable,
}

/// Reads publish tokens.
#[derive(Debug)]
pub struct PublishTokens {
    clock: Clock,
    options: Options,
    keys: Keys,
}

impl PublishTokens {
    /// Keys are fetched over `outbound` when the first token comes.
    pub fn new(outbound: Outbound, clock: Clock, options: Options) -> Self {
        Self {
            keys: Keys::new(outbound, options.jwks.clone()),
            clock,
            options,
        }
    }

    /// The public name that this token lets its bearer publish, now.
    ///
    /// # Errors
    /// If the token is refused, or the keys cannot be had.
    pub async fn read(&self, token: &str) -> Result<Name, Error> {
        let header = header(token)?;
        let keys = self.keys.holding(header.kid.as_deref()).await?;
        let key = keys
            .find(header.kid.as_deref(), header.alg)
            .ok_or(Error::Refused("its key is unknown"))?;
        let claims = self.claims(token, header.alg, key)?;
        if self.options.audience.is_none() && claims.names_audience() {
            return Err(Error::Refused(claims::OTHER_AUDIENCE));
        }
        claims.name(self.clock.now())
    }

    fn claims(&self, token: &str, algorithm: Algorithm, key: &Key) -> Result<Claims, Error> {
        let mut validation = Validation::new(algorithm);
        // The times are judged by our own clock, with limits that the library does not know.
        validation.validate_exp = false;
        let mut required = vec!["exp"];
        if let Some(issuer) = &self.options.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &self.options.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        jsonwebtoken::decode(token, &key.decoding, &validation)
            .map(|data| data.claims)
            .map_err(|error| Error::Refused(claims::fault(error.kind())))
    }
}

/// Whether a text has the shape of a token: three parts of base64url, the first of them a JSON object.
pub fn looks_like_token(text: &str) -> bool {
    let fits = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    text.starts_with("ey") && text.split('.').count() == 3 && text.split('.').all(fits)
}

fn header(token: &str) -> Result<Header, Error> {
    if !looks_like_token(token) {
        return Err(Error::Refused("it is not a token"));
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| Error::Refused("its header cannot be read"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Error::Refused("its algorithm is none of RS256, PS256, ES256 and EdDSA"));
    }
    // RFC 7515 §4.1.11: what must be understood and is not, is refused; we understand no extension.
    if header.crit.is_some() {
        return Err(Error::Refused("it demands an extension"));
    }
    Ok(header)
}
