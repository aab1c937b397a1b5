//! Certificates from files, read again when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tracing::{info, warn};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why a certificate cannot be used. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read as PEM.
    #[error("cannot read {}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key do not belong together, or are of a kind that is not understood.
    #[error("certificate and key do not fit: {0}")]
    Pair(#[from] rustls::Error),
}

/// The certificate that all TLS listeners show.
#[derive(Debug)]
pub struct Store {
    cert: PathBuf,
    key: PathBuf,
    current: ArcSwap<CertifiedKey>,
}

impl Store {
    /// Reads a certificate chain and its key from PEM files.
    ///
    /// # Errors
    /// If a file cannot be read, or the two do not fit.
    pub fn open(cert: &Path, key: &Path) -> Result<Arc<Self>, Error> {
        let current = ArcSwap::from_pointee(read(cert, key)?);
        Ok(Arc::new(Self {
            cert: cert.into(),
            key: key.into(),
            current,
        }))
    }

    /// The configuration of a listener that speaks the protocols in `alpn`, first choice first.
    ///
    /// # Errors
    /// If the crypto library refuses its own defaults.
    pub fn server_config(self: &Arc<Self>, alpn: &[&str]) -> Result<Arc<ServerConfig>, Error> {
        let mut provider = aws_lc_rs::default_provider();
        // AES-128-GCM is as safe for a broadcast as AES-256-GCM, and a third cheaper for every viewer.
        provider.cipher_suites.sort_by_key(|suite| match suite.suite() {
            rustls::CipherSuite::TLS13_AES_128_GCM_SHA256 => 0,
            rustls::CipherSuite::TLS13_AES_256_GCM_SHA384 => 1,
            rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => 2,
            _ => 3,
        });
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.ignore_client_order = true;
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Arc::new(config))
    }

    /// Watches the files and takes up what changes. Runs until it is dropped; a pair that cannot be used is reported and the
    /// old one kept.
    pub async fn watch(self: Arc<Self>) {
        let mut seen = self.stamp();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let stamp = self.stamp();
            if stamp == seen {
                continue;
            }
            seen = stamp;
            match read(&self.cert, &self.key) {
                Ok(fresh) => {
                    self.current.store(Arc::new(fresh));
                    info!(cert = %self.cert.display(), "certificate was read again");
                }
                Err(error) => warn!(%error, "the changed certificate cannot be used, the old one is kept"),
            }
        }
    }

    fn stamp(&self) -> [Option<SystemTime>; 2] {
        [&self.cert, &self.key].map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
    }
}

impl ResolvesServerCert for Store {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn read(cert: &Path, key_path: &Path) -> Result<CertifiedKey, Error> {
    let fault = |path: &Path, reason: String| Error::File {
        path: path.into(),
        reason,
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(cert, error.to_string()))?;
    if chain.is_empty() {
        return Err(fault(cert, "it holds no certificate".into()));
    }
    let key = PrivateKeyDer::from_pem_file(key_path).map_err(|error| fault(key_path, error.to_string()))?;
    Ok(CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_pair(dir: &Path) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
        let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (cert, key)
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_certificate_is_taken_up_and_a_broken_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (cert, key) = write_pair(dir.path());
        let store = Store::open(&cert, &key).unwrap();
        let first = store.current.load_full().cert.clone();
        tokio::spawn(Arc::clone(&store).watch());
        tokio::time::sleep(LOOK_EVERY / 2).await;

        let later = SystemTime::now() + Duration::from_secs(5);
        write_pair(dir.path());
        std::fs::File::open(&cert).unwrap().set_modified(later).unwrap();
        tokio::time::sleep(LOOK_EVERY).await;
        let second = store.current.load_full().cert.clone();
        assert_ne!(first, second);

        std::fs::write(&cert, "no certificate").unwrap();
        tokio::time::sleep(LOOK_EVERY * 2).await;
        assert_eq!(store.current.load_full().cert, second);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Store::open(Path::new("/nowhere/cert.pem"), Path::new("/nowhere/key.pem")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/cert.pem"));
    }
}
