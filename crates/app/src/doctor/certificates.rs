//! Certificates: are they there, valid, and for the right names?

use std::net::ToSocketAddrs;
use std::time::{Duration, SystemTime};

use delivery::tls::{self, Facts};

use super::Finding;
use crate::addresses;
use crate::config::Config;

/// A certificate from files that is over sooner than this should be renewed by now.
const SOON: Duration = Duration::from_secs(14 * 86_400);

/// What is found about the certificate of HTTPS and RTMPS.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    if let Some((cert, key)) = &config.tls {
        return match tls::inspect(cert, key) {
            Ok(facts) => judged(config, &facts, "the certificate"),
            Err(error) => vec![Finding::Bad(error.to_string())],
        };
    }
    if let Some(settings) = config.acme.settings(config) {
        return from_authority(config, &settings);
    }
    if config.https_listen.is_some() || config.rtmps_listen.is_some() {
        let what =
            "a self-signed certificate will be shown, of which browsers warn: set tls.acme, or tls.cert and tls.key";
        return vec![Finding::Note(what.into())];
    }
    Vec::new()
}

fn from_authority(config: &Config, settings: &tls::AcmeSettings) -> Vec<Finding> {
    let mut findings: Vec<Finding> = settings.names.iter().filter_map(|name| unknown(name)).collect();
    match tls::kept(&config.data_dir.join("acme"), settings) {
        Some(facts) => findings.extend(judged(config, &facts, "the authority's certificate")),
        None => findings.push(Finding::Note(format!(
            "the authority has given no certificate yet: it must reach {} on port 443 or 80",
            settings.names.join(", ")
        ))),
    }
    findings
}

/// Says so if nobody can find the name.
fn unknown(name: &str) -> Option<Finding> {
    let error = (name, 443).to_socket_addrs().err()?;
    Some(Finding::Bad(format!(
        "{name} has no address ({error}): add it to your domain's records"
    )))
}

fn judged(config: &Config, facts: &Facts, what: &str) -> Vec<Finding> {
    let now = SystemTime::now();
    let mut findings = Vec::new();
    match facts.not_after.duration_since(now) {
        Err(_) => findings.push(Finding::Bad(format!("{what} is over: renew it"))),
        Ok(left) if left < SOON => findings.push(Finding::Note(format!("{what} is over in {} days", days(left)))),
        Ok(left) => findings.push(Finding::Good(format!("{what} is good for {} days", days(left)))),
    }
    if facts.not_before > now {
        findings.push(Finding::Bad(format!("{what} is not valid yet: is the clock right?")));
    }
    let public = config.http_public_url.as_deref().and_then(addresses::host_of);
    if let Some(host) = public.filter(|host| !facts.is_for(host)) {
        findings.push(Finding::Bad(format!(
            "{what} is for {}, and http.public_url names {host}",
            facts.names.join(", ")
        )));
    }
    findings
}

fn days(time: Duration) -> u64 {
    time.as_secs() / 86_400
}
