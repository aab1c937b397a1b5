//! Certificates from files.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Error;
use super::certificate::{Certificate, Facts};

/// A certificate chain and its key in PEM.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

impl Files {
    /// # Errors
    /// If a file cannot be read, or the two do not fit.
    pub(super) fn read(&self) -> Result<Certificate, Error> {
        let fault = |path: &Path, reason: String| Error::File {
            path: path.into(),
            reason,
        };
        let chain = CertificateDer::pem_file_iter(&self.cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| fault(&self.cert, error.to_string()))?;
        if chain.is_empty() {
            return Err(fault(&self.cert, "it holds no certificate".into()));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| fault(&self.key, error.to_string()))?;
        Certificate::new(chain, key)
    }

    /// When they were last changed.
    pub(super) fn stamp(&self) -> [Option<SystemTime>; 2] {
        [&self.cert, &self.key].map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
    }
}

/// Reads a certificate chain and its key from PEM files, and says what the certificate says of itself.
///
/// # Errors
/// If a file cannot be read, or the two do not fit.
pub fn inspect(cert: &Path, key: &Path) -> Result<Facts, Error> {
    let (cert, key) = (cert.into(), key.into());
    Ok(Files { cert, key }.read()?.facts)
}
