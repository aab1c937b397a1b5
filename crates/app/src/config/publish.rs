//! Who else is asked about publishers and players: `publish.callback_…` and `publish.tokens_…`.

use anyhow::{Context, Result, bail};
use platform::callback::{self, Fallback, Form};
use platform::secret::Secret;
use platform::{outbound, publish_token};
use url::Url;

use super::Settings;
use super::value;

impl Settings {
    /// None where nobody is asked.
    pub(super) fn callbacks(&self) -> Result<Option<callback::Options>> {
        let address = |name| self.read(name, address);
        let (publish, play, end) = (
            address("publish.callback_publish")?,
            address("publish.callback_play")?,
            address("publish.callback_end")?,
        );
        let time_max = self.duration("publish.callback_timeout", 100..=30_000)?;
        let cache = self.duration("publish.callback_cache", 0..=3_600_000)?;
        let fallback = match self.choice("publish.callback_fallback")?.as_str() {
            "allow" => Fallback::Allow,
            _ => Fallback::Deny,
        };
        let form = self.form()?;
        if publish.is_none() && play.is_none() && end.is_none() {
            return Ok(None);
        }
        let form = form.context(
            "callbacks in JSON are signed: set publish.callback_secret, or publish.callback_form = \"nginx-rtmp\"",
        )?;
        Ok(Some(callback::Options {
            publish,
            play,
            end,
            form,
            time_max,
            cache,
            fallback,
        }))
    }

    /// None where JSON cannot be signed for want of a secret.
    fn form(&self) -> Result<Option<Form>> {
        let nginx = self.choice("publish.callback_form")? == "nginx-rtmp";
        let get = self.choice("publish.callback_method")? == "get";
        match (nginx, get) {
            (true, false) => Ok(Some(Form::NginxPost)),
            (true, true) => Ok(Some(Form::NginxGet)),
            (false, true) => {
                bail!("publish.callback_method = \"get\" goes with publish.callback_form = \"nginx-rtmp\" only")
            }
            (false, false) => {
                let secret = self.read("publish.callback_secret", |text| Ok(Secret::new(text)))?;
                Ok(secret.map(|secret| Form::Json { secret }))
            }
        }
    }

    /// None where no publish token is accepted.
    pub(super) fn tokens(&self) -> Result<Option<publish_token::Options>> {
        let Some(jwks) = self.read("publish.tokens_jwks", address)? else {
            return Ok(None);
        };
        Ok(Some(publish_token::Options {
            jwks,
            issuer: self.read("publish.tokens_issuer", value::text)?,
            audience: self.read("publish.tokens_audience", value::text)?,
        }))
    }
}

/// An address that the server calls, exactly as it is written: to some servers a `/` at the end matters.
pub(super) fn address(text: &str) -> Result<Url> {
    Ok(outbound::address(text)?)
}
