//! Whom an address means.

use http::HeaderValue;
use rustls::pki_types::ServerName;
use url::{Host, Url};

use super::Error;

/// An address that is well formed and none of the forms that hide whom it means.
///
/// The `url` crate reads hosts as browsers do: octal, hexadecimal and decimal forms of IPv4 arrive here as addresses.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) secure: bool,
}

impl Target {
    pub(super) fn of(url: &Url) -> Result<Self, Error> {
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(Error::Address("it begins with neither https:// nor http://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::Address("it holds a user name or a password"));
        }
        let host = url.host().ok_or(Error::Address("it names no host"))?.to_owned();
        match url.port_or_known_default() {
            None | Some(0) => Err(Error::Address("it has no port that can be called")),
            Some(port) => Ok(Self { host, port, secure }),
        }
    }

    /// The host as the address has it: for messages.
    pub(super) fn name(&self) -> String {
        self.host.to_string()
    }

    /// The host that the certificate must name.
    pub(super) fn server_name(&self) -> Result<ServerName<'static>, Error> {
        match &self.host {
            Host::Ipv4(address) => Ok(ServerName::IpAddress((*address).into())),
            Host::Ipv6(address) => Ok(ServerName::IpAddress((*address).into())),
            Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
                .map_err(|_| Error::Address("its host is no name that a certificate can have")),
        }
    }

    /// The `Host` header.
    pub(super) fn header(&self) -> Result<HeaderValue, Error> {
        let text = if self.port == if self.secure { 443 } else { 80 } {
            self.name()
        } else {
            format!("{}:{}", self.host, self.port)
        };
        HeaderValue::try_from(text).map_err(|_| Error::Address("its host cannot be written"))
    }
}
