//! What a certificate says of itself, and one that says it without an authority.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Error;

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// When it begins to be valid.
    pub not_before: SystemTime,
    /// When it stops being valid.
    pub not_after: SystemTime,
}

impl Facts {
    /// Whether it is for a name, which may be one of those that its pattern (`*.example.org`) stands for.
    pub fn is_for(&self, name: &str) -> bool {
        let stands_for = |pattern: &String| match pattern.strip_prefix("*.") {
            Some(parent) => name
                .split_once('.')
                .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
            None => pattern.eq_ignore_ascii_case(name),
        };
        self.names.iter().any(stands_for)
    }
}

/// A certificate with its key, ready to be shown.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) facts: Facts,
}

impl Certificate {
    /// # Errors
    /// If the two do not fit, or cannot be read.
    pub(super) fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, Error> {
        let facts = facts(
            chain
                .first()
                .ok_or_else(|| Error::Certificate("there is none".into()))?,
        )?;
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())?;
        Ok(Self {
            key: Arc::new(key),
            facts,
        })
    }

    /// Reads a key and a chain from one PEM text.
    ///
    /// # Errors
    /// If one of them is not there, cannot be read, or they do not fit.
    pub(super) fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let fault = |error: rustls::pki_types::pem::Error| Error::Certificate(error.to_string());
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(fault)?;
        let chain: Result<_, _> = CertificateDer::pem_slice_iter(pem).collect();
        Self::new(chain.map_err(fault)?, key)
    }

    /// One that nobody vouches for.
    ///
    /// # Errors
    /// If a name cannot stand in a certificate.
    pub(super) fn self_signed(names: Vec<String>) -> Result<Self, Error> {
        let made = rcgen::generate_simple_self_signed(names)?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
            .map_err(|what| Error::Certificate(what.into()))?;
        Self::new(vec![made.cert.der().clone()], key)
    }
}

fn facts(der: &CertificateDer<'_>) -> Result<Facts, Error> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|error| Error::Certificate(error.to_string()))?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map(|names| names.value.general_names.iter().filter_map(text).collect());
    let validity = certificate.validity();
    Ok(Facts {
        names: names.unwrap_or_default(),
        not_before: time(validity.not_before.timestamp()),
        not_after: time(validity.not_after.timestamp()),
    })
}

fn text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes)
                .ok()
                .map(|ip| std::net::Ipv4Addr::from(ip).to_string()),
            _ => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|ip| std::net::Ipv6Addr::from(ip).to_string()),
        },
        _ => None,
    }
}

fn time(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_tells_its_names_and_dates() {
        let names = ["live.example.org", "*.tv.example.org", "192.0.2.1"].map(str::to_owned);
        let facts = Certificate::self_signed(names.to_vec()).unwrap().facts;
        assert_eq!(facts.names, names);
        assert!(facts.not_before < SystemTime::now() && SystemTime::now() < facts.not_after);
        assert!(facts.is_for("Live.example.org") && facts.is_for("a.tv.example.org"));
        assert!(!facts.is_for("a.b.tv.example.org") && !facts.is_for("example.org"));
    }
}
