//! Names, ids and keys as types, so that one cannot be taken for another.

use std::fmt;
use std::sync::Arc;

/// The public name of a stream, as it stands in addresses: 1 to 64 letters, digits, `-`, `_` and `.`, beginning with a
/// letter or digit. Case matters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

/// Why a text cannot be a [`Name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing was given.
    #[error("the stream name is empty")]
    Empty,
    /// More than 64 characters.
    #[error("the stream name is longer than 64 characters")]
    TooLong,
    /// A character that cannot stand in an address.
    #[error("the stream name may hold only letters, digits, '-', '_' and '.', and begins with a letter or digit")]
    Character,
}

impl Name {
    /// Longest name, in characters.
    pub const LEN_MAX: usize = 64;

    /// Checks a text from outside.
    ///
    /// # Errors
    /// [`InvalidName`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let first = text.bytes().next().ok_or(InvalidName::Empty)?;
        if text.len() > Self::LEN_MAX {
            return Err(InvalidName::TooLong);
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !first.is_ascii_alphanumeric() || !text.bytes().all(fits) {
            return Err(InvalidName::Character);
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// The id of one run of a stream: 26 characters of `a`–`z` and `2`–`7`, 128 random bits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BroadcastId(Arc<str>);

impl BroadcastId {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    const LEN: usize = 26;

    /// A new id from the system's random source.
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system has a random source");
        let bits = u128::from_be_bytes(bytes);
        let digit = |place: usize| char::from(Self::ALPHABET[((bits >> (5 * place)) & 31) as usize]);
        Self((0..Self::LEN).map(digit).collect::<String>().into())
    }

    /// Reads an id that [`as_str`](Self::as_str) gave; `None` if it is not of that shape.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == Self::LEN && text.bytes().all(|byte| Self::ALPHABET.contains(&byte));
        fits.then(|| Self(text.into()))
    }

    /// The id as text, fit for a URL path segment.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BroadcastId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BroadcastId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a publisher shows to be let in. Never printed: both its `Debug` and its `Display` are stars.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StreamKey(Arc<str>);

impl StreamKey {
    /// Takes a key as a publisher sent it.
    pub fn new(key: &str) -> Self {
        Self(key.into())
    }

    /// The key itself, for comparing; never for a log or an answer.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_mean_something_else_are_refused() {
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a b",
            "-x",
            "a\0b",
            "a\nb",
            "é",
            "$(id)",
            "<b>",
            &"x".repeat(65),
        ] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
        for good in ["colors", "s-0", "Ada.Lovelace_2", "0", &"x".repeat(64)] {
            assert!(Name::parse(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn an_id_survives_being_written_down() {
        let id = BroadcastId::random();
        assert_eq!(BroadcastId::parse(id.as_str()), Some(id));
        assert_eq!(BroadcastId::parse("../../etc/passwd"), None);
    }

    #[test]
    fn a_key_is_never_printed() {
        let key = StreamKey::new("secret");
        assert_eq!(format!("{key} {key:?}"), "**** ****");
    }
}
