//! Public ids: two letters that say of what, then 26 characters of `a`–`z` and `2`–`7` that carry 128 random bits.
//!
//! No handle and no open stream's name may have this shape ([`looks_like_id`]), so that an address says which of them is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const LEN: usize = 26;

/// What an id is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[rustfmt::skip]
pub enum Kind {
    /// An entry of the audit log.
    Audit,
    /// A channel.
    Channel,
    /// An environment of an organisation.
    Environment,
    /// An event of a stream.
    Event,
    /// A sign-in elsewhere that is linked to a person.
    Identity,
    /// A provider of identities.
    IdentityProvider,
    /// An image.
    Image,
    /// A stream key.
    Key,
    /// A link that is used once.
    Link,
    /// An organisation.
    Organisation,
    /// A passkey.
    Passkey,
    /// A public address of a stream.
    Playback,
    /// A role binding.
    Role,
    /// A signed-in browser.
    Session,
    /// A live stream.
    Stream,
    /// An API token.
    Token,
    /// A person.
    User,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Audit => "au",
            Self::Channel => "ch",
            Self::Environment => "en",
            Self::Event => "ev",
            Self::Identity => "id",
            Self::IdentityProvider => "ip",
            Self::Image => "im",
            Self::Key => "ke",
            Self::Link => "li",
            Self::Organisation => "og",
            Self::Passkey => "pk",
            Self::Playback => "pb",
            Self::Role => "ro",
            Self::Session => "se",
            Self::Stream => "st",
            Self::Token => "to",
            Self::User => "us",
        }
    }

    /// A new id of this kind.
    pub fn random(self) -> Id {
        Id(format!("{}{}", self.prefix(), random_text()))
    }
}

/// A public id. As text in JSON and in the database.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
#[serde(try_from = "String", into = "String")]
#[sqlx(transparent)]
pub struct Id(String);

impl Id {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    /// Takes an id from outside: what has not the shape of one is none.
    fn try_from(text: String) -> Result<Self, &'static str> {
        if looks_like_id(&text) {
            Ok(Self(text))
        } else {
            Err("this is no id")
        }
    }
}

impl utoipa::PartialSchema for Id {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[a-z]{2}[a-z2-7]{26}$"))
            .into()
    }
}

impl utoipa::ToSchema for Id {}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 26 characters that carry 128 random bits.
pub fn random_text() -> String {
    let bits = u128::from_be_bytes(crate::secret::random());
    (0..LEN)
        .map(|place| char::from(ALPHABET[((bits >> (5 * place)) & 31) as usize]))
        .collect()
}

/// Whether a text has the shape of an id: no handle and no open stream's name may.
pub fn looks_like_id(text: &str) -> bool {
    text.len() == LEN + 2
        && text.bytes().take(2).all(|byte| byte.is_ascii_lowercase())
        && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_a_shape_of_its_own() {
        let id = Kind::Playback.random();
        assert!(id.as_str().starts_with("pb") && looks_like_id(id.as_str()), "{id}");
        assert_ne!(id, Kind::Playback.random());
        assert_eq!(Id::try_from(id.to_string()), Ok(id));
        assert!(Id::try_from("pb".to_owned()).is_err());
        for other in [
            "colors",
            "pb",
            "PBaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "pb1aaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert!(!looks_like_id(other), "{other}");
        }
    }
}
