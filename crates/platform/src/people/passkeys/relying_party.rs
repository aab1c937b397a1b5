//! Which name passkeys belong to, and from which pages they count (WebAuthn §5.1.2, "RP ID").

use std::net::IpAddr;

use url::Url;
use webauthn_rs::WebauthnBuilder;
use webauthn_rs::prelude::{Uuid, Webauthn};

use crate::actor::Client;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::platform::Platform;
use crate::secret::Digest;

/// The one name without HTTPS that browsers keep passkeys for.
const LOCALHOST: &str = "localhost";

/// Why passkeys do not work on this page: browsers keep them for names with HTTPS, and for `localhost`.
pub fn unavailable(platform: &Platform, client: &Client) -> Option<&'static str> {
    let host = client.host_name().unwrap_or_default();
    if host.parse::<IpAddr>().is_ok() || host.starts_with('[') {
        return Some("a passkey belongs to a domain name, and this page was opened by an address");
    }
    if !client.secure || host.is_empty() {
        return Some("passkeys need HTTPS");
    }
    let named = public_url(platform).and_then(|url| url.host_str().map(str::to_owned));
    (host != LOCALHOST && named.is_some_and(|named| named != host))
        .then_some("a passkey belongs to the server's own address: open the page there")
}

fn public_url(platform: &Platform) -> Option<Url> {
    Url::parse(&platform.public_url()?).ok()
}

/// The server, as the browser at this page knows it.
pub(super) fn relying_party(platform: &Platform, client: &Client) -> Result<Webauthn> {
    if let Some(reason) = unavailable(platform, client) {
        return Err(Error::Conflict {
            code: "passkeys_unavailable",
            detail: reason.into(),
        });
    }
    let host = client.host_name().unwrap_or_default();
    let origins = origins(platform, client, host);
    let (first, more) = origins.split_first().ok_or_else(|| fault(&"the page has no origin"))?;
    let name = platform.settings().name.clone();
    let mut builder = WebauthnBuilder::new(host, first)
        .map_err(|error| fault(&error))?
        .rp_name(&name);
    for origin in more {
        builder = builder.append_allowed_origin(origin);
    }
    builder.build().map_err(|error| fault(&error))
}

/// The page's own address, which may name another port than the public one.
fn origins(platform: &Platform, client: &Client, host: &str) -> Vec<Url> {
    let authority = client.host.as_deref().unwrap_or_default();
    let mut origins: Vec<Url> = public_url(platform)
        .into_iter()
        .filter(|url| url.host_str() == Some(host))
        .collect();
    let schemes: &[&str] = if host == LOCALHOST {
        &["https", "http"]
    } else {
        &["https"]
    };
    let own = schemes
        .iter()
        .filter_map(|scheme| Url::parse(&format!("{scheme}://{authority}")).ok());
    origins.extend(own);
    origins
}

/// What an authenticator knows a person by (WebAuthn §5.4.3, "user handle"): always the same, and it tells nothing of them.
pub(super) fn handle(user: &Id) -> Uuid {
    let digest = Digest::of(format!("passkey user handle {user}").as_bytes());
    let bytes = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
    Uuid::from_bytes(*bytes)
}

pub(super) fn fault(error: &dyn std::fmt::Display) -> Error {
    Error::Fault(format!("passkeys do not work: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[tokio::test]
    async fn a_page_that_browsers_keep_no_passkeys_for_says_why() {
        let world = World::new().await;
        let reason = |host: &str, secure| {
            let client = Client {
                host: Some(host.into()),
                secure,
                ..crate::testing::client()
            };
            let reason = unavailable(&world.platform, &client);
            assert_eq!(reason.is_none(), relying_party(&world.platform, &client).is_ok());
            reason.unwrap_or_default()
        };
        assert_eq!(reason("live.example.org", true), "");
        assert_eq!(reason("live.example.org:8443", true), "");
        assert_eq!(reason("localhost:8080", true), "");
        assert!(reason("live.example.org", false).contains("HTTPS"));
        assert!(reason("192.168.1.4:8080", true).contains("by an address"));
        assert!(reason("[::1]:8080", true).contains("by an address"));
        assert!(reason("evil.example", true).contains("own address"));
    }

    #[test]
    fn a_handle_tells_nothing_and_stays() {
        let user = crate::id::Kind::User.random();
        assert_eq!(handle(&user), handle(&user));
        assert_ne!(handle(&user), handle(&crate::id::Kind::User.random()));
    }
}
