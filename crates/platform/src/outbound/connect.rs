//! From a target to a connection with an address that was judged.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ipnet::IpNet;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tracing::warn;
use url::Host;

use super::Error;
use super::filter::Filter;
use super::resolve::{Resolve, System};
use super::target::Target;

/// Addresses of one name that are tried.
pub(super) const ADDRESSES_MAX: usize = 4;
/// How long one of them may take to connect: a network without IPv6 must not eat the time of all.
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(3);

/// Opens connections to what the filter lets through.
pub(super) struct Connector {
    pub(super) filter: Filter,
    pub(super) resolver: Box<dyn Resolve>,
    pub(super) tls: Arc<ClientConfig>,
}

/// A connection, plain or encrypted.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connector {
    pub(super) fn new(allow: Vec<IpNet>) -> Self {
        Self {
            filter: Filter::new(allow),
            resolver: Box::new(System),
            tls: Arc::clone(&SYSTEM_TLS),
        }
    }

    pub(super) async fn connect(&self, target: &Target) -> Result<Stream, Error> {
        let tcp = self.dial(target).await?;
        if !target.secure {
            return Ok(Stream::Plain(tcp));
        }
        TlsConnector::from(Arc::clone(&self.tls))
            .connect(target.server_name()?, tcp)
            .await
            .map(|stream| Stream::Tls(Box::new(stream)))
            .map_err(|fault| Error::Tls {
                host: target.name(),
                fault,
            })
    }

    async fn dial(&self, target: &Target) -> Result<TcpStream, Error> {
        let mut fault = io::ErrorKind::TimedOut.into();
        for address in self.permitted(target).await?.into_iter().take(ADDRESSES_MAX) {
            match tokio::time::timeout(CONNECT_MAX, TcpStream::connect((address, target.port))).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(refused)) => fault = refused,
                Err(_) => {}
            }
        }
        Err(Error::Connect {
            host: target.name(),
            fault,
        })
    }

    /// The target's addresses that may be called: at least one.
    async fn permitted(&self, target: &Target) -> Result<Vec<IpAddr>, Error> {
        let mut addresses = self.addresses(target).await?;
        addresses.retain(|address| self.filter.permits(*address));
        if addresses.is_empty() {
            return Err(Error::NotAllowed { host: target.name() });
        }
        Ok(addresses)
    }

    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, Error> {
        let name = match &target.host {
            Host::Ipv4(address) => return Ok(vec![(*address).into()]),
            Host::Ipv6(address) => return Ok(vec![(*address).into()]),
            Host::Domain(name) => name,
        };
        let found = self.resolver.resolve(name).await.unwrap_or_default();
        if found.is_empty() {
            return Err(Error::Unknown { host: target.name() });
        }
        Ok(found)
    }
}

/// TLS as the system's certificate authorities have it (`SSL_CERT_FILE` names others). Read once: it takes milliseconds.
static SYSTEM_TLS: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        warn!(faults = ?found.errors, "no certificate authority is known here: calls to https:// addresses will fail");
    }
    tls(roots)
});

/// TLS that trusts these certificate authorities.
pub(super) fn tls(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}
