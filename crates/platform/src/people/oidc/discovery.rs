//! What providers say of themselves (OpenID Connect Discovery §4), remembered for an hour.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, DiscoveryError, IssuerUrl, ProviderMetadata};
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::clock::Time;
use crate::people::providers;
use crate::platform::Platform;

/// How long it is believed.
pub const KNOWN_FOR: Duration = Duration::from_secs(3_600);
/// How old it is at least before it is asked for again: a provider may have new keys.
pub const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// What a provider says of itself, its keys included.
pub(super) type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What else is of interest.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Extra {
    /// It names itself in its answers (RFC 9207 §3).
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extra {}

/// What is remembered, by issuer.
#[derive(Default)]
pub struct Discovery(Mutex<HashMap<String, (Time, Arc<Metadata>)>>);

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Discovery")
    }
}

impl Discovery {
    fn known(&self, issuer: &str, since: Time) -> Option<Arc<Metadata>> {
        let known = self.0.lock().expect("nobody panics holding this");
        let (at, metadata) = known.get(issuer)?;
        (*at > since).then(|| Arc::clone(metadata))
    }

    fn learn(&self, issuer: &str, metadata: &Arc<Metadata>, now: Time) {
        let mut known = self.0.lock().expect("nobody panics holding this");
        if i64::try_from(known.len()).unwrap_or(i64::MAX) > providers::QUOTA {
            known.clear();
        }
        known.insert(issuer.to_owned(), (now, Arc::clone(metadata)));
    }
}

/// What an issuer says of itself, not older than `age_max`.
pub(super) async fn metadata(platform: &Platform, issuer: &str, age_max: Duration) -> Result<Arc<Metadata>, Refusal> {
    let now = platform.clock.now();
    if let Some(known) = platform.discovery.known(issuer, now.minus(age_max)) {
        return Ok(known);
    }
    let url = IssuerUrl::new(issuer.to_owned()).map_err(|error| Refusal::Unavailable(error.to_string()))?;
    let found = Metadata::discover_async(url, &platform.outbound)
        .await
        .map_err(|error| match error {
            DiscoveryError::Request(reason) => Refusal::Unavailable(reason.to_string()),
            error => Refusal::Unavailable(error.to_string()),
        })?;
    let found = Arc::new(found);
    platform.discovery.learn(issuer, &found, now);
    Ok(found)
}
