//! Mail addresses. They are people's own and appear in no log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Bytes of a mail address (RFC 5321 §4.5.3.1.3, without the angle brackets).
const LEN_MAX: usize = 254;

/// A mail address as somebody wrote it; its `Debug` is stars.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Email(String);

impl Email {
    /// Takes an address as somebody wrote it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The address, without the space around it.
    pub fn as_str(&self) -> &str {
        self.0.trim()
    }

    /// The form in which addresses are compared. Mail servers that tell `Ann@` from `ann@` are a thing of the past.
    pub fn key(&self) -> String {
        self.as_str().to_lowercase()
    }

    /// Refuses what no mail could be sent to.
    ///
    /// # Errors
    /// [`Error::Field`] at `pointer`.
    pub fn check(&self, pointer: &'static str) -> Result<()> {
        let sendable = lettre::Address::from_str(self.as_str()).is_ok();
        let plain = !self.as_str().contains(|c: char| c.is_control() || c.is_whitespace());
        if sendable && plain && self.as_str().len() <= LEN_MAX {
            return Ok(());
        }
        Err(Error::field(pointer, "this is no mail address"))
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl utoipa::PartialSchema for Email {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
            .max_length(Some(LEN_MAX))
            .into()
    }
}

impl utoipa::ToSchema for Email {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_compared_without_case_and_space_and_never_printed() {
        let email = Email::new(" Ann@Example.org ");
        assert_eq!(email.key(), "ann@example.org");
        assert_eq!(format!("{email:?}"), "****");
        email.check("/email").unwrap();
    }

    #[test]
    fn what_no_mail_can_be_sent_to_is_refused() {
        let long = format!("a@{}.org", "b".repeat(260));
        for text in [
            "",
            "ann",
            "a@",
            "@b.org",
            "a b@c.org",
            "a@b.org\r\nBcc: x@y.org",
            "a@b\0.org",
            &long,
        ] {
            assert!(Email::new(text).check("/email").is_err(), "{text:?}");
        }
    }
}
