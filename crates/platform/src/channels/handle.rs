use std::time::Duration;

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::store::Conn;
use crate::{optional, run};

/// How long a handle that was given up still leads to its channel, and nobody else may take it.
pub const FORMER_KEPT: Duration = Duration::from_secs(90 * 86_400);

const LEN_MIN: usize = 3;
const LEN_MAX: usize = 24;

/// Names that pages or answers of the server have, or that people would take for the server itself.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "about", "abuse", "account", "accounts", "admin", "administrator", "api", "app", "assets", "auth", "billing", "blog",
    "browse", "callback", "channel", "channels", "chat", "contact", "dashboard", "demo", "docs", "download", "embed", "everyone",
    "explore", "favicon", "feed", "head", "headwater", "health", "healthz", "help", "here", "hls", "home", "host", "hostmaster",
    "image", "images", "info", "invite", "legal", "live", "login", "logout", "mail", "me", "metrics", "moderator", "news",
    "noreply", "null", "oauth", "official", "oidc", "owner", "password", "play", "playback", "postmaster", "privacy", "readyz",
    "register", "reset", "robots", "root", "rtmp", "search", "security", "server", "settings", "setup", "shop", "signin",
    "signup", "sitemap", "srt", "staff", "static", "status", "stream", "streams", "studio", "support", "system", "team", "terms",
    "test", "time", "token", "tokens", "undefined", "user", "users", "verify", "video", "videos", "watch", "webmaster", "whep",
    "whip", "www",
];

/// A channel's place in addresses: 3 to 24 of `a`–`z`, `0`–`9`, `-` and `_`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle(String);

impl Handle {
    /// Takes a handle that somebody wants, in lower case.
    ///
    /// # Errors
    /// [`Error::Field`] where it cannot be one or is reserved.
    pub fn parse(text: &str) -> Result<Self> {
        let handle = Self::shaped(text).ok_or(Error::field(
            "/handle",
            "3 to 24 letters, digits, - and _, beginning with a letter or digit",
        ))?;
        if RESERVED.binary_search(&handle.as_str()).is_ok() {
            return Err(Error::field("/handle", "this name is reserved"));
        }
        Ok(handle)
    }

    /// A text in lower case, if it has the shape of a handle.
    pub fn shaped(text: &str) -> Option<Self> {
        let folded = text.to_ascii_lowercase();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let begins_well = folded.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        let is_one = (LEN_MIN..=LEN_MAX).contains(&folded.len()) && begins_well && folded.bytes().all(fits);
        is_one.then_some(Self(folded))
    }

    /// The handle as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// After a channel took a handle: refuses it where somebody else gave it up not long ago.
///
/// The check comes after the change, because another's change that was under way is seen only then.
pub(super) async fn check_taken(conn: &mut Conn<'_>, handle: &Handle, owner: &Id, now: Time) -> Result<()> {
    let former = optional!(
        conn,
        (Id,),
        "select c.owner_id from former_handles f join channels c on c.id = f.channel_id where f.handle = $1 and f.until > $2",
        handle.as_str(),
        now
    )?;
    match former {
        Some((other,)) if other != *owner => Err(Error::taken("the handle is already taken")),
        _ => {
            run!(conn, "delete from former_handles where handle = $1", handle.as_str())?;
            Ok(())
        }
    }
}

/// Keeps a handle that a channel gives up: it leads there for a while.
pub(super) async fn give_up(conn: &mut Conn<'_>, handle: &str, channel: &Id, now: Time) -> Result<()> {
    run!(
        conn,
        "insert into former_handles (handle, channel_id, until) values ($1, $2, $3)
         on conflict (handle) do update set channel_id = excluded.channel_id, until = excluded.until",
        handle,
        channel,
        now.plus(FORMER_KEPT)
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_folded_and_has_a_shape() {
        for (good, folded) in [
            ("Ada", "ada"),
            ("0-0", "0-0"),
            ("a_b", "a_b"),
            (&"x".repeat(24), &"x".repeat(24)),
        ] {
            assert_eq!(Handle::parse(good).unwrap().as_str(), folded);
        }
        for bad in [
            "",
            "ab",
            "-ab",
            "_ab",
            "a b",
            "a.b",
            "äda",
            "a\0b",
            "../x",
            &"x".repeat(25),
        ] {
            assert!(Handle::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn reserved_names_are_sorted_and_refused() {
        assert!(RESERVED.is_sorted());
        assert!(Handle::parse("Admin").is_err());
        assert!(Handle::parse("studio").is_err());
    }
}
