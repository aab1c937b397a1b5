//! Configuration: a file, then the environment, then flags.

pub mod docs;
pub mod keys;
mod ladder;
pub mod publish;
pub mod tls;
pub mod transcode;
mod value;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use ipnet::IpNet;
use keys::KEYS;
pub use value::Secret;

/// The file that is read where none is named.
const FILE_DEFAULT: &str = "headwater.toml";

/// What is in force, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `data.dir`
    pub data_dir: PathBuf,
    /// `http.listen`
    pub http_listen: Option<SocketAddr>,
    /// `http.public_url`
    pub http_public_url: Option<String>,
    /// `http.trusted_proxies`
    pub http_trusted_proxies: Vec<IpNet>,
    /// `https.listen`
    pub https_listen: Option<SocketAddr>,
    /// `https.redirect` is `on`
    pub https_redirect: bool,
    /// `https.hsts`
    pub https_hsts: Option<Duration>,
    /// `tls.cert` and `tls.key`
    pub tls: Option<(PathBuf, PathBuf)>,
    /// `tls.acme…`
    pub acme: tls::Acme,
    /// `rtmp.listen`
    pub rtmp_listen: Option<SocketAddr>,
    /// `rtmp.public_url`
    pub rtmp_public_url: Option<String>,
    /// `rtmps.listen`
    pub rtmps_listen: Option<SocketAddr>,
    /// `publish.open` is `loopback`
    pub publish_open: bool,
    /// `publish.keys_file`
    pub publish_keys_file: Option<PathBuf>,
    /// `publish.callback_…`
    pub publish_callbacks: Option<platform::callback::Options>,
    /// `publish.tokens_…`
    pub publish_tokens: Option<platform::publish_token::Options>,
    /// `transcode.webhook_…`
    pub ladder_webhook: Option<platform::ladder::webhook::Options>,
    /// `outbound.allow`
    pub outbound_allow: Vec<IpNet>,
    /// `database.url`
    pub database_url: Option<Secret>,
    /// `publish.takeover` and `live.*`
    pub live: hub::Settings,
    /// `transcode.…`
    pub transcode: transcode::Transcode,
    /// `log.level`
    pub log_level: String,
    /// `log.format` is `json`
    pub log_json: bool,
}

/// A value and where it was said.
#[derive(Clone, Debug)]
struct Said {
    value: String,
    by: String,
}

/// What was said of each key, not yet checked.
#[derive(Clone, Debug)]
pub struct Settings {
    keys: BTreeMap<&'static str, Said>,
    /// `[transcode.presets]`: its names are the operator's own.
    presets: toml::Table,
}

impl Config {
    /// What goes only together.
    fn check_tls(&self) -> Result<()> {
        if !self.acme.names.is_empty() && self.https_listen.is_none() && self.http_listen.is_none() {
            bail!("tls.acme needs https.listen or http.listen: there the authority sees whose the names are");
        }
        let public = self.http_public_url.as_ref();
        if self.https_redirect && self.https_listen.is_none() && !public.is_some_and(|url| url.starts_with("https://"))
        {
            bail!("https.redirect = on needs https.listen, or an http.public_url that begins with https://");
        }
        Ok(())
    }
}

