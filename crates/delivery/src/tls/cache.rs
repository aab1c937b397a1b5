//! What is kept of an authority: our account's key there, and the certificate that it gave. Nobody else may read either.

use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::certificate::{Certificate, Facts};
use super::{AcmeSettings, Error};

/// What the certificate says that is kept in `dir` for these settings, if one is.
pub fn kept(dir: &Path, settings: &AcmeSettings) -> Option<Facts> {
    Some(Cache::new(dir, settings).certificate()?.facts)
}

/// The folder of one authority.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    account: PathBuf,
    certificate: PathBuf,
}

impl Cache {
    /// Inside `dir`, for these settings: another authority has another account, other names have another certificate.
    pub(super) fn new(dir: &Path, settings: &AcmeSettings) -> Self {
        let mut names = settings.names.clone();
        names.sort();
        let dir = dir.join(short_digest(&settings.directory));
        Self {
            account: dir.join("account.key"),
            certificate: dir.join(format!("{}.pem", short_digest(&names.join(",")))),
        }
    }

    /// The certificate with its key, if one is kept that can be read.
    pub(super) fn certificate(&self) -> Option<Certificate> {
        Certificate::from_pem(&std::fs::read(&self.certificate).ok()?).ok()
    }

    /// Keeps a certificate with its key.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn keep_certificate(&self, pem: &[u8]) -> Result<(), Error> {
        write(&self.certificate, pem).map_err(|error| fault(&self.certificate, &error))
    }

    /// The account's key, made by `make` if there is none yet.
    ///
    /// # Errors
    /// If it cannot be read or written: a second account would count as a stranger.
    pub(super) fn account(&self, make: impl FnOnce() -> Vec<u8>) -> Result<Vec<u8>, Error> {
        match std::fs::read(&self.account) {
            Ok(key) => Ok(key),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = make();
                write(&self.account, &key).map_err(|error| fault(&self.account, &error))?;
                Ok(key)
            }
            Err(error) => Err(fault(&self.account, &error)),
        }
    }
}

fn fault(path: &Path, error: &io::Error) -> Error {
    Error::File {
        path: path.into(),
        reason: error.to_string(),
    }
}

/// Enough to tell authorities and names apart, of which there are few.
fn short_digest(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Writes all of it or nothing, for our eyes only.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let beside = path.with_extension("new");
    // One that a crash left may have been made by somebody else.
    let _ = std::fs::remove_file(&beside);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn settings(directory: &str, names: &[&str]) -> AcmeSettings {
        AcmeSettings {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            directory: directory.into(),
            ..AcmeSettings::default()
        }
    }

    #[test]
    fn what_is_kept_is_found_again_and_read_by_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let of = |directory: &str, names: &[&str]| Cache::new(dir.path(), &settings(directory, names));
        let cache = of("https://a.example/", &["x.example", "y.example"]);
        assert_eq!(cache.account(|| b"first".to_vec()).unwrap(), b"first");
        assert_eq!(cache.account(|| b"second".to_vec()).unwrap(), b"first");
        let other = of("https://b.example/", &["x.example"]);
        assert_eq!(other.account(|| b"third".to_vec()).unwrap(), b"third");

        let made = rcgen::generate_simple_self_signed(["x.example".to_owned()]).unwrap();
        let pem = made.signing_key.serialize_pem() + &made.cert.pem();
        cache.keep_certificate(pem.as_bytes()).unwrap();
        let again = of("https://a.example/", &["y.example", "x.example"]);
        assert_eq!(again.certificate().unwrap().facts.names, ["x.example"]);
        assert!(other.certificate().is_none());

        for path in [&cache.account, &cache.certificate] {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let folder = cache.account.parent().unwrap();
        assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_torn_certificate_is_as_good_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path(), &settings("https://a.example/", &["x.example"]));
        cache.keep_certificate(b"-----BEGIN PRIVATE KEY-----\nMIGH").unwrap();
        assert!(cache.certificate().is_none());
    }
}
