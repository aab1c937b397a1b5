//! `Forwarded` (RFC 7239) and the older `X-Forwarded-For`, `-Proto` and `-Host`: what proxies say of one request.
//!
//! Each proxy adds to the right what it saw, and the left may be written by anybody. So the lists are read from the right, and
//! the first address that is no trusted proxy is the viewer's.

use std::net::IpAddr;

use crate::node;

/// How many proxies may stand in a row.
pub const HOPS_MAX: usize = 32;

/// What a request's headers are, each in the order of its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    /// `Forwarded`
    pub forwarded: Vec<&'a str>,
    /// `X-Forwarded-For`
    pub x_for: Vec<&'a str>,
    /// `X-Forwarded-Proto`
    pub x_proto: Vec<&'a str>,
    /// `X-Forwarded-Host`
    pub x_host: Vec<&'a str>,
}

/// What trusted proxies say of whoever asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The viewer's address; `None` if they do not know, or hide it.
    pub address: Option<IpAddr>,
    /// The viewer came by HTTPS.
    pub tls: bool,
    /// The host that the viewer asked for.
    pub host: Option<String>,
}

/// One proxy's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Element {
    address: Option<IpAddr>,
    proto: Option<String>,
    host: Option<String>,
}

impl Headers<'_> {
    /// Whether any proxy says anything.
    pub fn are_empty(&self) -> bool {
        [&self.forwarded, &self.x_for, &self.x_proto, &self.x_host]
            .into_iter()
            .all(Vec::is_empty)
    }

    /// What is believed, of a request that a trusted proxy hands over. `Forwarded` goes before the older headers.
    pub fn said(&self, trusts: impl Fn(IpAddr) -> bool) -> Said {
        let elements = if self.forwarded.is_empty() {
            self.older()
        } else {
            self.standard()
        };
        let mut nearest_first = elements.into_iter().rev().take(HOPS_MAX);
        let mut told = Element::default();
        for element in &mut nearest_first {
            let ends = element.address.is_none_or(|address| !trusts(address));
            told = element;
            if ends {
                break;
            }
        }
        Said {
            address: told.address,
            tls: told.proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
            host: told.host,
        }
    }

    /// The elements of `Forwarded`. What stands left of an element that cannot be understood is not looked at.
    fn standard(&self) -> Vec<Element> {
        let mut elements = Vec::new();
        for line in &self.forwarded {
            match elements_of(line) {
                Some(more) => elements.extend(more),
                None => elements = vec![Element::default()],
            }
        }
        elements
    }

    /// The older headers as elements: addresses, and the scheme and host that belong to each.
    fn older(&self) -> Vec<Element> {
        let addresses = items(&self.x_for);
        let (protos, hosts) = (items(&self.x_proto), items(&self.x_host));
        let hops = addresses.len().max(1);
        (0..hops)
            .map(|hop| Element {
                address: addresses.get(hop).and_then(|text| node::address(text)),
                proto: belonging(&protos, hop, hops),
                host: belonging(&hosts, hop, hops),
            })
            .collect()
    }
}

/// The items of a list that may be spread over lines.
fn items<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    lines.iter().flat_map(|line| line.split(',')).map(str::trim).collect()
}

/// The value that belongs to a hop: its own in a list of the same length, else the nearest proxy's, which is the last.
fn belonging(values: &[&str], hop: usize, hops: usize) -> Option<String> {
    let value = if values.len() == hops {
        values.get(hop)
    } else {
        values.last()
    };
    value.filter(|value| !value.is_empty()).map(|value| (*value).to_owned())
}

/// `for=192.0.2.1;proto=https;host=a.example, for="[2001:db8::1]:80"`; `None` if it is not of that form.
fn elements_of(line: &str) -> Option<Vec<Element>> {
    let mut rest = line.trim();
    let mut elements = vec![Element::default()];
    while !rest.is_empty() {
        let (pair, after) = pair(rest)?;
        let element = elements.last_mut()?;
        if let Some((name, value)) = pair {
            element.take(name, value)?;
        }
        rest = after.trim_start();
        if let Some(next) = rest.strip_prefix(',') {
            elements.push(Element::default());
            rest = next.trim_start();
        } else if let Some(next) = rest.strip_prefix(';') {
            rest = next.trim_start();
        } else if !rest.is_empty() {
            return None;
        }
    }
    Some(elements)
}

impl Element {
    /// Takes a parameter; `None` if it stood there before (§4: each only once).
    fn take(&mut self, name: &str, value: String) -> Option<()> {
        match name.to_ascii_lowercase().as_str() {
            "for" => self.address = node::address(&value),
            "proto" if self.proto.is_none() => self.proto = Some(value),
            "host" if self.host.is_none() => self.host = Some(value),
            "proto" | "host" => return None,
            _ => {}
        }
        Some(())
    }
}

/// A parameter's name and value.
type Pair<'a> = (&'a str, String);

