//! What a person sees and changes of themselves.

use crate::authorize::{Binding, Role, SERVER, Scope};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::settings::{Creators, Settings};
use crate::store::{self, Conn};

/// Longest name, in characters.
pub const NAME_LEN_MAX: usize = 80;
/// Longest language tag (BCP 47), in characters.
pub const LOCALE_LEN_MAX: usize = 35;

/// A person, as the database has them.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Profile {
    /// Who.
    pub id: Id,
    /// The mail address; an erased person has none.
    pub email: Option<String>,
    /// When it was shown to be theirs.
    pub email_verified_at: Option<Time>,
    /// What they are called.
    pub name: String,
    /// The language they read, as a BCP 47 tag.
    pub locale: String,
    /// When they asked to stream.
    pub creator_requested_at: Option<Time>,
    /// When they were suspended.
    pub suspended_at: Option<Time>,
    /// Why.
    pub suspended_reason: Option<String>,
    /// When the account was made.
    pub created_at: Time,
    /// When they signed in last.
    pub signed_in_at: Option<Time>,
}

/// Finds a person who was not erased.
///
/// # Errors
/// [`store::Error::Missing`] where there is none.
pub async fn find(conn: &mut Conn<'_>, user: &Id) -> store::Result<Profile> {
    crate::one!(
        conn,
        Profile,
        "select id, email, email_verified_at, name, locale, creator_requested_at, suspended_at, suspended_reason, created_at, signed_in_at
         from users where id = $1 and erased_at is null",
        user
    )
}

/// What may be changed of a profile; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// What they are called.
    pub name: Option<String>,
    /// The language they read.
    pub locale: Option<String>,
}

impl Changes {
    /// Checks what was asked for.
    ///
    /// # Errors
    /// [`Error::Field`] says which is wrong.
    pub fn check(self) -> Result<Self> {
        let name = self.name.map(|name| checked_name(&name)).transpose()?;
        if let Some(locale) = &self.locale {
            let fits = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
            if locale.is_empty() || locale.len() > LOCALE_LEN_MAX || !locale.bytes().all(fits) {
                return Err(Error::field("/locale", "must be a language tag such as en or pt-BR"));
            }
        }
        Ok(Self { name, ..self })
    }
}

/// A person's name without what surrounds it.
///
/// # Errors
/// [`Error::Field`] if it is empty, too long, or holds control characters.
pub fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    let len = name.chars().count();
    if len == 0 || len > NAME_LEN_MAX || name.chars().any(char::is_control) {
        return Err(Error::field("/name", "must have 1 to 80 characters"));
    }
    Ok(name.to_owned())
}

/// Changes a profile.
///
/// # Errors
/// Those of the database.
pub async fn change(conn: &mut Conn<'_>, user: &Id, changes: Changes, now: Time) -> store::Result<()> {
    crate::run!(
        conn,
        "update users set name = coalesce($1, name), locale = coalesce($2, locale), updated_at = $3 where id = $4",
        changes.name,
        changes.locale,
        now,
        user
    )
    .map(drop)
}

/// Notes that a person asks to stream.
///
/// # Errors
/// Those of the database.
pub async fn request_creator(conn: &mut Conn<'_>, user: &Id, now: Time) -> store::Result<()> {
    crate::run!(
        conn,
        "update users set creator_requested_at = $1 where id = $2 and creator_requested_at is null",
        now,
        user
    )
    .map(drop)
}

/// Whether these roles let somebody stream, where the settings ask for one.
pub fn may_stream(settings: &Settings, roles: &[Binding]) -> bool {
    let on_server = |binding: &&Binding| binding.scope == Scope::Server && binding.scope_id == SERVER;
    settings.creators == Creators::All
        || roles
            .iter()
            .filter(on_server)
            .any(|binding| binding.role == Role::Creator || binding.role >= Role::Admin)
}
