//! Single values from text.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A TOML value as text.
pub fn from_toml(value: &toml::Value) -> Result<String> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(flag) => Ok(flag.to_string()),
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