impl Settings {
    /// Reads the defaults, the file, the environment and the flags, each over the one before.
    ///
    /// # Errors
    /// Names the file or variable and the key that cannot be understood.
    pub fn gather(file: Option<&Path>, flags: &[(&'static str, Option<String>)]) -> Result<Self> {
        let mut settings = Self {
            keys: BTreeMap::new(),
            presets: toml::Table::new(),
        };
        for key in KEYS {
            settings.say(key.name, key.default.into(), "default");
        }
        match file {
            Some(path) => settings.read_file(path)?,
            None if Path::new(FILE_DEFAULT).exists() => settings.read_file(Path::new(FILE_DEFAULT))?,
            None => {}
        }
        settings.read_environment(std::env::vars())?;
        for (name, value) in flags {
            if let Some(value) = value {
                settings.say(name, value.clone(), "flag");
            }
        }
        Ok(settings)
    }

    /// Sets a key where nobody said anything else.
    pub fn default_to(&mut self, name: &'static str, value: &str) {
        if self.keys.get(name).is_none_or(|said| said.by == "default") {
            self.say(name, value.into(), "default");
        }
    }

    fn read_file(&mut self, path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        self.read_toml(&text, &path.display().to_string())
    }

    fn read_toml(&mut self, text: &str, by: &str) -> Result<()> {
        let table: toml::Table = toml::from_str(text).with_context(|| format!("{by} is not valid TOML"))?;
        for (section, names) in table {
            let toml::Value::Table(names) = names else {
                bail!("{by}: {section} stands alone: keys belong into a [section]");
            };
            for (name, value) in names {
                let full = format!("{section}.{name}");
                if full == transcode::PRESETS {
                    self.presets = value
                        .as_table()
                        .cloned()
                        .with_context(|| format!("{by}: {full} is a section"))?;
                    continue;
                }
                let Some(key) = keys::find(&full) else {
                    bail!(unknown(by, &full))
                };
                let value = value::from_toml(&value).with_context(|| format!("{by}: {full}"))?;
                self.say(key.name, value, by);
            }
        }
        Ok(())
    }

    fn read_environment(&mut self, variables: impl Iterator<Item = (String, String)>) -> Result<()> {
        for (variable, value) in variables.filter(|(name, _)| name.starts_with("HEADWATER_")) {
            match KEYS.iter().find(|key| keys::variable(key.name) == variable) {
                Some(key) => self.say(key.name, value, &variable),
                None => {
                    let guess = variable["HEADWATER_".len()..].to_lowercase().replacen('_', ".", 1);
                    bail!(
                        "{variable} is no key: did you mean {}?",
                        keys::variable(keys::nearest(&guess))
                    );
                }
            }
        }
        Ok(())
    }

    fn say(&mut self, name: &'static str, value: String, by: &str) {
        self.keys.insert(name, Said { value, by: by.into() });
    }

    /// What is in force and who said it, as TOML.
    pub fn print(&self) -> String {
        let mut out = String::new();
        let mut section = "";
        for key in KEYS {
            let (of, name) = key.name.split_once('.').unwrap_or(("", key.name));
            if of != section {
                let _ = writeln!(out, "{}[{of}]", if section.is_empty() { "" } else { "\n" });
                section = of;
            }
            let said = &self.keys[key.name];
            let (shown, hides) = value::hidden(key.form, &said.value);
            // Stars must not be read back as the value.
            let comment = if said.value.is_empty() || hides { "# " } else { "" };
            let value = toml::Value::String(shown);
            let _ = writeln!(out, "{comment}{name} = {value}  # {}", said.by);
        }
        out.push_str(&transcode::print(&self.presets));
        out
    }

    /// Checks everything.
    ///
    /// # Errors
    /// Names the first key whose value cannot be used, who said it, and what is expected.
    pub fn check(&self) -> Result<Config> {
        let config = Config {
            data_dir: self.read("data.dir", value::path)?.context("data.dir is empty")?,
            http_listen: self.read("http.listen", value::listen)?.flatten(),
            http_public_url: self.read("http.public_url", |text| value::url(text, &["http://", "https://"]))?,
            http_trusted_proxies: self.read("http.trusted_proxies", value::networks)?.unwrap_or_default(),
            https_listen: self.read("https.listen", value::listen)?.flatten(),
            https_redirect: self.choice("https.redirect")? == "on",
            https_hsts: self.hsts()?,
            tls: self.tls()?,
            acme: self.acme()?,
            rtmp_listen: self.read("rtmp.listen", value::listen)?.flatten(),
            rtmp_public_url: self.read("rtmp.public_url", |text| value::url(text, &["rtmp://", "rtmps://"]))?,
            rtmps_listen: self.read("rtmps.listen", value::listen)?.flatten(),
            publish_open: self.choice("publish.open")? == "loopback",
            publish_keys_file: self.read("publish.keys_file", value::path)?,
            publish_callbacks: self.callbacks()?,
            publish_tokens: self.tokens()?,
            ladder_webhook: self.ladder_webhook()?,
            outbound_allow: self.read("outbound.allow", value::networks)?.unwrap_or_default(),
            database_url: self.read("database.url", value::database)?,
            live: self.live()?,
            transcode: self.transcode()?,
            log_level: self.choice("log.level")?,
            log_json: self.choice("log.format")? == "json",
        };
        config.check_tls()?;
        Ok(config)
    }

    fn live(&self) -> Result<hub::Settings> {
        Ok(hub::Settings {
            window: self.duration("live.window", 10_000..=600_000)?,
            part: self.duration("live.part", 100..=1_000)?,
            segment: self.duration("live.segment", 1_000..=10_000)?,
            reconnect: self.duration("live.reconnect", 0..=1_800_000)?,
            takeover: match self.choice("publish.takeover")?.as_str() {
                "refuse" => hub::Takeover::Refuse,
                _ => hub::Takeover::Replace,
            },
            ladder: self.ladder()?,
        })
    }

    fn duration(&self, name: &str, millis: std::ops::RangeInclusive<u128>) -> Result<Duration> {
        let parse = |text: &str| {
            let span = value::duration(text)?;
            let within = millis.contains(&span.as_millis());
            within.then_some(span).with_context(|| {
                format!(
                    "must be {} to {}",
                    value::show(*millis.start()),
                    value::show(*millis.end())
                )
            })
        };
        self.read(name, parse)?.with_context(|| format!("{name} is empty"))
    }

    fn choice(&self, name: &str) -> Result<String> {
        let words = match keys::find(name).map(|key| key.form) {
            Some(keys::Form::Choice(words)) => words,
            _ => &[],
        };
        self.read(name, |text| value::choice(text, words))?
            .with_context(|| format!("{name} is empty"))
    }

    /// Parses a key's value; `None` if it is empty.
    fn read<T>(&self, name: &str, parse: impl FnOnce(&str) -> Result<T>) -> Result<Option<T>> {
        let said = &self.keys[name];
        if said.value.is_empty() {
            return Ok(None);
        }
        let form = keys::find(name).map_or(keys::Form::Secret, |key| key.form);
        let fault = || format!("{name} = {:?} (from {})", value::hidden(form, &said.value).0, said.by);
        parse(&said.value).map(Some).with_context(fault)
    }
}

fn unknown(by: &str, name: &str) -> String {
    format!("{by}: {name} is no key: did you mean {}?", keys::nearest(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config> {
        let mut settings = Settings::gather(None, &[])?;
        settings.read_toml(text, "test.toml")?;
        settings.check()
    }

    fn fault(text: &str) -> String {
        format!("{:#}", read(text).unwrap_err())
    }

    #[test]
    fn defaults_are_those_of_the_manual() {
        let config = read("").unwrap();
        assert_eq!(config.http_listen, Some("0.0.0.0:8080".parse().unwrap()));
        assert_eq!(config.https_listen, None);
        let ladder = hub::Ladder::Preset("default".into());
        assert_eq!(
            config.live,
            hub::Settings {
                ladder,
                ..hub::Settings::default()
            }
        );
        assert!(!config.publish_open);
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        assert_eq!(
            fault("[rtmp]\nlisen = 'x'"),
            "test.toml: rtmp.lisen is no key: did you mean rtmp.listen?"
        );
    }

    #[test]
    fn a_wrong_value_names_key_place_and_what_is_expected() {
        let cases = [
            (
                "[live]\npart = '5 s'",
                "live.part = \"5 s\" (from test.toml): must be 100 ms to 1 s",
            ),
            (
                "[live]\npart = 'soon'",
                "live.part = \"soon\" (from test.toml): expected a time such as 333 ms or 2 s",
            ),
            (
                "[publish]\nopen = 'all'",
                "publish.open = \"all\" (from test.toml): expected one of off, loopback",
            ),
            (
                "[http]\nlisten = '8080'",
                "http.listen = \"8080\" (from test.toml): expected ADDRESS:PORT or off",
            ),
            (
                "[http]\nlisten = 'off'\n[tls]\nacme = 'a.example'",
                "tls.acme needs https.listen or http.listen: there the authority sees whose the names are",
            ),
            (
                "[https]\nredirect = 'on'",
                "https.redirect = on needs https.listen, or an http.public_url that begins with https://",
            ),
            ("[tls]\ncert = 'x.pem'", "tls.cert is set and tls.key is not"),
        ];
        for (text, expected) in cases {
            assert_eq!(fault(text), expected);
        }
    }

    #[test]
    fn later_places_win() {
        let mut settings = Settings::gather(None, &[("http.listen", Some("127.0.0.1:1".into()))]).unwrap();
        settings.default_to("http.listen", "127.0.0.1:2");
        settings.default_to("rtmp.listen", "127.0.0.1:3");
        let config = settings.check().unwrap();
        assert_eq!(config.http_listen, Some("127.0.0.1:1".parse().unwrap()));
        assert_eq!(config.rtmp_listen, Some("127.0.0.1:3".parse().unwrap()));
    }

    #[test]
    fn a_variable_is_a_key_too() {
        let mut settings = Settings::gather(None, &[]).unwrap();
        let variables = [("HEADWATER_LIVE_WINDOW".to_owned(), "30 s".to_owned())];
        settings.read_environment(variables.into_iter()).unwrap();
        assert_eq!(settings.check().unwrap().live.window, Duration::from_secs(30));
        let variables = [("HEADWATER_LIVE_WINDOWS".to_owned(), "30 s".to_owned())];
        let error = settings.read_environment(variables.into_iter()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "HEADWATER_LIVE_WINDOWS is no key: did you mean HEADWATER_LIVE_WINDOW?"
        );
    }

    #[test]
    fn secrets_are_neither_printed_nor_named_in_an_error() {
        let text = "[publish]\ncallback_secret = 'canary'\n[database]\nurl = 'postgres://hw:canary@db/hw'";
        let mut settings = Settings::gather(None, &[]).unwrap();
        settings.read_toml(text, "test.toml").unwrap();
        let config = settings.check().unwrap();
        let printed = settings.print();
        assert!(printed.contains("postgres://hw:***@db/hw"), "{printed}");
        assert!(!format!("{printed}{config:?}").contains("canary"));
        assert!(!fault("[database]\nurl = 'mysql://hw:canary@db/hw'").contains("canary"));
    }

    #[test]
    fn callbacks_are_signed_or_in_the_form_of_nginx() {
        let with = |more: &str| format!("[publish]\ncallback_publish = 'http://127.0.0.1/auth/'\n{more}");
        assert!(fault(&with("")).contains("callback_secret"));
        assert!(fault(&with("callback_secret = 's'\ncallback_method = 'get'")).contains("nginx-rtmp"));
        assert!(fault("[publish]\ncallback_end = 'ftp://example.org/'").contains("http"));
        assert!(fault("[publish]\ntokens_jwks = 'https://user:canary@example.org/'").contains("password"));
        assert!(read("").unwrap().publish_callbacks.is_none());
        for more in [
            "callback_secret = 's'",
            "callback_form = 'nginx-rtmp'\ncallback_method = 'get'",
        ] {
            let asked = read(&with(more)).unwrap().publish_callbacks.unwrap();
            assert_eq!(asked.publish.unwrap().as_str(), "http://127.0.0.1/auth/");
        }
    }

    #[test]
    fn questions_about_ladders_are_signed() {
        let url = "[transcode]\nwebhook_url = 'http://127.0.0.1/ladder'\n";
        assert!(fault(url).contains("transcode.webhook_secret"));
        let asked = read(&format!("{url}webhook_secret = 'canary'"))
            .unwrap()
            .ladder_webhook
            .unwrap();
        assert_eq!(asked.url.as_str(), "http://127.0.0.1/ladder");
        assert!(!format!("{asked:?}").contains("canary"));
        assert!(fault("[transcode]\nwebhook_url = 'ftp://example.org/'").contains("http"));
        assert!(read("").unwrap().ladder_webhook.is_none());
    }

    #[test]
    fn a_list_may_be_a_toml_array() {
        let config = read("[tls]\nacme = ['live.example.org', 'Live2.example.org.']").unwrap();
        assert_eq!(config.acme.names, ["live.example.org", "live2.example.org"]);
    }

    #[test]
    fn what_is_printed_can_be_read_again() {
        let printed = Settings::gather(None, &[]).unwrap().print();
        read(&printed).unwrap();
    }
}
