//! Certificates and what goes with them: `tls.…` and `https.…`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Config, Settings, value};

/// Certificates that are got from an authority.
#[derive(Clone, Debug)]
pub struct Acme {
    /// `tls.acme`, in lower case; empty for none
    pub names: Vec<String>,
    /// `tls.acme_contact`
    pub contact: Option<String>,
    /// `tls.acme_directory`
    pub directory: String,
    /// `tls.acme_ca`
    pub ca: Option<PathBuf>,
}

impl Acme {
    /// What the store of certificates needs to get one for these names; `None` without names.
    pub fn settings(&self, config: &Config) -> Option<delivery::tls::AcmeSettings> {
        (!self.names.is_empty()).then(|| self.settings_for(self.names.clone(), self.contact.clone(), config))
    }

    /// The same for names and a contact that were set elsewhere.
    pub fn settings_for(
        &self,
        names: Vec<String>,
        contact: Option<String>,
        config: &Config,
    ) -> delivery::tls::AcmeSettings {
        delivery::tls::AcmeSettings {
            names,
            contact,
            directory: self.directory.clone(),
            root: self.ca.clone(),
            by_tls: config.https_listen.is_some(),
            by_http: config.http_listen.is_some(),
        }
    }
}

/// Names on one certificate: what Let's Encrypt allows.
const NAMES_MAX: usize = 100;

impl Settings {
    pub(super) fn tls(&self) -> Result<Option<(PathBuf, PathBuf)>> {
        match (self.read("tls.cert", value::path)?, self.read("tls.key", value::path)?) {
            (Some(cert), Some(key)) => Ok(Some((cert, key))),
            (None, None) => Ok(None),
            (Some(_), None) => bail!("tls.cert is set and tls.key is not"),
            (None, Some(_)) => bail!("tls.key is set and tls.cert is not"),
        }
    }

    pub(super) fn acme(&self) -> Result<Acme> {
        Ok(Acme {
            names: self.read("tls.acme", names)?.unwrap_or_default(),
            contact: self.read("tls.acme_contact", contact)?,
            directory: self
                .read("tls.acme_directory", |text| value::url(text, &["https://"]))?
                .context("tls.acme_directory is empty")?,
            ca: self.read("tls.acme_ca", value::path)?,
        })
    }

    pub(super) fn hsts(&self) -> Result<Option<Duration>> {
        let parse = |text: &str| match text {
            "off" => Ok(None),
            _ => value::duration(text).map(Some),
        };
        Ok(self.read("https.hsts", parse)?.flatten())
    }
}

/// The names of a certificate.
///
/// # Errors
/// If one of them is no name of a host, or there are too many.
pub fn names(text: &str) -> Result<Vec<String>> {
    let names: Vec<String> = value::list(text)
        .map(|name| name.trim_end_matches('.').to_lowercase())
        .collect();
    if !names.iter().all(|name| is_host_name(name)) {
        bail!("expected names of hosts such as live.example.org, separated by commas");
    }
    if names.len() > NAMES_MAX {
        bail!("expected {NAMES_MAX} names at most");
    }
    Ok(names)
}

/// A name that the domain name system can hold; an authority gives no certificate for an address or a pattern this way.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=63).contains(&label.len()) && label.chars().all(fits) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label) && name.parse::<std::net::IpAddr>().is_err()
}

fn contact(text: &str) -> Result<String> {
    let address = text.strip_prefix("mailto:").unwrap_or(text);
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | ',' | '?');
    if !address.contains('@') || !address.chars().all(fits) {
        bail!("expected a mail address");
    }
    Ok(address.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_for_names_of_hosts() {
        assert_eq!(names("a.example, B.example.").unwrap(), ["a.example", "b.example"]);
        for wrong in [
            "192.0.2.1",
            "*.example.org",
            "a..b",
            "-a.example",
            "a b",
            "http://a.example",
        ] {
            assert!(names(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_contact_is_a_mail_address() {
        assert_eq!(contact("mailto:me@example.org").unwrap(), "me@example.org");
        for wrong in ["me", "a@b, c@d", "Me <me@example.org>"] {
            assert!(contact(wrong).is_err(), "{wrong}");
        }
    }
}
