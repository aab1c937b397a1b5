//! What a key is worth before anybody publishes with it: for encoders that ask first what to send.

use hub::{PublishRequest, Refusal, Settings};

use super::candidate::{self, Candidate, Shown};
use super::{away, our_fault, unauthorized};
use crate::id::looks_like_id;
use crate::platform::Platform;
use crate::publish_token::{self, looks_like_token};
use crate::store;
use crate::streams::keys;

/// How a broadcast with this key would be run. Nothing is granted or written down: whoever publishes is judged when it comes.
///
/// # Errors
/// The refusal that a publisher with it would get. Only where other programs are asked about publishers, an unknown key may be
/// theirs: they are not asked yet, since to them it would look like a publisher.
pub(crate) async fn settings(platform: &Platform, request: &PublishRequest) -> Result<Settings, Refusal> {
    let local = platform.live.local.get();
    if let Some(grant) = local.and_then(|local| local.known(&request.key)) {
        return Ok(grant.settings);
    }
    if let Some(settings) = of_shown(
        platform,
        Shown::Key(keys::lookup(&platform.ring(), request.key.expose())),
    )
    .await?
    {
        return Ok(settings);
    }
    if let Some(settings) = of_token(platform, request).await? {
        return Ok(settings);
    }
    if platform.callbacks.is_some() {
        return Ok(platform.options.live.clone());
    }
    let local = local.ok_or_else(|| unauthorized("the stream key is unknown"))?;
    local.open(request).map(|grant| grant.settings)
}

async fn of_shown(platform: &Platform, shown: Shown) -> Result<Option<Settings>, Refusal> {
    match candidate::find(platform, &shown).await {
        Ok(Some(candidate)) => judged(platform, &candidate).map(Some),
        Ok(None) => Ok(None),
        Err(store::Error::Unavailable(_)) => match &shown {
            Shown::Key(lookup) => match platform.live.known.recall(lookup, platform.clock.now()) {
                Some(candidate) => judged(platform, &candidate).map(Some),
                None => Err(away()),
            },
            Shown::Stream(_) => Err(away()),
        },
        Err(fault) => Err(our_fault(&fault)),
    }
}

fn judged(platform: &Platform, candidate: &Candidate) -> Result<Settings, Refusal> {
    match candidate.refusal(platform) {
        Some(reason) => Err(unauthorized(reason)),
        None => Ok(candidate.found.settings.over(&platform.options.live)),
    }
}

async fn of_token(platform: &Platform, request: &PublishRequest) -> Result<Option<Settings>, Refusal> {
    let key = request.key.expose();
    let Some(tokens) = platform.publish_tokens.as_ref().filter(|_| looks_like_token(key)) else {
        return Ok(None);
    };
    let name = tokens.read(key).await.map_err(|error| match error {
        publish_token::Error::Unavailable => Refusal::Unavailable {
            reason: error.to_string(),
        },
        publish_token::Error::Refused(_) => unauthorized(error.to_string()),
    })?;
    if !looks_like_id(name.as_str()) {
        return Ok(Some(platform.options.live.clone()));
    }
    let found = of_shown(platform, Shown::Stream(name)).await?;
    found
        .map(Some)
        .ok_or_else(|| unauthorized("the publish token names a stream that is not there"))
}
