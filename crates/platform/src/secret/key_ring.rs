//! The keys that seal secrets in the database; they live in a file of their own, outside of it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{Secret, random};

/// Where a sealed value stands: it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The table and column, such as `stream_keys.sealed`.
    pub column: &'static str,
    /// The row's id.
    pub row: &'a str,
}

/// A sealed value as it stands in the database: version of the key (4 bytes, big endian), nonce (12), ciphertext and tag (16).
#[derive(Clone, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// The version of the key that sealed it.
    pub fn version(&self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.0.first_chunk()?))
    }

    /// As it stands in the database.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Sealed {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// The HMAC-SHA256 by which a sealed value is found without opening any.
#[derive(Clone, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct Lookup(Vec<u8>);

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup(…)")
    }
}

/// Why the key ring cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The file cannot be read or written.
    #[error("cannot use the key ring {path}: {fault}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        fault: std::io::Error,
    },
    /// The file is not a key ring.
    #[error("{path} is not a key ring: {reason}; restore it from your backup")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The value was sealed by a key that the ring does not hold, or for another place, or was changed.
    #[error("a sealed value cannot be opened: the key ring is not the one that sealed it")]
    Closed,
}

/// Versioned AES-256-GCM keys: the newest seals, all of them open. One more key finds values by HMAC and stays for ever.
pub struct KeyRing {
    keys: BTreeMap<u32, [u8; 32]>,
    lookup: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct OnDisk {
    lookup: String,
    keys: BTreeMap<u32, String>,
}

impl KeyRing {
    /// A new ring with one key.
    pub fn random() -> Self {
        Self {
            keys: BTreeMap::from([(1, random())]),
            lookup: random(),
        }
    }

    /// Reads the ring, or makes one where there is none; only its owner may read the file.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn open(path: &Path) -> Result<Self, RingError> {
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(&bytes).map_err(|reason| RingError::Damaged {
                path: path.display().to_string(),
                reason,
            }),
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {
                let ring = Self::random();
                ring.save(path)?;
                Ok(ring)
            }
            Err(fault) => Err(file(path, fault)),
        }
    }

    /// Writes the ring where it survives a crash in the middle.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), RingError> {
        let disk = OnDisk {
            lookup: STANDARD.encode(self.lookup),
            keys: self
                .keys
                .iter()
                .map(|(version, key)| (*version, STANDARD.encode(key)))
                .collect(),
        };
        let text = serde_json::to_vec_pretty(&disk).expect("a ring is plain JSON");
        replace(path, &text).map_err(|fault| file(path, fault))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let disk: OnDisk = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let key = |text: &str| -> Result<[u8; 32], String> {
            let bytes = STANDARD.decode(text).map_err(|_| "a key is not base64".to_owned())?;
            bytes.try_into().map_err(|_| "a key has not 32 bytes".to_owned())
        };
        let keys: BTreeMap<_, _> = disk
            .keys
            .iter()
            .map(|(version, text)| Ok((*version, key(text)?)))
            .collect::<Result<_, String>>()?;
        if keys.is_empty() {
            return Err("it holds no key".into());
        }
        Ok(Self {
            keys,
            lookup: key(&disk.lookup)?,
        })
    }

    /// Adds a key that seals from now on. What older keys sealed still opens, until [`retire`](Self::retire).
    pub fn rotate(&mut self) {
        self.keys.insert(self.newest() + 1, random());
    }

    /// Forgets all keys but the newest: for when everything has been sealed anew.
    pub fn retire(&mut self) {
        let newest = self.newest();
        self.keys.retain(|version, _| *version == newest);
    }

    /// The version of the key that seals.
    pub fn newest(&self) -> u32 {
        self.keys.last_key_value().map_or(0, |(version, _)| *version)
    }

    /// Seals a secret for one place.
    pub fn seal(&self, place: Place<'_>, secret: &[u8]) -> Sealed {
        let version = self.newest();
        let nonce: [u8; NONCE_LEN] = random();
        let mut sealed = version.to_be_bytes().to_vec();
        sealed.extend_from_slice(&nonce);
        let mut text = secret.to_vec();
        self.cipher(version)
            .and_then(|key| {
                key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(place), &mut text)
                    .ok()
            })
            .expect("the newest key is there and a secret is short");
        sealed.extend_from_slice(&text);
        Sealed(sealed)
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`RingError::Closed`] if it was sealed for another place or by another ring, or was changed.
    pub fn open_bytes(&self, place: Place<'_>, sealed: &Sealed) -> Result<Vec<u8>, RingError> {
        let version = sealed.version().ok_or(RingError::Closed)?;
        let (nonce, text) = sealed
            .0
            .get(4..)
            .and_then(<[u8]>::split_first_chunk)
            .ok_or(RingError::Closed)?;
        let key = self.cipher(version).ok_or(RingError::Closed)?;
        let mut text = text.to_vec();
        let opened = key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), aad(place), &mut text)
            .map_err(|_| RingError::Closed)?;
        Ok(opened.to_vec())
    }

    /// Opens a sealed text.
    ///
    /// # Errors
    /// As [`open_bytes`](Self::open_bytes).
    pub fn open_text(&self, place: Place<'_>, sealed: &Sealed) -> Result<Secret, RingError> {
        let bytes = self.open_bytes(place, sealed)?;
        String::from_utf8(bytes).map(Secret::new).map_err(|_| RingError::Closed)
    }

    /// What a secret of this column is found by.
    pub fn lookup(&self, column: &'static str, secret: &str) -> Lookup {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.lookup).expect("HMAC takes a key of any length");
        mac.update(column.as_bytes());
        mac.update(&[0]);
        mac.update(secret.as_bytes());
        Lookup(mac.finalize().into_bytes().to_vec())
    }

    fn cipher(&self, version: u32) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&AES_256_GCM, self.keys.get(&version)?).ok()?;
        Some(LessSafeKey::new(key))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing(versions {:?})", self.keys.keys())
    }
}

