//! Who else is asked about ladders: `transcode.webhook_…`.

use anyhow::{Context, Result};
use platform::ladder::webhook;
use platform::secret::Secret;

use super::Settings;
use super::publish::address;

impl Settings {
    /// None where nobody is asked.
    pub(super) fn ladder_webhook(&self) -> Result<Option<webhook::Options>> {
        let Some(url) = self.read("transcode.webhook_url", address)? else {
            return Ok(None);
        };
        let secret = self.read("transcode.webhook_secret", |text| Ok(Secret::new(text)))?;
        let secret = secret.context("questions about ladders are signed: set transcode.webhook_secret")?;
        Ok(Some(webhook::Options { url, secret }))
    }
}
