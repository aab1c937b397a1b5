//! Providers of identities: services elsewhere that sign people in here (OpenID Connect).

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::outbound;
use crate::platform::Platform;
use crate::secret::{KeyRing, Place, Sealed, Secret};
use crate::store::{self, Conn};
use crate::text;
use crate::{all, one, optional, run};

/// Providers of a server.
pub const QUOTA: i64 = 50;
/// Characters of a provider's place in addresses.
pub const SLUG_MAX: usize = 40;
/// Characters of a provider's name.
pub const NAME_MAX: usize = 80;
/// Characters of an issuer, a client's id and its secret.
pub const TEXT_MAX: usize = 500;

/// A provider. Its secret is sealed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Provider {
    /// Its id.
    pub id: Id,
    /// Its place in addresses.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// Its own name for itself, an address.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// What this server shows it.
    pub client_secret: Option<Sealed>,
    /// Whether somebody it knows may make an account here.
    pub sign_up: bool,
    /// Whether it is offered.
    pub enabled: bool,
    /// Since when it is there.
    pub created_at: Time,
}

impl Provider {
    /// What this server shows it.
    ///
    /// # Errors
    /// Those of a ring that did not seal it.
    pub fn secret(&self, ring: &KeyRing) -> Result<Option<Secret>> {
        let open = |sealed| ring.open_text(place(&self.id), sealed);
        Ok(self.client_secret.as_ref().map(open).transpose()?)
    }
}

fn place(provider: &Id) -> Place<'_> {
    Place {
        column: "identity_providers.client_secret",
        row: provider.as_str(),
    }
}

/// A provider to be made.
#[derive(Clone, Debug)]
pub struct New {
    /// Its place in addresses: `a`–`z`, `0`–`9` and `-`.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// Its own name for itself, as its discovery document says it.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// What this server shows it, where it wants that.
    pub client_secret: Option<Secret>,
    /// Whether somebody it knows may make an account here.
    pub sign_up: bool,
    /// Whether it is offered.
    pub enabled: bool,
}

/// What to change; `None` stays. Issuer and slug stay for ever: identities and addresses stand on them.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// What people call it.
    pub name: Option<String>,
    /// What it calls this server.
    pub client_id: Option<String>,
    /// What this server shows it.
    pub client_secret: Option<Secret>,
    /// Whether somebody it knows may make an account here.
    pub sign_up: Option<bool>,
    /// Whether it is offered.
    pub enabled: Option<bool>,
}

/// Every provider, by name.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut Conn<'_>) -> store::Result<Vec<Provider>> {
    all!(
        conn,
        Provider,
        "select id, slug, name, issuer, client_id, client_secret, sign_up, enabled, created_at
         from identity_providers order by name, id limit 50"
    )
}

/// The provider of that id.
///
/// # Errors
/// [`Error::NotFound`], and those of the database.
pub async fn get(conn: &mut Conn<'_>, id: &Id) -> Result<Provider> {
    let found = optional!(
        conn,
        Provider,
        "select id, slug, name, issuer, client_id, client_secret, sign_up, enabled, created_at
         from identity_providers where id = $1",
        id
    )?;
    found.ok_or(Error::NotFound)
}

/// The provider of that place in addresses, if it is offered.
///
/// # Errors
/// [`Error::NotFound`], and those of the database.
pub async fn offered(platform: &Platform, slug: &str) -> Result<Provider> {
    let slug = slug.to_owned();
    let found = platform
        .db
        .read(|c| {
            Box::pin(async move {
                optional!(
                    c,
                    Provider,
                    "select id, slug, name, issuer, client_id, client_secret, sign_up, enabled, created_at
                     from identity_providers where slug = $1 and enabled",
                    slug
                )
            })
        })
        .await?;
    found.ok_or(Error::NotFound)
}

/// Makes a provider. `plain` are the networks in which it may speak without TLS.
///
/// # Errors
/// [`Error::Field`], [`Error::Quota`], [`Error::Conflict`] where the slug is taken, and those of the database.
pub async fn create(conn: &mut Conn<'_>, ring: &KeyRing, plain: &[IpNet], new: New, now: Time) -> Result<Provider> {
    let id = Kind::IdentityProvider.random();
    let provider = Provider {
        slug: checked_slug(&new.slug)?,
        name: text::line("/name", &new.name, 1, NAME_MAX)?,
        issuer: checked_issuer(&new.issuer, plain)?,
        client_id: text::line("/client_id", &new.client_id, 1, TEXT_MAX)?,
        client_secret: new.client_secret.map(|secret| seal(ring, &id, &secret)).transpose()?,
        sign_up: new.sign_up,
        enabled: new.enabled,
        created_at: now,
        id,
    };
    let (count,) = one!(conn, (i64,), "select count(*) from identity_providers")?;
    if count >= QUOTA {
        return Err(Error::Quota(format!("a server has at most {QUOTA} providers").into()));
    }
    insert(conn, &provider, now).await.map_err(|error| match error {
        store::Error::Taken(_) => Error::taken("another provider has this place in addresses"),
        error => error.into(),
    })?;
    Ok(provider)
}