fn aad(place: Place<'_>) -> Aad<Vec<u8>> {
    Aad::from([place.column.as_bytes(), &[0], place.row.as_bytes()].concat())
}

fn file(path: &Path, fault: std::io::Error) -> RingError {
    RingError::File {
        path: path.display().to_string(),
        fault,
    }
}

/// Writes beside the file, then renames: there is always a whole one.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place {
        column: "stream_keys.sealed",
        row: "ke1",
    };

    #[test]
    fn a_sealed_value_opens_in_its_place_only() {
        let ring = KeyRing::random();
        let sealed = ring.seal(HERE, b"s3cret");
        assert_eq!(ring.open_text(HERE, &sealed).unwrap().expose(), "s3cret");
        assert!(ring.open_text(Place { row: "ke2", ..HERE }, &sealed).is_err());
        assert!(
            ring.open_text(
                Place {
                    column: "settings.sealed",
                    ..HERE
                },
                &sealed
            )
            .is_err()
        );
        assert!(KeyRing::random().open_text(HERE, &sealed).is_err());
        for at in 0..sealed.0.len() {
            let mut changed = sealed.clone();
            changed.0[at] ^= 1;
            assert!(ring.open_text(HERE, &changed).is_err(), "byte {at}");
        }
        assert!(ring.open_text(HERE, &Sealed(vec![0; 9])).is_err());
    }

    #[test]
    fn a_rotated_ring_opens_the_old_and_seals_with_the_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let mut ring = KeyRing::open(&path).unwrap();
        let old = ring.seal(HERE, b"old");
        let found_by = ring.lookup("c", "old");
        ring.rotate();
        ring.save(&path).unwrap();
        let mut ring = KeyRing::open(&path).unwrap();
        assert_eq!(ring.open_text(HERE, &old).unwrap().expose(), "old");
        assert_eq!(ring.seal(HERE, b"new").version(), Some(2));
        assert_eq!(ring.lookup("c", "old"), found_by);
        ring.retire();
        assert!(ring.open_text(HERE, &old).is_err());
    }

    #[test]
    fn only_its_owner_may_read_the_ring() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        KeyRing::open(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "{}").unwrap();
        assert!(matches!(KeyRing::open(&path), Err(RingError::Damaged { .. })));
    }
}