/// The parameter that a text begins with, which may be left out, and what follows it.
fn pair(text: &str) -> Option<(Option<Pair<'_>>, &str)> {
    if text.starts_with([',', ';']) {
        return Some((None, text));
    }
    let (name, rest) = text.split_once('=')?;
    if name.is_empty() || !name.chars().all(is_token) {
        return None;
    }
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => {
            let (value, rest) = rest.split_at(rest.find([',', ';', ' ', '\t']).unwrap_or(rest.len()));
            // Addresses in brackets ought to be quoted, yet some proxies leave that out.
            value
                .chars()
                .all(|c| is_token(c) || matches!(c, ':' | '[' | ']'))
                .then(|| (value.to_owned(), rest))?
        }
    };
    Some((Some((name, value)), rest))
}

/// RFC 9110 §5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// The text up to the closing quote, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            c => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(address: IpAddr) -> bool {
        address.to_string().starts_with("10.")
    }

    fn said(address: &str, tls: bool, host: Option<&str>) -> Said {
        Said {
            address: (!address.is_empty()).then(|| address.parse().unwrap()),
            tls,
            host: host.map(str::to_owned),
        }
    }

    fn forwarded(lines: &[&str]) -> Said {
        Headers {
            forwarded: lines.to_vec(),
            ..Headers::default()
        }
        .said(trusts)
    }

    fn older(x_for: &[&str], x_proto: &[&str], x_host: &[&str]) -> Said {
        Headers {
            x_for: x_for.to_vec(),
            x_proto: x_proto.to_vec(),
            x_host: x_host.to_vec(),
            ..Headers::default()
        }
        .said(trusts)
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_is_the_viewer() {
        assert_eq!(
            older(&["203.0.113.9"], &["https"], &["a.example"]),
            said("203.0.113.9", true, Some("a.example"))
        );
        assert_eq!(
            older(&["192.0.2.66, 203.0.113.9, 10.0.0.2"], &["https"], &[]),
            said("203.0.113.9", true, None)
        );
        assert_eq!(
            older(&["192.0.2.66", "203.0.113.9"], &[], &[]),
            said("203.0.113.9", false, None)
        );
        let lines = [
            "for=192.0.2.66;proto=https",
            "for=203.0.113.9;host=a.example, for=10.0.0.2;proto=https",
        ];
        assert_eq!(forwarded(&lines), said("203.0.113.9", false, Some("a.example")));
    }

    #[test]
    fn what_a_viewer_writes_to_the_left_is_not_believed() {
        let forged = "for=127.0.0.1;proto=https;host=evil.example, for=203.0.113.9;proto=http;host=a.example";
        assert_eq!(forwarded(&[forged]), said("203.0.113.9", false, Some("a.example")));
        assert_eq!(
            older(&["127.0.0.1, 203.0.113.9"], &["https, http"], &[]),
            said("203.0.113.9", false, None)
        );
        assert_eq!(
            forwarded(&["for=\"", "for=203.0.113.9"]),
            said("203.0.113.9", false, None)
        );
        assert_eq!(
            forwarded(&["for=\", for=203.0.113.9"]),
            said("", false, None),
            "nobody knows where the quote ends"
        );
    }

    #[test]
    fn an_address_that_is_hidden_is_unknown() {
        assert_eq!(forwarded(&["for=192.0.2.66, for=_secret"]), said("", false, None));
        assert_eq!(
            older(&["192.0.2.66, unknown, 10.0.0.2"], &[], &[]),
            said("", false, None)
        );
    }

    #[test]
    fn whom_proxies_ask_for_themselves_is_a_proxy() {
        assert_eq!(
            older(&["10.0.0.3, 10.0.0.2"], &["https"], &[]),
            said("10.0.0.3", true, None)
        );
    }

    #[test]
    fn elements_may_be_quoted_and_spaced() {
        let line = r#"For="[2001:db8:cafe::17]:4711" ; Proto = https"#;
        assert_eq!(elements_of(line), None, "no space around the equals sign");
        let line = r#"For="[2001:db8:cafe::17]:4711" ; Proto=HTTPS;;host="a\.example", by=10.0.0.1,"#;
        let elements = elements_of(line).unwrap();
        assert_eq!(elements[0].address, Some("2001:db8:cafe::17".parse().unwrap()));
        assert_eq!(elements[0].host.as_deref(), Some("a.example"));
        assert_eq!(forwarded(&["for=[2001:db8::1]"]), said("2001:db8::1", false, None));
        assert_eq!(elements_of("for=1.1.1.1;proto=http;proto=https"), None);
    }

    #[test]
    fn a_chain_that_never_ends_is_cut() {
        let chain = vec!["10.0.0.2"; 5_000].join(",");
        assert_eq!(older(&["203.0.113.9", &chain], &[], &[]), said("10.0.0.2", false, None));
    }
}