async fn insert(conn: &mut Conn<'_>, provider: &Provider, now: Time) -> store::Result<()> {
    run!(
        conn,
        "insert into identity_providers (id, slug, name, issuer, client_id, client_secret, sign_up, enabled, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        &provider.id,
        &provider.slug,
        &provider.name,
        &provider.issuer,
        &provider.client_id,
        &provider.client_secret,
        provider.sign_up,
        provider.enabled,
        now
    )
    .map(drop)
}

/// Changes a provider.
///
/// # Errors
/// [`Error::Field`], [`Error::NotFound`], and those of the database.
pub async fn change(conn: &mut Conn<'_>, ring: &KeyRing, id: &Id, changes: Changes, now: Time) -> Result<Provider> {
    let line = |pointer, text: Option<String>, max| text.map(|text| text::line(pointer, &text, 1, max)).transpose();
    let secret = changes
        .client_secret
        .map(|secret| seal(ring, id, &secret))
        .transpose()?;
    run!(
        conn,
        "update identity_providers set name = coalesce($1, name), client_id = coalesce($2, client_id),
                client_secret = coalesce($3, client_secret), sign_up = coalesce($4, sign_up), enabled = coalesce($5, enabled),
                updated_at = $6 where id = $7",
        line("/name", changes.name, NAME_MAX)?,
        line("/client_id", changes.client_id, TEXT_MAX)?,
        secret,
        changes.sign_up,
        changes.enabled,
        now,
        id
    )?;
    get(conn, id).await
}

/// Removes a provider and every identity that it gave; says how many those were, or `None` where there was no provider.
///
/// # Errors
/// Those of the database.
pub async fn remove(conn: &mut Conn<'_>, id: &Id) -> store::Result<Option<u64>> {
    let identities = run!(conn, "delete from identities where provider_id = $1", id)?;
    let removed = run!(conn, "delete from identity_providers where id = $1", id)?;
    Ok((removed > 0).then_some(identities))
}

fn seal(ring: &KeyRing, id: &Id, secret: &Secret) -> Result<Sealed> {
    let secret = text::line("/client_secret", secret.expose(), 1, TEXT_MAX)?;
    Ok(ring.seal(place(id), secret.as_bytes()))
}

fn checked_slug(slug: &str) -> Result<String> {
    let plain = slug
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if slug.is_empty() || slug.len() > SLUG_MAX || !plain {
        return Err(Error::field(
            "/slug",
            format!("1 to {SLUG_MAX} of a to z, 0 to 9 and -"),
        ));
    }
    Ok(slug.to_owned())
}

/// OpenID Connect Discovery §3: an `https` address without query and fragment. Inside a network that the operator allowed, `http` will do.
fn checked_issuer(issuer: &str, plain: &[IpNet]) -> Result<String> {
    let issuer = text::line("/issuer", issuer, 1, TEXT_MAX)?;
    let wrong = |detail: &'static str| Error::field("/issuer", detail);
    let url = outbound::address(&issuer).map_err(|_| wrong("this is no address that can be called"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("an issuer has neither ? nor #"));
    }
    if url.scheme() != "https" && !may_be_plain(&url, plain) {
        return Err(wrong(
            "must begin with https://, outside of the networks in outbound.allow",
        ));
    }
    Ok(issuer)
}

fn may_be_plain(url: &Url, plain: &[IpNet]) -> bool {
    let address: IpAddr = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain("localhost")) => std::net::Ipv4Addr::LOCALHOST.into(),
        _ => return false,
    };
    plain.iter().any(|net| net.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_speaks_tls_unless_it_is_near() {
        let near = ["127.0.0.0/8".parse().unwrap()];
        for good in [
            "https://id.example.org",
            "https://id.example.org/realms/a",
            "http://127.0.0.1:9400",
            "http://localhost:9400",
        ] {
            assert_eq!(checked_issuer(good, &near).unwrap(), good);
        }
        for bad in [
            "",
            "id.example.org",
            "http://id.example.org",
            "http://10.0.0.1",
            "https://id.example.org?a=b",
            "https://id.example.org#a",
            "https://user@id.example.org",
            "ftp://id.example.org",
            "javascript:alert(1)",
        ] {
            assert!(checked_issuer(bad, &near).is_err(), "{bad}");
        }
        assert!(checked_issuer("http://127.0.0.1:9400", &[]).is_err());
    }

    #[test]
    fn a_slug_is_a_plain_word() {
        for bad in ["", "Big", "a/b", "..", "a b", "ä"] {
            assert!(checked_slug(bad).is_err(), "{bad}");
        }
        assert!(checked_slug("my-club-2").is_ok());
    }
}
