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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    /// What is said of a certificate for `live.example.org` with so many days left.
    fn said(days: i64, public_url: &str) -> Vec<String> {
        let flags = [("http.public_url", Some(public_url.to_owned()))];
        let config = Settings::gather(None, &flags).unwrap().check().unwrap();
        let now = SystemTime::now();
        let span = Duration::from_secs(days.unsigned_abs() * 86_400 + 60);
        let facts = Facts {
            names: vec!["live.example.org".into()],
            not_before: now - Duration::from_secs(86_400),
            not_after: if days < 0 { now - span } else { now + span },
        };
        let findings = judged(&config, &facts, "the certificate");
        let text = |finding| match finding {
            Finding::Good(text) => format!("good: {text}"),
            Finding::Note(text) => format!("note: {text}"),
            Finding::Bad(text) => format!("bad: {text}"),
        };
        findings.into_iter().map(text).collect()
    }

    #[test]
    fn a_certificate_is_judged_by_its_dates_and_names() {
        let right = "https://live.example.org:8443";
        assert_eq!(said(60, right), ["good: the certificate is good for 60 days"]);
        assert_eq!(said(3, right), ["note: the certificate is over in 3 days"]);
        assert_eq!(said(-1, right), ["bad: the certificate is over: renew it"]);
        let wrong = "bad: the certificate is for live.example.org, and http.public_url names tv.example.org";
        assert_eq!(said(60, "https://tv.example.org")[1], wrong);
    }
}
