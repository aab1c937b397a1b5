//! Single values from text.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use ipnet::IpNet;

use super::keys::Form;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(STARS)
    }
}

/// What stands for a secret.
const STARS: &str = "***";

/// A TOML value as text.
pub fn from_toml(value: &toml::Value) -> Result<String> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(flag) => Ok(flag.to_string()),
        toml::Value::Array(values) => Ok(values.iter().map(from_toml).collect::<Result<Vec<_>>>()?.join(", ")),
        _ => bail!("expected a text"),
    }
}

/// An address to listen on; `None` for `off`.
pub fn listen(text: &str) -> Result<Option<SocketAddr>> {
    if text == "off" {
        return Ok(None);
    }
    text.parse().map(Some).ok().context("expected ADDRESS:PORT or off")
}

/// A file or folder.
pub fn path(text: &str) -> Result<PathBuf> {
    Ok(text.into())
}

/// An address with one of these schemes, without a slash at its end.
pub fn url(text: &str, schemes: &[&str]) -> Result<String> {
    let text = text.trim_end_matches('/');
    let fits = schemes
        .iter()
        .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    if !fits || text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"' || c == '<') {
        bail!("expected an address that begins with {}", schemes.join(" or "));
    }
    Ok(text.into())
}

/// Any text.
pub fn text(text: &str) -> Result<String> {
    Ok(text.into())
}

/// A text that is never printed.
pub fn secret(text: &str) -> Result<Secret> {
    Ok(Secret(text.into()))
}

/// Texts that are separated by commas.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// Networks and single addresses that are separated by commas.
pub fn networks(text: &str) -> Result<Vec<IpNet>> {
    let network = |item: &str| item.parse().or_else(|_| item.parse::<IpAddr>().map(IpNet::from));
    let networks: Result<_, _> = list(text).map(network).collect();
    networks
        .ok()
        .context("expected networks such as 10.0.0.0/8, or addresses, separated by commas")
}

/// Where the database is.
pub fn database(text: &str) -> Result<Secret> {
    let fits = ["sqlite:", "postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    if !fits {
        bail!("expected sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME");
    }
    secret(text)
}

/// The value without what nobody may read, and whether anything was taken out.
pub fn hidden(form: Form, text: &str) -> (String, bool) {
    let shown = match form {
        Form::Secret if !text.is_empty() => STARS.into(),
        Form::Url => without_password(text),
        _ => text.into(),
    };
    let hides = shown != text;
    (shown, hides)
}

/// An address whose password, before the host or in the query, is stars.
fn without_password(url: &str) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let address = match address.split_once("://").zip(address.rsplit_once('@')) {
        Some(((scheme, _), (before, host))) => match before[scheme.len() + 3..].split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:{STARS}@{host}"),
            None => address.into(),
        },
        None => address.into(),
    };
    if query.is_empty() {
        return address;
    }
    let hide = |pair: &str| match pair.split_once('=') {
        Some((name @ ("password" | "secret" | "token" | "key"), _)) => format!("{name}={STARS}"),
        _ => pair.into(),
    };
    let pairs: Vec<String> = query.split('&').map(hide).collect();
    format!("{address}?{}", pairs.join("&"))
}

/// One of these words.
pub fn choice(text: &str, words: &[&str]) -> Result<String> {
    if !words.contains(&text) {
        bail!("expected one of {}", words.join(", "));
    }
    Ok(text.into())
}

/// A length of time; a number alone is seconds.
pub fn duration(text: &str) -> Result<Duration> {
    let expected = "expected a time such as 333 ms or 2 s";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok().context(expected)?;
    let millis = match unit.trim() {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => bail!(expected),
    };
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .context("that is too long")
}

/// Milliseconds as people write them.
pub fn show(millis: u128) -> String {
    match millis {
        0 => "0 s".into(),
        m if m % 60_000 == 0 => format!("{} m", m / 60_000),
        m if m % 1_000 == 0 => format!("{} s", m / 1_000),
        m => format!("{m} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_stars() {
        let cases = [
            ("postgres://hw:pa:s@s@db/hw", "postgres://hw:***@db/hw"),
            (
                "postgres://db/hw?user=hw&password=pass",
                "postgres://db/hw?user=hw&password=***",
            ),
            ("postgres://hw@db/hw", "postgres://hw@db/hw"),
            (
                "https://live.example.org:8443/a?b=c",
                "https://live.example.org:8443/a?b=c",
            ),
            ("sqlite:/var/a@b:c.db", "sqlite:/var/a@b:c.db"),
        ];
        for (url, shown) in cases {
            assert_eq!(hidden(Form::Url, url).0, shown);
        }
    }

    #[test]
    fn networks_may_be_single_addresses() {
        let networks = networks("10.0.0.0/8, ::1,127.0.0.1").unwrap();
        assert_eq!(
            networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.0.0.0/8", "::1/128", "127.0.0.1/32"]
        );
        assert!(super::networks("10.0.0.0/33").is_err());
    }
}
