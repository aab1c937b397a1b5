//! HTTPS: whose certificate is shown, who is led to it, and what the platform learns and says of it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use delivery::server::Redirect;
use delivery::tls::{self, AcmeSettings, Kind};
use http::HeaderValue;
use platform::Platform;
use platform::clock::Time;
use platform::https::{Certificate, Https};
use platform::settings::Acme;
use tracing::warn;

use crate::config::Config;

/// The certificates of all listeners that speak TLS.
///
/// # Errors
/// If a file that the configuration names cannot be used.
pub fn certificates(config: &Config) -> Result<Arc<tls::Store>> {
    Ok(tls::Store::open(config.tls.clone(), &config.data_dir.join("acme"))?)
}

/// Shows the best certificate there is: from files, or got for the names of the configuration or else of the settings.
///
/// # Errors
/// If not even a self-signed one can be made.
pub fn show(certificates: &tls::Store, config: &Config, platform: &Platform) -> Result<()> {
    certificates.set_acme(wanted(config, platform.settings().acme.as_ref()));
    if config.https_listen.is_some() || config.rtmps_listen.is_some() {
        certificates.stand_in()?;
    }
    Ok(())
}

/// Gets other certificates when the settings name other names, for ever.
pub async fn follow(certificates: Arc<tls::Store>, config: Config, platform: Platform) {
    let mut changes = platform.settings_changes();
    let mut known = platform.settings().acme.clone();
    while changes.changed().await.is_ok() {
        let acme = platform.settings().acme.clone();
        if acme != known {
            certificates.set_acme(wanted(&config, acme.as_ref()));
            known = acme;
        }
    }
}

/// What to get a certificate for. The configuration goes before the settings.
fn wanted(config: &Config, set: Option<&Acme>) -> Option<AcmeSettings> {
    config.acme.settings(config).or_else(|| {
        let set = set?;
        match crate::config::tls::names(&set.names.join(",")) {
            Ok(names) if names.is_empty() => None,
            Ok(names) => {
                let contact = Some(set.contact.clone()).filter(|contact| !contact.is_empty());
                Some(config.acme.settings_for(names, contact, config))
            }
            Err(error) => {
                warn!(names = ?set.names, "no certificate is got for these names: {error}");
                None
            }
        }
    })
}

/// How it stands, for the platform's pages.
pub fn status(certificates: &tls::Store, config: &Config) -> Https {
    let status = certificates.status();
    Https {
        listening: config.https_listen.is_some(),
        certificate: match status.kind {
            Kind::None | Kind::SelfSigned => Certificate::None,
            Kind::Files => Certificate::Files,
            Kind::Acme => Certificate::Acme,
        },
        names: status.names,
        expires_at: status.not_after.map(Time::of),
        error: status.error,
    }
}

/// Where those who come by plain HTTP are led, if anywhere.
pub fn redirect(config: &Config) -> Option<Redirect> {
    if !config.https_redirect {
        return None;
    }
    let public = config.http_public_url.clone().filter(|url| url.starts_with("https://"));
    let port = || Some(Redirect::Port(config.https_listen?.port()));
    public.map(Redirect::Public).or_else(port)
}

/// RFC 6797 §6.1.
pub fn transport_security(time: Duration) -> HeaderValue {
    let text = format!("max-age={}", time.as_secs());
    text.parse().expect("digits may stand in a header")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn config(names: &str) -> Config {
        let flags = [("tls.acme", Some(names.to_owned()))];
        Settings::gather(None, &flags).unwrap().check().unwrap()
    }

    fn acme(names: &[&str]) -> Acme {
        Acme {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            contact: "admin@example.org".into(),
        }
    }

    #[test]
    fn the_configuration_names_the_certificate_before_the_settings_do() {
        let names = |config: &Config, set: Option<&Acme>| wanted(config, set).map(|wanted| wanted.names);
        let set = acme(&["Set.example.org"]);
        assert_eq!(
            names(&config("said.example.org"), Some(&set)),
            Some(vec!["said.example.org".into()])
        );
        assert_eq!(names(&config(""), Some(&set)), Some(vec!["set.example.org".into()]));
        assert_eq!(names(&config(""), Some(&acme(&["192.0.2.1"]))), None);
        assert_eq!(names(&config(""), Some(&acme(&[]))), None);
        assert_eq!(names(&config(""), None), None);
    }
}
