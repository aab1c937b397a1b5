//! Who is asked about publishers and players: `publish.callback_…` and `publish.tokens_…`.

use std::time::Duration;

use anyhow::Result;

use super::Settings;
use super::value::{self, Secret};

/// Questions that go to somebody else's program.
#[derive(Clone, Debug)]
pub struct Callbacks {
    /// `publish.callback_publish`
    pub publish: Option<String>,
    /// `publish.callback_play`
    pub play: Option<String>,
    /// `publish.callback_end`
    pub end: Option<String>,
    /// `publish.callback_form` is `nginx-rtmp`
    pub nginx_form: bool,
    /// `publish.callback_secret`
    pub secret: Option<Secret>,
    /// `publish.callback_method` is `get`
    pub by_get: bool,
    /// `publish.callback_timeout`
    pub timeout: Duration,
    /// `publish.callback_cache`
    pub cache: Duration,
    /// `publish.callback_fallback` is `allow`
    pub fallback_allows: bool,
}

/// Publish tokens that somebody else signs.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// `publish.tokens_jwks`
    pub jwks: Option<String>,
    /// `publish.tokens_issuer`
    pub issuer: Option<String>,
    /// `publish.tokens_audience`
    pub audience: Option<String>,
}

const WEB: &[&str] = &["http://", "https://"];

impl Settings {
    pub(super) fn callbacks(&self) -> Result<Callbacks> {
        let address = |name| self.read(name, |text| value::url(text, WEB));
        Ok(Callbacks {
            publish: address("publish.callback_publish")?,
            play: address("publish.callback_play")?,
            end: address("publish.callback_end")?,
            nginx_form: self.choice("publish.callback_form")? == "nginx-rtmp",
            secret: self.read("publish.callback_secret", value::secret)?,
            by_get: self.choice("publish.callback_method")? == "get",
            timeout: self.duration("publish.callback_timeout", 100..=30_000)?,
            cache: self.duration("publish.callback_cache", 0..=3_600_000)?,
            fallback_allows: self.choice("publish.callback_fallback")? == "allow",
        })
    }

    pub(super) fn tokens(&self) -> Result<Tokens> {
        Ok(Tokens {
            jwks: self.read("publish.tokens_jwks", |text| value::url(text, WEB))?,
            issuer: self.read("publish.tokens_issuer", value::text)?,
            audience: self.read("publish.tokens_audience", value::text)?,
        })
    }
}
